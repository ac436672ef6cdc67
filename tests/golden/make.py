"""Writes golden streams of the format's present version: python -m tests.golden.make

Those that are there already are never made again: a decoder must decode them for ever. Only new ones are added, with
the models that they differ from.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.golden.streams import FOLDER, digest, streams, write_stream

TABLE = "frames.tsv"
HEADER = "stream\tframe\tkeyframe\tpts\tduration\tsha256"


def main(folder: Path) -> None:
    """Writes the streams that are missing and adds their frames to the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / TABLE
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else [HEADER]
    for name, stream in streams().items():
        if (folder / f"{name}.nlvs").exists():
            continue
        packets = list(stream.packets())
        write_stream(folder / f"{name}.nlvs", packets)
        if stream.moved:
            (folder / f"{name}.nlvm").write_bytes(stream.model())
        for number, planes in enumerate(stream.frames):
            pts, duration = stream.ticks[number] if number < len(stream.ticks) else (number, 1)
            # flags, bit 0 (§9)
            lines.append(
                f"{name}\t{number}\t{packets[number][3] & 1}\t{pts}\t{duration}\t{digest(planes, stream.form.depth)}"
            )
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    version = next(streams()["one_sample"].packets())[2]
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / f"v{version}")
