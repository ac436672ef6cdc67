"""Arguments of the benchmarks that code clips with several codecs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Codec


def add_clips_and_codecs(parser: argparse.ArgumentParser, codecs: Sequence[Codec]) -> None:
    """CLIP... and --codecs."""
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="any file that PyAV decodes")
    names = ",".join(codec.name for codec in codecs)
    parser.add_argument("--codecs", default=names, help="comma-separated (default: all: %(default)s)")


def chosen_codecs(parser: argparse.ArgumentParser, options: argparse.Namespace, codecs: Sequence[Codec]) -> list[Codec]:
    """What --codecs names, in the order of `codecs`. Ends the program where a name or a clip does not exist."""
    names = [codec.name for codec in codecs]
    wanted = options.codecs.split(",")
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"unknown codec {', '.join(unknown)}: choose from {', '.join(names)}")
    if missing := [str(clip) for clip in options.clips if not clip.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    return [codec for codec in codecs if codec.name in wanted]
