"""Do two files hold the same? Track by track, frame by frame and packet by packet, with all that describes them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.stream import Stream

from pynlvc.codec import DecoderSettings
from pynlvc.codec.pixel_formats import plain_name, same_samples
from pynlvc.codec.side_information import describe
from pynlvc.media.containers import holds_pictures
from pynlvc.media.contents import Content, attached, comparable, presentation, read_contents
from pynlvc.media.descriptions import Difference, Findings, compare_files, compare_tracks
from pynlvc.media.source import VideoSource
from pynlvc.media.timeline import MATROSKA_TICK
from pynlvc.media.tracks import is_cover

ANY_TIME = Fraction(10**12)  # seconds


@dataclass(frozen=True)
class TrackComparison:
    """Two tracks that belong together."""

    kind: str  # "video", "audio", "subtitle", "attachment", "cover"
    number: int  # among the tracks of its kind, from 0
    codecs: tuple[str, str]
    items: tuple[int, int]  # frames of video, packets of audio and subtitles, 1 of attachments


@dataclass(frozen=True)
class CompareReport:
    """What `compare` found; `equal` is True only when nothing differs."""

    first: Path
    second: Path
    tracks: tuple[TrackComparison, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether both files hold the same."""
        return not self.differences


def compare(
    first: str | os.PathLike[str], second: str | os.PathLike[str], *, settings: DecoderSettings | None = None
) -> CompareReport:
    """Compares samples, times, descriptions, tags, chapters, attachments and the packets of copied tracks.

    Tracks of a kind are matched by their order. Times may differ by the rounding of the coarser container; video
    codecs, containers and their own statistics may differ at will. Raises NlvcError for files that cannot be read.
    """
    paths = Path(first), Path(second)
    findings = Findings()
    with (
        VideoSource(paths[0], settings=settings, video_tracks="all") as a,
        VideoSource(paths[1], settings=settings, video_tracks="all") as b,
    ):
        compare_files(a.container, b.container, findings)
        pairs: list[tuple[str, int, Stream, Stream]] = []
        for kind in ("video", "cover", "audio", "subtitle", "attachment", "data"):
            here, there = _of_kind(a, kind), _of_kind(b, kind)
            findings.check("file", f"number of {kind} tracks", len(here), len(there))
            pairs += [(kind, n, *pair) for n, pair in enumerate(zip(here, there, strict=False))]
        for kind, number, one, other in pairs:
            compare_tracks(f"{kind} {number}", one, other, findings)
        contents = []
        for source in (a, b):
            found, error = read_contents(source)
            contents.append(found)
            if error is not None:
                findings.add("file", f"cannot be read to its end: {error}")
        tracks = []
        for kind, number, one, other in pairs:
            if kind == "data":
                continue
            where = f"{kind} {number}"
            items = contents[0][one.index], contents[1][other.index]
            if kind in ("cover", "attachment"):
                items = [attached(a, one, kind)], [attached(b, other, kind)]
            tolerance = _tolerance(a, one, kind) + _tolerance(b, other, kind)
            _compare_contents(where, items, tolerance, findings)
            if kind == "video":
                shown = [presentation(s, i[0].said if i else {}) for s, i in zip((one, other), items, strict=True)]
                for name in shown[0]:
                    findings.check(where, name, shown[0][name], shown[1][name])
            names = _codec(a, one), _codec(b, other)
            tracks.append(TrackComparison(kind, number, names, (len(items[0]), len(items[1]))))
    return CompareReport(*paths, tuple(tracks), findings.all())


def _of_kind(source: VideoSource, kind: str) -> list[Stream]:
    streams = source.container.streams
    if kind == "cover":
        return [stream for stream in streams if is_cover(stream)]
    return [stream for stream in streams if stream.type == kind and not is_cover(stream)]


def _codec(source: VideoSource, stream: Stream) -> str:
    if stream.index in source.tracks:
        return source.tracks[stream.index].codec_name
    return stream.codec_context.name if stream.codec_context else "unknown"


def _tolerance(source: VideoSource, stream: Stream, kind: str) -> Fraction:
    """Seconds by which a time may be off: none for NLVC, any for pictures, which have no times."""
    if holds_pictures(source.container):
        return ANY_TIME
    if stream.index in source.tracks and source.tracks[stream.index].is_nlvc:
        return Fraction(0)
    base = stream.time_base or MATROSKA_TICK
    return base / 2 if kind == "video" else max(base, MATROSKA_TICK)


def _compare_contents(
    where: str, pair: tuple[list[Content], list[Content]], tolerance: Fraction, findings: Findings
) -> None:
    name = "frame" if where.startswith("video") else "packet"
    findings.check(where, f"number of {name}s", len(pair[0]), len(pair[1]))
    for number, (one, other) in enumerate(zip(*pair, strict=False)):
        place = f"{where}, {name} {number}"
        if one.size != other.size:
            findings.add(place, f"sizes {one.size[0]}x{one.size[1]} and {other.size[0]}x{other.size[1]}")
        elif one.checksum != other.checksum:
            findings.add(place, "the samples differ" if one.pix_fmt else "the bytes differ")
        elif one.unused != other.unused and plain_name(one.pix_fmt) == plain_name(other.pix_fmt):
            findings.add(place, "the unused bits between the samples differ")
        if one.pix_fmt != other.pix_fmt and not same_samples(one.pix_fmt, other.pix_fmt):
            findings.add(place, f"pixel formats {one.pix_fmt} and {other.pix_fmt}")
        if one.seconds is None or other.seconds is None:
            findings.check(place, "timestamp", one.seconds, other.seconds)
        elif abs(one.seconds - other.seconds) > tolerance:
            findings.add(place, f"shown at {float(one.seconds):.6f} s and {float(other.seconds):.6f} s")
        durations = one.duration_seconds, other.duration_seconds
        if all(durations) and abs(durations[0] - durations[1]) > 2 * tolerance:
            findings.add(place, f"shown for {float(durations[0]):.6f} s and {float(durations[1]):.6f} s")
        for kind in sorted(set(one.said) | set(other.said)):
            findings.check(place, describe(kind), *(comparable(kind, c.said.get(kind, b"")) for c in (one, other)))
