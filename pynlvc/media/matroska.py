"""One question that FFmpeg's Matroska reader does not answer: is the file all there?"""

from __future__ import annotations

from pathlib import Path

_EBML_ID = bytes.fromhex("1a45dfa3")
_SEGMENT_ID = bytes.fromhex("18538067")
_HEAD_BYTES = 4096  # the EBML header is some 40 bytes; the segment follows it


def _size(data: bytes, at: int) -> tuple[int | None, int]:
    """Reads an EBML size field: (value, or None for "unknown", position after it)."""
    if at >= len(data) or data[at] == 0:
        raise ValueError("no EBML size here")
    length = 9 - data[at].bit_length()
    field = data[at : at + length]
    if len(field) < length:
        raise ValueError("the EBML size is cut off")
    value = int.from_bytes(field, "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def missing_bytes(path: Path) -> int:
    """Bytes by which a Matroska file is shorter than its own header says; 0 for whole, streamed and other files."""
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_EBML_ID):
        return 0
    try:
        header_size, at = _size(head, len(_EBML_ID))
        at += header_size or 0
        if head[at : at + len(_SEGMENT_ID)] != _SEGMENT_ID:
            return 0
        segment_size, at = _size(head, at + len(_SEGMENT_ID))
    except ValueError:
        return 0
    return 0 if segment_size is None else max(0, at + segment_size - path.stat().st_size)
