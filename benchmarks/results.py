"""The table of results: one row per clip and codec, tab-separated, with everything needed to repeat it."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"
TABLE = FOLDER / "compare.tsv"
CHART = FOLDER / "compare.png"

REFERENCE = "x265-veryslow"
HEADLINE = ("akiyo_cif", "cuts_cif", "foreman_cif", "silent_cif", "tennis_sif", "park_joy_480x270", "vt2people_320x192")
"""The clips over which the headline figure is the mean."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A codec on a clip."""

    clip: str
    width: int
    height: int
    frames: int
    pix_fmt: str
    codec: str
    status: str  # "ok": every frame came back exactly
    raw_bytes: int
    coded_bytes: int  # all packets and headers, no container
    encode_fps: float  # frames/s on all cores
    decode_fps: float
    coded_as: str  # pixel format given to the codec: the clip's, or a reordering of the same samples
    settings: str
    version: str
    machine: str
    load: float  # mean number of other busy processes when the run began: fps are comparable only where it is near 0

    @property
    def ok(self) -> bool:
        return self.status == "ok"


def machine() -> str:
    """CPU model and number of cores."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    return f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def read_rows(path: Path = TABLE) -> list[Row]:
    """Rows of a table; none if there is no table yet."""
    if not path.exists():
        return []
    convert = {"int": int, "float": float, "str": str}
    with path.open(newline="") as file:
        return [
            Row(**{field.name: convert[str(field.type)](line[field.name]) for field in fields(Row)})
            for line in csv.DictReader(file, delimiter="\t")
        ]


def write_rows(rows: Iterable[Row], path: Path = TABLE) -> None:
    """Writes a table, sorted by clip and codec."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, [field.name for field in fields(Row)], delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL
        )
        writer.writeheader()
        for row in sorted(rows, key=lambda row: (row.clip, row.codec)):
            values = asdict(row)
            values |= {"encode_fps": f"{row.encode_fps:.2f}", "decode_fps": f"{row.decode_fps:.2f}"}
            values["load"] = f"{row.load:.1f}"
            writer.writerow(values)


def add_row(row: Row, path: Path = TABLE) -> None:
    """Adds a row to a table, in place of that of the same clip and codec."""
    others = [old for old in read_rows(path) if (old.clip, old.codec) != (row.clip, row.codec)]
    write_rows([*others, row], path)


def ratio_to(rows: Iterable[Row], clip: str, codec: str, reference: str = REFERENCE) -> float | None:
    """Bytes of a codec over bytes of the reference on one clip; None where either is missing or inexact."""
    size = {row.codec: row.coded_bytes for row in rows if row.clip == clip and row.ok}
    return size[codec] / size[reference] if codec in size and reference in size else None


def best_peer(rows: Iterable[Row], clip: str) -> Row | None:
    """The row of the exact codec, other than NLVC, that makes a clip smallest; None where there is none."""
    peers = [row for row in rows if row.clip == clip and row.ok and not row.codec.startswith("nlvc")]
    return min(peers, key=lambda row: row.coded_bytes, default=None)


def chart_clips(rows: Sequence[Row]) -> list[str]:
    """The clips that can be drawn relative to the reference: the headline clips, or where there is none, any others."""
    drawable = [row.clip for row in rows if row.codec == REFERENCE and row.ok]
    return [clip for clip in HEADLINE if clip in drawable] or drawable


def mean_ratio(rows: Iterable[Row], clips: Iterable[str], codec: str, reference: str = REFERENCE) -> float | None:
    """Mean of ratio_to over clips; None unless every clip has it."""
    rows, ratios = list(rows), []
    for clip in clips:
        ratio = ratio_to(rows, clip, codec, reference)
        if ratio is None:
            return None
        ratios.append(ratio)
    return sum(ratios) / len(ratios) if ratios else None
