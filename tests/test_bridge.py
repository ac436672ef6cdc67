"""The Python process behind the C ABI: the same packets, and its death is an error of the call, never of the host."""

from __future__ import annotations

import ctypes as c
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import pynlvc
from pynlvc.bridge.messages import MAX_BODY
from tests.clip_files import video_frame
from tests.clips import make_clip
from tests.diffusion_models import small_model
from tests.libnlvc import (
    AGAIN,
    BAD_ARGUMENT,
    BAD_STREAM,
    FAILED,
    NO_MODEL,
    OK,
    Frame,
    Packet,
    Side,
    frame_of,
    make_c_format,
    option_list,
)
from tests.media_files import PROJECT, pynlvc_command

WIDTH, HEIGHT = 48, 32


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """NLVC_PYTHON: an interpreter that notes the number of its process in a file beside it."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\nexec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("NLVC_PYTHON", str(script))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    return script


@pytest.fixture
def opened(libnlvc: c.CDLL) -> Iterator[Callable[..., c.c_void_p]]:
    """Opens an encoder for a pixel format or, without one, a decoder; closes it after the test."""
    closers: list[tuple[Callable[[c.c_void_p], None], c.c_void_p]] = []

    def open_codec(pixel_format: str | None, *options: str, header: bytes = b"") -> c.c_void_p:
        handle = c.c_void_p()
        if pixel_format is None:
            status = libnlvc.nlvc_decoder_open(header, len(header), option_list(*options), c.byref(handle))
        else:
            form = make_c_format(libnlvc, pixel_format, WIDTH, HEIGHT)
            status = libnlvc.nlvc_encoder_open(c.byref(form), option_list(*options), c.byref(handle))
        assert status == OK, libnlvc.nlvc_error()
        kind = "decoder" if pixel_format is None else "encoder"
        closers.append((getattr(libnlvc, f"nlvc_{kind}_close"), handle))
        return handle

    yield open_codec
    for close, handle in closers:
        close(handle)


def process_of(interpreter: Path) -> int:
    """The process that the interpreter's script became."""
    return int(interpreter.with_name("pid").read_text(encoding="utf-8"))


def encode(libnlvc: c.CDLL, encoder: c.c_void_p, frame: Frame) -> bytes:
    packet = Packet()
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame)) == OK, libnlvc.nlvc_error()
    assert libnlvc.nlvc_encoder_receive(encoder, c.byref(packet)) == OK
    assert bool(packet.bytes[3] & 1) == bool(packet.keyframe)
    return packet.bytes


@pytest.mark.parametrize("pixel_format", ["yuv420p", "gbrp10le"])
def test_both_routes_give_the_same(
    libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path, pixel_format: str
) -> None:
    clip = make_clip(WIDTH, HEIGHT, 6, pix_fmt=pixel_format)
    options = ("model=fast", "effort=2", "gop=4", "slices=2", "delta=1", "threads=1")
    native = opened(pixel_format, *options)
    bridge = opened(pixel_format, *options, "bridge=2")
    headers = []
    for encoder in (native, bridge):
        header, size = c.POINTER(c.c_uint8)(), c.c_size_t()
        assert libnlvc.nlvc_encoder_extradata(encoder, c.byref(header), c.byref(size)) == OK
        headers.append(c.string_at(header, size.value))
    assert headers[0] == headers[1]
    decoders = [opened(None, header=headers[0]), opened(None, "bridge=2", "threads=1", header=headers[0])]
    entries = (Side * 2)(Side(1, b"\2\1\1\1\0", 5), Side(46, b"\1\0\0\0\2\0\0\0", 8))
    for t in range(6):
        frame = frame_of(clip.frames[t], t)
        frame.side, frame.side_count = entries, 2
        frame.keyframe = t == 2
        data = encode(libnlvc, native, frame)
        assert encode(libnlvc, bridge, frame) == data
        assert bool(data[3] & 1) == (t in (0, 2))
        for decoder in decoders:
            out = Frame()
            assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == AGAIN
            assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK, libnlvc.nlvc_error()
            assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
            assert (out.pts, out.duration, out.keyframe, out.format.name.decode()) == (t, 2, t in (0, 2), pixel_format)
            assert {entry.type for entry in out.side[: out.side_count]} == {1, 46}
            for i, plane in enumerate(clip.frames[t]):
                rows = [
                    c.string_at(out.planes[i] + y * out.strides[i], plane.shape[1] * plane.itemsize)
                    for y in range(plane.shape[0])
                ]
                assert b"".join(rows) == plane.tobytes()
    for decoder in decoders:
        assert libnlvc.nlvc_decoder_reset(decoder) == OK
        assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == BAD_STREAM
        assert b"keyframe" in libnlvc.nlvc_error()


def test_it_steps_in_where_a_model_is_unknown_here(
    libnlvc: c.CDLL,
    opened: Callable[..., c.c_void_p],
    interpreter: Path,
    model_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = make_clip(WIDTH, HEIGHT, 1)
    settings = pynlvc.EncoderSettings(model=str(model_path))
    encoder = pynlvc.Encoder(WIDTH, HEIGHT, "yuv420p", time_base=Fraction(1, 25), settings=settings)
    data = bytes(encoder.encode(video_frame(clip, 0))[0])
    # An interpreter whose package has one model more than libnlvc.
    code = (
        "import pathlib, sys; from pynlvc.model import store; from pynlvc.cli import main; "
        f"store._weights = lambda: iter([pathlib.Path({str(model_path)!r})]); sys.exit(main(['serve']))"
    )
    interpreter.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n', encoding="utf-8")
    out = Frame()
    decoder = opened(None)
    assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK, libnlvc.nlvc_error()
    assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
    assert c.string_at(out.planes[0], WIDTH * HEIGHT) == clip.frames[0][0].tobytes()
    by_name = opened("yuv420p", f"model={model_path.stem}")
    assert encode(libnlvc, by_name, frame_of(clip.frames[0], 0)) != b""
    assert libnlvc.nlvc_decoder_send(opened(None, "bridge=0"), data, len(data)) == NO_MODEL
    monkeypatch.delenv("NLVC_PYTHON")
    assert libnlvc.nlvc_decoder_send(opened(None), data, len(data)) == NO_MODEL


def test_the_transformer_is_coded_in_python_or_refused(
    libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path, tmp_path: Path
) -> None:
    """A model that libnlvc cannot run (docs/diffusion.md), embedded in its stream."""
    path = tmp_path / "small.nlvm"
    path.write_bytes(small_model(1).to_bytes())
    clip = make_clip(WIDTH, HEIGHT, 2)
    encoder, decoder = opened("yuv420p", f"model={path}", "embed_model=1"), opened(None)
    for t in range(2):
        data = encode(libnlvc, encoder, frame_of(clip.frames[t], t))
        out = Frame()
        assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK, libnlvc.nlvc_error()
        assert libnlvc.nlvc_decoder_receive(decoder, c.byref(out)) == OK
        assert c.string_at(out.planes[0], WIDTH * HEIGHT) == clip.frames[t][0].tobytes()
        if t == 0:
            assert libnlvc.nlvc_decoder_send(opened(None, "bridge=0"), data, len(data)) == NO_MODEL
            assert b"PyTorch" in libnlvc.nlvc_error()
    form = make_c_format(libnlvc, "yuv420p", WIDTH, HEIGHT)
    refused = libnlvc.nlvc_encoder_open(c.byref(form), option_list(f"model={path}", "bridge=0"), c.byref(c.c_void_p()))
    assert refused == NO_MODEL
    assert b"PyTorch" in libnlvc.nlvc_error()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_death_in_mid_frame_is_an_error_of_the_call(
    libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path, number: signal.Signals
) -> None:
    planes = make_clip(WIDTH, HEIGHT, 1).frames[0]
    encoder = opened("yuv420p", "model=fast", "effort=0", "bridge=2")
    encode(libnlvc, encoder, frame_of(planes, 0))
    child = process_of(interpreter)
    os.kill(child, signal.SIGSTOP)  # it now takes the frame and does not answer
    results: list[tuple[int, bytes]] = []

    def send() -> None:
        status = libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, 1)))
        results.append((status, libnlvc.nlvc_error()))

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive(), "the call waits for its answer"
    os.kill(child, number)
    os.kill(child, signal.SIGCONT)
    thread.join(timeout=30)
    assert [status for status, _ in results] == [FAILED]
    assert b"left in the middle of a call" in results[0][1]
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, 2))) == FAILED
    assert b"open the codec again" in libnlvc.nlvc_error()
    fresh = opened("yuv420p", "model=fast", "effort=0", "bridge=2")
    encode(libnlvc, fresh, frame_of(planes, 0))


def test_silence_is_an_error(libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path) -> None:
    # Answers the opening at once, with a header of no bytes, and then nothing.
    script = f"#!/bin/sh\necho $$ > {interpreter.with_name('pid')}\nprintf 'h\\0\\0\\0\\0'\nexec sleep 600\n"
    interpreter.write_text(script, encoding="utf-8")
    planes = make_clip(WIDTH, HEIGHT, 1).frames[0]
    encoder = opened("yuv420p", "bridge=2", "bridge_timeout=1")
    assert libnlvc.nlvc_encoder_send(encoder, c.byref(frame_of(planes, 0))) == FAILED
    assert b"gave no answer for 1 s" in libnlvc.nlvc_error()
    with pytest.raises(ProcessLookupError):
        os.kill(process_of(interpreter), 0)


def test_no_process_is_left(libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path) -> None:
    handle = c.c_void_p()
    form = make_c_format(libnlvc, "gray", 8, 8)
    assert libnlvc.nlvc_encoder_open(c.byref(form), option_list("bridge=2"), c.byref(handle)) == OK
    os.kill(process_of(interpreter), 0)
    libnlvc.nlvc_encoder_close(handle)
    with pytest.raises(ProcessLookupError):
        os.kill(process_of(interpreter), 0)


def test_what_is_wrong_is_told(libnlvc: c.CDLL, interpreter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = make_c_format(libnlvc, "gray", 8, 8)
    handle = c.c_void_p()

    def attempt(*options: str) -> tuple[int, bytes]:
        status = libnlvc.nlvc_encoder_open(c.byref(form), option_list("bridge=2", *options), c.byref(handle))
        return status, libnlvc.nlvc_error()

    for options, status, told in (
        (("python=/nowhere/python",), FAILED, b"cannot start /nowhere/python"),
        (("python=/bin/false",), FAILED, b"it ended with status 1"),
        (("model=none",), NO_MODEL, b"there is no model named 'none'"),
    ):
        found = attempt(*options)
        assert (found[0], told in found[1]) == (status, True), found
    monkeypatch.delenv("NLVC_PYTHON")
    assert attempt() == (BAD_ARGUMENT, b"the Python process needs an interpreter: set NLVC_PYTHON or the option python")


def message(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        (b"\0\0", "cut off"),
        (b"f" + (MAX_BODY + 1).to_bytes(4, "little"), "claims"),
        (message(b"f", b"") + b"f", "cut off"),
    ],
)
def test_the_server_leaves_on_what_it_cannot_read(requests: bytes, told: str) -> None:
    done = subprocess.run(pynlvc_command("serve"), input=requests, capture_output=True, cwd=PROJECT, check=False)
    assert done.returncode == 1
    assert told in done.stderr.decode() and done.stderr.count(b"\n") == 1


def test_the_server_answers_wrong_requests() -> None:
    requests = message(b"?", b"") + message(b"f", b"") + message(b"p", b"x") + message(b"e", b"\7") + message(b"d", b"")
    done = subprocess.run(pynlvc_command("serve"), input=requests, capture_output=True, cwd=PROJECT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"x") >= 5
    for told in (b"unknown request", b"before the encoder", b"before the decoder", b"version 7", b"cut off"):
        assert told in done.stdout


def test_frames_cross_as_they_lie_in_memory(
    libnlvc: c.CDLL, opened: Callable[..., c.c_void_p], interpreter: Path
) -> None:
    rng = np.random.default_rng(4)
    rows = rng.integers(0, 256, (HEIGHT, WIDTH * 4), dtype=np.uint8)
    data = encode(libnlvc, opened("bgr0", "model=fast", "effort=0", "bridge=2"), frame_of([rows], 0))
    out = np.zeros_like(rows)
    decoder = opened(None)
    assert libnlvc.nlvc_decoder_send(decoder, data, len(data)) == OK
    assert libnlvc.nlvc_decoder_receive_into(decoder, c.byref(frame_of([out], 0))) == OK
    np.testing.assert_array_equal(out, rows)
