"""Model files on disk: by name, by path and by hash (docs/bitstream.md §10).

A model is identified by the SHA-256 of its file. Files are read as plain bytes and parsed by the native module: nothing
in them is ever executed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pynlvc import _core
from pynlvc.errors import MissingModelError, ModelError

SUFFIX = ".nlvm"
MAGIC = b"NLVM"
DIFFUSION_MAGIC = b"NLVD"  # docs/diffusion.md §5
MAX_BYTES = 64 << 20  # nothing near this size is a model: refuse before reading it into memory


@dataclass(frozen=True)
class Model:
    """A model file in memory."""

    name: str  # as the file itself says
    data: bytes  # the whole model
    difference: bytes = b""  # the file, where it is a difference to an installed model (docs/bitstream.md §10.1)

    @property
    def hash(self) -> str:
        """SHA-256 of the model, 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def parse_model(data: bytes, origin: str) -> Model:
    """Reads the file's head for its name; the networks are parsed where they are used. `origin` is for errors.

    A difference becomes the model that it means; MissingModelError where the one that it starts from is not installed.
    """
    if _core.is_model_difference(data):
        return _parse_difference(data, origin)
    if len(data) < 6 or data[:4] not in (MAGIC, DIFFUSION_MAGIC) or len(data) < 6 + data[5]:
        raise ModelError(f"{origin} is not a model file")
    try:
        return Model(data[6 : 6 + data[5]].decode("utf-8"), data)
    except UnicodeDecodeError:
        raise ModelError(f"{origin} is not a model file: its name is not UTF-8") from None


def base_of(data: bytes, origin: str) -> bytes | None:
    """The SHA-256 of the model that a file is a difference to; None: it is no difference. `origin` is for errors."""
    if not _core.is_model_difference(data):
        return None
    try:
        return _core.model_difference_base(data)
    except _core.BitstreamError as error:
        raise ModelError(f"{origin}: {error}") from None


def _parse_difference(data: bytes, origin: str) -> Model:
    digest = base_of(data, origin)
    assert digest is not None, "the caller has seen the signature"
    base = find_model(digest)
    if base is None:
        raise MissingModelError(f"{origin} is a difference to the model {digest.hex()}, which is not installed")
    try:
        return replace(parse_model(_core.apply_model_difference(data, base.data), origin), difference=data)
    except _core.BitstreamError as error:
        raise ModelError(f"{origin}: {error}") from None


def is_diffusion(data: bytes) -> bool:
    """Whether a model file holds the masked-diffusion transformer."""
    return data[:4] == DIFFUSION_MAGIC


def read_model(path: Path) -> Model:
    """Reads one model file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is too large for a model file")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {error.strerror}") from None
    return parse_model(data, str(path))


def _weights() -> Iterator[Traversable]:
    folder = resources.files("pynlvc.model") / "weights"
    if folder.is_dir():
        yield from sorted((entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX)), key=lambda e: e.name)


def model_names() -> list[str]:
    """Names of the installed models."""
    return [entry.name.removesuffix(SUFFIX) for entry in _weights()]


def load_model(name: str) -> Model:
    """The model with this name among the installed ones or, where `name` ends in .nlvm, the file at that path."""
    if name.endswith(SUFFIX):
        return read_model(Path(name))
    for entry in _weights():
        if entry.name == name + SUFFIX:
            return parse_model(entry.read_bytes(), entry.name)
    installed = ", ".join(model_names()) or "none"
    raise ModelError(f"there is no model named {name!r} (installed: {installed}; a path must end in {SUFFIX})")


def find_model(digest: bytes, extra_files: Sequence[Path] = ()) -> Model | None:
    """The model whose SHA-256 is `digest` (32 bytes) among `extra_files` and the installed ones, or None."""
    for path in extra_files:
        model = read_model(path)
        if hashlib.sha256(model.data).digest() == digest:
            return model
    for entry in _weights():
        data = entry.read_bytes()
        if hashlib.sha256(data).digest() == digest:
            return parse_model(data, entry.name)
    return None
