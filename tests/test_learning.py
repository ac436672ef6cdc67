"""The native learner: code lengths and gradients, every implementation, and models that are refined with it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.cli import main
from pynlvc.errors import NlvcError
from pynlvc.model.denoiser import bits as mixture_bits
from pynlvc.model.examples import ExampleArrays
from pynlvc.model.learnable import LearnableNetwork, grown, layers_of, learner_shape
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.store import load_model
from pynlvc.training.chunks import ChunkSettings
from pynlvc.training.clips import Augmentation
from pynlvc.training.refine import RefineSettings, grow, refine
from tests.clip_files import write_clip
from tests.clips import make_clip

FAST = IntegerModel.from_bytes(load_model("fast").data)
Batch = tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]


def random_values(rng: np.random.Generator, sizes: list[tuple[int, int]], linear: int) -> NDArray[np.float32]:
    parts: list[NDArray] = []
    for rows, columns in sizes:
        parts.append(rng.integers(-64, 65, rows * columns))
        parts.append(rng.integers(-2000, 2000, rows))
        parts.append(rng.uniform(0.3, 1, rows) / (40 * np.sqrt(columns)))
    parts.append(rng.integers(-900, 900, linear))
    return np.concatenate(parts).astype(np.float32)


def random_case(widths: tuple[int, int, int, int, int], count: int, seed: int) -> tuple[NDArray[np.float32], Batch]:
    inputs, errors, h1, h2, g = widths
    rng = np.random.default_rng(seed)
    sizes = [(h1, inputs), (h2, h1), (g, h2 + errors), (g, g), (9, g)]
    values = random_values(rng, sizes, inputs + h2 + 1)
    spread = rng.choice([3.0, 20.0, 200.0], (count, 1))
    anchors = rng.integers(0, 256, count)
    samples = np.clip(anchors + np.rint(rng.standard_normal(count) * 9), 0, 255)  # with some at both ends
    batch = (
        np.clip(rng.standard_normal((count, inputs)) * spread, -127, 127).astype(np.int8),
        np.clip(rng.standard_normal((count, errors)) * spread, -127, 127).astype(np.int8),
        anchors.astype(np.float32),
        samples.astype(np.float32),
    )
    return values, batch


WIDTHS = [(1, 0, 1, 1, 1), (24, 7, 16, 16, 16), (81, 29, 65, 47, 33), (255, 255, 255, 255, 255)]


def shape_of(widths: tuple[int, int, int, int, int]) -> _core.LearnerShape:
    inputs, errors, h1, h2, g = widths
    return _core.LearnerShape(inputs=inputs, errors=errors, h1=h1, h2=h2, g=g)


def straight_through(x: torch.Tensor) -> torch.Tensor:
    """Rounds; the gradient passes where the rounded value is inside 0..255."""
    rounded = torch.floor(x.clamp(0, 255) + 0.5)
    return torch.where((rounded > 0) & (rounded < 255), x + (rounded - x).detach(), rounded.detach())


def defined(
    widths: tuple[int, int, int, int, int], values: NDArray[np.float32], batch: Batch, depth: int, q: int
) -> tuple[float, NDArray[np.float64]]:
    """Code length and gradient by PyTorch's own differentiation, in double precision."""
    inputs, errors, h1, h2, g = widths
    flat = torch.from_numpy(values.astype(np.float64)).requires_grad_()
    sizes = [(h1, inputs), (h2, h1), (g, h2 + errors), (g, g), (9, g)]
    layers, at = [], 0
    for rows, columns in sizes:
        weight, bias, scale = torch.split(flat[at : at + rows * (columns + 2)], [rows * columns, rows, rows])
        layers.append((weight.reshape(rows, columns), bias[:, None], scale[:, None]))
        at += rows * (columns + 2)
    linear, hidden, constant = torch.split(flat[at:], [inputs, h2, 1])
    x, e, anchors, samples = (torch.from_numpy(part).double().swapaxes(0, -1) for part in batch)

    def dense(number: int, of: torch.Tensor) -> torch.Tensor:
        weight, bias, scale = layers[number]
        return (weight @ of + bias) * scale

    second = straight_through(dense(1, straight_through(dense(0, x))))
    unit = float(1 << q)
    largest = ((1 << depth) - 1) / unit
    mean = anchors / unit + (linear @ x + hidden @ second + constant) / (1 << 14)
    g1 = straight_through(dense(2, torch.cat([second, e])))
    g2 = (g1 + straight_through(dense(3, g1))).clamp_max(255)
    o = dense(4, g2)
    scales = ((o[6:] + 128) / 34 - 3).clamp(-3, 4.5)
    offsets = (o[3:6] / 32).clamp(-255 / 32, 255 / 32)
    lengths = mixture_bits(
        samples / unit, mean.clamp(0, largest), o[:3] / 32, offsets, scales, maximum=largest, width=1 / unit
    )
    lengths.sum().backward()
    assert flat.grad is not None
    return float(lengths.sum().detach()), flat.grad.numpy()


def parts_of(shape: _core.LearnerShape, gradient: NDArray) -> list[NDArray]:
    starts = [*(shape.layer_start(n) for n in range(5)), shape.linear_start, shape.size]
    return [gradient[a:b] for a, b in pairwise(starts)]


@pytest.mark.parametrize("learner", _core.available_learners())
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize(("depth", "q"), [(8, 0), (10, 1)])
def test_the_gradient_is_that_of_the_definition(
    learner: str, widths: tuple[int, int, int, int, int], depth: int, q: int
) -> None:
    values, batch = random_case(widths, 300, seed=7)
    expected_bits, expected = defined(widths, values, batch, depth, q)
    shape = shape_of(widths)
    found = np.zeros_like(values)
    bits = _core.learn(shape, values, *batch, depth=depth, q=q, gradient=found, learner=learner)
    assert bits == pytest.approx(expected_bits, rel=2e-3)
    for own, wanted in zip(parts_of(shape, found), parts_of(shape, expected), strict=True):
        assert np.linalg.norm(own - wanted) <= 0.03 * np.linalg.norm(wanted) + 1e-6


@pytest.mark.parametrize("learner", _core.available_learners())
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129])
def test_samples_past_the_end_of_a_tile_do_not_count(learner: str, count: int) -> None:
    widths = WIDTHS[1]
    values, batch = random_case(widths, count, seed=count)
    shape = shape_of(widths)
    whole, parts = np.zeros_like(values), np.zeros_like(values)
    bits = _core.learn(shape, values, *batch, depth=8, q=0, gradient=whole, learner=learner)
    single = 0.0
    for i in range(count):
        one = (batch[0][i : i + 1], batch[1][i : i + 1], batch[2][i : i + 1], batch[3][i : i + 1])
        single += _core.learn(shape, values, *one, depth=8, q=0, gradient=parts, learner=learner)
    assert bits == pytest.approx(single, rel=1e-5)
    assert np.linalg.norm(whole - parts) <= 0.01 * np.linalg.norm(whole)
    assert _core.learn(shape, values, *batch, depth=8, q=0, learner=learner) == bits


def test_the_gradient_repeats_exactly() -> None:
    values, batch = random_case(WIDTHS[2], 500, seed=3)
    shape = shape_of(WIDTHS[2])
    one, two = np.zeros_like(values), np.zeros_like(values)
    first = _core.learn(shape, values, *batch, depth=8, q=0, gradient=one)
    assert _core.learn(shape, values, *batch, depth=8, q=0, gradient=two) == first
    np.testing.assert_array_equal(one, two)


def test_threads_do_not_change_the_gradient() -> None:
    values, batch = random_case(WIDTHS[1], 9000, seed=5)
    shape = shape_of(WIDTHS[1])
    found = []
    for threads in (1, 2, 5, 64):
        gradient = np.zeros_like(values)
        bits = _core.learn(shape, values, *batch, depth=8, q=0, gradient=gradient, threads=threads)
        found.append((bits, gradient.tobytes()))
    assert len(set(found)) == 1


def test_the_gradient_is_added() -> None:
    values, batch = random_case(WIDTHS[2], 500, seed=3)
    shape = shape_of(WIDTHS[2])
    one, two = np.zeros_like(values), np.zeros_like(values)
    _core.learn(shape, values, *batch, depth=8, q=0, gradient=one)
    _core.learn(shape, values, *batch, depth=8, q=0, gradient=two)
    _core.learn(shape, values, *batch, depth=8, q=0, gradient=two)
    np.testing.assert_allclose(two, 2 * one, rtol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    values, (inputs, errors, anchors, samples) = random_case(WIDTHS[1], 4, seed=1)
    shape = shape_of(WIDTHS[1])
    with pytest.raises(ValueError, match="values"):
        _core.learn(shape, values[:-1], inputs, errors, anchors, samples, depth=8, q=0)
    with pytest.raises(ValueError, match="inputs"):
        _core.learn(shape, values, inputs[:3], errors, anchors, samples, depth=8, q=0)
    with pytest.raises(ValueError, match="errors"):
        _core.learn(shape, values, inputs, errors[:, :-1], anchors, samples, depth=8, q=0)
    with pytest.raises(ValueError, match="gradient"):
        _core.learn(shape, values, inputs, errors, anchors, samples, depth=8, q=0, gradient=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="depth"):
        _core.learn(shape, values, inputs, errors, anchors, samples, depth=8, q=1)
    with pytest.raises(ValueError, match="no learner"):
        _core.learn(shape, values, inputs, errors, anchors, samples, depth=8, q=0, learner="abacus")
    with pytest.raises(ValueError, match="widths"):
        _core.LearnerShape(inputs=0, errors=1, h1=1, h2=1, g=1)


def test_a_learnable_network_rounds_to_where_it_began() -> None:
    for network in FAST.networks:
        rounded = LearnableNetwork(network).rounded()
        np.testing.assert_array_equal(rounded.linear, network.linear)
        for new, old in zip(layers_of(rounded), layers_of(network), strict=True):
            new_scale, old_scale = new.multiplier / 2.0**new.shift, old.multiplier / 2.0**old.shift
            np.testing.assert_allclose(
                new.weight * new_scale[:, None], old.weight * old_scale[:, None], atol=0.6 * float(new_scale.max())
            )


def test_a_grown_network_computes_the_same() -> None:
    network = FAST.networks[0]
    wide = grown(network, h1=40, h2=31, g=27, rng=np.random.default_rng(1))
    assert [len(layer.weight) for layer in layers_of(wide)] == [40, 31, 27, 27, 9]
    rng = np.random.default_rng(2)
    for delta in range(3):
        shape = learner_shape(network, delta)
        inputs = (shape.layer_start(1) - shape.layer_start(0)) // len(network.layer1.weight) - 2
        errors = (shape.layer_start(3) - shape.layer_start(2)) // len(network.layer3.weight) - 2
        batch = ExampleArrays(
            rng.integers(-30, 31, (400, inputs), dtype=np.int8),
            rng.integers(-30, 31, (400, errors - len(network.layer2.weight)), dtype=np.int8),
            np.full(400, 90, np.float32),
            rng.integers(80, 100, 400).astype(np.float32),
        )
        before = LearnableNetwork(network).bits(delta, batch)
        assert LearnableNetwork(wide).bits(delta, batch) == pytest.approx(before, rel=1e-6)


SETTINGS = RefineSettings(
    model="fast",
    chunks=4,
    batch=1024,
    rate=0.4,
    warmup=1,
    validate_every=2,
    validation_share=0.3,
    material=ChunkSettings(cuts=6, pictures=3),
    augmentation=Augmentation(crop=64),
)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(3):
        write_clip(folder / f"{seed}.mkv", make_clip(96, 80, 6, seed=seed))
    write_clip(folder / "other.mkv", make_clip(96, 80, 2, pix_fmt="yuv420p10le"))
    return folder


def test_refining_lowers_the_code_length_and_resumes(clip_folder: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    model = refine([clip_folder], FAST, tmp_path / "run", SETTINGS, report=lines.append)
    assert any("other.mkv" in line for line in lines)
    rows = [line.split("\t") for line in (tmp_path / "run" / "log.tsv").read_text().splitlines()]
    assert rows[0][:4] == ["chunk", "seconds", "examples", "rate"] and [row[0] for row in rows[1:]] == ["2", "4"]
    scores = [sum(map(float, row[4:])) for row in rows[1:]]
    assert scores[1] < scores[0]
    assert model.to_bytes() == (tmp_path / "run" / "fast.nlvm").read_bytes() and model.name == "fast"
    assert [n.frame_type for n in model.networks] == [n.frame_type for n in FAST.networks]

    half = refine([clip_folder], FAST, tmp_path / "half", replace(SETTINGS, chunks=2), report=lines.append)
    assert half.to_bytes() != model.to_bytes()
    lines.clear()
    again = refine([clip_folder], FAST, tmp_path / "run", SETTINGS, report=lines.append)
    assert "resumed at chunk 4" in lines
    assert again.to_bytes() == model.to_bytes()


def test_a_model_is_grown_to_the_shape_it_is_named_after() -> None:
    wide = grow(FAST, "standard", np.random.default_rng(1))
    assert wide.name == "standard"
    for network, before in zip(wide.networks, FAST.networks, strict=True):
        expected = 64 if network.plane_class == 0 else 48 if network.plane_class < 3 else len(before.layer1.weight)
        assert len(network.layer1.weight) == expected


def test_the_command(clip_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["refine", str(tmp_path / "run"), str(clip_folder), "--base", "fast", "--model", "fast"]
    assert main([*arguments, "--chunks", "1", "--crop", "64"]) == 0
    assert "fast.nlvm" in capsys.readouterr().out
    assert main([*arguments, "--chunks", "0"]) == 2
    assert main([*arguments, "--crop", "50"]) == 2
    assert main([*arguments, "--rate", "0"]) == 2
    assert main(["refine", str(tmp_path / "run"), str(tmp_path / "nothing")]) == 2
    with pytest.raises(NlvcError, match="no clip"):
        empty = tmp_path / "empty"
        empty.mkdir()
        refine([empty], FAST, tmp_path / "other", SETTINGS, report=lambda line: None)
