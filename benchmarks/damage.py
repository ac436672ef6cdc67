"""What single flipped bits and missing ends do to a file, and whether `verify` says so.

    python -m benchmarks.damage CLIP [--flips 2000] [--cuts 500]

A piece of CLIP with sound becomes NLVC in Matroska (frames of 160x96, GOPs of 4, three slices). Every case is one copy
of that file with one random bit flipped, anywhere in it, or cut at a random length. Each is verified against the MD5 of
the true frames, which finds any wrong frame that is called right. Writes benchmarks/results/damage.tsv.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pynlvc
from benchmarks.results import FOLDER
from pynlvc import EncoderSettings, NlvcError

TABLE = FOLDER / "damage.tsv"
FRAMES, GOP = 12, 4
SEED = 1


def make_file(clip: Path, folder: Path) -> tuple[Path, Path]:
    """(the coded file, the MD5 of its frames)."""
    source, coded, listing = folder / "in.mkv", folder / "coded.mkv", folder / "in.framemd5"
    command = ["ffmpeg", "-v", "error", "-i", os.fspath(clip), "-f", "lavfi", "-i", "sine=duration=0.48"]
    command += ["-vf", "crop=160:96", "-frames:v", str(FRAMES), "-c:v", "ffv1", "-c:a", "flac", "-shortest"]
    subprocess.run([*command, os.fspath(source)], check=True)
    settings = EncoderSettings(gop=GOP, slices=3, scene_cuts=False)
    pynlvc.transcode(source, coded, settings=settings, framemd5=listing)
    return coded, listing


def judge(path: Path, listing: Path) -> tuple[str, int]:
    """(what verify makes of a damaged file, frames that are not right)."""
    try:
        report = pynlvc.verify(path, against=listing)
    except NlvcError:
        return "refused", FRAMES
    if any("differs from its" in problem for problem in report.problems):
        return "WRONG FRAME CALLED RIGHT", 0
    if report.ok:
        return "not noticed, all frames right", 0
    frames = {damage.frame for damage in report.damage}
    if not frames:
        return "found in the container", FRAMES - report.frames
    if len({frame // GOP for frame in frames}) > 1:
        return "found in frames of several GOPs", FRAMES - report.frames
    return "found in frames of one GOP", FRAMES - report.frames


def main() -> None:
    """Runs all cases and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--cuts", type=int, default=500)
    arguments = parser.parse_args()
    rng = random.Random(SEED)
    rows: list[tuple[str, str, int, int]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coded, listing = make_file(arguments.clip, folder)
        data, bad = coded.read_bytes(), folder / "bad.mkv"
        for kind, count in (("one bit flipped", arguments.flips), ("cut off", arguments.cuts)):
            found: Counter[str] = Counter()
            lost: Counter[str] = Counter()
            for _ in range(count):
                damaged = bytearray(data)
                if kind == "cut off":
                    del damaged[rng.randrange(len(data)) :]
                else:
                    damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
                bad.write_bytes(damaged)
                verdict, frames = judge(bad, listing)
                found[verdict] += 1
                lost[verdict] += frames
            rows += [(kind, verdict, cases, lost[verdict]) for verdict, cases in found.most_common()]
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["damage", "verdict", "cases", "frames_not_right", "frames_of_file", "bytes_of_file", "clip"])
        writer.writerows([*row, FRAMES, len(data), arguments.clip.stem] for row in rows)
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    main()
