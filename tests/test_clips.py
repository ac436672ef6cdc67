"""The generated clips are what the other tests take them for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clip_files import stock_framemd5, stock_framemd5_of_samples, write_clip
from tests.clips import Clip, make_clip, noise_clip, sample_format


def packed(clip: Clip) -> list[bytes]:
    return [b"".join(plane.tobytes() for plane in planes) for planes in clip.frames]


def test_equal_seeds_give_equal_samples_and_others_do_not() -> None:
    assert packed(make_clip(48, 32, 3, seed=5)) == packed(make_clip(48, 32, 3, seed=5))
    assert packed(make_clip(48, 32, 3, seed=5)) != packed(make_clip(48, 32, 3, seed=6))


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p", "yuv411p", "yuva422p10le", "gbrp", "gbrap16le"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 48)])
def test_planes_have_the_size_and_range_of_the_format(pix_fmt: str, size: tuple[int, int]) -> None:
    width, height = size
    layout = sample_format(pix_fmt)
    for clip in (make_clip(width, height, 2, pix_fmt=pix_fmt), noise_clip(width, height, 2, pix_fmt=pix_fmt)):
        for planes in clip.frames:
            assert [plane.shape for plane in planes] == layout.plane_sizes(width, height)
            assert all(plane.dtype == (np.uint8 if layout.depth == 8 else np.uint16) for plane in planes)
            assert all(int(plane.max()) < 1 << layout.depth for plane in planes)


def test_packed_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="nv12"):
        make_clip(16, 16, 1, pix_fmt="nv12")


def test_motion_predicts_a_natural_clip_and_a_cut_ends_that() -> None:
    luma = [planes[0].astype(int) for planes in make_clip(128, 96, 6, seed=1, cuts=(3,)).frames]
    steps = [float(np.abs(after - before).mean()) for before, after in pairwise(luma)]
    assert steps[2] > 3 * max(steps[:2] + steps[3:])
    assert all(step > 0.5 for step in steps), "sensor noise and motion change every frame"


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gray10le", "gbrp10le"])
def test_written_clips_come_back_from_the_stock_decoder(tmp_path: Path, pix_fmt: str) -> None:
    clip = make_clip(50, 34, 4, pix_fmt=pix_fmt)
    path = write_clip(tmp_path / "clip.mkv", clip, audio=True)
    expected = stock_framemd5_of_samples(packed(clip), pix_fmt=pix_fmt, width=50, height=34)
    assert stock_framemd5(path) == expected
    assert len(set(expected)) == 4
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
