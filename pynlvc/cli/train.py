"""Train a probability model on video clips and write it as a model file.

The clips (*.mkv, 8-bit 4:2:0) are cut, varied and coded frame by frame by the network in training. A run can be
stopped at any time and goes on from its last checkpoint when the same command is given again.

  pynlvc train clips/ run/ --steps 36000        writes run/standard.nlvm
  pynlvc transcode in.mkv out.mkv --model run/standard.nlvm --embed-model
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.cli.options import expect_crop, expect_positive
from pynlvc.errors import UsageError
from pynlvc.model.architecture import SHAPES

DIFFUSION = "diffusion"  # the model of docs/diffusion.md, with a training loop of its own
DEFAULT_STEPS, DEFAULT_BATCH = 36_000, 3
DIFFUSION_STEPS, DIFFUSION_BATCH = 18_000, 8
CALIBRATION_PATCHES = 32


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("data", type=Path, help="folder of training clips (*.mkv)")
    parser.add_argument("output", type=Path, help="folder for checkpoint, log and model file")
    parser.add_argument(
        "--model", choices=[*sorted(SHAPES), DIFFUSION], default="standard", help="shape (default: standard)"
    )
    parser.add_argument(
        "--steps", type=int, help=f"optimiser steps (default: {DEFAULT_STEPS}; {DIFFUSION}: {DIFFUSION_STEPS})"
    )
    parser.add_argument(
        "--batch",
        type=int,
        help=f"streams, or patches of {DIFFUSION}, in a step (default: {DEFAULT_BATCH}; {DIFFUSION_BATCH})",
    )
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
    parser.add_argument(
        "--attention-from",
        type=float,
        default=0.6,
        metavar="SHARE",
        help=f"share of the steps of {DIFFUSION} after which attention joins in (default: 0.6)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains, then writes the model file."""
    diffusion = arguments.model == DIFFUSION
    if arguments.steps is None:
        arguments.steps = DIFFUSION_STEPS if diffusion else DEFAULT_STEPS
    if arguments.batch is None:
        arguments.batch = DIFFUSION_BATCH if diffusion else DEFAULT_BATCH
    if not arguments.data.is_dir():
        raise UsageError(f"{arguments.data} is not a folder of clips")
    expect_positive(arguments, "steps", "batch", "threads", "checkpoint_every")
    for path in (arguments.pictures, arguments.start):
        if path is not None and not path.exists():
            raise UsageError(f"{path} does not exist")
    data = (_train_diffusion if diffusion else _train_denoisers)(arguments)
    target = arguments.output / f"{arguments.model}.nlvm"
    target.write_bytes(data)
    print(f"{target}: {target.stat().st_size} bytes")
    return 0


def _train_denoisers(arguments: argparse.Namespace) -> bytes:
    """The model file of a shape of pynlvc.model.architecture."""
    expect_crop(arguments.crop)
    if not 0 <= arguments.rgb_share <= 1:
        raise UsageError(f"--rgb-share is {arguments.rgb_share}: it must be 0 to 1")
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
    return export_model(arguments.model, nets).to_bytes()


def _train_diffusion(arguments: argparse.Namespace) -> bytes:
    """The model file of the masked-diffusion transformer, calibrated."""
    if arguments.networks or arguments.start is not None or arguments.rgb_share:
        raise UsageError(f"--networks, --start and --rgb-share do not apply to --model {DIFFUSION}")
    if not 0 <= arguments.attention_from <= 1:
        raise UsageError(f"--attention-from is {arguments.attention_from}: it must be 0 to 1")
    from pynlvc.model.diffusion.export import export_diffusion
    from pynlvc.training.calibration import calibrate
    from pynlvc.training.diffusion_train import DiffusionSettings, read_sources, train_diffusion

    settings = DiffusionSettings(
        steps=arguments.steps,
        batch=arguments.batch,
        attention_from=arguments.attention_from,
        seed=arguments.seed,
        threads=arguments.threads,
        schedule=arguments.schedule,
        checkpoint_every=arguments.checkpoint_every,
    )
    nets = train_diffusion(
        arguments.data,
        arguments.output,
        settings,
        report=lambda line: print(line, flush=True),
        pictures=arguments.pictures,
    )
    _, held_out = read_sources(arguments.data, arguments.pictures, settings)
    temperature = calibrate(nets, held_out, CALIBRATION_PATCHES, arguments.seed)
    return export_diffusion(nets, temperature).to_bytes()
