"""No sample is ever converted: with every way into FFmpeg's scaler mined, all of the package still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import run_tool, words

# Puts an illegal instruction at the beginning of libswscale's functions, in this process alone.
MINE = """
import ctypes, ctypes.util, mmap, os, platform, sys
import av, av.video.reformatter
libraries = ctypes.CDLL(av.video.reformatter.__file__)
c = ctypes.CDLL(None, use_errno=True)
trap = {"x86_64": b"\\xcc", "aarch64": b"\\x00\\x00\\x20\\xd4"}[platform.machine()]
names = ("sws_scale", "sws_scale_frame", "sws_getContext", "sws_getCachedContext", "sws_init_context",
         "sws_alloc_context", "sws_frame_setup", "sws_frame_start")
mined = 0
for name in names:
    function = getattr(libraries, name, None)
    if function is None:
        continue
    address = ctypes.cast(function, ctypes.c_void_p).value
    page = address & ~(mmap.PAGESIZE - 1)
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    size = ctypes.c_size_t(2 * mmap.PAGESIZE)
    assert c.mprotect(ctypes.c_void_p(page), size, rights) == 0, os.strerror(ctypes.get_errno())
    ctypes.memmove(address, trap, len(trap))
    mined += 1
assert mined >= 5, mined
"""

USE = """
import sys
from pynlvc.cli import main
model, folder, *sources = sys.argv[1:]
for number, source in enumerate(sources):
    coded, back = f"{folder}/{number}.mkv", f"{folder}/{number}.back.mkv"
    assert main(["transcode", source, coded, "--model", model, "--embed-model"]) == 0
    assert main(["verify", coded, "--against", source]) == 0
    assert main(["transcode", coded, back]) == 0
    assert main(["compare", coded, back]) in (0, 1)
    assert main(["framemd5", coded]) == 0
assert main(["transcode", coded, f"{folder}/out_%d.png"]) == 0
"""

CONVERT = """
import av
av.VideoFrame(32, 32, "rgb24").reformat(format="yuv420p")
"""


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )


def test_the_mines_work() -> None:
    assert run(CONVERT).returncode == 0
    assert run(MINE).returncode == 0
    assert run(MINE + CONVERT).returncode < 0, "a conversion ends the process"


@pytest.mark.parametrize("pix_fmts", [("yuv420p", "yuv422p10le", "nv12", "yuyv422", "gbrap16le", "rgb48be")])
def test_nothing_converts(tmp_path: Path, model_path: Path, pix_fmts: tuple[str, ...]) -> None:
    sources = []
    clip = write_clip(tmp_path / "clip.mkv", make_clip(32, 24, 3), audio=True)
    for name in pix_fmts:
        source = tmp_path / f"{name}.nut"
        run_tool(*words("ffmpeg -v error -i"), clip, *words(f"-c:v rawvideo -pix_fmt {name} -c:a copy"), source)
        sources.append(source)
    done = run(MINE + USE, model_path, tmp_path, *sources)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("out_*.png"))) == 3
