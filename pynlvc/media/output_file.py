"""Whole files or none: output is written beside its final name, synced to disk and renamed at the very end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pynlvc.errors import NlvcError, UsageError


def check_target(target: Path, source: Path, *, overwrite: bool) -> None:
    """Raises UsageError when `target` cannot be written as meant, before any work is done."""
    if target.is_dir():
        raise UsageError(f"the output {target} is a folder: name a file")
    if not target.parent.is_dir():
        raise UsageError(f"the output folder {target.parent} does not exist")
    if target.exists():
        if source.exists() and target.samefile(source):
            raise UsageError(f"input and output are the same file: {target}")
        if not overwrite:
            raise UsageError(f"{target} exists already: use --force to replace it")


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Gives the path to write to (`.NAME.part` in the target's folder), which becomes `target` if the block succeeds.

    On any exception, an interruption included, the partial file is removed and `target` stays as it was.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        _sync(part)
        part.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise NlvcError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Waits until the file (or folder) is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
