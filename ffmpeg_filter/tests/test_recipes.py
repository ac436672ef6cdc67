"""Every command of ffmpeg_filter/README.md runs, in the order in which they stand, in one folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ffmpeg_filter.tests.builds import Ffmpeg, build_gstreamer, stock_ffmpeg
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import PROJECT, words

TEXT = (PROJECT / "ffmpeg_filter" / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with in.mov: half a second of picture and sound."""
    folder = tmp_path_factory.mktemp("recipes")
    clip = write_clip(folder / "clip.mkv", make_clip(96, 80, 12), audio=True)
    stock_ffmpeg("-i", clip, *words("-c:v ffv1 -c:a pcm_s16le"), folder / "in.mov")
    return folder


@pytest.fixture(scope="module")
def environment(ffmpeg: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a user has set who followed the text."""
    programs = tmp_path_factory.mktemp("bin")
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    (programs / "python").chmod(0o755)
    return os.environ | {
        "PATH": os.pathsep.join([str(ffmpeg.folder), str(programs), os.environ["PATH"]]),
        "PYTHONPATH": str(PROJECT),
        "NLVC": str(PROJECT),
        "STOCK": str(shutil.which("ffmpeg")),
        "GST_PLUGIN_PATH": str(build_gstreamer()),
        "GST_REGISTRY": str(programs / "registry.bin"),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_runs(command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PROJECT / "ffmpeg_filter" / link).exists()] == []
