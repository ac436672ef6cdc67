"""Whole files or none: output is written beside its final name, synced to disk and renamed at the very end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pynlvc.errors import NlvcError, UsageError
from pynlvc.media.containers import (
    PICTURES,
    STANDARD_STREAM,
    container_format,
    container_options,
    numbered,
    sequence_numbers,
    stream_containers,
)


@dataclass(frozen=True)
class Output:
    """Where to write now, as FFmpeg wants it said."""

    location: str
    container: str  # FFmpeg's name
    options: Mapping[str, str] = field(default_factory=dict)
    readable: Path | None = None  # what to read in order to check; None: it went away through a pipe


def check_target(target: Path, source: Path, *, overwrite: bool) -> None:
    """Raises UsageError when `target` cannot be written as meant, before any work is done."""
    if str(target) == STANDARD_STREAM:
        return
    if target.is_dir():
        raise UsageError(f"the output {target} is a folder: name a file")
    if not target.parent.is_dir():
        raise UsageError(f"the output folder {target.parent} does not exist")
    if target.exists():
        if source.exists() and target.samefile(source):
            raise UsageError(f"input and output are the same file: {target}")
        if not overwrite:
            raise UsageError(f"{target} exists already: use --force to replace it")
    elif numbered(target) and sequence_numbers(target) and not overwrite:
        raise UsageError(f"files like {target} exist already: use --force to replace them")


@contextmanager
def written(target: Path, *, for_nlvc: bool, container: str | None, keep_part: bool = False) -> Iterator[Output]:
    """Gives the place to write to, which becomes `target` if the block succeeds.

    `container`: suffix (".mkv" or ".nut") for standard output. On any exception, an interruption included, what was
    written is removed (`keep_part`: kept under its name, see part_path) and `target` stays as it was.
    """
    if str(target) == STANDARD_STREAM:
        known = stream_containers()
        suffix = container or ".mkv"
        if suffix not in known:
            raise UsageError(f"standard output takes {', '.join(known)}, not {suffix}")
        live = {"live": "1"} if known[suffix] == "matroska" else {}
        yield Output("pipe:1", known[suffix], container_options(known[suffix]) | live)
        return
    name = container_format(target, for_nlvc=for_nlvc)
    if name == PICTURES and numbered(target):
        with _sequence_beside(target) as pattern:
            yield Output(os.fspath(pattern), name, {"start_number": "1"}, pattern)
        return
    with written_beside(target, keep_part=keep_part) as part:
        options = {"update": "1"} if name == PICTURES else container_options(name)
        yield Output(os.fspath(part), name, options, part)


def part_path(target: Path) -> Path:
    """Where a file is written before it is complete: what is found there was left by an interruption."""
    return target.with_name(f".{target.name}.part")


@contextmanager
def written_beside(target: Path, *, keep_part: bool = False) -> Iterator[Path]:
    """Gives the path to write to (part_path), which becomes `target` if the block succeeds."""
    part = part_path(target)
    complete = False
    try:
        yield part
        _sync(part)
        part.replace(target)
        _sync(target.parent)
        complete = True
    except OSError as error:
        raise NlvcError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        if complete or not keep_part:
            part.unlink(missing_ok=True)


@contextmanager
def _sequence_beside(target: Path) -> Iterator[Path]:
    """The same for a sequence of files, written into a folder of their own first."""
    folder = target.with_name(f".{target.name.replace('%', '-')}.part")  # one pattern in a path is enough
    pattern = folder / target.name
    try:
        if folder.is_dir():
            shutil.rmtree(folder)  # left by an interruption
        folder.mkdir()
        yield pattern
        for number in sequence_numbers(target):
            target.with_name(target.name % number).unlink(missing_ok=True)
        for number in sequence_numbers(pattern):
            one = folder / (target.name % number)
            _sync(one)
            one.replace(target.with_name(one.name))
        _sync(target.parent)
    except OSError as error:
        raise NlvcError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    """Waits until the file (or folder) is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
