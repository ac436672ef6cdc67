"""Fit a model to a video and write it as an .nlvm file of a few kilobytes: what `transcode --effort 4` to 9 do by
themselves, for whatever else encodes with --model FILE, `-model FILE` in FFmpeg or `Encoder(model=...)` in Python.

The file says only in what the model differs from the installed one. Streams bring it along; it need not be kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.cli.options import add_decoder_options, add_progress_option, decoder_settings
from pynlvc.cli.progress import ProgressLine
from pynlvc.codec import EncoderSettings
from pynlvc.codec.settings import MAX_EFFORT
from pynlvc.errors import UsageError
from pynlvc.fitting.settings import FIRST_FITTING_EFFORT
from pynlvc.media.fitting import fit_model
from pynlvc.media.output_file import check_target, written_beside
from pynlvc.model.store import SUFFIX


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    defaults = EncoderSettings()
    parser.add_argument("input", type=Path, help="video file; it is read once")
    parser.add_argument("output", type=Path, help=f"model to write, {SUFFIX}")
    parser.add_argument("--force", action="store_true", help="replace an existing output")
    parser.add_argument("--model", default=defaults.model, help="name of the model to fit (default: %(default)s)")
    parser.add_argument(
        "--effort",
        type=int,
        choices=range(FIRST_FITTING_EFFORT, MAX_EFFORT + 1),
        default=6,
        metavar=f"{FIRST_FITTING_EFFORT}..{MAX_EFFORT}",
        help="each one learns from twice as many samples as the one before (default: %(default)s)",
    )
    parser.add_argument(
        "--delta", type=int, choices=(0, 1, 2), default=defaults.delta, help="slope that the model will be used with"
    )
    parser.add_argument("--gop", type=int, metavar="N", help="frames between keyframes that it will be used with")
    add_progress_option(parser)
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; exit code 1 where fitting saves less than it costs, and there is no file then."""
    if arguments.output.suffix != SUFFIX:
        raise UsageError(f"{arguments.output}: the name of a model ends in {SUFFIX}")
    check_target(arguments.output, arguments.input, overwrite=arguments.force)
    settings = EncoderSettings(
        model=arguments.model,
        effort=arguments.effort,
        delta=arguments.delta,
        gop=arguments.gop,
        threads=arguments.threads,
    )
    with ProgressLine(arguments.progress) as line:
        fitted = fit_model(
            arguments.input, settings=settings, decoder_settings=decoder_settings(arguments), progress=line.callback
        )
    if fitted is None:
        print(f"{arguments.input}: too little to fit {arguments.model} to: use it as it is")
        return 1
    with written_beside(arguments.output) as part:
        part.write_bytes(fitted.difference)
    print(f"{arguments.output}: {fitted.name}, {len(fitted.difference)} bytes, model {fitted.hash}")
    return 0
