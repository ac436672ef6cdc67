"""What archives note of a whole file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pynlvc.media.containers import ffmpeg_errors


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits."""
    with ffmpeg_errors(f"cannot read {path}"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
