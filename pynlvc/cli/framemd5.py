"""Print the MD5 of every frame of the video track in the format of `ffmpeg -f framemd5`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.cli.options import add_decoder_options, decoder_settings
from pynlvc.media.framemd5 import framemd5


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("input", type=Path, help="video file")
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints line by line as frames are decoded."""
    for line in framemd5(arguments.input, settings=decoder_settings(arguments)):
        print(line)
    return 0
