"""The training loop: many streams in flight, one batch of them coded and learned from at each step."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pynlvc.errors import NlvcError
from pynlvc.model.architecture import SHAPES
from pynlvc.model.denoiser import Denoiser
from pynlvc.training.clips import Augmentation, Planes, augmented_cut, read_clips
from pynlvc.training.step import code_frame, draw_reveal
from pynlvc.training.streams import Stream


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
    validation_share: float = 0.06  # share of the clips kept out of training, 0..1
    checkpoint_every: int = 500  # steps between checkpoints
    augmentation: Augmentation = field(default_factory=Augmentation)


def make_networks(model: str) -> nn.ModuleDict:
    """The denoisers of a model by frame type and plane class: "00" .. "12"."""
    return nn.ModuleDict({f"{n.frame_type}{n.plane_class}": Denoiser(n) for n in SHAPES[model].networks})


def split_clips(
    clips: dict[str, list[Planes]], share: float, seed: int
) -> tuple[dict[str, list[Planes]], dict[str, list[Planes]]]:
    """Training and validation clips, chosen by name and seed; at least one of each."""
    names = sorted(clips)
    order = np.random.default_rng(seed).permutation(len(names))
    kept = {names[i] for i in order[: max(1, round(share * len(names)))]}
    return {n: c for n, c in clips.items() if n not in kept}, {n: clips[n] for n in sorted(kept)}


class StreamPool:
    """Streams in flight. Finished ones are replaced by fresh cuts; batches are all I or all P."""

    def __init__(self, clips: list[list[Planes]], settings: TrainingSettings, rng: np.random.Generator):
        self._clips, self._settings, self._rng = clips, settings, rng
        self._streams = [self._fresh() for _ in range(settings.streams)]

    def _fresh(self) -> Stream:
        clip = self._clips[int(self._rng.integers(len(self._clips)))]
        return Stream(augmented_cut(clip, self._rng, self._settings.augmentation, 5))

    def batch(self) -> list[Stream]:
        """Streams to code next: I-frames as soon as a batch of fresh streams waits, else P-frames at random."""
        self._streams = [self._fresh() if s.finished else s for s in self._streams]
        fresh = [s for s in self._streams if s.position == 0]
        running = [s for s in self._streams if s.position > 0]
        size = self._settings.batch
        if len(fresh) >= size and (len(fresh) >= 2 * size or len(running) < size):
            return fresh[:size]
        chosen = self._rng.choice(len(running), size, replace=False)
        return [running[i] for i in chosen]


def validate(nets: nn.ModuleDict, clips: dict[str, list[Planes]], settings: TrainingSettings) -> dict[str, float]:
    """Bits per sample on fixed cuts of the validation clips at δ = 2: one figure for each network."""
    rng = np.random.default_rng(0)
    reveal = draw_reveal(rng, (0.0, 0.0, 1.0, 0.0), settings.schedule)
    sums: dict[str, list[float]] = {}
    with torch.no_grad():
        for clip in clips.values():
            stream = Stream(augmented_cut(clip, rng, settings.augmentation, 5))
            while not stream.finished:
                kind = 0 if stream.position == 0 else 1
                for p, coded in enumerate(code_frame(nets, [stream], reveal, rng)):
                    sums.setdefault(f"{kind}{p}", []).append(coded.bits_per_sample.item())
    return {k: float(np.mean(v)) for k, v in sorted(sums.items())}


def train(data: Path, output: Path, settings: TrainingSettings, report: Callable[[str], None] = print) -> nn.ModuleDict:
    """Trains on the clips of `data`, resuming from the checkpoint in `output` if there is one.

    Writes checkpoint.pt, settings.json and log.tsv (step, seconds, rate, bits per sample of each network on the
    validation clips) to `output`. Raises NlvcError when there are no clips.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    output.mkdir(parents=True, exist_ok=True)
    clips = read_clips(data, settings.augmentation.crop)
    if not clips:
        raise NlvcError(f"{data}: no clip of at least {settings.augmentation.crop} samples (*.mkv, yuv420p)")
    training, validation = split_clips(clips, settings.validation_share, settings.seed)
    report(f"{len(training)} training clips, {len(validation)} validation clips")
    nets = make_networks(settings.model)
    parameters = list(nets.parameters())
    optimizer = torch.optim.Adam(parameters, settings.learning_rate, betas=(0.9, 0.99))
    step, seconds = 0, 0.0
    checkpoint = output / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        nets.load_state_dict(state["nets"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]
        report(f"resumed at step {step}")
    (output / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    log = output / "log.tsv"
    rng = np.random.default_rng([settings.seed, step])
    pool = StreamPool(list(training.values()), settings, rng)
    started = time.monotonic() - seconds
    running: dict[str, float] = {}
    while step < settings.steps:
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warmup)
        rate *= 0.01 + 0.99 * (1 - step / settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        streams = pool.batch()
        kind = 0 if streams[0].position == 0 else 1
        coded = code_frame(nets, streams, draw_reveal(rng, settings.reveal, settings.schedule), rng)
        loss = sum(c.bits_per_sample + settings.error_weight * c.absolute_error for c in coded)
        optimizer.zero_grad(set_to_none=True)
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], 1.0)
        optimizer.step()
        step += 1
        for p, c in enumerate(coded):
            key = f"{kind}{p}"
            running[key] = 0.99 * running.get(key, c.bits_per_sample.item()) + 0.01 * c.bits_per_sample.item()
        if step % settings.checkpoint_every == 0 or step == settings.steps:
            seconds = time.monotonic() - started
            scores = validate(nets, validation, settings)
            state = {"nets": nets.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
            if not log.exists():
                log.write_text("\t".join(["step", "seconds", "rate", *scores]) + "\n")
            with log.open("a") as out:
                values = [str(step), f"{seconds:.0f}", f"{rate:.6f}", *(f"{v:.4f}" for v in scores.values())]
                out.write("\t".join(values) + "\n")
            now = " ".join(f"{k} {v:.3f}" for k, v in sorted(running.items()))
            report(f"step {step} {seconds:.0f} s  training {now}  validation {sum(scores.values()):.4f}")
    return nets
