"""Two questions that FFmpeg's Matroska reader does not answer: is the file all there, and as it was written?"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO

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


_CRC_ID = 0xBF
_LEVEL_1 = {
    0x114D9B74: "SeekHead",
    0x1549A966: "Info",
    0x1654AE6B: "Tracks",
    0x1F43B675: "Cluster",
    0x1C53BB6B: "Cues",
    0x1254C367: "Tags",
    0x1043A770: "Chapters",
    0x1941A469: "Attachments",
    0xEC: "Void",
    _CRC_ID: "CRC-32",
}
_CHUNK_BYTES = 1 << 20


def _element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Reads the id and size of the element that begins here; None at the end. ValueError where there is none."""
    head = file.read(1)
    if not head:
        return None
    length = 9 - head[0].bit_length() if head[0] else 9
    if length > 4:
        raise ValueError("no EBML id here")
    identity = int.from_bytes(head + file.read(length - 1), "big")
    start = file.tell()
    size, at = _size(file.read(8), 0)
    file.seek(start + at)
    return identity, size


def damaged_elements(path: Path) -> list[str]:
    """What is wrong with the top-level elements of a Matroska file: those whose own CRC-32 (as FFmpeg writes them) does
    not fit their bytes, and places where there is no element. Empty for other files."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        if file.read(len(_EBML_ID)) != _EBML_ID:
            return []
        file.seek(0)
        try:
            _, header = _element(file) or (0, 0)
            file.seek(header or 0, os.SEEK_CUR)
            segment = _element(file)
            if segment is None or segment[0] != int.from_bytes(_SEGMENT_ID, "big"):
                return [f"byte {file.tell()}: the Matroska segment is not where it should be"]
            return _check_children(file, None if segment[1] is None else file.tell() + segment[1])
        except ValueError:
            return [f"byte {file.tell()}: the structure of the Matroska file is damaged"]


def _check_children(file: BinaryIO, end: int | None) -> list[str]:
    damaged: list[str] = []
    while end is None or file.tell() < end:
        start = file.tell()
        try:
            found = _element(file)
        except ValueError:
            found = 0, 0
        if found is None:
            break
        identity, size = found
        if identity not in _LEVEL_1:
            return [*damaged, f"byte {start}: the structure of the Matroska file is damaged"]
        if size is None:
            break  # a stream that was written without going back: no sizes, no checksums
        stop = file.tell() + size
        crc = file.read(6) if size >= 6 else b""
        if crc[:2] == bytes([_CRC_ID, 0x84]) and not _fits(file, size - 6, int.from_bytes(crc[2:], "little")):
            damaged.append(f"byte {start}: the {_LEVEL_1[identity]} of the Matroska file does not have its checksum")
        file.seek(stop)
    return damaged


def _fits(file: BinaryIO, size: int, wanted: int) -> bool:
    """Whether the next `size` bytes have the CRC-32; bytes that are missing are somebody else's to report."""
    crc = 0
    while size > 0:
        chunk = file.read(min(size, _CHUNK_BYTES))
        if not chunk:
            return True
        crc = zlib.crc32(chunk, crc)
        size -= len(chunk)
    return crc == wanted
