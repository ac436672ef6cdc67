"""Writes the golden streams of the format's present version: python -m tests.golden.make

Those of a version that was released are never made again: a decoder must decode them for ever. This refuses to.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.golden.streams import FOLDER, digest, streams, write_stream

TABLE = "frames.tsv"
HEADER = "stream\tframe\tkeyframe\tpts\tduration\tsha256"


def main(folder: Path) -> None:
    """Writes all streams and the table of their frames."""
    folder.mkdir(parents=True)
    lines = [HEADER]
    for name, stream in streams().items():
        packets = list(stream.packets())
        write_stream(folder / f"{name}.nlvs", packets)
        for number, planes in enumerate(stream.frames):
            pts, duration = stream.ticks[number] if number < len(stream.ticks) else (number, 1)
            # flags, bit 0 (§9)
            lines.append(
                f"{name}\t{number}\t{packets[number][3] & 1}\t{pts}\t{duration}\t{digest(planes, stream.form.depth)}"
            )
    (folder / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    version = next(streams()["one_sample"].packets())[2]
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / f"v{version}")
