"""Puts the measurements of benchmarks/diffusion.py and benchmarks/diffusion_speed.py into docs/diffusion.md:
`python -m benchmarks.diffusion_table`"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.diffusion import BLIND, ONE_KEYFRAME, TABLE, read_table
from benchmarks.diffusion_speed import TABLE as SPEED_TABLE

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "diffusion.md"
BEGIN, END = "<!-- measured: begin (made by benchmarks/diffusion_table.py) -->", "<!-- measured: end -->"
BEGIN_SPEED, END_SPEED = "<!-- speed: begin (made by benchmarks/diffusion_table.py) -->", "<!-- speed: end -->"
WAYS = {"native": "native code (the default)"}
MAIN = "delta 2"
OTHERS = {"delta 1": "δ = 1", "delta 0": "δ = 0"}
REFERENCE_TEXT = "The reference embedding, at δ = 2:"
Rows = Mapping[tuple[str, ...], dict[str, str]]


def sizes(rows: Rows) -> list[str]:
    """Bytes at δ = 2 beside x265, and speed."""
    lines = ["| clip | frames | bytes | bytes / x265 veryslow | encode, frames/s | decode, frames/s | came back |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for row in rows.values():
        if row["variant"] == MAIN:
            exact = "exactly" if row["status"] == "ok" else row["status"]
            cells = [row["clip"], row["frames"], f"{int(row['coded_bytes']):,}", f"{float(row['ratio']):.3f}"]
            cells += [f"{float(row['encode_fps']):.2f}", f"{float(row['decode_fps']):.2f}", exact]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def slopes(rows: Rows) -> list[str]:
    """Bytes of the other slopes relative to δ = 2, for the same frames."""
    lines = [f"| clip | frames | {' | '.join(OTHERS.values())} |", "| --- | ---: |" + " ---: |" * len(OTHERS)]
    for row in rows.values():
        found = [rows.get((row["clip"], row["frames"], variant)) for variant in OTHERS]
        if row["variant"] == MAIN and all(found):
            ratios = [int(other["coded_bytes"]) / int(row["coded_bytes"]) for other in found if other]
            lines.append(f"| {row['clip']} | {row['frames']} | {' | '.join(f'{ratio:.3f}' for ratio in ratios)} |")
    return lines


def worth_of_reference(rows: Rows) -> dict[tuple[str, str], float]:
    """How many times as many bytes the model needs without its reference embedding, by clip and frames."""
    found = {}
    for clip, frames, variant in rows:
        if variant.endswith(BLIND):
            own, blind = (rows[clip, frames, name] for name in (variant.removesuffix(BLIND), variant))
            found[clip, frames] = int(blind["coded_bytes"]) / int(own["coded_bytes"])
    return found


def reference(rows: Rows) -> list[str]:
    """The ablation of the reference embedding."""
    lines = ["| clip | frames | bytes | without reference embedding | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
    for clip, frames, variant in rows:
        if variant.endswith(BLIND):
            own = rows[clip, frames, variant.removesuffix(BLIND)]["coded_bytes"]
            blind = rows[clip, frames, variant]["coded_bytes"]
            forced = " *" if ONE_KEYFRAME in variant else ""
            ratio = worth_of_reference(rows)[clip, frames]
            lines.append(f"| {clip}{forced} | {frames} | {int(own):,} | {int(blind):,} | {ratio:.3f} |")
    return lines


def speed(path: Path = SPEED_TABLE) -> list[str]:
    """Processor time of a frame, for each way to compute it."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    lines = ["| for a P-frame | frames at once | encode | decode |", "| --- | ---: | ---: | ---: |"]
    for way, together in dict.fromkeys((row["way"], row["together"]) for row in rows):
        name = WAYS.get(way, f"PyTorch, `--device {way}`")
        own = {row["task"]: row for row in rows if (row["way"], row["together"]) == (way, together)}
        cells = [f"{own[task]['processor_seconds']} s" for task in ("encode", "decode")]
        lines.append(f"| {name} | {together} | {' | '.join(cells)} |")
    return lines


def _put(text: str, begin: str, end: str, lines: list[str]) -> str:
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{DOCUMENT.name} lacks the markers {begin} and {end}")
    return "\n".join([f"{head}{begin}", *lines, f"{end}{tail}"])


def with_tables(text: str, rows: Rows) -> str:
    """The document with its tables made anew; ValueError where a marker is missing."""
    text = _put(
        text,
        BEGIN,
        END,
        [*sizes(rows), "", "Bytes relative to δ = 2:", "", *slopes(rows), "", REFERENCE_TEXT, "", *reference(rows)],
    )
    return _put(text, BEGIN_SPEED, END_SPEED, speed())


def main() -> int:
    """Writes the document."""
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), read_table(TABLE)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
