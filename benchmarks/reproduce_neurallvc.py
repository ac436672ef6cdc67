r"""The table and the figures of the NeuralLVC paper (arXiv 2604.03353) on the clips at hand.

    python -m benchmarks.reproduce_neurallvc --plot ../shared/data/eval/foreman_cif.mkv \
        ../shared/data/eval/*_{cif,sif,480x270,320x192}.mkv
    python -m benchmarks.paper_table

Every decode is compared with its source, frame by frame. Rows of the same clip and codec are replaced, so that a new
model is measured by `--codecs` alone. The first 21 frames of each clip are taken unless `--frames` says otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import results
from benchmarks.arguments import add_clips_and_codecs, chosen_codecs
from benchmarks.compare import describe, make_row
from benchmarks.frame_sizes import TABLE as FRAME_TABLE
from benchmarks.frame_sizes import Recording, add_sizes, peer_sizes, read_sizes
from benchmarks.harness import hash_in_process, load_source, measure
from benchmarks.paper_codecs import paper_codecs
from benchmarks.paper_figures import draw_all
from benchmarks.paper_table import TABLE, read_short_rows
from benchmarks.results import read_rows

FRAMES = 21
FIGURES = Path(__file__).resolve().parent.parent / "docs" / "paper"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if every codec that takes a clip gave it back exactly."""
    known = paper_codecs()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_clips_and_codecs(parser, known)
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each clip at most (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    parser.add_argument("--frame-table", type=Path, default=FRAME_TABLE, help="by frame (default: %(default)s)")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="folder of the figures (default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="CLIP", help="measure the frames of H.265 too, for this clip")
    options = parser.parse_args(arguments)
    codecs = chosen_codecs(parser, options, known)

    wrong = False
    for path in options.clips:
        source = load_source(path, frames=options.frames)
        for codec in codecs:
            load = os.getloadavg()[0]
            recording = Recording(codec)
            result = measure(recording, source, hash_source=hash_in_process, hash_decoded=hash_in_process)
            row = make_row(codec, source, result, load=load)
            wrong = wrong or row.status not in ("ok", "unsupported format")
            results.add_row(row, options.output)
            add_sizes(recording.sizes, options.frame_table)
            print(describe(row), flush=True)
    if options.plot is not None:
        add_sizes(peer_sizes(load_source(options.plot, frames=options.frames)), options.frame_table)
    # All models at all slopes were measured on the same few frames: the figure has those.
    rows = read_short_rows() if options.output == TABLE else read_rows(options.output)
    for path in draw_all(rows, read_sizes(options.frame_table), options.figures):
        print(path)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
