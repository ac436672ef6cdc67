"""Fixtures that several test files share: generated clips as files, and a real clip where one is at hand."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from hypothesis import settings

from tests.clip_files import write_clip
from tests.clips import Clip, make_clip
from tests.libnlvc import install_library, load_library
from tests.models import random_model

PROJECT = Path(__file__).resolve().parent.parent
REAL_CLIPS = PROJECT.parent / "shared" / "data" / "eval"

# The same examples on every run and no time limit for one example: slow machines find the same results.
settings.register_profile("reproducible", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def small_clip() -> Clip:
    """96x80, 4:2:0, 8 bits, six frames."""
    return make_clip(96, 80, 6, seed=7)


@pytest.fixture(scope="session")
def small_clip_path(tmp_path_factory: pytest.TempPathFactory, small_clip: Clip) -> Path:
    """The small clip as FFV1 in Matroska, with a FLAC track beside it."""
    return write_clip(tmp_path_factory.mktemp("small") / "clip.mkv", small_clip, audio=True)


@pytest.fixture(scope="session")
def natural_clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 4:2:0 clip of CIF size or near: a real one where the material is at hand, else a generated one."""
    real = REAL_CLIPS / "vt2people_320x192.mkv"
    if real.exists():
        return real
    return write_clip(tmp_path_factory.mktemp("natural") / "clip.mkv", make_clip(320, 192, 9, seed=3))


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with random weights: it compresses nothing, quickly, and must be lossless all the same."""
    path = tmp_path_factory.mktemp("model") / "random.nlvm"
    path.write_bytes(random_model(seed=1, taps=6, errors=4, h1=4, h2=4, g=4))
    return path


@pytest.fixture(scope="session")
def libnlvc_prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where libnlvc was installed, as `make install-lib PREFIX=...` does."""
    return install_library(tmp_path_factory.mktemp("libnlvc"))


@pytest.fixture(scope="session")
def libnlvc(libnlvc_prefix: Path) -> ctypes.CDLL:
    """The installed libnlvc."""
    return load_library(libnlvc_prefix)
