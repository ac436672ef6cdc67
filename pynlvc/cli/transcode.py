"""Code a video file to NLVC, or NLVC back to another lossless codec, bit for bit. All other tracks are copied.

The output appears under its name only when it is complete and verified: every written frame is decoded again and
compared with the source's (--no-verify leaves that out). A run that was killed leaves `.NAME.part` and `.NAME.resume`
beside it: --resume goes on from there, any other run removes them. Exit code 1 with an output: the source has damage,
which was copied or mended as stderr says.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from fractions import Fraction

from pynlvc.cli.options import add_damage_option, add_decoder_options, add_progress_option, decoder_settings
from pynlvc.cli.progress import ProgressLine, duration
from pynlvc.codec import EncoderSettings
from pynlvc.codec.settings import MAX_EFFORT
from pynlvc.media.containers import STANDARD_STREAM
from pynlvc.media.lossless_codecs import LOSSLESS_CODECS
from pynlvc.media.reports import TranscodeReport
from pynlvc.media.transcode import transcode


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    defaults = EncoderSettings()
    parser.add_argument("input", help="video file, picture, sequence of pictures (shot_%%04d.dpx), or - for stdin")
    parser.add_argument(
        "output",
        help="file to write: .mkv, .nut, .mov, .avi; other codecs also .mp4, .webm, .y4m; pictures (out_%%04d.png, "
        ".tiff); - for stdout",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing output")
    parser.add_argument(
        "--codec",
        help=f"codec of the output: nlvc, {', '.join(LOSSLESS_CODECS)} (default: NLVC becomes ffv1, all else nlvc)",
    )
    parser.add_argument(
        "--no-verify", dest="verify", action="store_false", help="do not decode and compare what was written"
    )
    parser.add_argument(
        "--video-tracks",
        metavar="WHICH",
        help="video tracks to code: main, all, or numbers such as 0,2; others are copied (default: main; of NLVC files "
        "all that are NLVC)",
    )
    parser.add_argument(
        "--frame-rate",
        type=_rate,
        metavar="RATE",
        help="of sequences of pictures, such as 24 or 24000/1001 (default: 25)",
    )
    parser.add_argument(
        "--container", choices=("mkv", "nut"), default="mkv", help="of standard output (default: %(default)s)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with what an interrupted run left beside the output, if anything, and leave it there again",
    )
    parser.add_argument("--framemd5", metavar="FILE", help="write the MD5 of every frame as ffmpeg -f framemd5 does")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_progress_option(parser)
    add_damage_option(parser)
    add_decoder_options(parser)
    encoding = parser.add_argument_group("encoding to NLVC")
    encoding.add_argument(
        "--model", default=defaults.model, help="name of a model, or an .nlvm file (default: %(default)s)"
    )
    encoding.add_argument(
        "--effort",
        type=int,
        choices=range(MAX_EFFORT + 1),
        default=defaults.effort,
        metavar="0..9",
        help="how much is fitted to the content: more encodes slower and smaller, decoding stays the same; 4 to 9 read "
        "the input twice and fit the model itself (default: %(default)s)",
    )
    encoding.add_argument(
        "--gop",
        type=int,
        metavar="N",
        help=f"frames between keyframes; 1: keyframes only, 0: no limit (default: {defaults.gop_seconds:g} seconds)",
    )
    encoding.add_argument(
        "--slices", type=int, default=defaults.slices, metavar="N", help="slices of a frame; 0: automatic (default)"
    )
    encoding.add_argument(
        "--delta",
        type=int,
        choices=(0, 1, 2),
        default=defaults.delta,
        help="slope of the sample groups (default: %(default)s)",
    )
    encoding.add_argument(
        "--no-scene-cuts",
        dest="scene_cuts",
        action="store_false",
        help="no additional keyframes where the scene changes",
    )
    encoding.add_argument(
        "--embed-model",
        action=argparse.BooleanOptionalAction,
        help="put the model into the file (default: where it will cost less than 0.1 %%)",
    )


def _rate(text: str) -> Fraction:
    rate = Fraction(text)
    if rate <= 0:
        raise ValueError
    return rate


def run(arguments: argparse.Namespace) -> int:
    """Does it; prints a summary on stdout (stderr where the output goes to stdout) and warnings on stderr."""
    settings = EncoderSettings(
        model=arguments.model,
        effort=arguments.effort,
        delta=arguments.delta,
        gop=arguments.gop,
        scene_cuts=arguments.scene_cuts,
        slices=arguments.slices,
        threads=arguments.threads,
        device=arguments.device,
        embed_model=arguments.embed_model,
    )
    with ProgressLine(arguments.progress) as line:
        report = transcode(
            arguments.input,
            arguments.output,
            codec=arguments.codec,
            settings=settings,
            decoder_settings=decoder_settings(arguments),
            video_tracks=arguments.video_tracks,
            frame_rate=arguments.frame_rate,
            container=f".{arguments.container}",
            verify=arguments.verify,
            overwrite=arguments.force,
            resume=arguments.resume,
            framemd5=arguments.framemd5,
            progress=line.callback,
        )
    for warning in report.warnings:
        print(f"pynlvc: warning: {warning}", file=sys.stderr)
    for problem in report.problems:
        print(f"pynlvc: {report.source}: {problem}", file=sys.stderr)
    text = json.dumps(dataclasses.asdict(report), default=str, indent=2) if arguments.json else summary(report)
    print(text, file=sys.stderr if arguments.output == STANDARD_STREAM else sys.stdout)
    return 1 if report.problems else 0


def summary(report: TranscodeReport) -> str:
    """One line about a finished transcode."""
    resumed = f"{report.reused_frames} frames of them from an interrupted run, " if report.reused_frames else ""
    check = f"verified in {duration(report.verify_seconds)}" if report.verified else "not verified"
    warnings = f", {len(report.warnings)} warnings" if report.warnings else ""
    problems = f", {len(report.problems)} problems" if report.problems else ""
    return (
        f"{report.target}: {report.frames} frames {report.width}x{report.height} {report.pix_fmt} as {report.codec}, "
        f"{resumed}"
        f"{report.coded_bytes} bytes, {report.bits_per_pixel:.3f} bpp, 1:{report.ratio:.2f}, "
        f"{report.frames / max(report.seconds, 1e-9):.1f} frames/s, {check}{warnings}{problems}"
    )
