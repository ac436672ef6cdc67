"""Answers the requests of one stream: an encoder or a decoder."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from pynlvc.bridge.messages import (
    BAD_ARGUMENT,
    BAD_STREAM,
    FAILED,
    NO_MODEL,
    VERSION,
    Body,
    FrameHead,
    ProtocolError,
    read_message,
    sized,
    write_message,
)
from pynlvc.codec import Decoder, DecoderSettings, Encoder, EncoderSettings
from pynlvc.codec.planes import memory_rows
from pynlvc.codec.side_information import read_side_information, write_side_information
from pynlvc.errors import BitstreamError, MissingModelError, ModelError, NlvcError

# libnlvc's options that are settings of the encoder, and how their text reads.
_SETTINGS: dict[str, Callable[[str], Any]] = {
    "model": str,
    "effort": int,
    "delta": int,
    "gop": int,
    "gop_seconds": float,
    "scene_cuts": lambda text: text == "1",
    "slices": int,
    "threads": int,
    "embed_model": lambda text: text == "1",
}

Answer = tuple[bytes, tuple[bytes, ...]]  # kind, parts of the body


def _options(body: Body) -> dict[str, str]:
    pairs = (body.text().partition("=") for _ in range(body.number("B")))
    return {name: value for name, _, value in pairs}


def _encoder_settings(options: dict[str, str]) -> EncoderSettings:
    return EncoderSettings(**{name: _SETTINGS[name](text) for name, text in options.items() if name in _SETTINGS})


def _model_files(options: dict[str, str]) -> tuple[Path, ...]:
    files: list[Path] = []
    for place in filter(None, options.get("model_path", "").split(":")):
        files += sorted(Path(place).glob("*.nlvm")) if Path(place).is_dir() else [Path(place)]
    return tuple(files)


class Server:
    """One stream's codec."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None
        self._decoder: Decoder | None = None
        self._header = b""
        self._decoder_settings = DecoderSettings()

    def answer(self, kind: bytes, body: Body) -> Answer:
        """The answer to a request; what goes wrong is raised."""
        requests = {
            b"e": self._open_encoder,
            b"d": self._open_decoder,
            b"f": self._encode,
            b"p": self._decode,
            b"r": self._reset,
        }
        if kind not in requests:
            raise ProtocolError(f"unknown request {kind!r}")
        return requests[kind](body)

    def _open_encoder(self, body: Body) -> Answer:
        _check_version(body)
        name, width, height = body.text(), body.number("I"), body.number("I")
        time_base = Fraction(body.number("q"), body.number("q"))
        settings = _encoder_settings(_options(body))
        self._encoder = Encoder(width, height, name, time_base=time_base, settings=settings)
        return b"h", (self._encoder.extradata,)

    def _open_decoder(self, body: Body) -> Answer:
        _check_version(body)
        self._header = body.bytes()
        options = _options(body)
        self._decoder_settings = DecoderSettings(
            threads=int(options.get("threads", "0")), model_files=_model_files(options)
        )
        return self._reset(body)

    def _reset(self, body: Body) -> Answer:
        self._decoder = Decoder(self._header or None, settings=self._decoder_settings)
        return b"k", ()

    def _encode(self, body: Body) -> Answer:
        if self._encoder is None:
            raise ProtocolError("a frame comes before the encoder is opened")
        encoder, head = self._encoder, FrameHead.read(body)
        frame = av.VideoFrame(encoder.width, encoder.height, encoder.pix_fmt)
        for rows in memory_rows(frame):
            np.copyto(rows, np.frombuffer(body.take(rows.size), np.uint8).reshape(rows.shape))
        frame.pts, frame.duration, frame.time_base = head.pts, head.duration, encoder.time_base
        write_side_information(frame, head.side)
        (packet,) = encoder.encode(frame, keyframe=head.keyframe)
        return b"p", (bytes([packet.is_keyframe]), bytes(packet))

    def _decode(self, body: Body) -> Answer:
        if self._decoder is None:
            raise ProtocolError("a packet comes before the decoder is opened")
        (frame,) = self._decoder.decode(av.Packet(bytes(body.rest())))
        assert frame.time_base is not None and frame.pts is not None
        side, _ = read_side_information(frame)
        shape = struct.pack("<II", frame.width, frame.height)
        time_base = struct.pack("<qq", *frame.time_base.as_integer_ratio())
        head = FrameHead(frame.pts, frame.duration or 0, bool(frame.key_frame), side)
        name = sized(frame.format.name.encode())
        planes = tuple(np.ascontiguousarray(rows).tobytes() for rows in memory_rows(frame))
        return b"f", (name, shape, time_base, head.write(), *planes)


def _check_version(body: Body) -> None:
    version = body.number("B")
    if version != VERSION:
        raise ProtocolError(f"libnlvc speaks version {version} of these messages, this package version {VERSION}")


def _status(error: Exception) -> int:
    if isinstance(error, MissingModelError | ModelError):
        return NO_MODEL
    if isinstance(error, BitstreamError):
        return BAD_STREAM
    return BAD_ARGUMENT if isinstance(error, NlvcError) else FAILED


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until the requests end. An error is an answer; ProtocolError and a lost peer end the service."""
    server = Server()
    while (message := read_message(requests)) is not None:
        kind, data = message
        try:
            answer, parts = server.answer(kind, Body(data))
        except (NlvcError, ProtocolError, MemoryError) as error:
            text = str(error) or "there is not enough memory"
            write_message(answers, b"x", struct.pack("<b", _status(error)), text.encode("utf-8"))
        else:
            write_message(answers, answer, *parts)
