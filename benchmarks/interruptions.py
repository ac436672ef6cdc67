"""Transcodes that are killed, and disks that fill up: what lies under the final name, and what --resume makes of it.

    python -m benchmarks.interruptions CLIP [--kills 100] [--full 20]

Kills: SIGKILL at a random moment of the run; then what lies under the output's name must verify, or there must be
nothing; then the run is resumed, and its video must be the same, byte for byte, as without a kill. Full disks: the
output goes to a file system of a random size that is too small (a tmpfs in a mount namespace of its own, which Linux
lets every user make). Writes benchmarks/results/interruptions.tsv.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import av

import pynlvc
from benchmarks.results import FOLDER

TABLE = FOLDER / "interruptions.tsv"
OPTIONS = ("--effort", "0", "--model", "fast", "--gop", "3")
SEED = 1


def command(source: Path, target: Path, *more: str) -> list[str]:
    """The command line of a transcode."""
    return [sys.executable, "-m", "pynlvc", "transcode", os.fspath(source), os.fspath(target), *OPTIONS, *more]


def video_hash(path: Path) -> str:
    """SHA-256 over the video packets."""
    found = hashlib.sha256()
    with av.open(os.fspath(path)) as container:
        for packet in container.demux(video=0):
            found.update(bytes(packet))
    return found.hexdigest()


def killed(source: Path, folder: Path, seconds: float, whole: str) -> str:
    """One run that is killed after some seconds, and resumed."""
    target = folder / "out.mkv"
    with subprocess.Popen(command(source, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        time.sleep(seconds)
        run.kill()
    if target.exists():
        verdict = "complete" if pynlvc.verify(target, against=source).ok else "BROKEN"
        target.unlink()
        return f"killed: {verdict} under the final name"
    left = any(folder.iterdir())
    done = subprocess.run(command(source, target, "--resume"), capture_output=True, text=True, check=False)
    if done.returncode or video_hash(target) != whole:
        return f"killed: RESUMED WRONGLY: {done.stderr.strip()}"
    verdict = "nothing under the final name; resumed, the same bytes"
    verdict += ", part reused" if "from an interrupted run" in done.stdout else ", nothing to reuse"
    target.unlink()
    remains = list(folder.iterdir())
    return f"killed: {verdict if left or not remains else 'LEFTOVERS'}"


def full_disk(source: Path, folder: Path, kib: int) -> str:
    """One run whose output does not fit."""
    inner = " ".join(f"'{word}'" for word in command(source, folder / "out.mkv"))
    script = f"mount -t tmpfs -o size={kib}k none '{folder}' && {inner}; echo $?; ls -A '{folder}'"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    code, *names = done.stdout.split()
    if code != "1" or names or "cannot write" not in done.stderr:
        return f"disk full: WRONG: exit code {code}, files {names}, {done.stderr.strip()}"
    return "disk full: exit code 1, one clear message, nothing left"


def main() -> None:
    """Runs all cases and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--full", type=int, default=20)
    arguments = parser.parse_args()
    rng = random.Random(SEED)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, whole, work = folder / "in.mkv", folder / "whole.mkv", folder / "work"
        cut = ["ffmpeg", "-v", "error", "-i", os.fspath(arguments.clip), "-vf", "crop=240:160", "-c:v", "ffv1"]
        subprocess.run([*cut, os.fspath(source)], check=True)
        started = time.monotonic()
        subprocess.run(command(source, whole), check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        work.mkdir()
        for _ in range(arguments.kills):
            found[killed(source, work, rng.uniform(0.2, 1.05) * seconds, video_hash(whole))] += 1
        for _ in range(arguments.full):
            found[full_disk(source, work, rng.randrange(8, whole.stat().st_size // 1024 - 8))] += 1
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["outcome", "cases", "clip"])
        writer.writerows([outcome, cases, arguments.clip.stem] for outcome, cases in found.most_common())
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    main()
