"""The C ABI (csrc/nlvc.h), called through ctypes in the extension module that holds it."""

from __future__ import annotations

import ctypes as c
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynlvc
from pynlvc import _core
from tests.core_frames import make_format, make_frames
from tests.models import random_model

HEADER = Path(__file__).resolve().parent.parent / "csrc" / "nlvc.h"
OK, AGAIN, BAD_ARGUMENT, BAD_STREAM, NO_MODEL = 0, 1, -1, -2, -3
MODEL = random_model(seed=3)
MODEL_BUFFER = c.create_string_buffer(MODEL, len(MODEL))


class Format(c.Structure):
    """nlvc_format."""

    _fields_ = (
        *((name, c.c_int) for name in ("width", "height", "layout", "alpha", "depth", "sx", "sy")),
        ("time_base", c.c_int64 * 2),
        ("name", c.c_char * 256),
    )


class Frame(c.Structure):
    """nlvc_frame."""

    _fields_ = (
        ("format", Format),
        ("planes", c.c_void_p * 4),
        ("strides", c.c_ssize_t * 4),
        ("pts", c.c_int64),
        ("duration", c.c_int64),
        ("keyframe", c.c_int),
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


class Settings(c.Structure):
    """nlvc_settings."""

    _fields_ = (
        ("model", c.c_void_p),
        ("model_size", c.c_size_t),
        *((name, c.c_int) for name in ("delta", "keyframe_interval", "slices", "threads", "embed_model", "scene_cuts")),
    )


FindModel = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(c.c_uint8), c.POINTER(c.c_void_p), c.POINTER(c.c_size_t))


@pytest.fixture(scope="module")
def library() -> c.CDLL:
    """The functions of the C ABI."""
    found = c.CDLL(_core.__file__)
    found.nlvc_error.restype = found.nlvc_version.restype = c.c_char_p
    return found


@FindModel
def knows_the_model(_opaque: Any, _hash: Any, model: Any, size: Any) -> int:
    """A nlvc_find_model that gives MODEL."""
    model[0], size[0] = c.addressof(MODEL_BUFFER), len(MODEL)
    return 1


@FindModel
def knows_nothing(_opaque: Any, _hash: Any, _model: Any, _size: Any) -> int:
    """A nlvc_find_model without models."""
    return 0


def settings_for(library: c.CDLL, **changes: int) -> Settings:
    """The default settings with MODEL."""
    settings = Settings()
    library.nlvc_default_settings(c.byref(settings))
    settings.model, settings.model_size = c.addressof(MODEL_BUFFER), len(MODEL)
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


@pytest.fixture
def encoder(library: c.CDLL) -> Iterator[c.c_void_p]:
    """An encoder for 20x18 4:2:0 of 8 bits."""
    form = Format(20, 18, 1, 0, 8, 1, 1, (1, 25), b"yuv420p")
    handle = c.c_void_p()
    assert library.nlvc_encoder_open(c.byref(form), c.byref(settings_for(library)), c.byref(handle)) == OK
    yield handle
    library.nlvc_encoder_close(handle)


@pytest.fixture
def decoder(library: c.CDLL) -> Iterator[c.c_void_p]:
    """A decoder that knows MODEL."""
    handle = c.c_void_p()
    assert library.nlvc_decoder_open(knows_the_model, None, 1, c.byref(handle)) == OK
    yield handle
    library.nlvc_decoder_close(handle)


def frame_of(planes: list[Any], pts: int) -> Frame:
    """A nlvc_frame over arrays, which must outlive it."""
    frame = Frame(pts=pts, duration=2)
    for i, plane in enumerate(planes):
        frame.planes[i], frame.strides[i] = plane.ctypes.data, plane.strides[0]
    return frame


def test_the_header_is_c_and_cpp() -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    for language, standard in (("c", "c99"), ("c++", "c++17")):
        command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        subprocess.run([*command, str(HEADER)], check=True)


def test_library_and_package_have_the_same_version(library: c.CDLL) -> None:
    assert library.nlvc_version().decode() == pynlvc.__version__


def test_round_trip(library: c.CDLL, encoder: c.c_void_p, decoder: c.c_void_p) -> None:
    form = make_format(20, 18, sx=1, sy=1, format_name="yuv420p")
    packet, out = Packet(), Frame()
    assert library.nlvc_encoder_receive(encoder, c.byref(packet)) == AGAIN
    assert library.nlvc_decoder_receive(decoder, c.byref(out)) == AGAIN
    reference = _core.Encoder(form, MODEL)
    for t, planes in enumerate(make_frames(form, 3, "moving")):
        frame = frame_of(planes, 2 * t)
        assert library.nlvc_encoder_send(encoder, c.byref(frame)) == OK
        assert library.nlvc_encoder_send(encoder, c.byref(frame)) == AGAIN
        assert library.nlvc_encoder_receive(encoder, c.byref(packet)) == OK
        data = c.string_at(packet.data, packet.size)
        assert data == reference.encode(planes, pts=2 * t, duration=2).data
        assert (packet.pts, packet.duration, packet.keyframe) == (2 * t, 2, int(t == 0))
        assert library.nlvc_decoder_send(decoder, data, len(data)) == OK
        assert library.nlvc_decoder_send(decoder, data, len(data)) == AGAIN
        assert library.nlvc_decoder_receive(decoder, c.byref(out)) == OK
        assert (out.pts, out.duration, out.keyframe, out.format.name) == (2 * t, 2, int(t == 0), b"yuv420p")
        for i, plane in enumerate(planes):
            assert out.strides[i] == plane.shape[1]
            assert c.string_at(out.planes[i], plane.size) == plane.tobytes()
    extradata, size = c.POINTER(c.c_uint8)(), c.c_size_t()
    assert library.nlvc_encoder_extradata(encoder, c.byref(extradata), c.byref(size)) == OK
    assert c.string_at(extradata, size.value) == reference.sequence_header


def test_sixteen_bit_samples_have_two_bytes(library: c.CDLL, decoder: c.c_void_p) -> None:
    form = Format(9, 7, 0, 0, 12, 0, 0, (1, 1), b"gray12")
    handle = c.c_void_p()
    assert library.nlvc_encoder_open(c.byref(form), c.byref(settings_for(library)), c.byref(handle)) == OK
    plane = np.arange(63, dtype=np.uint16).reshape(7, 9) * 65
    packet, out = Packet(), Frame()
    assert library.nlvc_encoder_send(handle, c.byref(frame_of([plane], 0))) == OK
    assert library.nlvc_encoder_receive(handle, c.byref(packet)) == OK
    assert library.nlvc_decoder_send(decoder, packet.data, c.c_size_t(packet.size)) == OK
    assert library.nlvc_decoder_receive(decoder, c.byref(out)) == OK
    assert out.strides[0] == 18 and c.string_at(out.planes[0], 126) == plane.tobytes()
    library.nlvc_encoder_close(handle)


def test_errors_have_a_status_and_a_text(library: c.CDLL, encoder: c.c_void_p, decoder: c.c_void_p) -> None:
    handle = c.c_void_p()
    form = Format(20, 18, 1, 0, 8, 1, 1, (1, 25), b"")
    assert library.nlvc_encoder_open(None, None, c.byref(handle)) == BAD_ARGUMENT
    assert library.nlvc_error() == b"a pointer is null"
    wrong = settings_for(library, delta=7)
    assert library.nlvc_encoder_open(c.byref(form), c.byref(wrong), c.byref(handle)) == BAD_ARGUMENT
    assert b"delta" in library.nlvc_error()
    form.width = 0
    assert library.nlvc_encoder_open(c.byref(form), c.byref(settings_for(library)), c.byref(handle)) == BAD_ARGUMENT
    assert b"width" in library.nlvc_error()
    assert library.nlvc_encoder_send(encoder, c.byref(Frame())) == BAD_ARGUMENT
    assert b"plane is null" in library.nlvc_error()
    assert library.nlvc_decoder_send(decoder, b"NLxx", 4) == BAD_STREAM
    assert b"version" in library.nlvc_error()
    assert library.nlvc_decoder_open(knows_nothing, None, 1, c.byref(handle)) == OK
    grey = make_format(8, 8, layout="grey")
    data = _core.Encoder(grey, MODEL).encode(make_frames(grey, 1, "flat")[0], pts=0, duration=0).data
    assert library.nlvc_decoder_send(handle, data, len(data)) == NO_MODEL
    assert _core.parse_model(MODEL).hash.encode() in library.nlvc_error()
    library.nlvc_decoder_close(handle)
    library.nlvc_decoder_close(None)
