"""Builds the extension modules; everything else about the package stands in pyproject.toml.

`pynlvc._core`: the codec (csrc/) with its Python binding (src/core/). `pynlvc._avshim`: the Cython shim over PyAV's
streams (src/avshim/). All files are compiled for the baseline of the processor family; some kernels get instruction
sets of their own (csrc/flags.txt).
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from pybind11 import setup_helpers
from setuptools import Extension, setup


def read_flags() -> dict[str, list[str]]:
    """csrc/flags.txt for this machine: flags by file; those under "*" are for all files."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    rows = [line.split() for line in Path("csrc/flags.txt").read_text(encoding="utf-8").splitlines()]
    return {row[1]: row[2:] for row in rows if row and row[0] in ("*", machine)}


FLAGS_BY_FILE = read_flags()
BASE_FLAGS = FLAGS_BY_FILE["*"]


def sources(*patterns: str) -> list[str]:
    """All files that match, in a fixed order, so that builds are reproducible; a pattern without files is an error."""
    found: list[str] = []
    for pattern in patterns:
        matches = sorted(str(path) for path in Path().glob(pattern))
        if not matches:
            raise FileNotFoundError(f"no source file matches {pattern}: build from a complete source tree")
        found += matches
    return found


def package_parent(name: str) -> str:
    """Folder that holds an installed package, found without importing the package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is needed to build pynlvc: see build-system.requires in pyproject.toml")
    return str(Path(spec.origin).parent.parent)


class BuildExt(setup_helpers.build_ext):
    """build_ext that adds the flags of single files (csrc/flags.txt)."""

    def build_extensions(self) -> None:
        compile_one: Callable[..., Any] = self.compiler._compile

        def compile_with_file_flags(
            obj: str, src: str, ext: str, cc_args: list[str], extra_postargs: list[str], pp_opts: list[str]
        ) -> Any:
            flags = [*extra_postargs, *FLAGS_BY_FILE.get(Path(src).as_posix(), [])]
            return compile_one(obj, src, ext, cc_args, flags, pp_opts)

        self.compiler._compile = compile_with_file_flags
        super().build_extensions()


headers = [str(path) for folder in ("csrc", "src/core") for path in sorted(Path(folder).rglob("*.h"))]
core = setup_helpers.Pybind11Extension(
    "pynlvc._core",
    sources("csrc/*.cpp", "csrc/kernels/*.cpp", "csrc/learning/*.cpp", "src/core/*.cpp"),
    depends=headers,
    include_dirs=["csrc"],
    cxx_std=17,
    extra_compile_args=BASE_FLAGS,
    extra_link_args=["-pthread"],
)
shim = cythonize(
    [Extension("pynlvc._avshim", sources("src/avshim/*.pyx"), include_dirs=["src/avshim"])],
    include_path=["src/avshim", package_parent("av")],
    language_level=3,
    build_dir="build/cython",
)

setup_helpers.ParallelCompile("PYNLVC_BUILD_JOBS").install()
setup(ext_modules=[core, *shim], cmdclass={"build_ext": BuildExt})
