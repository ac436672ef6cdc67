"""Bytes: little-endian fields, variable-length integers, CRC-32C (docs/bitstream.md, preamble and §9)."""

from __future__ import annotations


class StreamError(Exception):
    """Bytes that break docs/bitstream.md."""


class Reader:
    """Reads fields from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def remaining(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        if count > self.remaining:
            raise StreamError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def unsigned(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def signed(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little", signed=True)

    def u8(self) -> int:
        return self.unsigned(1)

    def varint(self) -> int:
        value = 0
        for place in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if value >= 1 << 64:
                    break
                return value
        raise StreamError("a varint is longer than 64 bits")

    def svarint(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def name(self) -> str:
        text = self.take(self.u8())
        if any(not 0x20 <= byte <= 0x7E for byte in text):
            raise StreamError("a name is not printable ASCII")
        return text.decode("ascii")


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli, reflected)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def require(condition: bool, problem: str) -> None:
    """StreamError unless it holds."""
    if not condition:
        raise StreamError(problem)
