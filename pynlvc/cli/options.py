"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.codec import DecoderSettings
from pynlvc.codec.settings import NATIVE
from pynlvc.errors import UsageError


def expect_positive(arguments: argparse.Namespace, *names: str) -> None:
    """UsageError for the first of these whole numbers that is below 1."""
    for name in names:
        if getattr(arguments, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {getattr(arguments, name)}: it must be 1 or more")


def expect_crop(crop: int) -> None:
    """UsageError for an edge of cuts that training cannot use."""
    if crop < 32 or crop % 16:
        raise UsageError(f"--crop is {crop}: it must be a multiple of 16, 32 or more")


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """--threads, --device and --model-file."""
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="processor threads; 0 (default): one per core"
    )
    parser.add_argument(
        "--device",
        default=NATIVE,
        help="what evaluates the networks: native (default, on the processor), or a device of PyTorch: cuda, cuda:1, "
        "cpu; the samples and bytes are the same",
    )
    parser.add_argument(
        "--model-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="look for the stream's model in FILE too",
    )


def add_damage_option(parser: argparse.ArgumentParser) -> None:
    """--on-error."""
    parser.add_argument(
        "--on-error",
        choices=("fail", "conceal"),
        default="fail",
        help="at damage in an NLVC file: fail (default), or conceal: show the frame before in its place, say so on "
        "stderr, go on, and exit with 1",
    )


def decoder_settings(arguments: argparse.Namespace) -> DecoderSettings:
    """The settings that add_decoder_options and add_damage_option read."""
    return DecoderSettings(
        threads=arguments.threads,
        device=arguments.device,
        model_files=tuple(arguments.model_file),
        on_error=getattr(arguments, "on_error", "fail"),
    )


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """--progress and --no-progress; the default depends on the terminal."""
    parser.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=None, help="show progress (default: on a terminal)"
    )
