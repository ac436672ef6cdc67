"""Writes the measured results into README.md: `python -m benchmarks.readme_table [--check]`

The part between the two markers is made from the TSV table alone, so no figure there can be one that nobody measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import HEADLINE, REFERENCE, Row, best_peer, mean_ratio, ratio_to, read_rows

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- results: begin (made by benchmarks/readme_table.py) -->", "<!-- results: end -->"
COLUMNS = {
    "nlvc": "NLVC",
    "nlvc-effort9": "NLVC effort 9",
    "nlvc-fast": "NLVC fast",
    "nlvc-fast-effort6": "NLVC fast effort 6",
    "nlvc-large-effort6": "NLVC large effort 6",
    "x265-veryslow": "x265 veryslow",
    "av1-libaom": "AV1 libaom",
    "vp9-best": "VP9 best",
    "x264-veryslow": "x264 veryslow",
    "ffv1-gop300": "FFV1 GOP 300",
    "ffv1-gop1": "FFV1 GOP 1",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 with --check where the README and the table differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, compare only")
    options = parser.parse_args(arguments)
    text = README.read_text(encoding="utf-8")
    wanted = with_results(text, read_rows())
    if options.check:
        return 0 if text == wanted else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


def with_results(readme: str, rows: Sequence[Row]) -> str:
    """The README with the part between the markers made anew; ValueError where the markers are missing."""
    head, found, rest = readme.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"README.md lacks the markers {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{render(rows)}\n{END}{tail}"


def render(rows: Sequence[Row]) -> str:
    """The headline clips as Markdown, a line on NLVC's speed where it was measured, and the clips in other formats."""
    codecs = [codec for codec in COLUMNS if any(row.codec == codec and row.clip in HEADLINE for row in rows)]
    lines = [
        "| bytes | " + " | ".join(COLUMNS[codec] for codec in codecs) + " |",
        "| --- |" + " ---: |" * len(codecs),
    ]
    for clip in HEADLINE:
        size = {row.codec: row for row in rows if row.clip == clip}
        if size:
            lines.append(_line(clip, [_cell(size.get(codec), ratio_to(rows, clip, codec)) for codec in codecs]))
    means = [mean_ratio(rows, HEADLINE, codec) for codec in codecs]
    lines.append(
        _line(f"**mean of bytes / {REFERENCE}**", ["" if mean is None else f"**{mean:.3f}**" for mean in means])
    )
    return "\n".join([*lines, *_speed(rows, "nlvc"), *_speed(rows, "nlvc-fast"), *_others(rows)])


def _others(rows: Sequence[Row]) -> list[str]:
    """NLVC beside the best of all peers that are exact, on clips in other formats and pictures."""
    lines = [
        "",
        "| other formats | pixel format | NLVC | best exact peer | ratio |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    own = {row.clip: row for row in rows if row.codec == "nlvc" and row.ok and row.clip not in HEADLINE}
    for clip, row in sorted(own.items()):
        peer = best_peer(rows, clip)
        if peer is not None:
            best = f"{peer.coded_bytes:,} ({COLUMNS[peer.codec]})"
            ratio = f"{row.coded_bytes / peer.coded_bytes:.3f}"
            lines.append(_line(clip, [row.pix_fmt, f"{row.coded_bytes:,}", best, ratio]))
    return lines if len(lines) > 3 else []


def _line(head: str, cells: list[str]) -> str:
    return f"| {head} | " + " | ".join(cells) + " |"


def _cell(row: Row | None, ratio: float | None) -> str:
    if row is None:
        return ""
    if not row.ok:
        return row.status
    return f"{row.coded_bytes:,}" + ("" if ratio is None else f" ({ratio:.3f})")


def _speed(rows: Sequence[Row], codec: str) -> list[str]:
    rows = [row for row in rows if row.codec == codec and row.clip in HEADLINE]
    if not rows:
        return []
    pixels = [row.width * row.height / 1e6 for row in rows]
    encode = [row.encode_fps * size for row, size in zip(rows, pixels, strict=True)]
    decode = [row.decode_fps * size for row, size in zip(rows, pixels, strict=True)]
    machines = "; ".join(sorted({row.machine for row in rows}))
    text = (
        f"{COLUMNS[codec]} encoded these clips at {min(encode):.2f} to {max(encode):.2f} Mpixel/s and decoded them at"
    )
    return ["", f"{text} {min(decode):.2f} to {max(decode):.2f} Mpixel/s ({machines}; a CIF frame has 0.1 Mpixel)."]


if __name__ == "__main__":
    sys.exit(main())
