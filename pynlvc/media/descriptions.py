"""What describes files and tracks beside frames and packets, side by side: tags, chapters, dispositions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av.container
from av.stream import Disposition, Stream

from pynlvc import _avshim
from pynlvc.media.containers import ffmpeg_errors, open_input
from pynlvc.media.tracks import ADDED_TAGS, is_cover, kept_tags

MAX_DIFFERENCES = 20  # named of each track; then their number alone


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    where: str  # "file", "video 0", "audio 1, packet 3", ...
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Findings:
    """Differences as they are found, up to a limit for each track."""

    differences: list[Difference] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def check(self, where: str, what: str, first: object, second: object) -> None:
        """Notes a difference between two values."""
        if first != second:
            self.add(where, f"{what}: {_shown(first)} and {_shown(second)}")

    def add(self, where: str, what: str) -> None:
        """Notes a difference."""
        track = where.partition(",")[0]
        count = self._counts[track] = self._counts.get(track, 0) + 1
        if count <= MAX_DIFFERENCES:
            self.differences.append(Difference(where, what))

    def all(self) -> tuple[Difference, ...]:
        """All that was found."""
        more = [
            Difference(track, f"and {count - MAX_DIFFERENCES} more differences")
            for track, count in self._counts.items()
            if count > MAX_DIFFERENCES
        ]
        return (*self.differences, *more)


def _shown(value: object) -> str:
    text = "none" if value in (None, "", b"", {}, ()) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def compare_files(
    a: av.container.InputContainer, b: av.container.InputContainer, findings: Findings, *, additions: bool = True
) -> None:
    """Global tags and chapters; with `additions` also those that only the second file has."""
    _compare_tags("file", a.metadata, b.metadata, findings, additions=additions)
    chapters = [[_chapter(chapter) for chapter in container.chapters()] for container in (a, b)]
    for number, (one, other) in enumerate(zip_longest(*chapters)):
        findings.check("file", f"chapter {number} (start ms, end ms, tags)", one, other)


def _compare_tags(
    where: str, one: Mapping[str, str], other: Mapping[str, str], findings: Findings, *, additions: bool = True
) -> None:
    first, second = (
        {
            key.upper(): value
            for key, value in kept_tags(tags, coded_anew=True).items()
            if (key.lower(), value) != ("language", "und")
        }
        for tags in (one, other)
    )
    for key in sorted(set(first) | set(second)):
        if key in first or (additions and key not in ADDED_TAGS):
            findings.check(where, f"tag {key.lower()}", first.get(key), second.get(key))


def _chapter(chapter: Any) -> tuple[int, int, dict[str, str]]:
    base = 1000 * (chapter["time_base"] or Fraction(0))
    return round(chapter["start"] * base), round(chapter["end"] * base), dict(chapter["metadata"])


def compare_tracks(where: str, one: Stream, other: Stream, findings: Findings) -> None:
    """Tags, dispositions and the codec's header of two tracks of a kind."""
    _compare_tags(where, one.metadata, other.metadata, findings)
    findings.check(where, "dispositions", Disposition(one.disposition), Disposition(other.disposition))
    if where.startswith(("audio", "subtitle")):
        findings.check(where, "codec header", *(_avshim.extradata(stream).hex() for stream in (one, other)))


def descriptions_lost(source: av.container.InputContainer, written: Path, order: Sequence[int]) -> list[str]:
    """What of the source's tags, chapters and dispositions is not in the file that was made of it.

    `order`: the source's indices of the tracks that were written, in the order of the output.
    """
    findings = Findings()
    with ffmpeg_errors(f"cannot read {written}"), open_input(written) as made:
        tracks = [stream for stream in made.streams if stream.type != "attachment" and not is_cover(stream)]
        compare_files(source, made, findings, additions=False)
        for index, stream in zip(order, tracks, strict=False):  # MOV has a further track for chapters
            original = source.streams[index]
            where = f"{original.type} track {index}"
            _compare_tags(where, original.metadata, stream.metadata, findings, additions=False)
            lost = Disposition(original.disposition & ~stream.disposition)
            findings.check(where, "dispositions", lost, Disposition(0))
    return [f"not kept as it was: {difference}" for difference in findings.all()]
