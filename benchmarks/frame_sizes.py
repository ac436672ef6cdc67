"""What every frame of a clip costs in a codec, as a table: for plots of rate over time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from benchmarks.harness import Codec, Coded, Source
from benchmarks.nlvc import Nlvc
from benchmarks.peers import PEERS
from benchmarks.results import FOLDER
from pynlvc import _core

TABLE = FOLDER / "neurallvc_frames.tsv"
COLUMNS = ("clip", "codec", "frame", "kind", "bytes")
PEER = "x265-veryslow"


@dataclass(frozen=True)
class FrameSize:
    """One frame in display order."""

    clip: str
    codec: str
    frame: int
    kind: str  # "I" or "P"; of peers "I" or "", which may be B
    bytes: int


class Recording:
    """A codec of ours that notes what it wrote (implements harness.Codec)."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.sizes: list[FrameSize] = []  # of the last clip

    @property
    def name(self) -> str:
        """See harness.Codec."""
        return self._codec.name

    def carrier(self, pix_fmt: str) -> str | None:
        """See harness.Codec."""
        return self._codec.carrier(pix_fmt)

    def settings(self, source: Source) -> str:
        """See harness.Codec."""
        return self._codec.settings(source)

    def version(self) -> str:
        """See harness.Codec."""
        return self._codec.version()

    def encode(self, source: Source) -> Coded:
        """Codes, and notes the packets of NLVC, which come one for each frame in display order."""
        coded = self._codec.encode(source)
        self.sizes = []
        if isinstance(self._codec, Nlvc):
            for number, packet in enumerate(coded.packets):
                kind = "I" if _core.parse_packet(packet).is_keyframe else "P"
                self.sizes.append(FrameSize(source.name, self.name, number, kind, len(packet)))
        return coded

    def decode(self, coded: Coded, source: Source) -> list[av.VideoFrame]:
        """See harness.Codec."""
        return self._codec.decode(coded, source)


def peer_sizes(source: Source) -> list[FrameSize]:
    """The frames of x265, whose packets come in the order of coding."""
    peer = next(peer for peer in PEERS if peer.name == PEER)
    context = av.CodecContext.create("libx265", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = source.width, source.height, source.pix_fmt
    context.time_base, context.framerate = 1 / source.rate, source.rate
    context.options = peer.options(source)
    packets = [packet for frame in (*source.frames, None) for packet in context.encode(frame)]
    packets.sort(key=lambda packet: packet.pts or 0)
    return [
        FrameSize(source.name, PEER, number, "I" if packet.is_keyframe else "", packet.size)
        for number, packet in enumerate(packets)
    ]


def read_sizes(path: Path = TABLE) -> list[FrameSize]:
    """The rows of a table; none where there is no table yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            FrameSize(line["clip"], line["codec"], int(line["frame"]), line["kind"], int(line["bytes"]))
            for line in csv.DictReader(file, delimiter="\t")
        ]


def add_sizes(sizes: Sequence[FrameSize], path: Path = TABLE) -> None:
    """Adds rows in place of those of the same clips and codecs."""
    new = {(size.clip, size.codec) for size in sizes}
    kept: Iterable[FrameSize] = (size for size in read_sizes(path) if (size.clip, size.codec) not in new)
    rows = sorted([*kept, *sizes], key=lambda size: (size.clip, size.codec, size.frame))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((size.clip, size.codec, size.frame, size.kind, size.bytes) for size in rows)
