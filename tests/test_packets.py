"""Packets (docs/bitstream.md §9): headers, and what damaged or hostile bytes do: a BitstreamError, never more."""

from __future__ import annotations

import hashlib
import resource
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynlvc import _core
from tests.core_frames import assert_equal_planes, encode_all, make_format, make_frames
from tests.models import random_model

MODEL = random_model(seed=6)
FORM = make_format(45, 52, sx=1, sy=1, time_base=(1, 50))
FRAMES = make_frames(FORM, 3, "moving")
CODED = encode_all(FORM, MODEL, FRAMES, slices=3)
VERSION = CODED[0].data[2:3]


def varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def sequence(
    *,
    width: int = 16,
    height: int = 16,
    layout: int = 0,
    alpha: int = 0,
    depth: int = 8,
    sx: int = 0,
    sy: int = 0,
    num: int = 1,
    den: int = 25,
    delta: int = 2,
    name: bytes = b"gray",
    rest: bytes = b"",
) -> bytes:
    """A sequence field for MODEL, with `rest` after its last field."""
    body = VERSION + varint(width) + varint(height) + bytes([layout, alpha, depth, sx, sy]) + varint(num) + varint(den)
    body += hashlib.sha256(MODEL).digest() + bytes([delta, len(name)]) + name + varint(0) + rest
    return varint(len(body)) + body


def packet(
    head: bytes,
    payloads: list[bytes],
    *,
    mode: int = 0,
    q: int = 0,
    count: int | None = None,
    checksum: int = 0,
    side: bytes = b"",
    sample_check: int = 0,
) -> bytes:
    """A packet around given payloads with right checksums of header and slices; `head` is a keyframe's sequence."""
    flags = (1 if head else 0) | (2 if side else 0)
    out = (
        b"NL"
        + VERSION
        + bytes([flags])
        + head
        + (b"\0\0\1" if head else b"\1\0\1")
        + (varint(len(side)) + side if side else b"")
    )
    out += bytes([q, len(payloads) if count is None else count])
    out += struct.pack("<I", checksum)
    for payload in payloads:
        crc = _core.crc32c(payload, _core.crc32c(bytes([mode])))
        out += bytes([mode]) + varint(len(payload)) + struct.pack("<I", crc)
        out += struct.pack("<H", sample_check) if len(payloads) > 1 else b""
    return out + struct.pack("<I", _core.crc32c(out)) + b"".join(payloads)


def decoder() -> _core.Decoder:
    """A decoder that knows MODEL."""
    return _core.Decoder(lambda _hash: MODEL, threads=1)


def test_headers_say_what_was_coded() -> None:
    info = _core.parse_packet(CODED[0].data)
    assert (info.is_keyframe, info.format, info.delta, info.q) == (True, FORM, 2, 0)
    assert info.model_hash == hashlib.sha256(MODEL).hexdigest()
    assert (info.pts_difference, info.duration, info.embedded_model) == (0, 1, b"")
    assert info.slice_modes == ["model"] * 3
    assert sum(info.slice_sizes) < len(CODED[0].data) < sum(info.slice_sizes) + 120
    later = _core.parse_packet(CODED[1].data)
    assert (later.is_keyframe, later.format, later.model_hash, later.delta) == (False, None, None, None)
    assert (later.pts_difference, later.duration, later.checksum) == (0, 1, CODED[1].checksum)
    assert (info.number, later.number) == (0, 1)
    encoder = _core.Encoder(FORM, MODEL, slices=3)
    header = _core.parse_sequence_header(encoder.sequence_header)
    assert (header.format, header.model_hash, header.delta) == (FORM, encoder.model_hash, 2)
    assert encoder.sequence_header in CODED[0].data


def test_checksums() -> None:
    assert _core.crc32c(b"123456789") == 0xE3069283
    assert _core.crc32c(b"") == 0
    assert _core.crc32c(b"6789", _core.crc32c(b"12345")) == 0xE3069283
    data = np.random.default_rng(0).bytes(1000)
    whole = _core.crc32c(data)
    assert all(_core.crc32c(data[cut:], _core.crc32c(data[:cut])) == whole for cut in range(0, 1000, 37))
    assert whole != zlib.crc32(data)
    samples = b"".join(p.tobytes() for p in FRAMES[0])
    assert CODED[0].checksum == _core.crc32c(samples)
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000):
        # The hash of a model file, here behind a name of varying length.
        model = random_model(seed=1).replace(b"\6random", bytes([size % 200]) + b"x" * (size % 200), 1)
        assert _core.parse_model(model).hash == hashlib.sha256(model).hexdigest()


def test_every_cut_is_noticed() -> None:
    for data in (CODED[0].data, CODED[1].data):
        for size in range(len(data)):
            with pytest.raises(_core.BitstreamError):
                _core.parse_packet(data[:size])
        with pytest.raises(_core.BitstreamError, match="left over"):
            _core.parse_packet(data + b"\0")


def test_every_flipped_bit_is_noticed() -> None:
    """A changed bit either is refused or leaves samples and times as they were or changes only what the header says."""
    for t in (0, 1):
        data = CODED[t].data
        for position in [*range(min(140, len(data))), *range(140, len(data), 23)]:
            for bit in (0, 3, 7):
                damaged = bytearray(data)
                damaged[position] ^= 1 << bit
                d = decoder()
                for before in CODED[:t]:
                    d.decode(before.data)
                try:
                    decoded = d.decode(bytes(damaged))
                except (_core.BitstreamError, _core.MissingModelError):
                    continue
                # Header fields without a checksum of their own: time, time base, the name of the layout.
                assert decoded.checksum == CODED[t].checksum
                assert_equal_planes(decoded.planes, FRAMES[t])


@given(st.binary(max_size=200), st.integers(0, 300), st.booleans())
def test_arbitrary_bytes(junk: bytes, position: int, keep_head: bool) -> None:
    data = (b"NL" + VERSION if keep_head else b"") + junk
    for attempt in (data, CODED[0].data[:position] + junk + CODED[0].data[position:]):
        try:
            decoder().decode(attempt)
        except (_core.BitstreamError, _core.MissingModelError):
            continue
        assert junk == b""
    with pytest.raises(_core.BitstreamError):
        _core.parse_sequence_header(junk)
    with pytest.raises(_core.BitstreamError):
        _core.parse_model(junk)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_arbitrary_payloads(seed: int, t: int) -> None:
    """Payloads of noise with right checksums: the frame's own checksum refuses what they decode to."""
    rng = np.random.default_rng(seed)
    payloads = [rng.bytes(int(rng.integers(0, 400))) for _ in range(3)]
    head = _core.Encoder(FORM, MODEL).sequence_header if t == 0 else b""
    d = decoder()
    for before in CODED[:t]:
        d.decode(before.data)
    with pytest.raises(_core.BitstreamError):
        d.decode(packet(head, payloads))


def test_a_valid_handmade_packet_decodes() -> None:
    samples = bytes(range(256))
    frame = decoder().decode(packet(sequence(), [samples], mode=1, checksum=_core.crc32c(samples)))
    np.testing.assert_array_equal(frame.planes[0], np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert (frame.pts, frame.duration, frame.format.format_name) == (0, 1, "gray")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "signature"),
        (b"XL\0\1", "signature"),
        (b"NL\7\1" + sequence(), "format version 7, this library knows version"),
        (b"NL" + VERSION + b"\4" + sequence(), "flags"),
        (packet(sequence(width=0), [b""]), "width"),
        (packet(sequence(width=16385), [b""]), "width"),
        (packet(sequence(height=1 << 40), [b""]), "height"),
        (packet(sequence(layout=3), [b""]), "layout"),
        (packet(sequence(alpha=2), [b""]), "alpha"),
        (packet(sequence(depth=7), [b""]), "depth"),
        (packet(sequence(sx=1), [b""]), "subsampling"),
        (packet(sequence(layout=1, sy=3), [b""]), "subsampling"),
        (packet(sequence(num=0), [b""]), "time base"),
        (packet(sequence(den=1 << 31), [b""]), "time base"),
        (packet(sequence(delta=3), [b""]), "delta"),
        (packet(sequence(name=b"\x1b[2J"), [b""]), "printable"),
        (packet(sequence(rest=b"\0"), [b""]), "side information is cut off"),
        (packet(b"\xff" * 10, [b""]), "64 bits"),
        (packet(sequence(), [b""], q=1), "shift"),
        (packet(sequence(), [b""], q=9), "shift"),
        (packet(sequence(), [], count=0), "slice count"),
        (packet(sequence(), [b"", b""]), "more slices"),
        (packet(sequence(), [bytes(255)], mode=1), "raw payload"),
        (packet(sequence(), [bytes(257)], mode=1), "raw payload"),
        (packet(sequence(), [b""], mode=3), "slice mode"),
        (packet(sequence(), [bytes(256)], mode=1, checksum=1), "checksum"),
        (packet(sequence(depth=9), [b"\0\2" * 256], mode=1), "largest of its depth"),
        (packet(b"", [b""]), "next keyframe"),
    ],
)
def test_wrong_fields_are_named(data: bytes, message: str) -> None:
    with pytest.raises(_core.BitstreamError, match=message):
        decoder().decode(data)


def test_small_packets_cannot_claim_large_pictures() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for payloads in ([b""], [bytes(10)], [bytes(1000)], [bytes(100)] * 255):
        with pytest.raises(_core.BitstreamError, match="too short for"):
            decoder().decode(packet(sequence(width=16384, height=16384, layout=2, alpha=1, depth=16), payloads))
    with pytest.raises(_core.BitstreamError, match="raw payload"):
        decoder().decode(packet(sequence(width=16384, height=16384), [bytes(1000)], mode=1))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_flat_frames_are_padded_to_the_least_payload() -> None:
    form = make_format(256, 256, layout="grey")
    model = random_model(seed=12, extreme=True)
    for content in ("zero", "flat"):
        frames = make_frames(form, 2, content)
        d = _core.Decoder(lambda _hash: model)
        for coded, frame in zip(encode_all(form, model, frames, slices=1), frames, strict=True):
            assert min(_core.parse_packet(coded.data).slice_sizes) >= 256 * 256 // 8192
            assert_equal_planes(d.decode(coded.data).planes, frame)
