"""Bar chart of coded size relative to x265, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from benchmarks.results import REFERENCE, Row, mean_ratio, ratio_to

COLOURS = {
    "nlvc-large-effort6": "#5c1a26",
    "nlvc-effort9": "#8f2d3f",
    "nlvc": "#d1495b",
    "nlvc-fast": "#edae49",
    "x265-veryslow": "#30638e",
    "av1-libaom": "#5b8e7d",
    "vp9-best": "#8cb369",
    "x264-veryslow": "#7ea8be",
    "ffv1-gop300": "#b8b8b8",
}
"""Codecs in the order of their bars; FFV1 with all keyframes is in the table alone."""

TOP = 135  # % of the reference; the figure stands on bars that reach further
LABELLED = "nlvc"


def draw_chart(rows: Sequence[Row], clips: Sequence[str], path: Path) -> None:
    """Draws one group of bars for each clip (each must have a row of the reference) and one for their mean."""
    codecs = [codec for codec in COLOURS if any(ratio_to(rows, clip, codec) for clip in clips)]
    figure, axes = pyplot.subplots(figsize=(10, 4), dpi=110)
    width = 0.86 / len(codecs)
    for position, codec in enumerate(codecs):
        ratios = [ratio_to(rows, clip, codec) for clip in clips] + [mean_ratio(rows, clips, codec)]
        left = (position - (len(codecs) - 1) / 2) * width
        bars = [(place + left, 100 * ratio) for place, ratio in enumerate(ratios) if ratio is not None]
        heights = [min(percent, TOP) for _, percent in bars]
        axes.bar([x for x, _ in bars], heights, width, label=codec, color=COLOURS[codec])
        for (x, percent), height in zip(bars, heights, strict=True):
            if codec == LABELLED or percent > TOP:
                axes.annotate(f"{percent:.0f}", (x, height), ha="center", va="bottom", fontsize=7)
    axes.axhline(100, color=COLOURS[REFERENCE], linewidth=0.8)
    axes.set_xticks(range(len(clips) + 1), [clip.split("_")[0] for clip in clips] + ["mean"])
    axes.set_ylabel(f"bytes, % of {REFERENCE}")
    axes.set_ylim(0, TOP + 20)
    axes.set_title("Lossless coding: smaller is better", fontsize=10)
    axes.legend(ncols=len(codecs), fontsize=8, frameon=False, loc="upper center")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)
