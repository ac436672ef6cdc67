"""Puts the measurements of benchmarks/diffusion.py and benchmarks/diffusion_speed.py into docs/diffusion.md:
`python -m benchmarks.diffusion_table`"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.diffusion import TABLE, read_table
from benchmarks.diffusion_speed import TABLE as SPEED_TABLE

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "diffusion.md"
BEGIN, END = "<!-- measured: begin (made by benchmarks/diffusion_table.py) -->", "<!-- measured: end -->"
BEGIN_SPEED, END_SPEED = "<!-- speed: begin (made by benchmarks/diffusion_table.py) -->", "<!-- speed: end -->"
WAYS = {"native": "native code (the default)"}
MAIN = "delta 2"
OTHERS = {"delta 1": "δ = 1", "delta 0": "δ = 0", "delta 2, no reference embedding": "δ = 2, reference hidden"}
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


def ablation(rows: Rows) -> list[str]:
    """Bytes of the other variants relative to δ = 2, for the same frames."""
    lines = [f"| clip | frames | {' | '.join(OTHERS.values())} |", "| --- | ---: |" + " ---: |" * len(OTHERS)]
    for row in rows.values():
        found = [rows.get((row["clip"], row["frames"], variant)) for variant in OTHERS]
        if row["variant"] == MAIN and all(found):
            ratios = [int(other["coded_bytes"]) / int(row["coded_bytes"]) for other in found if other]
            lines.append(f"| {row['clip']} | {row['frames']} | {' | '.join(f'{ratio:.3f}' for ratio in ratios)} |")
    return lines


def speed(path: Path = SPEED_TABLE) -> list[str]:
    """Processor time of a frame, for each way to compute it."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    seconds = {(row["way"], row["task"]): row["processor_seconds"] for row in rows}
    lines = ["| seconds of one core for a P-frame | encode | decode |", "| --- | ---: | ---: |"]
    for way in dict.fromkeys(row["way"] for row in rows):
        name = WAYS.get(way, f"PyTorch, `--device {way}`")
        lines.append(f"| {name} | {seconds[way, 'encode']} | {seconds[way, 'decode']} |")
    return lines


def _put(text: str, begin: str, end: str, lines: list[str]) -> str:
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{DOCUMENT.name} lacks the markers {begin} and {end}")
    return "\n".join([f"{head}{begin}", *lines, f"{end}{tail}"])


def with_tables(text: str, rows: Rows) -> str:
    """The document with its tables made anew; ValueError where a marker is missing."""
    text = _put(text, BEGIN, END, [*sizes(rows), "", "Bytes relative to δ = 2:", "", *ablation(rows)])
    return _put(text, BEGIN_SPEED, END_SPEED, speed())


def main() -> int:
    """Writes the document."""
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), read_table(TABLE)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
