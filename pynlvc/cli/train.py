"""Train a probability model on video clips and write it as a model file.

The clips (*.mkv, 8-bit 4:2:0) are cut, varied and coded frame by frame by the network in training. A run can be
stopped at any time and goes on from its last checkpoint when the same command is given again.

  pynlvc train clips/ run/ --steps 36000        writes run/standard.nlvm
  pynlvc transcode in.mkv out.mkv --model run/standard.nlvm --embed-model
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.errors import UsageError
from pynlvc.model.architecture import SHAPES


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("data", type=Path, help="folder of training clips (*.mkv)")
    parser.add_argument("output", type=Path, help="folder for checkpoint, log and model file")
    parser.add_argument("--model", choices=sorted(SHAPES), default="standard", help="shape (default: standard)")
    parser.add_argument("--steps", type=int, default=36_000, help="optimiser steps (default: 36000)")
    parser.add_argument("--batch", type=int, default=3, help="streams coded together in a step (default: 3)")
    parser.add_argument("--crop", type=int, default=128, help="edge of the cuts, a multiple of 16 (default: 128)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="PNG pictures to train RGB with")
    parser.add_argument("--rgb-share", type=float, default=0.0, help="share of steps that train RGB (default: 0)")
    parser.add_argument("--networks", default="", help="those that learn, such as 03,13 (default: all)")
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of another run")
    parser.add_argument("--seed", type=int, default=1, help="of clips, augmentation and weights (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default: 1)")
    parser.add_argument("--checkpoint-every", type=int, default=500, help="steps between checkpoints (default: 500)")
    parser.add_argument(
        "--schedule", choices=("cosine", "uniform"), default="cosine", help="of the random masks (default: cosine)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains, then writes the model file."""
    if not arguments.data.is_dir():
        raise UsageError(f"{arguments.data} is not a folder of clips")
    if arguments.crop < 32 or arguments.crop % 16:
        raise UsageError(f"--crop is {arguments.crop}: it must be a multiple of 16, 32 or more")
    for name in ("steps", "batch", "threads", "checkpoint_every"):
        if getattr(arguments, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {getattr(arguments, name)}: it must be 1 or more")
    if not 0 <= arguments.rgb_share <= 1:
        raise UsageError(f"--rgb-share is {arguments.rgb_share}: it must be 0 to 1")
    for path in (arguments.pictures, arguments.start):
        if path is not None and not path.exists():
            raise UsageError(f"{path} does not exist")
    # torch takes seconds to load: only this command pays for it
    from pynlvc.model.export import export_model
    from pynlvc.training.clips import Augmentation
    from pynlvc.training.train import TrainingSettings, train

    settings = TrainingSettings(
        model=arguments.model,
        steps=arguments.steps,
        batch=arguments.batch,
        streams=5 * arguments.batch,
        rgb_share=arguments.rgb_share,
        networks=tuple(n for n in arguments.networks.split(",") if n),
        seed=arguments.seed,
        threads=arguments.threads,
        schedule=arguments.schedule,
        checkpoint_every=arguments.checkpoint_every,
        augmentation=Augmentation(crop=arguments.crop),
    )
    nets = train(
        arguments.data,
        arguments.output,
        settings,
        report=lambda line: print(line, flush=True),
        pictures=arguments.pictures,
        start=arguments.start,
    )
    target = arguments.output / f"{arguments.model}.nlvm"
    target.write_bytes(export_model(arguments.model, nets).to_bytes())
    print(f"{target}: {target.stat().st_size} bytes")
    return 0
