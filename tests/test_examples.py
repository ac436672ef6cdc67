"""Every script in examples/ runs as its first lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.media_files import PROJECT

SCRIPTS = {
    "transcode_file.py": ["in.mkv", "out.mkv"],
    "read_frames.py": ["in.mkv"],
    "packets_without_files.py": ["in.mkv"],
    "frame_statistics.py": ["in.mkv"],
    "filter_and_encode.py": ["in.mkv"],
    "numpy_round_trip.py": [],
    "torch_dataset.py": ["in.mkv"],
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in (PROJECT / "examples").glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize(("script", "arguments"), SCRIPTS.items(), ids=SCRIPTS.keys())
def test_the_example_runs(script: str, arguments: list[str], tmp_path: Path, small_clip_path: Path) -> None:
    (tmp_path / "in.mkv").write_bytes(small_clip_path.read_bytes())
    command = [sys.executable, str(PROJECT / "examples" / script), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "an example shows something"
