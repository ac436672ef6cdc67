"""What a transcode may use: no PyTorch, and little memory whatever the length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from pynlvc.codec.planes import new_frame

WIDTH, HEIGHT = 1920, 1080
MOST_MB = 300
PROBE = """
import sys
from pathlib import Path
from pynlvc.cli.main import main
code = main(["transcode", *sys.argv[1:]])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print("torch" in sys.modules, int(status["VmHWM"].split()[0]) / 1024)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def full_hd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of a moving pattern, raw."""
    path = tmp_path_factory.mktemp("resources") / "full_hd.nut"
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(path), "w", format="nut") as out:
        stream = out.add_stream("rawvideo", rate=25, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "yuv420p"
        for t in range(8):
            luma = (128 + 60 * np.sin((x + 3 * t) / 37) + 40 * np.cos((y - 2 * t) / 23)).astype(np.uint8)
            planes = [luma, luma[::2, ::2] // 2 + 64, 255 - luma[::2, ::2]]
            frame = new_frame(planes, WIDTH, HEIGHT, "yuv420p")
            frame.pts = t
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_full_hd_needs_little_memory_and_no_torch(full_hd: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROBE, str(full_hd), str(tmp_path / "out.mkv"), "--model", "fast"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    torch, peak_mb = done.stdout.splitlines()[-1].split()
    assert torch == "False"
    assert float(peak_mb) <= MOST_MB, f"{peak_mb} MB"
