"""Models fitted to a video: the trainable form agrees with the codec, fitting pays, and its bytes never vary."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import pynlvc
from pynlvc import _core
from pynlvc.codec import Decoder, DecoderSettings, Encoder, EncoderSettings
from pynlvc.codec.planes import frame_planes
from pynlvc.errors import UsageError
from pynlvc.fitting.examples import ExampleSet
from pynlvc.fitting.settings import FitSettings
from pynlvc.fitting.tunable import TunableNetwork
from pynlvc.fitting.video import fit_to_video, keyframes
from pynlvc.model.examples import ExampleArrays
from pynlvc.model.learnable import learner_shape
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.store import Model, load_model
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.core_frames import make_format, make_frames
from tests.media_files import folder_names, pynlvc_command, run_pynlvc

FAST = load_model("fast-1")
QUICK = FitSettings(visits=1_500_000, run=4)
SETTINGS = EncoderSettings(model="fast-1", effort=4, gop=0, threads=1)


def read(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("fitting") / "clip.mkv", make_clip(160, 128, 6, seed=5))


@pytest.mark.parametrize(("depth", "delta"), [(8, 2), (8, 0), (12, 2)])
def test_code_lengths_are_those_of_the_codec(depth: int, delta: int) -> None:
    form = make_format(64, 48, sx=1, sy=1, depth=depth)
    encoder = _core.Encoder(form, FAST.data, delta=delta, examples=1, scene_cuts=False)
    networks = {(n.frame_type, n.plane_class): n for n in IntegerModel.from_bytes(FAST.data).networks}
    for number, planes in enumerate(make_frames(form, 3, "moving")):
        coded = encoder.encode(planes, pts=number, duration=1)
        examples = ExampleSet()
        probe = _core.Encoder(form, FAST.data, delta=delta, examples=1, scene_cuts=False)
        examples.add_frame(probe, planes)
        for plane, taken, bits in zip(planes, coded.examples, coded.plane_bits, strict=True):
            assert len(taken.samples) == plane.size
            net = TunableNetwork(networks[taken.frame_type, taken.plane_class], delta)
            found = net.bits(ExampleArrays.joined([taken]), depth=taken.depth, q=taken.q)
            assert found == pytest.approx(bits, rel=0.01)


def test_one_of_many_samples_is_taken_the_same_way_on_every_thread() -> None:
    form = make_format(96, 80, sx=1, sy=1)
    planes = make_frames(form, 1, "moving")[0]

    def examples(threads: int) -> list[_core.Examples]:
        return (
            _core.Encoder(form, FAST.data, examples=7, slices=2, threads=threads)
            .encode(planes, pts=0, duration=1)
            .examples
        )

    one, many = examples(1), examples(4)
    for a, b, plane in zip(one, many, planes, strict=True):
        assert np.array_equal(a.samples, b.samples) and np.array_equal(a.input_taps, b.input_taps)
        assert np.array_equal(a.error_taps, b.error_taps) and np.array_equal(a.anchors, b.anchors)
        assert 0.8 < 7 * len(a.samples) / plane.size < 1.2


def test_a_network_without_steps_is_the_network() -> None:
    for network in IntegerModel.from_bytes(FAST.data).networks:
        assert_same(TunableNetwork(network, 2).moved(), network)


def assert_same(a: Any, b: Any) -> None:
    whole = IntegerModel(name="a", networks=(a,)).to_bytes()
    assert whole == IntegerModel(name="a", networks=(b,)).to_bytes()


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("size", [3.0, 400.0])
def test_every_step_can_be_said_by_a_difference(delta: int, size: float) -> None:
    rng = np.random.default_rng(3)
    model = IntegerModel.from_bytes(FAST.data)
    moved = []
    for network in model.networks:
        net = TunableNetwork(network, delta)
        net.steps[:] = rng.standard_normal(len(net.steps)) * size
        linear = learner_shape(network, delta).linear_start
        net.steps[linear:] *= min(size, 9.0) / size  # linear weights have no room for hundreds of steps
        moved.append(net.moved())
    fitted = replace(model, networks=tuple(moved)).to_bytes()
    difference = _core.write_model_difference(FAST.data, fitted, delta=delta)
    assert _core.apply_model_difference(difference, FAST.data) == fitted


def size_of(frames: list[av.VideoFrame], model: Model | None) -> int:
    first = frames[0]
    encoder = Encoder(
        first.width, first.height, first.format.name, time_base=Fraction(1, 25), settings=SETTINGS, model=model
    )
    packets = [packet for frame in frames for packet in encoder.encode(frame)]
    decoder = Decoder(settings=DecoderSettings(threads=1))
    for frame, packet in zip(frames, packets, strict=True):
        (decoded,) = decoder.decode(packet)
        for a, b in zip(frame_planes(decoded), frame_planes(frame), strict=True):
            assert np.array_equal(a, b)
    return sum(packet.size for packet in packets)


def test_fitting_pays_for_its_difference(clip_path: Path) -> None:
    frames = read(clip_path)
    fitted = fit_to_video(frames, len(frames), Fraction(25), SETTINGS, fit=QUICK)
    assert fitted is not None and fitted.name == "fast-fitted"
    assert size_of(frames, fitted) < 0.995 * size_of(frames, None)


@pytest.mark.parametrize("pix_fmt", ["gray", "gbrp", "yuva444p", "yuv422p10le", "gray16le"])
def test_every_kind_of_picture_is_fitted(pix_fmt: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.nut", make_clip(96, 64, 4, seed=2, pix_fmt=pix_fmt), codec="rawvideo")
    frames = read(path)
    fitted = fit_to_video(frames, len(frames), Fraction(25), SETTINGS, fit=replace(QUICK, epochs=20))
    assert size_of(frames, fitted) <= size_of(frames, None)
    assert (fitted is not None) == (pix_fmt in ("gbrp", "yuva444p", "yuv422p10le"))


def test_frames_of_another_size_are_left_to_the_encoder(clip_path: Path, tmp_path: Path) -> None:
    other = read(write_clip(tmp_path / "other.mkv", make_clip(96, 64, 2)))
    frames = read(clip_path)
    quick = replace(QUICK, visits=200_000)
    assert fit_to_video(frames + other, 6, None, SETTINGS, fit=quick) == fit_to_video(
        frames, 6, None, SETTINGS, fit=quick
    )


def test_threads_do_not_change_the_model(clip_path: Path) -> None:
    frames = read(clip_path)
    quick = replace(QUICK, visits=400_000)
    models = {
        fit_to_video(frames, len(frames), None, replace(SETTINGS, threads=threads), fit=quick) for threads in (1, 1, 3)
    }
    assert len(models) == 1


def test_nothing_is_sent_where_it_does_not_pay(clip_path: Path) -> None:
    frames = read(clip_path)[:1]
    assert fit_to_video(frames, 1, None, SETTINGS, fit=replace(QUICK, visits=50_000)) is None


def test_an_exception_stops_the_work(clip_path: Path) -> None:
    frames = read(clip_path)
    seen: list[float] = []

    def stop(stage: str, share: float) -> None:
        if stage == "fitting":
            seen.append(share)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_to_video(
            frames, len(frames), None, SETTINGS, fit=FitSettings(visits=1 << 40, epochs=1 << 30), progress=stop
        )
    assert len(seen) <= 3


def test_keyframes_are_counted_as_the_encoder_sets_them() -> None:
    settings = EncoderSettings(gop=None, gop_seconds=2.0)
    assert keyframes(100, Fraction(25), settings) == 2
    assert keyframes(101, Fraction(25), settings) == 3
    assert keyframes(1000, Fraction(25), replace(settings, gop=0)) == 1
    assert keyframes(1000, None, replace(settings, gop=1)) == 1000


def test_transcode_brings_a_fitted_model(clip_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    report = pynlvc.transcode(clip_path, target, settings=SETTINGS)
    assert report.verified and report.model == "fast-fitted" and report.fit_seconds > 0
    assert pynlvc.verify(target, against=clip_path).ok
    found = pynlvc.info(target).stream
    assert found is not None and found.model_installed and not found.model_embedded
    assert found.model_difference is not None and found.model_difference[0] == FAST.hash
    done = run_pynlvc("info", target)
    assert "fast-fitted (fitted: " in done.stdout
    whole = tmp_path / "whole.mkv"
    pynlvc.transcode(clip_path, whole, settings=replace(SETTINGS, embed_model=True))
    found = pynlvc.info(whole).stream
    assert found is not None and found.model_embedded and found.model_difference is None


def test_a_fitted_model_serves_encoders_that_cannot_look_ahead(clip_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.nlvm"
    arguments = ("fit", clip_path, path, "--model", "fast-1", "--effort", "4", "--gop", "0")
    done = run_pynlvc(*arguments)
    assert done.returncode == 0 and "fast-fitted" in done.stdout, done.stderr
    assert _core.is_model_difference(path.read_bytes())
    done = run_pynlvc("transcode", clip_path, tmp_path / "out.mkv", "--model", str(path), "--gop", "0")
    assert done.returncode == 0, done.stderr
    assert pynlvc.verify(tmp_path / "out.mkv", against=clip_path).ok
    found = pynlvc.info(tmp_path / "out.mkv").stream
    assert found is not None and found.model == "fast-fitted" and found.model_difference is not None
    assert run_pynlvc(*arguments).returncode == 2, "the output exists"
    assert run_pynlvc("fit", clip_path, tmp_path / "clip.bin").returncode == 2
    with pytest.raises(UsageError, match="fitted already"):
        pynlvc.fit_model(clip_path, settings=EncoderSettings(model=str(path), effort=5))


def test_what_cannot_be_fitted_says_so(clip_path: Path, tmp_path: Path) -> None:
    with clip_path.open("rb") as file:
        done = subprocess.run(
            pynlvc_command("transcode", "-", tmp_path / "out.mkv", "--effort", "4"),
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2 and "standard input" in done.stderr and folder_names(tmp_path) == []
    with pytest.raises(UsageError, match="fits no model"):
        pynlvc.fit_model(clip_path, settings=EncoderSettings(effort=3))
