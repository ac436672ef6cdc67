"""The figures of docs/paper.md, drawn from measured rows and from a generated clip."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
from matplotlib import pyplot

from benchmarks.frame_sizes import PEER, FrameSize
from benchmarks.paper_table import CIF, mean
from benchmarks.results import FOLDER, Row
from pynlvc.codec import Decoder, Encoder, EncoderSettings
from pynlvc.codec.planes import frame_planes
from tests.clip_files import video_frames
from tests.clips import make_clip

PATCH = 32  # samples, of the paper's model
LONG = 300  # frames, of the paper's sequences
COMPOSED = "standard-d2"  # the codec of the share of keyframes
COLOURS = {"fast": "#edae49", "standard": "#d1495b", "diffusion": "#6a4c93", "large": "#8d2f3d"}
# By model: the panel of its curves, for those of a panel have the same validation cuts, and its log's columns of luma.
# A model without a log has no curve.
LOGS = dict.fromkeys(("fast", "standard", "large"), (0, ("00", "10"))) | {"diffusion": (1, ("IY", "PY"))}
PEER_COLOUR = "#30638e"
STYLE: Any = {"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "nlvc", "axes.spines.top": False}
STYLE |= {"axes.spines.right": False, "axes.axisbelow": True, "figure.dpi": 90}


def draw_all(rows: Sequence[Row], sizes: Sequence[FrameSize], folder: Path) -> list[Path]:
    """Draws every figure for which there are measurements; returns the files. `rows`: of the slopes."""
    folder.mkdir(parents=True, exist_ok=True)
    with pyplot.rc_context(STYLE):
        drawn = [groups(folder), patches(folder), training(folder)]
        if rows:
            drawn.append(slopes(rows, folder))
        codecs = {size.codec for size in sizes}
        if PEER in codecs:
            drawn.append(rate_per_frame(sizes, folder))
        if COMPOSED in codecs:
            drawn.append(composition(sizes, folder))
    return drawn


def groups(folder: Path) -> Path:
    """Which samples of a patch are decoded together, for each slope."""
    figure, panels = pyplot.subplots(1, 3, figsize=(8, 2.9))
    y, x = np.mgrid[:PATCH, :PATCH]
    for delta, axes in enumerate(panels):
        group = x + delta * y
        image = axes.imshow(group, cmap="viridis", vmin=0, vmax=(PATCH - 1) * 3)
        axes.contour(group % 16 < 8, levels=[0.5], colors="white", linewidths=0.5)
        axes.set_title(f"δ = {delta}: {group.max() + 1} groups", fontsize=9)
        axes.set_xticks([0, PATCH - 1])
        axes.set_yticks([0, PATCH - 1])
    figure.colorbar(image, ax=panels, shrink=0.8, label="group")
    return _save(figure, folder / "groups.png")


def patches(folder: Path) -> Path:
    """A frame of a generated clip, the one before it, their difference, and what each patch costs."""
    clip = make_clip(192, 160, 4, seed=2026)
    frames = list(video_frames(clip))
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=frames[0].time_base, settings=EncoderSettings())
    decoder = Decoder(analysis=True)
    for frame in frames:
        for packet in encoder.encode(frame):
            decoder.decode(packet)
    assert decoder.costs is not None, "the decoder analyses"
    bits: NDArray[np.float64] = decoder.costs.blocks.astype(np.float64)
    rows, columns = bits.shape
    cost = bits.reshape(rows // 2, 2, columns // 2, 2).sum((1, 3)) / PATCH**2
    before, now = (frame_planes(frame)[0].astype(int) for frame in frames[-2:])
    figure, panels = pyplot.subplots(1, 4, figsize=(10, 2.6))
    shown: tuple[tuple[str, NDArray[Any], dict[str, Any]], ...] = (
        ("reference", before, {"cmap": "gray", "vmin": 0, "vmax": 255}),
        ("frame", now, {"cmap": "gray", "vmin": 0, "vmax": 255}),
        ("difference", now - before, {"cmap": "RdBu", "vmin": -40, "vmax": 40}),
        ("bits per pixel of a patch", cost, {"cmap": "inferno", "extent": (0, clip.width, clip.height, 0)}),
    )
    for axes, (title, values, options) in zip(panels, shown, strict=True):
        image = axes.imshow(values, **options)
        axes.set_title(title, fontsize=9)
        axes.set_xticks(range(0, clip.width + 1, PATCH), [])
        axes.set_yticks(range(0, clip.height + 1, PATCH), [])
        axes.grid(linewidth=0.4, color="#888888")
        figure.colorbar(image, ax=axes, shrink=0.7)
    figure.tight_layout()
    return _save(figure, folder / "patches.png")


def rate_per_frame(sizes: Sequence[FrameSize], folder: Path) -> Path:
    """Bytes of each frame beside H.265, of the clip that was measured with both."""
    clip = next(size.clip for size in sizes if size.codec == PEER)
    figure, axes = pyplot.subplots(figsize=(7, 2.8))
    for codec in [PEER, *_models(sizes)]:
        own = sorted((size.frame, size.bytes) for size in sizes if (size.clip, size.codec) == (clip, codec))
        colour = PEER_COLOUR if codec == PEER else COLOURS.get(_model(codec))
        axes.plot([n for n, _ in own], [count / 1000 for _, count in own], label=codec, color=colour, marker=".")
    axes.set(xlabel=f"frame of {clip}", ylabel="kB", ylim=(0, None), xticks=range(0, len(own), 5))
    axes.legend(frameon=False)
    figure.tight_layout()
    return _save(figure, folder / "rate_per_frame.svg")


def composition(sizes: Sequence[FrameSize], folder: Path) -> Path:
    """Share of keyframes in the bytes, as measured and as it would be over the paper's 300 frames."""
    clips = [clip for clip in CIF if any((size.clip, size.codec) == (clip, COMPOSED) for size in sizes)]
    figure, axes = pyplot.subplots(figsize=(7, 2.8))
    for place, clip in enumerate(clips):
        own = [size for size in sizes if (size.clip, size.codec) == (clip, COMPOSED)]
        inter = [size.bytes for size in own if size.kind == "P"]
        key = [size.bytes for size in own if size.kind == "I"]
        measured = sum(key) / (sum(key) + sum(inter))
        long = key[0] / (key[0] + (LONG - 1) * sum(inter) / len(inter))
        for shift, share, colour, label in (
            (-0.2, measured, "#d1495b", f"as measured, {len(own)} frames"),
            (0.2, long, "#7ea8be", f"one keyframe in {LONG} frames, from the mean of the P-frames"),
        ):
            axes.bar(place + shift, 100 * share, 0.38, color=colour, label=label if place == 0 else None)
            axes.annotate(f"{100 * share:.1f}", (place + shift, 100 * share), ha="center", va="bottom", fontsize=8)
    axes.set_xticks(range(len(clips)), clips)
    axes.set_ylabel(f"I-frames, % of the bytes ({COMPOSED})")
    axes.legend(frameon=False)
    figure.tight_layout()
    return _save(figure, folder / "composition.svg")


def slopes(rows: Sequence[Row], folder: Path) -> Path:
    """δ against rate, and against time."""
    clips = [clip for clip in CIF if any(row.clip == clip for row in rows)]
    figure, (rate, speed) = pyplot.subplots(1, 2, figsize=(8, 2.9))
    for model in dict.fromkeys(_model(row.codec) for row in rows):
        deltas = [delta for delta in range(3) if mean(rows, clips, f"{model}-d{delta}") is not None]
        if len(deltas) < 2:
            continue
        colour = COLOURS.get(model)
        rate.plot(deltas, [mean(rows, clips, f"{model}-d{d}") for d in deltas], label=model, color=colour, marker="o")
        for kind, line in (("encode", "--"), ("decode", "-")):
            values = [_mean_fps(rows, clips, f"{model}-d{d}", kind) for d in deltas]
            speed.plot(deltas, values, line, label=f"{model}, {kind}", color=colour, marker="o")
    frames = max(row.frames for row in rows)
    rate.set(xlabel="slope δ", ylabel=f"% of raw, {len(clips)} clips of {frames} frames", xticks=range(3))
    speed.set(xlabel="slope δ", ylabel="frames/s, mean", xticks=range(3), ylim=(0, None))
    for axes in (rate, speed):
        axes.grid(linewidth=0.3)
        axes.legend(frameon=False)
    figure.tight_layout()
    return _save(figure, folder / "slopes.svg")


def training(folder: Path) -> Path:
    """Bits per luma sample on the validation cuts over the hours of training."""
    drawn = [(model, *found) for model, found in LOGS.items() if (FOLDER / f"training_{model}.tsv").exists()]
    places = sorted({place for _, place, _ in drawn})
    figure, panels = pyplot.subplots(1, len(places), figsize=(8, 2.8), squeeze=False, sharey=True)
    for model, place, columns in drawn:
        with (FOLDER / f"training_{model}.tsv").open(newline="") as file:
            lines = list(csv.DictReader(file, delimiter="\t"))
        hours = [float(line["seconds"]) / 3600 for line in lines]
        for column, line, name in zip(columns, (":", "-"), ("I-frames", "P-frames"), strict=True):
            values = [float(entry[column]) for entry in lines]
            panels[0][places.index(place)].plot(hours, values, line, color=COLOURS[model], label=f"{model}, {name}")
    panels[0][0].set_ylabel("bits per luma sample")
    for axes in panels[0]:
        axes.set_xlabel("hours of training on one CPU core")
        axes.grid(linewidth=0.3)
        axes.legend(frameon=False)
    figure.tight_layout()
    return _save(figure, folder / "training.svg")


def _model(codec: str) -> str:
    """diffusion-d2 -> diffusion."""
    return codec.rsplit("-d", 1)[0]


def _models(sizes: Sequence[FrameSize]) -> list[str]:
    """Our models at the default slope."""
    return [codec for codec in dict.fromkeys(size.codec for size in sizes) if codec.endswith("-d2")]


def _mean_fps(rows: Sequence[Row], clips: Sequence[str], codec: str, kind: str) -> float:
    values = [getattr(row, f"{kind}_fps") for row in rows if row.codec == codec and row.clip in clips]
    return float(np.mean(values))


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    pyplot.close(figure)
    return path
