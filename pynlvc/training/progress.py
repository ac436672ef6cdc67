"""What a training run leaves behind as it goes: a checkpoint to resume from and a line in its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands."""

    step: int
    seconds: float  # of training so far
    rate: float  # learning rate of the last step
    scores: Mapping[str, float]  # bits per sample of each validation set


def save_progress(output: Path, nets: nn.ModuleDict, optimizer: Optimizer, progress: Progress) -> None:
    """Replaces checkpoint.pt as a whole and adds a line to log.tsv."""
    state = {
        "nets": nets.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": progress.step,
        "seconds": progress.seconds,
    }
    part = (output / CHECKPOINT).with_suffix(".tmp")
    torch.save(state, part)
    part.replace(output / CHECKPOINT)
    log = output / "log.tsv"
    if not log.exists():
        log.write_text("\t".join(["step", "seconds", "rate", *progress.scores]) + "\n")
    values = [str(progress.step), f"{progress.seconds:.0f}", f"{progress.rate:.6f}"]
    values += [f"{score:.4f}" for score in progress.scores.values()]
    with log.open("a") as out:
        out.write("\t".join(values) + "\n")
