"""What verification and hashes cost, and how much memory a long file takes.

    python -m benchmarks.trust_costs CLIP [--frames 10000]

Time: `transcode` of CLIP without verification, with it, and with it and --framemd5, the best of three runs each, in a
process of its own. Memory: the peak of the resident set of a transcode with both over FRAMES small frames, and over a
tenth of them. Writes benchmarks/results/trust_costs.tsv.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import FOLDER, machine

TABLE = FOLDER / "trust_costs.tsv"
RUNS = 3


def run(source: Path, target: Path, *options: str) -> tuple[float, int]:
    """(seconds, peak of the resident set in KiB) of a transcode."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pynlvc", "transcode", os.fspath(source), os.fspath(target), "--force", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    assert isinstance(usage, resource.struct_rusage)
    return time.monotonic() - started, usage.ru_maxrss


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=10_000)
    arguments = parser.parse_args()
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target, listing = folder / "out.mkv", os.fspath(folder / "frames.md5")
        cases = {
            "no verification": ("--no-verify",),
            "verification": (),
            "verification and framemd5": ("--framemd5", listing),
        }
        best = {case: min(run(arguments.clip, target, *o)[0] for _ in range(RUNS)) for case, o in cases.items()}
        plain = best["no verification"]
        rows += [[arguments.clip.stem, case, round(s, 2), round(s / plain, 3), "", ""] for case, s in best.items()]
        for count in (arguments.frames // 10, arguments.frames):
            source = folder / f"{count}.mkv"
            picture = f"testsrc2=s=64x48:r=25,trim=end_frame={count},format=yuv420p"
            make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "ffv1", os.fspath(source)]
            subprocess.run(make, check=True)
            seconds, peak = run(source, target, "--effort", "0", "--model", "fast", "--framemd5", listing)
            rows.append([f"{count} frames 64x48", "verification and framemd5", round(seconds, 2), "", peak, ""])
        rows[-1][-1] = round(int(str(rows[-1][4])) / int(str(rows[-2][4])), 4)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["clip", "case", "seconds", "relative", "peak_kib", "peak_relative", "machine"])
        writer.writerows([*row, machine()] for row in rows)
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    main()
