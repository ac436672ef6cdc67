"""The training loop of the masked-diffusion transformer (docs/diffusion.md §6)."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pynlvc.errors import NlvcError
from pynlvc.media.containers import ffmpeg_errors
from pynlvc.model.diffusion.shape import CHROMA, COLOUR, LUMA, DiffusionShape
from pynlvc.model.diffusion.transformer import DiffusionNetwork
from pynlvc.training.clips import Augmentation, read_clips
from pynlvc.training.diffusion_patches import CUT, RGB_CUT, PatchSource
from pynlvc.training.diffusion_step import Patches, code_patches, draw_reveal, slope_reveal
from pynlvc.training.pictures import read_pictures
from pynlvc.training.progress import CHECKPOINT, Progress, save_progress
from pynlvc.training.train import split_clips

KIND_NAMES = "YCR"  # columns of the log: luma, chroma, planes of RGB
KIND_SHARES = {LUMA: 0.6, CHROMA: 0.3, COLOUR: 0.1}


@dataclass(frozen=True, kw_only=True)
class DiffusionSettings:
    """How the model is trained. The schedule is laid out over `steps`; a run resumes at any checkpoint."""

    steps: int = 12_000  # optimiser steps, > 0
    batch: int = 8  # patches of a step, even
    learning_rate: float = 2e-3  # peak of Adam's rate; falls linearly to 1 % of it
    warmup: int = 200  # steps of rising rate
    attention_from: float = 0.35  # share of the steps after which attention joins in, 0..1: before, steps are fast
    p_share: float = 0.8  # share of steps that train the P-network, 0..1
    reveal: tuple[float, ...] = (0.12, 0.12, 0.56, 0.12, 0.08)  # δ = 0, 1, 2, random order, δ = 2 without reference
    schedule: str = "cosine"  # of the random masks: "cosine" or "uniform"
    error_weight: float = 0.002  # weight of |sample - mean| beside the bits
    seed: int = 1  # of clips, augmentation, orders and initial weights
    threads: int = 1  # PyTorch threads, 1..
    validation_share: float = 0.06  # share of the clips kept out of training, 0..1
    validation_patches: int = 16  # of each network and kind of plane
    checkpoint_every: int = 250  # steps between checkpoints
    shape: dict[str, int] = field(default_factory=dict)  # what differs from DiffusionShape's defaults
    augmentation: Augmentation = field(default_factory=Augmentation)


def make_diffusion_networks(shape: dict[str, int]) -> nn.ModuleDict:
    """The networks of I- and P-frames, "0" and "1"."""
    return nn.ModuleDict({str(t): DiffusionNetwork(DiffusionShape(frame_type=t, **shape)) for t in (0, 1)})


def network_of(nets: nn.ModuleDict, frame_type: int) -> DiffusionNetwork:
    """The network of one frame type."""
    net = nets[str(frame_type)]
    assert isinstance(net, DiffusionNetwork)
    return net


def use_attention(nets: nn.ModuleDict, on: bool) -> None:
    """Whether the attention blocks take part."""
    for frame_type in (0, 1):
        network_of(nets, frame_type).attend = on


def read_sources(data: Path, pictures: Path | None, settings: DiffusionSettings) -> tuple[PatchSource, PatchSource]:
    """Material to train with and to validate with."""
    clips = read_clips(data, CUT)
    if len(clips) < 2:
        raise NlvcError(f"{data}: training needs two clips or more of at least {CUT} samples (*.mkv, yuv420p)")
    training, validation = split_clips(dict(clips), settings.validation_share, settings.seed)
    rgb: dict = {}
    if pictures is not None:
        rgb = dict(read_pictures(pictures, RGB_CUT + 4)) | read_clips(data, 2 * RGB_CUT + 8)
    rgb_training, rgb_validation = split_clips(rgb, settings.validation_share, settings.seed) if rgb else ({}, {})
    return (
        PatchSource(list(training.values()), list(rgb_training.values()), settings.augmentation),
        PatchSource(list(validation.values()), list(rgb_validation.values()), settings.augmentation),
    )


def validation_set(source: PatchSource, settings: DiffusionSettings) -> dict[str, Patches]:
    """Fixed patches by the name of their column in the log: IY, IC, PY, PC, ..."""
    rng = np.random.default_rng(0)
    return {
        "IP"[t] + KIND_NAMES[kind]: source.batch(rng, t, kind, settings.validation_patches)
        for t in (0, 1)
        for kind in source.kinds
    }


def validate(nets: nn.ModuleDict, patches: dict[str, Patches], delta: int = 2) -> dict[str, float]:
    """Bits per sample of each validation set."""
    with torch.no_grad():
        return {
            name: code_patches(network_of(nets, int(name[0] == "P")), p, slope_reveal(delta)).lengths().mean().item()
            for name, p in patches.items()
        }


def train_diffusion(
    data: Path,
    output: Path,
    settings: DiffusionSettings,
    report: Callable[[str], None] = print,
    *,
    pictures: Path | None = None,
) -> nn.ModuleDict:
    """Trains on the clips of `data` (and the PNG files of `pictures`), on a GPU where PyTorch finds one, resuming from
    `output`'s checkpoint.

    Writes checkpoint.pt, settings.json and log.tsv (step, seconds, rate, bits per sample of each validation set) to
    `output`. Raises NlvcError when there are too few clips.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    output.mkdir(parents=True, exist_ok=True)
    with ffmpeg_errors(f"cannot read training clips of {data}"):
        source, held_out = read_sources(data, pictures, settings)
    fixed = validation_set(held_out, settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    nets = make_diffusion_networks(settings.shape).to(device)
    optimizer = torch.optim.Adam(nets.parameters(), settings.learning_rate, betas=(0.9, 0.99))
    step, seconds = 0, 0.0
    checkpoint = output / CHECKPOINT
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        nets.load_state_dict(state["nets"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
        report(f"resumed at step {step}")
    record = asdict(settings) | {
        "data": str(data),
        "pictures": str(pictures) if pictures else None,
        "device": str(device),
    }
    (output / "settings.json").write_text(json.dumps(record, indent=1))
    rng = np.random.default_rng([settings.seed, step])
    shares = np.array([KIND_SHARES[kind] for kind in source.kinds])
    started = time.monotonic() - seconds
    while step < settings.steps:
        use_attention(nets, step >= settings.attention_from * settings.steps)
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warmup)
        rate *= 0.01 + 0.99 * (1 - step / settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        frame_type = int(rng.random() < settings.p_share)
        kind = int(rng.choice(source.kinds, p=shares / shares.sum()))
        patches = source.batch(rng, frame_type, kind, settings.batch)
        coded = code_patches(
            network_of(nets, frame_type), patches, draw_reveal(rng, settings.reveal, settings.schedule)
        )
        optimizer.zero_grad(set_to_none=True)
        (coded.loss + settings.error_weight * coded.absolute_error).backward()
        torch.nn.utils.clip_grad_norm_([p for p in nets.parameters() if p.grad is not None], 1.0)
        optimizer.step()
        step += 1
        if step % settings.checkpoint_every == 0 or step == settings.steps:
            scores = validate(nets, fixed)
            seconds = time.monotonic() - started
            save_progress(output, nets, optimizer, Progress(step=step, seconds=seconds, rate=rate, scores=scores))
            report(f"step {step} {seconds:.0f} s  " + " ".join(f"{k} {v:.3f}" for k, v in scores.items()))
    use_attention(nets, True)
    return nets
