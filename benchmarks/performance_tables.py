"""Writes the measured figures into docs/performance.md: `python -m benchmarks.performance_tables [--check]`

The part between the two markers is made from speed.tsv and stages.tsv alone, so no figure there can be one that nobody
measured.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import FOLDER

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin (made by benchmarks/performance_tables.py) -->", "<!-- figures: end -->"
PLANES_420 = {"0": 4 / 6, "1": 1 / 6, "2": 1 / 6}  # share of the samples by plane class

Row = dict[str, str]


def read(name: str) -> list[Row]:
    """The rows of a table in benchmarks/results."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Markdown, the first `words` columns to the left."""
    return [
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join(["---"] * words + ["---:"] * (len(head) - words)) + " |",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def codec_lines(speed: Sequence[Row]) -> list[str]:
    """Frames/s of our codec by one and two threads, and what the second one brings."""
    codecs = [row for row in speed if row["what"].startswith("codec") and "slices" not in row["what"]]
    of_two = {key(row): row for row in codecs if row["threads"] == "2"}
    rows = []
    for one in codecs:
        two = of_two.get(key(one))
        if one["threads"] != "1" or two is None:
            continue
        cells = [one["clip"], one["codec"], one["kernels"]]
        for way in ("encode", "decode"):
            cells += [f"{float(one[way]):.1f}", f"{float(two[way]):.1f}", f"{float(two[way]) / float(one[way]):.2f}"]
        rows.append(cells)
    head = [
        "clip",
        "model",
        "kernels",
        "encode, 1 thread",
        "2 threads",
        "ratio",
        "decode, 1 thread",
        "2 threads",
        "ratio",
    ]
    alone = [
        row for key_, row in of_two.items() if not any(key(one) == key_ for one in codecs if one["threads"] == "1")
    ]
    lines = ["Frames/s at effort 0, checksums on:", *table(head, rows, 3)]
    for row in alone:
        lines.append(
            f"* {row['clip']}, {row['codec']}, {row['what'].removeprefix('codec, ')}, {row['kernels']}, 2 threads: "
            f"{float(row['encode']):.1f} encoding, {float(row['decode']):.1f} decoding."
        )
    return lines


def key(row: Row) -> tuple[str, str, str, str]:
    """What rows of different threads have in common."""
    return row["what"], row["clip"], row["codec"], row["kernels"]


def peer_lines(speed: Sequence[Row]) -> list[str]:
    """The same clips through other codecs."""
    rows = [[row["clip"], row["codec"], row["encode"], row["decode"]] for row in speed if row["what"] == "peer"]
    return ["Other codecs on all cores, frames/s:", *table(["clip", "codec", "encode", "decode"], rows, 2)]


def stage_lines(stages: Sequence[Row]) -> list[str]:
    """Nanoseconds per sample by stage."""
    columns = list(dict.fromkeys((row["model"], row["direction"]) for row in stages))
    spent = {(row["stage"], row["model"], row["direction"]): float(row["ns_per_sample"]) for row in stages}
    names = sorted({row["stage"] for row in stages}, key=lambda name: -sum(spent.get((name, *c), 0.0) for c in columns))
    rows = [[name, *(f"{spent[(name, *c)]:.1f}" if (name, *c) in spent else "" for c in columns)] for name in names]
    rows.append(["all", *(f"{sum(spent.get((name, *c), 0.0) for name in names):.1f}" for c in columns)])
    clip, kernels = (stages[0][name] for name in ("clip", "kernels"))
    head = ["stage", *(f"{model}, {direction}" for model, direction in columns)]
    return [f"Nanoseconds per sample of all planes on one thread, {clip}, {kernels}:", *table(head, rows)]


def coder_lines(speed: Sequence[Row]) -> list[str]:
    """The entropy coder by itself."""
    rows = [[row["kernels"], row["encode"], row["decode"]] for row in speed if row["what"] == "mixture and range coder"]
    return ["Mixture and range coder by themselves, nanoseconds per symbol:", *table(["", "encode", "decode"], rows)]


def roofline_lines(speed: Sequence[Row], stages: Sequence[Row]) -> list[str]:
    """Multiply-accumulates per second of the network beside what the core can do."""
    peaks = {row["kernels"]: float(row["decode"]) for row in speed if row["what"] == "int8 peak"}
    rows = []
    for model in dict.fromkeys(row["model"] for row in stages):
        macs = sum(
            float(row["decode"]) * PLANES_420.get(row["clip"][-1], 0.0)
            for row in speed
            if row["what"] == "network" and row["codec"] == model and row["clip"].startswith("P")
        )
        network = [
            row
            for row in stages
            if row["model"] == model and row["direction"] == "encode" and row["stage"].startswith("network")
        ]
        spent, peak = sum(float(row["ns_per_sample"]) for row in network), peaks[network[0]["kernels"]]
        cells = [
            f"{macs:.0f}",
            f"{spent:.1f}",
            f"{macs / spent:.0f}",
            f"{peak:.0f}",
            f"{100 * macs / spent / peak:.0f} %",
        ]
        rows.append([model, *cells])
    head = ["model", "MAC per sample", "ns per sample", "GMAC/s", "int8 peak of the core", "share"]
    return ["The network alone, in P-frames of 4:2:0, encoder:", *table(head, rows)]


def other_lines(speed: Sequence[Row]) -> list[str]:
    """Start, memory, verification and slices."""
    lines = []
    for row in speed:
        if row["what"] == "transcode, without and with verification":
            cost = float(row["encode"]) / float(row["decode"])
            figure = f"{row['encode']} and {row['decode']} frames/s: {cost:.2f} times as long"
        elif row["what"].startswith("transcode"):
            figure = f"{row['encode']} {row['unit']}"
        elif "slices" in row["what"]:
            figure = f"{row['bytes']} bytes"
        else:
            continue
        lines.append(f"* {row['clip']}, {row['what']}: {figure}.")
    return ["Whole files and slices:", "", *lines]


def render(speed: Sequence[Row], stages: Sequence[Row]) -> str:
    """All tables."""
    machines = "; ".join(sorted({row["machine"] for row in [*speed, *stages]}))
    return "\n".join(
        [
            f"Machine: {machines}.",
            "",
            *codec_lines(speed),
            "",
            *peer_lines(speed),
            *stage_lines(stages),
            *roofline_lines(speed, stages),
            *coder_lines(speed),
            *other_lines(speed),
        ]
    )


def with_figures(text: str, figures: str) -> str:
    """The document with the part between the markers made anew; ValueError where the markers are missing."""
    head, found, rest = text.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{DOCUMENT.name} lacks the markers {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{figures}\n{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 with --check where the document and the tables differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, compare only")
    options = parser.parse_args(arguments)
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = with_figures(text, render(read("speed.tsv"), read("stages.tsv")))
    if options.check:
        return 0 if text == wanted else 1
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
