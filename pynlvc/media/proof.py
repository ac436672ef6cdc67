"""Proof of an NLVC track in two halves: each packet is decoded and compared before it is written, beside the coding of
later frames; afterwards the file is shown to hold these very packets, in this order, with these times.

Decoding is a function of the bytes of the header and of the packets: so what holds for the packets that were decoded
holds for the file that has the same bytes. Large pictures are decoded afterwards, out of the file.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from pynlvc import _avshim
from pynlvc.codec import Decoder, DecoderSettings
from pynlvc.codec.times import frame_time
from pynlvc.errors import NlvcError
from pynlvc.media.readback import ShownTimes, SourceRecord
from pynlvc.media.reports import ProgressCallback
from pynlvc.media.source import VideoSource
from pynlvc.media.tally import Tally

# Of an uncoded frame. With larger ones two codecs at work need too much memory (380 MB at 1920x1080) and gain little:
# such frames have slices for eight cores, so coding leaves none idle.
MOST_BYTES_BESIDE = 2_000_000


class PacketProof:
    """What was proven of a track's packets: 44 bytes for each."""

    def __init__(self, record: SourceRecord, header: bytes, settings: DecoderSettings, *, beside: bool) -> None:
        """`record`: of the source's frames, noted before their packets come. `header`: the track's sequence header.
        `beside`: decode while later frames are coded."""
        self._record = record
        self._header = header
        self._settings = settings
        self._beside = beside
        self._decoder: Decoder | None = None  # while one is at work
        self._digests: list[bytes] = []  # SHA-256 of each packet
        self._pts = array("q")  # as decoded, in units of _time_base
        self._time_base = Fraction(0)

    def prove(self, packets: Sequence[av.Packet]) -> None:
        """Decodes the next packets; NlvcError for the first frame that is not the source's."""
        if not self._beside:
            return
        for packet in packets:
            data = bytes(packet)
            self._digests.append(hashlib.sha256(data).digest())
            self._decode(av.Packet(data))

    def _decode(self, packet: av.Packet) -> None:
        if self._decoder is None:
            self._decoder = Decoder(self._header, settings=self._settings)
        for frame in self._decoder.decode(packet):
            self._record.compare(len(self._pts), frame, exact=True)
            pts, self._time_base = frame_time(frame)
            self._pts.append(pts)

    def end(self) -> None:
        """No packets will follow: frees the decoder's memory."""
        self._decoder = None
        if self._beside:
            self._record.compare_count(len(self._pts))

    def show(self, part: Path, video_number: int, progress: ProgressCallback | None) -> list[str]:
        """That a video track of `part` is these packets: remarks, or NlvcError for the first difference."""
        tally = Tally("verifying", len(self._record.pts), progress)
        with VideoSource(part, settings=self._settings, video_tracks=str(video_number)) as written:
            if not written.is_nlvc or _avshim.extradata(written.stream) != self._header:
                raise NlvcError("verification failed: the file does not hold the track's header")
            shown = ShownTimes(written, self._record, exact=True)
            for number, packet in enumerate(written.whole_packets()):
                if not self._beside:
                    self._decode(packet)
                elif number >= len(self._digests):
                    raise self._record.wrong_count(number, more=True)
                elif hashlib.sha256(packet).digest() != self._digests[number]:
                    raise NlvcError(f"verification failed: frame {number} in the file is not the one that was decoded")
                shown.check(number, written.main.seconds_of(packet, self._pts[number], self._time_base))
                tally.count()
        self.end()
        self._record.compare_count(tally.frames)
        tally.finish()
        return shown.remarks()
