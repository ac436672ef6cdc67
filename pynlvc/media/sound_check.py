"""Sound that is copied beside coded video: packets that no decoder can read are copied too, but named."""

from __future__ import annotations

from fractions import Fraction

import av
from av.audio.stream import AudioStream

MAX_NAMED = 10  # packets of a track; then their number alone


class SoundCheck:
    """Decodes sound packets as they go by and counts those that FFmpeg refuses."""

    def __init__(self) -> None:
        self._packets: dict[int, int] = {}  # by track
        self._bad: dict[int, list[str]] = {}  # by track

    def check(self, packet: av.Packet) -> None:
        """Looks at a packet of any copied track."""
        stream = packet.stream
        if not isinstance(stream, AudioStream) or stream.codec_context is None:
            return
        number = self._packets.get(stream.index, 0)
        self._packets[stream.index] = number + 1
        damaged = packet.is_corrupt
        try:
            stream.codec_context.decode(packet)
        except av.error.FFmpegError:
            damaged = True
        if damaged:
            seconds = float((packet.pts or 0) * (packet.time_base or Fraction(0)))
            self._bad.setdefault(stream.index, []).append(f"packet {number} ({seconds:.3f} s)")

    def problems(self) -> list[str]:
        """One line for each track with damaged packets."""
        lines = []
        for index, bad in self._bad.items():
            more = f" and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else ""
            lines.append(f"audio track {index}: damaged, copied as it is: {', '.join(bad[:MAX_NAMED])}{more}")
        return lines
