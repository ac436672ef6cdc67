"""Decode a file for other programs: raw video, all other tracks copied. To standard output that is a NUT stream."""

from __future__ import annotations

import argparse
import sys

from pynlvc.cli.options import add_damage_option, add_decoder_options, decoder_settings
from pynlvc.cli.transcode import summary
from pynlvc.media.containers import STANDARD_STREAM
from pynlvc.media.transcode import transcode


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("input", help="video file, or - for stdin")
    parser.add_argument(
        "output",
        nargs="?",
        default=STANDARD_STREAM,
        help="file to write: .nut, .mkv, .avi, .y4m; default: - for stdout",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing output")
    add_damage_option(parser)
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decodes; every frame's checksum is verified on the way, as always."""
    report = transcode(
        arguments.input,
        arguments.output,
        codec="rawvideo",
        decoder_settings=decoder_settings(arguments),
        container=".nut",
        verify=False,
        overwrite=arguments.force,
    )
    for text in (*report.warnings, *report.problems):
        print(f"pynlvc: {report.source}: {text}", file=sys.stderr)
    if arguments.output != STANDARD_STREAM:
        print(summary(report))
    return 1 if report.problems else 0
