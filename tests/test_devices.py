"""Networks on a PyTorch device: the bytes of the native encoder, and its samples again. The same tests run on a GPU
where there is one."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from pynlvc import BitstreamError, DecoderSettings, Encoder, EncoderSettings, UsageError, _core
from pynlvc.codec.gops import decode_gops
from pynlvc.codec.planes import frame_planes
from pynlvc.model.device import DeviceNetworks, usable_device
from tests.clip_files import video_frames
from tests.clips import make_clip
from tests.core_frames import assert_equal_planes, decode_all, encode_all, make_format, make_frames
from tests.models import random_model

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def maker(device: str) -> _core.MakeAccelerator:
    return lambda model, delta: DeviceNetworks(model, delta, usable_device(device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("layout", "depth", "delta", "content", "effort", "extreme"),
    [
        ("yuv", 8, 2, "moving", 3, False),
        ("yuv", 10, 1, "extremes", 0, True),
        ("rgb", 8, 0, "screen", 3, False),
        ("grey", 16, 2, "noise", 0, True),
    ],
)
def test_same_bytes_and_samples(
    device: str, layout: str, depth: int, delta: int, content: str, effort: int, extreme: bool
) -> None:
    subsampling = 1 if layout == "yuv" else 0
    form = make_format(37, 34, layout=layout, depth=depth, sx=subsampling, sy=subsampling)
    model = random_model(seed=depth, extreme=extreme, taps=23, errors=14, h1=21, h2=18, g=13)
    frames = make_frames(form, 3, content)
    options = {"delta": delta, "slices": 2, "effort": effort, "scene_cuts": False}
    expected = [coded.data for coded in encode_all(form, model, frames, **options)]
    coded = [c.data for c in encode_all(form, model, frames, accelerator=maker(device), **options)]
    assert coded == expected
    for decoded, planes in zip(decode_all(coded, model, accelerator=maker(device)), frames, strict=True):
        assert_equal_planes(decoded.planes, planes)


@pytest.mark.parametrize("device", DEVICES)
def test_gops_side_by_side(device: str, model_path: Path) -> None:
    """Decoders of several GOPs share one device; frames come in their order."""
    clip = make_clip(33, 20, 6, seed=2)
    settings = EncoderSettings(model=str(model_path), embed_model=True, scene_cuts=False, gop=2, device=device)
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=Fraction(1, 25), settings=settings)
    packets = [packet for frame in video_frames(clip) for packet in encoder.encode(frame)]
    decoder = DecoderSettings(model_files=(model_path,), device=device)
    decoded = list(decode_gops(packets, gops=3, extradata=encoder.extradata, settings=decoder))
    assert [frame.pts for frame in decoded] == [packet.pts for packet in packets]
    for frame, planes in zip(decoded, clip.frames, strict=True):
        for mine, theirs in zip(frame_planes(frame), planes, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_gops_without_a_device(model_path: Path) -> None:
    clip = make_clip(33, 20, 7, seed=3)
    settings = EncoderSettings(model=str(model_path), embed_model=True, scene_cuts=False, gop=3)
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=Fraction(1, 25), settings=settings)
    packets = [packet for frame in video_frames(clip) for packet in encoder.encode(frame)]
    for gops in (1, 2, 5):
        decoded = list(decode_gops(packets, gops=gops, extradata=encoder.extradata))
        assert [frame.pts for frame in decoded] == list(range(7))
    threads = threading.active_count()
    frames = decode_gops([packets[0], packets[1], *packets[3:]], gops=1, extradata=encoder.extradata)
    assert [next(frames).pts for _ in range(5)] == [0, 1, 3, 4, 5]
    frames.close()
    assert threading.active_count() == threads
    with pytest.raises(BitstreamError, match="missing"):
        list(decode_gops([packets[0], packets[2]], gops=2, extradata=encoder.extradata))
    with pytest.raises(ValueError, match="at least 1"):
        list(decode_gops(packets, gops=0))


@pytest.mark.parametrize("name", ["abacus", "cuda:99"])
def test_devices_that_do_not_exist(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        Encoder(8, 8, "gray", time_base=Fraction(1, 25), settings=EncoderSettings(device=name))


def test_an_error_on_the_device_reaches_the_caller() -> None:
    class Broken:
        def stage1(self, *_: object) -> object:
            raise RuntimeError("out of memory")

    form = make_format(16, 16, layout="grey")
    encoder = _core.Encoder(form, random_model(), accelerator=lambda model, delta: Broken())  # type: ignore[arg-type, return-value]
    with pytest.raises(RuntimeError, match="out of memory"):
        encoder.encode(make_frames(form, 1, "moving")[0], pts=0, duration=1)
