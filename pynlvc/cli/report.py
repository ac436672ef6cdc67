"""Show where the bits of an NLVC file go: a page of HTML with bits per frame, pictures with cost maps, shares of the
planes, of motion and side information, settings and checksums.

The page is one file without anything to load: it opens in any browser, offline too.

  pynlvc report clip.mkv                         writes clip.html
  pynlvc report clip.mkv --peers ffv1,x264,x265  codes the same frames with other codecs too, which takes a while
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pynlvc.cli.options import add_decoder_options, add_progress_option, decoder_settings
from pynlvc.cli.progress import ProgressLine
from pynlvc.report.peers import PEERS
from pynlvc.report.report import write_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("input", type=Path, help="NLVC file")
    parser.add_argument("-o", "--output", type=Path, help="page to write (default: the input's name with .html)")
    parser.add_argument("--peers", default="", metavar="LIST", help=f"codecs to compare with: {','.join(PEERS)}")
    parser.add_argument("--force", action="store_true", help="replace an existing output")
    add_progress_option(parser)
    add_decoder_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; says on stdout what was written."""
    target = arguments.output or arguments.input.with_suffix(".html")
    with ProgressLine(arguments.progress) as line:
        size = write_report(
            arguments.input,
            target,
            peers=[name for name in arguments.peers.split(",") if name],
            overwrite=arguments.force,
            settings=decoder_settings(arguments),
            progress=line.callback,
        )
    print(f"{target}: {size} bytes")
    return 0
