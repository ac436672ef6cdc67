"""Builds the extension modules; everything else about the package stands in pyproject.toml.

`pynlvc._core`: the codec (csrc/) with its Python binding (src/core/). `pynlvc._avshim`: the Cython shim over PyAV's
streams (src/avshim/). All files are compiled for the baseline of the processor family; those in `FLAGS_BY_FILE` get
instruction sets of their own.
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

# -ffp-contract=off: no fused multiply-add, so floating point never differs between machines (docs/bitstream.md).
BASE_FLAGS = ["-O3", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra"]

# Kernels for one instruction set each, chosen at run time: only these files may hold such instructions.
FLAGS_BY_FILE: dict[str, list[str]] = (
    {
        "csrc/kernels/avx2.cpp": ["-mavx2"],
        # GCC 12 takes the undefined operands inside its own AVX-512 intrinsics for uninitialised variables.
        "csrc/kernels/avx512.cpp": [
            *("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni"),
            "-Wno-uninitialized",
        ],
    }
    if platform.machine().lower() in ("x86_64", "amd64")
    else {}
)


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
    """build_ext that adds the flags of `FLAGS_BY_FILE` to single files."""

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
    sources("csrc/*.cpp", "csrc/kernels/*.cpp", "src/core/*.cpp"),
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
