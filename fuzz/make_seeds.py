"""Writes the seeds in fuzz/corpus: small streams of every kind with all checksums 0 (see the Makefile).

python -m fuzz.make_seeds
"""

from __future__ import annotations

import struct
from pathlib import Path

from pynlvc import _core
from tests.core_frames import encode_all, make_format, make_frames
from tests.models import moved_model, random_model

CORPUS = Path(__file__).parent / "corpus"
MODEL = random_model(seed=1, taps=4, errors=2, h1=2, h2=2, g=2)
STREAMS = {
    "grey": (make_format(16, 16, layout="grey", format_name="gray"), "moving", {}),
    "yuv420": (make_format(17, 35, sx=1, sy=1, format_name="yuv420p"), "moving", {"slices": 2}),
    "rgb10": (make_format(9, 20, layout="rgb", depth=10, format_name="gbrp10le"), "ramp", {"delta": 1}),
    "alpha": (make_format(12, 33, alpha=True, format_name="yuva444p"), "flat", {"delta": 0, "slices": 3}),
    "raw": (make_format(16, 16, layout="grey", format_name="gray"), "noise", {}),
    "sparse": (make_format(24, 24, layout="grey", depth=16, format_name="gray16le"), "extremes", {}),
    "fitted": (make_format(64, 48, layout="grey", format_name="gray"), "moving", {"effort": 3}),
}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def without_checksums(packet: bytes) -> bytes:
    """The packet with 0 in the place of every checksum (docs/bitstream.md §9)."""
    out = bytearray(packet)
    at = 4
    if packet[3] & 1:
        size, at = _varint(packet, at)
        at += size
    for _ in range(3):  # number, pts, duration
        at = _varint(packet, at)[1]
    if packet[3] & 2:
        size, at = _varint(packet, at)
        at += size
    count = packet[at + 1]
    out[at + 2 : at + 6] = bytes(4)
    at += 6
    for _ in range(count):
        at = _varint(packet, at + 1)[1]
        extra = 6 if count > 1 else 4
        out[at : at + extra] = bytes(extra)
        at += extra
    out[at : at + 4] = bytes(4)
    return bytes(out)


def _joined(packets: list[bytes]) -> bytes:
    return b"".join(struct.pack("<H", len(packet)) + packet for packet in packets)


def _write(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed_{name}").write_bytes(data)


def main() -> None:
    """Writes all seeds."""
    _write("model", "random", MODEL)
    for delta in (0, 1, 2):
        moved = moved_model(MODEL, delta=delta, seed=delta)
        difference = _core.write_model_difference(MODEL, moved, delta=delta)
        _write("difference", f"slope{delta}", _joined([MODEL, difference]))
    for name, (form, content, settings) in STREAMS.items():
        coded = encode_all(form, MODEL, make_frames(form, 3, content), embed_model=True, **settings)
        packets = [without_checksums(frame.data) for frame in coded]
        header = _core.Encoder(form, MODEL, embed_model=True).sequence_header
        _write("header", name, header)
        _write("packet", name, packets[0])
        _write("packet", f"{name}_p", packets[1])
        _write("decode", name, b"\1" + _joined(packets))
        _write("abi", name, _joined([header, *packets]))


if __name__ == "__main__":
    main()
