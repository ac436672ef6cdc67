"""The training loop: many streams in flight, one batch of them coded and learned from at each step."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pynlvc.errors import NlvcError
from pynlvc.model.architecture import SHAPES
from pynlvc.model.denoiser import Denoiser
from pynlvc.training.clips import Augmentation, Planes, augmented_cut, read_clips
from pynlvc.training.pictures import Picture, read_pictures, rgb_cut
from pynlvc.training.progress import CHECKPOINT, Progress, save_progress
from pynlvc.training.split import split_clips
from pynlvc.training.step import code_frame, draw_reveal
from pynlvc.training.streams import Stream

Source = list[Planes] | Picture


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a model is trained. The schedule is laid out over `steps`, so a run can stop and resume at any checkpoint."""

    model: str = "standard"  # a name in pynlvc.model.architecture.SHAPES
    steps: int = 30_000  # optimiser steps, > 0
    batch: int = 3  # streams coded together in a step, >= 1
    streams: int = 15  # streams in flight, >= 2 * batch
    learning_rate: float = 2e-3  # peak of Adam's rate; falls linearly to 1 % of it
    warmup: int = 300  # steps of rising rate
    reveal: tuple[float, float, float, float] = (
        0.08,
        0.08,
        0.76,
        0.08,
    )  # probabilities of δ = 0, 1, 2, random patterns
    schedule: str = "cosine"  # of the random patterns' reveal probability: "cosine" or "uniform"
    error_weight: float = 0.002  # weight of |sample - mean| beside the bits
    seed: int = 1  # of clips, augmentation and initial weights
    threads: int = 1  # PyTorch threads, 1..
    networks: tuple[str, ...] = ()  # those that learn, frame type and plane class ("13"); none named: all
    rgb_share: float = 0.0  # share of streams that are RGB, 0..1
    rgb_crop: int = 96  # edge of an RGB cut, samples, a multiple of 16
    validation_share: float = 0.06  # share of the clips kept out of training, 0..1
    checkpoint_every: int = 500  # steps between checkpoints
    augmentation: Augmentation = field(default_factory=Augmentation)


def make_networks(model: str) -> nn.ModuleDict:
    """The denoisers of a model by frame type and plane class: "00" .. "12"."""
    return nn.ModuleDict({f"{n.frame_type}{n.plane_class}": Denoiser(n) for n in SHAPES[model].networks})


def score_name(frame_type: str, plane: int, rgb: bool) -> str:
    """ "00" .. "12" for planes of YUV, "0G" .. "1R" for those of RGB."""
    return frame_type + ("GBR"[plane] if rgb else str(plane))


def _widened(known: Tensor, like: Tensor) -> Tensor:
    """Weights with zeros for the inputs (last dimension) that they lack."""
    return torch.nn.functional.pad(known, (0, like.shape[-1] - known.shape[-1]))


def start_from(nets: nn.ModuleDict, checkpoint: Path) -> None:
    """Takes the weights of another run.

    Networks for RGB that it lacks begin as those for chroma, and inputs that it lacks, the last ones, with zeros.
    """
    state = torch.load(checkpoint, weights_only=True)["nets"]
    for name, net in nets.items():
        known = name if any(k.startswith(f"{name}.") for k in state) else f"{name[0]}{int(name[1]) - 2}"
        own = dict(net.named_parameters())
        net.load_state_dict({k: _widened(state[f"{known}.{k}"], v) for k, v in own.items()}, strict=False)


def fresh_stream(source: Source, settings: TrainingSettings, rng: np.random.Generator, rgb: bool) -> Stream:
    """A varied cut of a clip or picture."""
    if rgb:
        return Stream(rgb_cut(source, rng, settings.augmentation, settings.rgb_crop, 5))
    assert isinstance(source, list)
    return Stream(augmented_cut(source, rng, settings.augmentation, 5))


class StreamPool:
    """Streams of one kind in flight. Finished ones are replaced by fresh cuts; batches are all I or all P."""

    def __init__(self, sources: list[Source], settings: TrainingSettings, rng: np.random.Generator, rgb: bool):
        self._sources, self._settings, self._rng, self._rgb = sources, settings, rng, rgb
        self._streams: list[Stream] = []

    def _fresh(self) -> Stream:
        source = self._sources[int(self._rng.integers(len(self._sources)))]
        return fresh_stream(source, self._settings, self._rng, self._rgb)

    def batch(self) -> list[Stream]:
        """Streams to code next: I-frames as soon as a batch of fresh streams waits, else P-frames at random."""
        self._streams = [self._fresh() if s.finished else s for s in self._streams]
        while len(self._streams) < self._settings.streams:
            self._streams.append(self._fresh())
        fresh = [s for s in self._streams if s.position == 0]
        running = [s for s in self._streams if s.position > 0]
        size = self._settings.batch
        if len(fresh) >= size and (len(fresh) >= 2 * size or len(running) < size):
            return fresh[:size]
        chosen = self._rng.choice(len(running), size, replace=False)
        return [running[i] for i in chosen]


@dataclass(frozen=True)
class Material:
    """What a run learns from or is judged by."""

    yuv: dict[str, Source]
    rgb: dict[str, Source]

    def split(self, share: float, seed: int) -> tuple["Material", "Material"]:
        """(training, validation)"""
        parts = [split_clips(sources, share, seed) if sources else ({}, {}) for sources in (self.yuv, self.rgb)]
        return Material(*(p[0] for p in parts)), Material(*(p[1] for p in parts))


def read_material(data: Path, pictures: Path | None, settings: TrainingSettings) -> Material:
    """The clips of one folder and, for RGB, those that are large enough and the pictures of another."""
    clips: dict[str, Source] = dict(read_clips(data, settings.augmentation.crop))
    rgb: dict[str, Source] = {}
    if settings.rgb_share > 0:
        least = settings.rgb_crop + 4
        rgb.update(read_clips(data, least))
        if pictures is not None:
            rgb |= read_pictures(pictures, least)
    return Material(clips, rgb)


def validate(nets: nn.ModuleDict, material: Material, settings: TrainingSettings) -> dict[str, float]:
    """Bits per sample on fixed cuts of the validation material at δ = 2: one figure for each network."""
    rng = np.random.default_rng(0)
    reveal = draw_reveal(rng, (0.0, 0.0, 1.0, 0.0), settings.schedule)
    sums: dict[str, list[float]] = {}
    with torch.no_grad():
        kinds = [(False, s) for s in material.yuv.values()] if settings.rgb_share < 1 else []
        for rgb, source in kinds + [(True, s) for s in material.rgb.values()]:
            stream = fresh_stream(source, settings, rng, rgb)
            while not stream.finished:
                kind = f"{0 if stream.position == 0 else 1}"
                for p, coded in enumerate(code_frame(nets, [stream], reveal, rng)):
                    sums.setdefault(score_name(kind, p, rgb), []).append(coded.bits_per_sample.item())
    return {k: float(np.mean(v)) for k, v in sorted(sums.items())}


def train(
    data: Path,
    output: Path,
    settings: TrainingSettings,
    report: Callable[[str], None] = print,
    *,
    pictures: Path | None = None,
    start: Path | None = None,
) -> nn.ModuleDict:
    """Trains on the clips of `data`, resuming from the checkpoint in `output` if there is one.

    `pictures`: a folder of PNG files for RGB. `start`: a checkpoint of another run to begin with.

    Writes checkpoint.pt, settings.json and log.tsv (step, seconds, rate, bits per sample of each network on the
    validation clips) to `output`. Raises NlvcError when there are no clips.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    output.mkdir(parents=True, exist_ok=True)
    material = read_material(data, pictures, settings)
    if not material.yuv:
        raise NlvcError(f"{data}: no clip of at least {settings.augmentation.crop} samples (*.mkv, yuv420p)")
    if settings.rgb_share > 0 and len(material.rgb) < 2:
        raise NlvcError(
            f"{data}: RGB needs two clips or pictures that are large enough for its {settings.rgb_crop} samples"
        )
    training, validation = material.split(settings.validation_share, settings.seed)
    report(f"{len(training.yuv)} training clips, {len(validation.yuv)} validation clips")
    if material.rgb:
        report(f"{len(training.rgb)} of RGB to train with, {len(validation.rgb)} to validate")
    nets = make_networks(settings.model)
    if start is not None:
        start_from(nets, start)
    unknown = set(settings.networks) - set(nets)
    if unknown:
        raise NlvcError(f"the model has no network {', '.join(sorted(unknown))}, only {', '.join(nets)}")
    if settings.networks:
        for name, net in nets.items():
            net.requires_grad_(name in settings.networks)
    parameters = [p for p in nets.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, settings.learning_rate, betas=(0.9, 0.99))
    step, seconds = 0, 0.0
    checkpoint = output / CHECKPOINT
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        nets.load_state_dict(state["nets"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
        report(f"resumed at step {step}")
    (output / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    rng = np.random.default_rng([settings.seed, step])
    pools = [
        StreamPool(list(sources.values()), settings, rng, rgb)
        for rgb, sources in ((False, training.yuv), (True, training.rgb))
    ]
    started = time.monotonic() - seconds
    running: dict[str, float] = {}
    while step < settings.steps:
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warmup)
        rate *= 0.01 + 0.99 * (1 - step / settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rgb = bool(rng.random() < settings.rgb_share)
        streams = pools[rgb].batch()
        kind = "0" if streams[0].position == 0 else "1"
        coded = code_frame(nets, streams, draw_reveal(rng, settings.reveal, settings.schedule), rng)
        loss = sum(c.bits_per_sample + settings.error_weight * c.absolute_error for c in coded)
        optimizer.zero_grad(set_to_none=True)
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], 1.0)
        optimizer.step()
        step += 1
        for p, c in enumerate(coded):
            key = score_name(kind, p, rgb)
            running[key] = 0.99 * running.get(key, c.bits_per_sample.item()) + 0.01 * c.bits_per_sample.item()
        if step % settings.checkpoint_every == 0 or step == settings.steps:
            seconds = time.monotonic() - started
            scores = validate(nets, validation, settings)
            save_progress(output, nets, optimizer, Progress(step=step, seconds=seconds, rate=rate, scores=scores))
            now = " ".join(f"{k} {v:.3f}" for k, v in sorted(running.items()))
            report(f"step {step} {seconds:.0f} s  training {now}  validation {sum(scores.values()):.4f}")
    return nets
