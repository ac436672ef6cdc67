"""How large a report is and how fast it opens in headless Chromium, at the width of a desk and of a phone:

    python -m benchmarks.report_opening CLIP... [--frames 300] [--screenshots FOLDER]

The clips, all of one size and format, are joined and repeated until there are so many frames, coded with the defaults,
and reported. Each width is opened several times, each time in a new browser with an empty profile that shows a blank
page before; the slowest time counts, from the request until everything is painted. Needs Debian's chromium and
chromium-driver. Writes benchmarks/results/report_opening.tsv anew.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av

from benchmarks.browser import Browser
from benchmarks.harness import load_source
from benchmarks.results import FOLDER, machine
from pynlvc.media.transcode import transcode
from pynlvc.report.report import write_report

TABLE = FOLDER / "report_opening.tsv"
COLUMNS = (
    "width",
    "height",
    "frames",
    "clip_bytes",
    "page_bytes",
    "screen",
    "opens",
    "slowest_seconds",
    "last_frame_seconds",
    "overflow",
    "machine",
    "load",
)
SCREENS = {"desktop": (1280, 900, False), "phone": (390, 844, True)}
RATE = 25
LIMIT_SECONDS, LIMIT_BYTES = 2.0, 5_000_000

LAST_FRAME = """
const done = arguments[arguments.length - 1];
const slider = document.getElementById("frame");
const started = performance.now();
slider.value = slider.max;
slider.dispatchEvent(new Event("input"));
document.getElementById("picture").decode().then(
  () => requestAnimationFrame(() => requestAnimationFrame(() => done((performance.now() - started) / 1000))));
"""
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def write_long_clip(clips: Sequence[Path], frames: int, path: Path) -> None:
    """The frames of all clips, one clip after the other and again, as FFV1. ValueError where the clips differ."""
    sources = [load_source(clip) for clip in clips]
    kinds = {(source.width, source.height, source.pix_fmt) for source in sources}
    if len(kinds) > 1:
        raise ValueError(f"the clips differ in size or format: {sorted(kinds)}")
    ((width, height, pix_fmt),) = kinds
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.time_base = Fraction(1, RATE)
        everything = cycle([frame for source in sources for frame in source.frames])
        for number, frame in enumerate(islice(everything, frames)):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            frame.pict_type = av.video.frame.PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when the page is as small and as fast as it should be and nothing is wider than the screen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--frames", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--opens", type=int, default=5, help="times that each is opened (default: %(default)s)")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="where to write what is seen")
    parser.add_argument("--output", type=Path, default=TABLE, help="TSV table (default: %(default)s)")
    options = parser.parse_args(arguments)
    good = True
    with tempfile.TemporaryDirectory() as folder, options.output.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        clip, coded, page = (Path(folder) / name for name in ("clip.mkv", "coded.mkv", "report.html"))
        write_long_clip(options.clips, options.frames, clip)
        made = transcode(clip, coded, verify=False)
        page_bytes = write_report(coded, page)
        for screen, (width, height, phone) in SCREENS.items():
            load = os.getloadavg()[0]
            times = []
            for _ in range(options.opens):
                with Browser(width, height, phone=phone) as browser:
                    times.append(browser.open(page))
                    if options.screenshots is not None and len(times) == options.opens:
                        options.screenshots.mkdir(parents=True, exist_ok=True)
                        pictures(browser, options.screenshots, screen, height)
                    moved = browser.run_async(LAST_FRAME)
                    overflow = browser.run(OVERFLOW)
            slowest = max(times)
            good = good and slowest < LIMIT_SECONDS and page_bytes < LIMIT_BYTES and overflow <= 0
            cells = [made.width, made.height, made.frames, coded.stat().st_size, page_bytes, screen, len(times)]
            table.writerow([*cells, f"{slowest:.2f}", f"{moved:.2f}", overflow, machine(), f"{load:.1f}"])
            print(
                f"{screen}: {page_bytes:,} bytes open in {min(times):.2f} to {slowest:.2f} s, the last frame is shown "
                f"{moved:.2f} s after it is asked for, {overflow} pixels stand over",
                flush=True,
            )
    return 0 if good else 1


def pictures(browser: Browser, folder: Path, screen: str, height: int) -> None:
    """The page, a screen at a time, with the table of frames open."""
    browser.run("document.querySelector('details').open = true")
    total = int(browser.run("return document.getElementById('frames').getBoundingClientRect().top + window.scrollY"))
    for number, top in enumerate(range(0, total + 1, height)):
        browser.run(f"window.scrollTo(0, {top})")
        time.sleep(0.2)
        browser.screenshot(folder / f"{screen}_{number}.png")


if __name__ == "__main__":
    sys.exit(main())
