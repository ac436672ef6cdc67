"""libnlvc for tests: built by its Makefile, its ABI (csrc/nlvc.h) as ctypes."""

from __future__ import annotations

import ctypes as c
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.media_files import PROJECT

HEADER = PROJECT / "csrc" / "nlvc.h"
OK, AGAIN, BAD_ARGUMENT, BAD_STREAM, NO_MODEL, FAILED = 0, 1, -1, -2, -3, -4
BUILD_SECONDS = 900


class Format(c.Structure):
    """nlvc_format."""

    _fields_ = (
        *((name, c.c_int) for name in ("width", "height", "layout", "alpha", "depth", "sx", "sy")),
        ("time_base", c.c_int64 * 2),
        ("name", c.c_char * 256),
    )


class Side(c.Structure):
    """nlvc_side."""

    _fields_ = (("type", c.c_int), ("data", c.c_char_p), ("size", c.c_size_t))


class Frame(c.Structure):
    """nlvc_frame."""

    _fields_ = (
        ("format", Format),
        ("planes", c.c_void_p * 4),
        ("strides", c.c_ssize_t * 4),
        ("pts", c.c_int64),
        ("duration", c.c_int64),
        ("keyframe", c.c_int),
        ("side", c.POINTER(Side)),
        ("side_count", c.c_int),
    )


class Packet(c.Structure):
    """nlvc_packet."""

    _fields_ = (
        ("data", c.POINTER(c.c_uint8)),
        ("size", c.c_size_t),
        ("pts", c.c_int64),
        ("duration", c.c_int64),
        ("keyframe", c.c_int),
    )

    @property
    def bytes(self) -> bytes:
        """A copy of the data."""
        return c.string_at(self.data, self.size)


class Option(c.Structure):
    """nlvc_option."""

    _fields_ = (("name", c.c_char_p), ("default_value", c.c_char_p), ("help", c.c_char_p))


class Analysis(c.Structure):
    """nlvc_analysis."""

    _fields_ = (
        ("bits", c.c_double),
        ("plane_bits", c.c_double * 4),
        ("motion_bits", c.c_double),
        ("scene_change", c.c_double),
        *((name, c.c_int) for name in ("block_size", "columns", "rows")),
        ("block_bits", c.POINTER(c.c_float)),
    )


def make(*words: str) -> None:
    """Runs ffmpeg_filter/Makefile."""
    command = ["make", "--no-print-directory", "-C", str(PROJECT / "ffmpeg_filter"), *words]
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def install_library(prefix: Path) -> Path:
    """Builds libnlvc where it is not yet built and installs it; gives back `prefix`."""
    make("install", f"PREFIX={prefix}", f"-j{os.cpu_count()}")
    return prefix


def load_library(prefix: Path) -> c.CDLL:
    """The functions of an installed libnlvc."""
    library = c.CDLL(str(prefix / "lib" / "libnlvc.so"))
    for name in ("nlvc_error", "nlvc_version", "nlvc_pixel_format", "nlvc_model"):
        getattr(library, name).restype = c.c_char_p
    for name in ("nlvc_encoder_option", "nlvc_decoder_option"):
        getattr(library, name).restype = c.POINTER(Option)
    return library


def option_list(*options: str) -> Any:
    """Options as the ABI takes them: pointers to strings, the last one null."""
    return (c.c_char_p * (len(options) + 1))(*(option.encode() for option in options), None)


def make_c_format(library: c.CDLL, pixel_format: str, width: int, height: int) -> Format:
    """A format whose tick is 1/25 s."""
    form = Format()
    status = library.nlvc_format_init(c.byref(form), pixel_format.encode(), width, height, c.c_int64(1), c.c_int64(25))
    assert status == OK, library.nlvc_error()
    return form


def frame_of(planes: Sequence[np.ndarray], pts: int, duration: int = 2) -> Frame:
    """A nlvc_frame over arrays, which must outlive it."""
    frame = Frame(pts=pts, duration=duration)
    for i, plane in enumerate(planes):
        frame.planes[i], frame.strides[i] = plane.ctypes.data, plane.strides[0]
    return frame
