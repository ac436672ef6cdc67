"""Puts the measurements of benchmarks/diffusion.py into docs/diffusion.md: `python -m benchmarks.diffusion_table`"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.diffusion import TABLE, read_table

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "diffusion.md"
BEGIN, END = "<!-- measured: begin (made by benchmarks/diffusion_table.py) -->", "<!-- measured: end -->"
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


def with_tables(text: str, rows: Rows) -> str:
    """The document with its tables made anew; ValueError where a marker is missing."""
    head, found, rest = text.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{DOCUMENT.name} lacks the markers {BEGIN} and {END}")
    tables = "\n".join([*sizes(rows), "", "Bytes relative to δ = 2:", "", *ablation(rows)])
    return f"{head}{BEGIN}\n{tables}\n{END}{tail}"


def main() -> int:
    """Writes the document."""
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), read_table(TABLE)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
