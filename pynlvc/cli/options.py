"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.codec import DecoderSettings
from pynlvc.codec.settings import NATIVE


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
