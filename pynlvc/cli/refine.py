"""Refine a model: learn on from a finished one, with examples that the codec's own encoder hands out as it codes the
clips. The widths of --model may be larger than those of --base; what is new begins without effect.

Needs no PyTorch. A run can be stopped at any time and goes on from its last checkpoint when the same command is given
again.

  pynlvc refine run/ clips/ more_clips/ --base standard --model large      writes run/large.nlvm
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.cli.options import expect_crop, expect_positive
from pynlvc.errors import UsageError
from pynlvc.model.architecture import SHAPES
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.store import load_model
from pynlvc.training.clips import Augmentation
from pynlvc.training.refine import RefineSettings, refine


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    defaults = RefineSettings(model="standard")
    parser.add_argument("output", type=Path, help="folder for checkpoint, log and model file")
    parser.add_argument("data", type=Path, nargs="+", help="folders of clips to learn from (*.mkv, yuv420p)")
    parser.add_argument(
        "--base",
        default="standard",
        metavar="MODEL",
        help="name or file of the model to begin with (default: standard)",
    )
    parser.add_argument(
        "--model", choices=sorted(SHAPES), default="standard", help="shape and name of the outcome (default: standard)"
    )
    parser.add_argument("--chunks", type=int, default=defaults.chunks, help="rounds of coding and learning")
    parser.add_argument(
        "--rate", type=float, default=defaults.rate, help="peak learning rate, steps of weights (default: %(default)s)"
    )
    parser.add_argument("--crop", type=int, default=defaults.augmentation.crop, help="edge of the cuts (default: 128)")
    parser.add_argument("--seed", type=int, default=1, help="of clips, cuts and new weights (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads that learn (default: 1)")
    parser.add_argument(
        "--checkpoint-every",
        type=int,
        default=defaults.validate_every,
        metavar="CHUNKS",
        help="chunks between checkpoints (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Refines, then writes the model file."""
    for folder in arguments.data:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder of clips")
    expect_positive(arguments, "chunks", "threads", "checkpoint_every")
    expect_crop(arguments.crop)
    if not 0 < arguments.rate < 10:
        raise UsageError(f"--rate is {arguments.rate}: it must be above 0 and below 10")
    settings = RefineSettings(
        model=arguments.model,
        chunks=arguments.chunks,
        rate=arguments.rate,
        seed=arguments.seed,
        threads=arguments.threads,
        validate_every=arguments.checkpoint_every,
        augmentation=Augmentation(crop=arguments.crop),
    )
    base = IntegerModel.from_bytes(load_model(arguments.base).data)
    refine(arguments.data, base, arguments.output, settings, report=lambda line: print(line, flush=True))
    target = arguments.output / f"{arguments.model}.nlvm"
    print(f"{target}: {target.stat().st_size} bytes")
    return 0
