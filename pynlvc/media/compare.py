"""Do two files hold the same? Track by track, frame by frame and packet by packet, with all that describes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

from av.stream import Disposition, Stream

from pynlvc import _avshim
from pynlvc.codec import DecoderSettings
from pynlvc.codec.pixel_formats import plain_name, same_samples
from pynlvc.codec.side_information import describe
from pynlvc.media.contents import Content, attached, comparable, presentation, read_contents
from pynlvc.media.source import VideoSource
from pynlvc.media.timeline import MATROSKA_TICK
from pynlvc.media.tracks import ADDED_TAGS, is_cover, kept_tags

MAX_DIFFERENCES = 20  # named of each track; then their number alone


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    where: str  # "file", "video 0", "audio 1, packet 3", ...
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


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


@dataclass
class _Findings:
    differences: list[Difference] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def check(self, where: str, what: str, first: object, second: object) -> None:
        """Notes a difference between two values."""
        if first != second:
            self.add(where, f"{what}: {_shown(first)} and {_shown(second)}")

    def add(self, where: str, what: str) -> None:
        track = where.partition(",")[0]
        count = self._counts[track] = self._counts.get(track, 0) + 1
        if count <= MAX_DIFFERENCES:
            self.differences.append(Difference(where, what))

    def all(self) -> tuple[Difference, ...]:
        more = [
            Difference(track, f"and {count - MAX_DIFFERENCES} more differences")
            for track, count in self._counts.items()
            if count > MAX_DIFFERENCES
        ]
        return (*self.differences, *more)


def _shown(value: object) -> str:
    text = "none" if value in (None, "", b"", {}, ()) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def compare(
    first: str | os.PathLike[str], second: str | os.PathLike[str], *, settings: DecoderSettings | None = None
) -> CompareReport:
    """Compares samples, times, descriptions, tags, chapters, attachments and the packets of copied tracks.

    Tracks of a kind are matched by their order. Times may differ by the rounding of the coarser container; video
    codecs, containers and their own statistics may differ at will. Raises NlvcError for files that cannot be read.
    """
    paths = Path(first), Path(second)
    findings = _Findings()
    with (
        VideoSource(paths[0], settings=settings, video_tracks="all") as a,
        VideoSource(paths[1], settings=settings, video_tracks="all") as b,
    ):
        _compare_files(a, b, findings)
        pairs: list[tuple[str, int, Stream, Stream]] = []
        for kind in ("video", "cover", "audio", "subtitle", "attachment", "data"):
            here, there = _of_kind(a, kind), _of_kind(b, kind)
            findings.check("file", f"number of {kind} tracks", len(here), len(there))
            pairs += [(kind, n, *pair) for n, pair in enumerate(zip(here, there, strict=False))]
        for kind, number, one, other in pairs:
            _compare_description(f"{kind} {number}", one, other, findings)
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
    """Seconds by which a time may be off: none for NLVC."""
    if stream.index in source.tracks and source.tracks[stream.index].is_nlvc:
        return Fraction(0)
    base = stream.time_base or MATROSKA_TICK
    return base / 2 if kind == "video" else max(base, MATROSKA_TICK)


def _compare_files(a: VideoSource, b: VideoSource, findings: _Findings) -> None:
    _compare_tags("file", a.container.metadata, b.container.metadata, findings)
    chapters = [[_chapter(chapter) for chapter in source.container.chapters()] for source in (a, b)]
    for number, (one, other) in enumerate(zip_longest(*chapters)):
        findings.check("file", f"chapter {number} (start ms, end ms, tags)", one, other)


def _compare_tags(where: str, one: Mapping[str, str], other: Mapping[str, str], findings: _Findings) -> None:
    first, second = (
        {key.upper(): value for key, value in kept_tags(tags, coded_anew=True).items()} for tags in (one, other)
    )
    for key in sorted(set(first) | set(second)):
        if (key in first and key in second) or key not in ADDED_TAGS:
            findings.check(where, f"tag {key.lower()}", first.get(key), second.get(key))


def _chapter(chapter: Any) -> tuple[int, int, dict[str, str]]:
    base = 1000 * (chapter["time_base"] or Fraction(0))
    return round(chapter["start"] * base), round(chapter["end"] * base), dict(chapter["metadata"])


def _compare_description(where: str, one: Stream, other: Stream, findings: _Findings) -> None:
    _compare_tags(where, one.metadata, other.metadata, findings)
    findings.check(where, "dispositions", Disposition(one.disposition), Disposition(other.disposition))
    if where.startswith(("audio", "subtitle")):
        findings.check(where, "codec header", *(_avshim.extradata(stream).hex() for stream in (one, other)))


def _compare_contents(
    where: str, pair: tuple[list[Content], list[Content]], tolerance: Fraction, findings: _Findings
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
