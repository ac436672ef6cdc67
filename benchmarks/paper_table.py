"""Writes the tables of docs/paper.md from the measured rows: `python -m benchmarks.paper_table`."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.results import FOLDER, REFERENCE, Row, mean_ratio, read_rows

TABLE = FOLDER / "neurallvc.tsv"
SHORT_TABLE = FOLDER / "neurallvc_short.tsv"
"""The same of a few frames, beside those of the transformer, which takes seconds for each."""
TRANSFORMER_TABLE = FOLDER / "diffusion.tsv"
"""What benchmarks/diffusion.py measured."""
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
    wanted = with_tables(text, read_rows(TABLE), read_short_rows())
    if options.check:
        return 0 if text == wanted else 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


def read_short_rows() -> list[Row]:
    """The table of a few frames, with the transformer's rows of the same clips and frames."""
    rows = read_rows(SHORT_TABLE)
    frames = {row.clip: row.frames for row in rows}
    return rows + [row for row in transformer_rows() if frames.get(row.clip) == row.frames]


def transformer_rows(path: Path = TRANSFORMER_TABLE) -> list[Row]:
    """The rows of benchmarks/diffusion.py with all of the model in use; none where there is no table."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = [line for line in csv.DictReader(file, delimiter="\t") if re.fullmatch(r"delta \d", line["variant"])]
    return [
        Row(
            clip=line["clip"],
            width=int(line["width"]),
            height=int(line["height"]),
            frames=int(line["frames"]),
            pix_fmt=line["pix_fmt"],
            codec=f"diffusion-d{line['variant'][-1]}",
            status=line["status"],
            raw_bytes=int(line["raw_bytes"]),
            coded_bytes=int(line["coded_bytes"]),
            encode_fps=float(line["encode_fps"]),
            decode_fps=float(line["decode_fps"]),
            coded_as=line["pix_fmt"],
            settings=f"model=diffusion delta={line['variant'][-1]} gop=0",
            version=line["model"],
            machine=line["machine"],
            load=float(line["load"]),
        )
        for line in lines
    ]


def with_tables(text: str, rows: Sequence[Row], short: Sequence[Row]) -> str:
    """The document with its tables made anew; ValueError where a marker is missing."""
    tables = {
        "sizes": sizes(rows),
        "short": sizes(short),
        "speeds": speeds([*rows, *(row for row in short if row.codec.startswith("diffusion"))]),
        "training": training(rows),
    }
    for name, table in tables.items():
        begin, end = BEGIN.format(name), END.format(name)
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{DOCUMENT.name} lacks the markers {begin} and {end}")
        text = f"{head}{begin}\n{table}\n{end}{tail}"
    return text


def sizes(rows: Sequence[Row]) -> str:
    """% of raw of each codec on each clip, and the means; "" without rows."""
    if not rows:
        return ""
    codecs, clips = _codecs(rows), _clips(rows)
    own = [clip for clip in CIF if clip in clips]
    lines = _head(["% of raw", *codecs])
    for clip in clips:
        lines.append(_line([f"{clip} ({_frames(rows, clip)})", *(_cell(percent(rows, clip, c)) for c in codecs)]))
    means = {f"**mean of the {len(own)} CIF and SIF clips**": own, "**mean of all**": clips}
    for name, chosen in means.items():
        if chosen == own and name == "**mean of all**":
            continue
        lines.append(_line([name, *(_cell(mean(rows, chosen, codec), bold=True) for codec in codecs)]))
    ratios = [mean_ratio(rows, own, codec) for codec in codecs]
    lines.append(_line([f"bytes / {REFERENCE}, mean of the {len(own)}", *(_cell(ratio, digits=3) for ratio in ratios)]))
    published = [PUBLISHED.get(codec) for codec in codecs]
    lines.append(_line(["published, nine CIF sequences", *map(_cell, published)]))
    return "\n".join([*lines, "", models(rows)])


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
    """What the training of each model took, and what it gives."""
    clips = [clip for clip in CIF if clip in _clips(rows)]
    lines = _head(["model", "steps", "hours of training", "mean % of raw, CIF and SIF"])
    for name in ("diffusion", "fast", "standard", "large"):
        log = FOLDER / f"training_{name}.tsv"
        if log.exists():
            lines.append(_line([name, *training_cost(log), _cell(mean(rows, clips, f"{name}-d2"))]))
    return "\n".join(lines)


def models(rows: Sequence[Row]) -> str:
    """Which model files were measured: the beginnings of their SHA-256."""
    found: dict[str, set[str]] = {}
    for row in rows:
        name, _, slope = row.codec.rpartition("-d")
        if slope in ("0", "1", "2"):
            found.setdefault(name, set()).add(row.version.split()[-1])
    return "Models: " + "; ".join(f"{name} {', '.join(sorted(hashes))}" for name, hashes in sorted(found.items())) + "."


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
