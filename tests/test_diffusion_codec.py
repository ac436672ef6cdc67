"""Streams of the transformer: exact for every plane, size and slope, through objects, files and commands."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import pynlvc
from pynlvc import _core
from pynlvc.cli import main
from pynlvc.codec.diffusion_decoder import DiffusionDecoder
from pynlvc.codec.diffusion_encoder import DiffusionEncoder
from pynlvc.codec.gops import decode_gops
from pynlvc.errors import BitstreamError, MissingModelError, ModelError, UsageError
from pynlvc.model.diffusion.frames import FrameCoder
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.store import load_model
from tests.clip_files import write_clip
from tests.clips import make_clip


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model a little changed, so that it is not installed: an untrained one would store all that is here
    as it is."""
    shipped = DiffusionModel.from_bytes(load_model("diffusion").data)
    intra, inter = shipped.networks
    other = replace(shipped, networks=(replace(intra, temperature=intra.temperature + np.int8(1)), inter))
    path = tmp_path_factory.mktemp("model") / "other.nlvm"
    path.write_bytes(other.to_bytes())
    return path


def slice_modes(packets: list[av.Packet]) -> set[str]:
    """How the only slices of packets are coded."""
    return {mode for packet in packets for mode in _core.parse_packet(packet).slice_modes}


def textured_frames(pix_fmt: str, width: int, height: int, count: int) -> list[av.VideoFrame]:
    """A moving texture with noise."""
    rng = np.random.default_rng(width)
    frames = []
    for t in range(count):
        frame = av.VideoFrame(width, height, pix_fmt)
        for plane in pynlvc.frame_planes(frame):
            rows, columns = plane.shape
            slope = np.add.outer(np.arange(rows) * 2, np.arange(columns) * 3 + 2 * t)
            plane[...] = (slope + rng.integers(0, 6, plane.shape)) % 256
        frame.pts = 3 * t
        frame.duration = 3
        frames.append(frame)
    return frames


def encoder(model: Path, pix_fmt: str, width: int, height: int, **settings: object) -> pynlvc.Encoder:
    """An encoder with the model."""
    chosen = pynlvc.EncoderSettings(model=str(model), **settings)  # type: ignore[arg-type]
    return pynlvc.Encoder(width, height, pix_fmt, time_base=Fraction(1, 75), settings=chosen)


@pytest.mark.parametrize(
    ("pix_fmt", "width", "height", "delta"),
    [
        ("yuv420p", 45, 33, 2),
        ("yuv420p", 64, 32, 1),
        ("gray", 33, 40, 0),
        ("rgb24", 20, 35, 2),
        ("yuva420p", 17, 9, 1),
        ("yuv444p", 1, 1, 0),
        ("yuv411p", 5, 70, 2),
    ],
)
def test_every_plane_size_and_slope_comes_back(
    model_file: Path, pix_fmt: str, width: int, height: int, delta: int
) -> None:
    coder = encoder(model_file, pix_fmt, width, height, delta=delta, embed_model=True, scene_cuts=False)
    decoder = pynlvc.Decoder()
    for index, frame in enumerate(textured_frames(pix_fmt, width, height, 3)):
        (packet,) = coder.encode(frame)
        assert packet.is_keyframe == (index == 0) and (min(width, height) < 9 or slice_modes([packet]) == {"model"})
        (decoded,) = decoder.decode(packet)
        assert (decoded.pts, decoded.duration, decoded.time_base) == (frame.pts, frame.duration, Fraction(1, 75))
        for mine, theirs in zip(pynlvc.frame_planes(frame), pynlvc.frame_planes(decoded), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_bytes_and_samples_depend_neither_on_threads_nor_on_the_device(model_file: Path) -> None:
    """`cpu` is PyTorch's device: the code that runs on GPUs."""
    frames = textured_frames("yuv420p", 100, 130, 3)  # 36 patches, some partial
    coders = [
        encoder(model_file, "yuv420p", 100, 130, embed_model=True, scene_cuts=False, gop=2, **chosen)
        for chosen in ({"threads": 1}, {"threads": 3}, {"device": "cpu"})
    ]
    packets, *others = [[coder.encode(frame)[0] for frame in frames] for coder in coders]
    assert slice_modes(packets) == {"model"}
    for other in others:
        assert [bytes(packet) for packet in other] == [bytes(packet) for packet in packets]
    for chosen in ({"threads": 1}, {"threads": 3}, {"device": "cpu", "threads": 2}):
        settings = pynlvc.DecoderSettings(model_files=(model_file,), **chosen)
        decoded = list(decode_gops(packets, gops=2, settings=settings))
        for frame, back in zip(frames, decoded, strict=True):
            for mine, theirs in zip(pynlvc.frame_planes(frame), pynlvc.frame_planes(back), strict=True):
                np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(("pix_fmt", "delta"), [("yuv420p", 2), ("bgr0", 0)])
def test_bytes_do_not_depend_on_how_many_frames_are_coded_at_once(model_file: Path, pix_fmt: str, delta: int) -> None:
    """Keyframes within the run, and (bgr0) a plane of padding that turns up half-way."""
    frames = textured_frames(pix_fmt, 70, 40, 7)
    for frame in frames[4:] if pix_fmt == "bgr0" else ():
        memory = np.frombuffer(memoryview(frame.planes[0]), np.uint8)
        memory.reshape(40, -1)[:, 3 : 4 * 70 : 4] = np.arange(70)
    settings = {"embed_model": True, "scene_cuts": False, "gop": 3, "delta": delta}
    single = encoder(model_file, pix_fmt, 70, 40, threads=1, **settings)
    expected = [packet for frame in frames for packet in single.encode(frame)]
    assert [packet.is_keyframe for packet in expected].count(True) >= 3 and slice_modes(expected) == {"model"}
    for at_once, chosen in ((7, {"threads": 2}), (2, {"threads": 1}), (3, {"device": "cpu"})):
        coder = encoder(model_file, pix_fmt, 70, 40, **settings, **chosen)
        assert coder.frames_at_once > 7
        runs = [frames[first : first + at_once] for first in range(0, len(frames), at_once)]
        packets = [packet for run in runs for packet in coder.encode_many(run)]
        assert [bytes(packet) for packet in packets] == [bytes(packet) for packet in expected]
        times = [(packet.pts, packet.duration, packet.is_keyframe) for packet in packets]
        assert times == [(packet.pts, packet.duration, packet.is_keyframe) for packet in expected]
    for gops in (1, 2, 3, 5):
        settings_of_decoder = pynlvc.DecoderSettings(model_files=(model_file,))
        decoded = list(decode_gops(expected, gops=gops, settings=settings_of_decoder))
        for frame, back in zip(frames, decoded, strict=True):
            for mine, theirs in zip(pynlvc.frame_planes(frame), pynlvc.frame_planes(back), strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_native_models_take_many_frames_too() -> None:
    frames = textured_frames("gray", 40, 24, 3)
    one, many = (pynlvc.Encoder(40, 24, "gray", time_base=Fraction(1, 75)) for _ in range(2))
    assert many.frames_at_once == 1
    packets = [bytes(packet) for packet in many.encode_many(frames)]
    assert packets == [bytes(packet) for frame in frames for packet in one.encode(frame)]


def test_gops_side_by_side_fail_by_themselves(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage in one GOP, and an error on the device, reach the caller after the frames before; no thread is left."""
    frames = textured_frames("gray", 34, 34, 6)
    coder = encoder(model_file, "gray", 34, 34, gop=2, scene_cuts=False, embed_model=True)
    packets = coder.encode_many(frames)
    assert slice_modes(packets) == {"model"}
    broken = av.Packet(bytes(packets[2])[:-1] + bytes([bytes(packets[2])[-1] ^ 1]))
    broken.is_keyframe = True
    decoded = decode_gops([*packets[:2], broken, *packets[3:]], gops=3, extradata=coder.extradata)
    assert [next(decoded).pts for _ in range(2)] == [0, 3]
    with pytest.raises(BitstreamError, match="damaged"):
        next(decoded)
    early = decode_gops(packets, gops=2, extradata=coder.extradata)
    next(early)
    early.close()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(FrameCoder, "decode", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(decode_gops(packets, gops=3, extradata=coder.extradata))
    gc.collect()
    assert [t.name for t in threading.enumerate() if t.name.startswith("pynlvc-gop")] == []


def test_noise_is_stored_and_scene_cuts_and_intervals_make_keyframes(model_file: Path) -> None:
    rng = np.random.default_rng(0)
    layout = _core.Format(width=40, height=40, layout="grey")
    model = model_file.read_bytes()
    shared = {"delta": 2, "threads": 1, "embed_model": True, "side": {33: b"always"}}
    coder = DiffusionEncoder(layout, model, keyframe_interval=3, scene_cuts=True, **shared)  # type: ignore[arg-type]
    decoder = DiffusionDecoder(model, threads=1)
    smooth = np.add.outer(np.arange(40), np.arange(40)).astype(np.uint8)
    pictures = [smooth, smooth + 1, smooth[::-1] * 2, *rng.integers(0, 256, (4, 40, 40), dtype=np.uint8)]
    kinds, modes = [], []
    for t, picture in enumerate(pictures):
        side = {} if t == 2 else {33: b"always"} if t < 4 else {33: b"now", 38: b"x"}
        frame = coder.encode([picture], pts=10 * t, duration=10, side=side)
        header = _core.parse_packet(frame.data)
        decoded = decoder.decode(frame.data)
        np.testing.assert_array_equal(decoded.planes[0], picture)
        assert decoded.side == side and decoded.pts == 10 * t and decoded.checksum == frame.checksum
        kinds.append(frame.is_keyframe)
        modes += header.slice_modes
    assert kinds[:3] == [True, False, True] and True in kinds[3:]
    assert modes[0] == "model" and modes[-1] == "raw"


def test_damage_is_an_error_and_a_keyframe_goes_on(model_file: Path) -> None:
    coder = encoder(model_file, "gray", 34, 34, gop=2, scene_cuts=False)
    packets = [bytes(coder.encode(f)[0]) for f in textured_frames("gray", 34, 34, 4)]
    model = model_file.read_bytes()
    decoder = DiffusionDecoder(model, threads=1)
    with pytest.raises(_core.BitstreamError, match="without the frames before it"):
        decoder.decode(packets[1])
    decoder.decode(packets[0])
    with pytest.raises(_core.BitstreamError, match="damaged"):
        decoder.decode(packets[1][:-1] + bytes([packets[1][-1] ^ 1]))
    with pytest.raises(_core.BitstreamError, match="without the frames before it"):
        decoder.decode(packets[1])
    decoder.decode(packets[2])
    with pytest.raises(_core.BitstreamError, match="missing or in the wrong order"):
        decoder.decode(renumbered(packets[3]))
    header = _core.write_sequence_header(
        _core.Format(width=16384, height=16384, layout="grey"),
        model_hash=hashlib.sha256(model).digest(),
        delta=2,
        embedded_model=b"",
        side={},
    )
    common = {"number": 0, "pts_difference": 0, "duration": 1, "checksum": 0, "side": {}}
    claims = _core.write_single_slice(header, raw=False, payload=bytes(40_000), **common)  # type: ignore[arg-type]
    with pytest.raises(_core.BitstreamError, match="too short"):
        decoder.decode(claims)
    small = _core.write_sequence_header(
        _core.Format(width=4, height=4, layout="grey"),
        model_hash=hashlib.sha256(model).digest(),
        delta=2,
        embedded_model=b"",
        side={},
    )
    wrong = _core.write_single_slice(small, raw=False, payload=b"\x12\x34", **common)  # type: ignore[arg-type]
    with pytest.raises(_core.BitstreamError, match="checksum"):
        decoder.decode(wrong)


def renumbered(packet: bytes) -> bytes:
    """The P-frame as if another one stood before it."""
    header = _core.parse_packet(packet)
    return _core.write_single_slice(
        b"",
        number=header.number + 1,
        pts_difference=header.pts_difference,
        duration=header.duration,
        checksum=header.checksum,
        side=header.side,
        raw=False,
        payload=_core.slice_payloads(packet)[0],
    )


def test_damage_is_concealed_on_request(model_file: Path) -> None:
    frames = textured_frames("gray", 34, 34, 6)
    coder = encoder(model_file, "gray", 34, 34, gop=3, scene_cuts=False, embed_model=True)
    packets = [coder.encode(frame)[0] for frame in frames]
    decoder = pynlvc.Decoder(settings=pynlvc.DecoderSettings(on_error="conceal"))
    shown = []
    for index, packet in enumerate(packets):
        data = bytes(packet)
        if index in (1, 4):
            data = data[:-1] + bytes([data[-1] ^ 1])
        damaged = av.Packet(data)
        damaged.pts, damaged.time_base = packet.pts, packet.time_base
        (frame,) = decoder.decode(damaged)
        assert frame.pts == frames[index].pts
        shown.append((frame.is_corrupt, [d.kind for d in decoder.damage], frame.to_ndarray()))
    assert [kinds for _, kinds, _ in shown] == [[], ["damaged"], ["dependent"], [], ["damaged"], ["dependent"]]
    for index, (corrupt, kinds, picture) in enumerate(shown):
        assert corrupt == bool(kinds)
        np.testing.assert_array_equal(picture, frames[index - index % 3].to_ndarray())


def test_an_interrupted_stream_goes_on_as_if_it_had_not_been(model_file: Path) -> None:
    frames = textured_frames("gray", 34, 34, 5)
    first, second = (encoder(model_file, "gray", 34, 34, gop=2, scene_cuts=False, embed_model=True) for _ in range(2))
    packets = [first.encode(frame)[0] for frame in frames]
    again = [second.skip(frame, packet)[0] for frame, packet in zip(frames[:4], packets[:4], strict=True)]
    again += second.encode(frames[4])
    assert [bytes(p) for p in again] == [bytes(p) for p in packets]
    assert [p.is_keyframe for p in again] == [True, False, True, False, True]


def test_costs_are_found_on_request(model_file: Path) -> None:
    coder = encoder(model_file, "yuv420p", 50, 40, embed_model=True)
    decoder = pynlvc.Decoder(analysis=True)
    for frame in textured_frames("yuv420p", 50, 40, 2):
        (packet,) = coder.encode(frame)
        decoder.decode(packet)
        assert decoder.costs is not None
        assert decoder.costs.blocks.shape == (3, 4)
        total = sum(decoder.costs.planes)
        assert decoder.costs.blocks.sum() == pytest.approx(total, rel=1e-5)
        assert total / 8 == pytest.approx(len(_core.slice_payloads(packet)[0]), abs=8)


def test_a_decoder_changes_between_models(model_file: Path) -> None:
    """Streams behind one another: transformer, native, transformer."""
    frames = textured_frames("gray", 40, 24, 2)
    decoder = pynlvc.Decoder(settings=pynlvc.DecoderSettings(model_files=(model_file,)))
    for model in (str(model_file), "fast", str(model_file)):
        settings = pynlvc.EncoderSettings(model=model, gop=0)
        coder = pynlvc.Encoder(40, 24, "gray", time_base=Fraction(1, 75), settings=settings)
        for frame in frames:
            (decoded,) = decoder.decode(coder.encode(frame)[0])
            np.testing.assert_array_equal(decoded.to_ndarray(), frame.to_ndarray())


def test_what_the_model_cannot_do_is_said(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="8-bit"):
        encoder(model_file, "yuv420p10le", 32, 32)
    with pytest.raises(UsageError, match="one slice"):
        encoder(model_file, "gray", 32, 32, slices=2)
    (packet,) = encoder(model_file, "gray", 32, 32).encode(textured_frames("gray", 32, 32, 1)[0])
    with pytest.raises(MissingModelError):
        pynlvc.Decoder().decode(packet)
    settings = pynlvc.DecoderSettings(model_files=(model_file,))
    with pytest.raises(BitstreamError):
        pynlvc.Decoder(settings=settings).decode(av.Packet(bytes(packet)[:-1]))
    with pytest.raises(_core.MissingModelError, match="PyTorch"):
        _core.Decoder(lambda _: model_file.read_bytes()).decode(packet)
    with pytest.raises(_core.BitstreamError, match="PyTorch"):
        _core.parse_model(model_file.read_bytes())
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find_spec(name))
    with pytest.raises(ModelError, match="pip install torch"):
        encoder(model_file, "gray", 32, 32)
    with pytest.raises(ModelError, match="pip install torch"):
        pynlvc.Decoder(settings=settings).decode(packet)


def test_files_through_the_command_line(model_file: Path, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mkv", make_clip(48, 40, 3, seed=1))
    coded, back = tmp_path / "coded.mkv", tmp_path / "back.mkv"
    assert (
        main(["transcode", str(source), str(coded), "--model", str(model_file), "--delta", "1", "--embed-model"]) == 0
    )
    assert main(["verify", str(coded), "--against", str(source)]) == 0
    assert main(["decode", str(coded), str(back)]) == 0
    assert main(["compare", str(source), str(back)]) == 0
    found = pynlvc.info(coded).stream
    assert found is not None and (found.model, found.delta) == ("diffusion", 1)
