"""The programs under test: FFmpeg with NLVC, built once and kept in a folder for the next run."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.clip_files import hashes_of
from tests.libnlvc import make
from tests.media_files import PROJECT, run_tool, words

BUILD = Path(os.environ.get("FFMPEG_BUILD", PROJECT / "build" / "ffmpeg")).resolve()


@dataclass(frozen=True)
class Ffmpeg:
    """FFmpeg with NLVC inside."""

    folder: Path

    @property
    def prefix(self) -> Path:
        """Where the libnlvc that it uses is installed."""
        return self.folder / "nlvc"

    def run(self, *arguments: str | Path) -> str:
        """Runs ffmpeg quietly; it must succeed and say nothing."""
        done = self.attempt(*arguments, level="error")
        assert done.returncode == 0, f"{arguments}\n{done.stderr}"
        assert done.stderr == "", f"{arguments}\n{done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str | Path, level: str = "warning") -> subprocess.CompletedProcess[str]:
        """Runs ffmpeg, whatever comes of it."""
        command = [str(self.folder / "ffmpeg"), "-nostdin", "-y", "-v", level, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    def probe(self, *arguments: str | Path) -> str:
        """The output of ffprobe."""
        return run_tool(self.folder / "ffprobe", "-v", "error", *arguments)

    def framemd5(self, path: Path, *options: str, before: tuple[str, ...] = ()) -> list[str]:
        """MD5 of every frame of the first video track, in the format that the decoder gives."""
        command: list[str | Path] = [*before, "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", *options]
        return hashes_of(self.run(*command, "-f", "framemd5", "-"))


def build_ffmpeg() -> Ffmpeg:
    """FFmpeg as `make ffmpeg` builds it; where nothing has changed that takes a second."""
    make("ffmpeg", f"FFMPEG_BUILD={BUILD}")
    return Ffmpeg(BUILD)


def build_gstreamer() -> Path:
    """The folder of the GStreamer plugin, beside FFmpeg's."""
    folder = BUILD.with_name(f"{BUILD.name}-gstreamer")
    make("gstreamer", f"GST_BUILD={folder}")
    return folder


def stock_ffmpeg(*arguments: str | Path) -> str:
    """The machine's own ffmpeg, which knows nothing of NLVC."""
    return run_tool(*words("ffmpeg -nostdin -y -v error"), *arguments)
