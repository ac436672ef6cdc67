"""Matroska files with random damage anywhere: one clear error or a report, never a crash, a hang or a wrong frame."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

import pynlvc
from pynlvc import DecoderSettings, EncoderSettings, NlvcError
from pynlvc.codec.planes import frame_checksum
from pynlvc.media.info import info
from tests.clip_files import write_clip
from tests.clips import make_clip

FRAMES = 4


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> tuple[bytes, list[int]]:
    """(a small file with sound, the checksums of its frames)."""
    folder = tmp_path_factory.mktemp("hostile")
    source = write_clip(folder / "in.mkv", make_clip(48, 40, FRAMES, seed=2), audio=True)
    chosen = EncoderSettings(model=str(model_path), embed_model=True, gop=2, slices=2, scene_cuts=False, effort=0)
    pynlvc.transcode(source, folder / "out.mkv", settings=chosen)
    with pynlvc.open(source) as frames:
        return (folder / "out.mkv").read_bytes(), [frame_checksum(frame) for frame in frames]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, removed, repeated, inserted or replaced by what sizes like to be."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(out) + 1)
        span = rng.choice((1, 1, 2, 8, 100))
        match rng.randrange(6):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at : at + span]
            case 2:
                out[at:at] = out[at : at + span]
            case 3:
                out[at:at] = rng.randbytes(span)
            case 4:
                out[at : at + span] = bytes([rng.choice((0, 0x7F, 0xFF))]) * span
            case _:
                other = rng.randrange(len(out) + 1)
                out[at : at + span] = out[other : other + span]
    return bytes(out)


@pytest.mark.parametrize("seed", range(60))
def test_mutated_files(coded: tuple[bytes, list[int]], tmp_path: Path, seed: int) -> None:
    data, checksums = coded
    rng = random.Random(seed)
    for _ in range(4):
        path = tmp_path / "bad.mkv"
        path.write_bytes(mutate(data, rng))
        try:
            pynlvc.verify(path)
        except NlvcError as error:
            assert "\n" not in str(error)
        with suppress(NlvcError):
            info(path)
        try:
            with pynlvc.open(path, settings=DecoderSettings(on_error="conceal")) as frames:
                for frame in frames:
                    assert frame.is_corrupt or frame_checksum(frame) in checksums
        except NlvcError:
            continue
