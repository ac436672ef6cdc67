"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.codec import DecoderSettings


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """--threads and --model-file."""
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="processor threads; 0 (default): one per core"
    )
    parser.add_argument(
        "--model-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="look for the stream's model in FILE too",
    )


def decoder_settings(arguments: argparse.Namespace) -> DecoderSettings:
    """The settings that add_decoder_options read."""
    return DecoderSettings(threads=arguments.threads, model_files=tuple(arguments.model_file))


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """--progress and --no-progress; the default depends on the terminal."""
    parser.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, default=None, help="show progress (default: on a terminal)"
    )
