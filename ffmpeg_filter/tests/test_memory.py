"""Memory checkers over encoding, decoding, seeking, errors and closing: libnlvc alone, and inside FFmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ffmpeg_filter.tests.builds import Ffmpeg
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import PROJECT, run_tool, words

VALGRIND = words("valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite")


def test_libnlvc(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source, program = PROJECT / "ffmpeg_filter" / "tests" / "lifecycle.c", tmp_path / "lifecycle"
    library: list[str | Path] = [
        f"-I{ffmpeg.prefix}/include",
        ffmpeg.prefix / "lib" / "libnlvc.a",
        *words("-lstdc++ -lm -pthread"),
    ]
    run_tool(*words("cc -std=c99 -g -Wall -Wextra -Werror"), source, *library, "-o", program)
    done = subprocess.run([*VALGRIND, program], capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr


@pytest.mark.parametrize("seek", [(), ("-ss", "0.1")])
def test_ffmpeg(ffmpeg: Ffmpeg, tmp_path: Path, seek: tuple[str, ...]) -> None:
    clip = write_clip(tmp_path / "in.nut", make_clip(48, 32, 5), codec="rawvideo")
    program = [*VALGRIND, str(ffmpeg.folder / "ffmpeg"), *words("-nostdin -v error -y")]
    for command in (
        ["-i", clip, *words("-vf nlvc=model=fast -c:v libnlvc -model fast -effort 0 -gop 2"), tmp_path / "out.mkv"],
        [*seek, "-i", tmp_path / "out.mkv", "-f", "framemd5", tmp_path / "out.md5"],
    ):
        done = subprocess.run([*program, *map(str, command)], capture_output=True, text=True, check=False, timeout=600)
        assert (done.returncode, done.stderr) == (0, "")
