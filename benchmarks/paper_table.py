"""Writes the tables of docs/paper.md from the measured rows: `python -m benchmarks.paper_table`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.results import FOLDER, REFERENCE, Row, mean_ratio, read_rows
from pynlvc.model.store import load_model, model_names

TABLE = FOLDER / "neurallvc.tsv"
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "paper.md"
BEGIN, END = "<!-- {}: begin (made by benchmarks/paper_table.py) -->", "<!-- {}: end -->"
CIF = ("akiyo_cif", "cuts_cif", "foreman_cif", "silent_cif", "tennis_sif")
"""The sequences that are of the paper's kind and size."""
PUBLISHED = {"png": 51.69, "x265-intra": 55.34, "ffv1-gop300": 45.97, "x264-veryslow": 36.77, "x265-veryslow": 36.37}
PUBLISHED |= {"diffusion-d2": 29.71}
"""% of raw in the paper's table, over its nine sequences; that of its model is in the row of `diffusion`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 with --check where the document and the measurements differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, compare only")
    options = parser.parse_args(arguments)
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = with_tables(text, read_rows(TABLE))
    if options.check:
        return 0 if text == wanted else 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


def with_tables(text: str, rows: Sequence[Row]) -> str:
    """The document with its tables made anew; ValueError where a marker is missing."""
    for name, table in (("sizes", sizes(rows)), ("speeds", speeds(rows)), ("training", training(rows))):
        begin, end = BEGIN.format(name), END.format(name)
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{DOCUMENT.name} lacks the markers {begin} and {end}")
        text = f"{head}{begin}\n{table}\n{end}{tail}"
    return text


def sizes(rows: Sequence[Row]) -> str:
    """% of raw of each codec on each clip, and the means."""
    codecs, clips = _codecs(rows), _clips(rows)
    own = [clip for clip in CIF if clip in clips]
    lines = _head(["% of raw", *codecs])
    for clip in clips:
        lines.append(_line([f"{clip} ({_frames(rows, clip)})", *(_cell(percent(rows, clip, c)) for c in codecs)]))
    for name, chosen in ((f"**mean of the {len(own)} CIF and SIF clips**", own), ("**mean of all**", clips)):
        lines.append(_line([name, *(_cell(mean(rows, chosen, codec), bold=True) for codec in codecs)]))
    ratios = [mean_ratio(rows, own, codec) for codec in codecs]
    lines.append(_line([f"bytes / {REFERENCE}, mean of the {len(own)}", *(_cell(ratio, digits=3) for ratio in ratios)]))
    published = [PUBLISHED.get(codec) for codec in codecs]
    lines.append(_line(["published, nine CIF sequences", *map(_cell, published)]))
    return "\n".join(lines)


def speeds(rows: Sequence[Row]) -> str:
    """Frames/s over the CIF and SIF clips."""
    lines = _head(["frames/s", "encode", "decode"])
    for codec in _codecs(rows):
        measured = [row for row in rows if row.codec == codec and row.ok and row.clip in CIF]
        if measured:
            cells = [_speeds(row.encode_fps for row in measured), _speeds(row.decode_fps for row in measured)]
            lines.append(_line([codec, *cells]))
    return "\n".join(lines)


def training(rows: Sequence[Row]) -> str:
    """What each shipped model's training took, and what it gives."""
    lines = _head(["model", "bytes", "steps", "hours of training", "mean % of raw, CIF and SIF"])
    for name in model_names():
        log = FOLDER / f"training_{name}.tsv"
        steps, hours = training_cost(log) if log.exists() else ("", "")
        gives = mean(rows, [clip for clip in CIF if clip in _clips(rows)], f"{name}-d2")
        lines.append(_line([name, f"{len(load_model(name).data):,}", steps, hours, _cell(gives)]))
    return "\n".join(lines)


def training_cost(log: Path) -> tuple[str, str]:
    """(steps, hours) of a log. Its seconds start anew where a run was resumed: the pieces are added."""
    with log.open(newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    seconds = [float(line["seconds"]) for line in lines]
    total = sum(now - before if now >= before else now for before, now in pairwise([0.0, *seconds]))
    return f"{int(float(lines[-1]['step'])):,}", f"{total / 3600:.1f}"


def mean(rows: Sequence[Row], clips: Sequence[str], codec: str) -> float | None:
    """Mean of % of raw; None unless every clip has it."""
    found = [percent(rows, clip, codec) for clip in clips]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known and len(known) == len(found) else None


def percent(rows: Iterable[Row], clip: str, codec: str) -> float | None:
    """Bytes in % of the raw samples; None where there is no exact measurement."""
    row = next((row for row in rows if (row.clip, row.codec) == (clip, codec) and row.ok), None)
    return None if row is None else 100 * row.coded_bytes / row.raw_bytes


def _codecs(rows: Sequence[Row]) -> list[str]:
    """Peers first, as the paper has them, then models by name."""
    found = dict.fromkeys(row.codec for row in rows)
    peers = [name for name in PUBLISHED if name in found and not name.startswith("diffusion")]
    return peers + sorted(name for name in found if name not in peers)


def _clips(rows: Sequence[Row]) -> list[str]:
    found = dict.fromkeys(row.clip for row in rows)
    return [clip for clip in CIF if clip in found] + [clip for clip in found if clip not in CIF]


def _frames(rows: Iterable[Row], clip: str) -> str:
    counts = sorted({row.frames for row in rows if row.clip == clip})
    return " or ".join(map(str, counts))


def _head(names: Sequence[str]) -> list[str]:
    return [_line(names), "| --- |" + " ---: |" * (len(names) - 1)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None, *, bold: bool = False, digits: int = 2) -> str:
    if value is None:
        return ""
    return f"**{value:.{digits}f}**" if bold else f"{value:.{digits}f}"


def _speeds(values: Iterable[float]) -> str:
    found = sorted(values)
    return f"{found[0]:.3g} to {found[-1]:.3g}"


if __name__ == "__main__":
    sys.exit(main())
