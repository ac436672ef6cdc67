"""The native network and the PyTorch reference agree bit for bit on whole planes, for every set of kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pynlvc import _core
from pynlvc.model.modelfile import IntegerModel
from pynlvc.model.reference import evaluate
from pynlvc.model.store import load_model
from pynlvc.model.taps import PLAIN_PLANES, ContextPlane
from tests.clips import make_clip
from tests.models import random_model

ROWS, COLUMNS = 19, 37


def random_planes(seed: int, depth: int, *, extreme: bool) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Sample planes and error planes by id: noise over a gradient, or only the ends of the ranges."""
    rng = np.random.default_rng(seed)
    maximum = (1 << depth) - 1
    samples, errors = {}, {}
    for plane in ContextPlane:
        if plane is ContextPlane.LEVEL or plane is ContextPlane.ERR:
            continue
        if plane in PLAIN_PLANES:
            choices = [-127, 0, 127] if extreme else list(range(-127, 128))
            errors[int(plane)] = rng.choice(choices, (ROWS, COLUMNS)).astype(np.int8)
        elif extreme:
            samples[int(plane)] = rng.choice([0, maximum], (ROWS, COLUMNS)).astype(np.uint16)
        else:
            slope = np.linspace(0, maximum, COLUMNS)[None, :] + rng.normal(0, maximum / 20, (ROWS, COLUMNS))
            samples[int(plane)] = np.clip(slope, 0, maximum).astype(np.uint16)
    return samples, errors


@pytest.mark.parametrize("kernels", ["definition", *_core.kernel_names()])
@pytest.mark.parametrize("frame_type", [0, 1])
@pytest.mark.parametrize("plane_class", [0, 1, 2])
def test_torch_equals_native(kernels: str, frame_type: int, plane_class: int) -> None:
    for seed, (delta, depth, q, extreme) in enumerate(
        [(2, 8, 0, False), (1, 8, 0, True), (0, 8, 0, False), (2, 10, 2, True), (2, 16, 5, False), (0, 12, 0, True)]
    ):
        file = random_model(seed=seed, extreme=extreme, taps=26, errors=13, h1=21, h2=18, g=17)
        samples, errors = random_planes(seed, depth, extreme=extreme)
        native = _core.evaluate_plane(
            file,
            samples,
            errors,
            frame_type=frame_type,
            plane_class=plane_class,
            delta=delta,
            depth=depth,
            q=q,
            rows=(0, ROWS),
            kernels=kernels,
        )
        networks = IntegerModel.from_bytes(file).networks
        network = next(n for n in networks if (n.frame_type, n.plane_class) == (frame_type, plane_class))
        planes = {ContextPlane(k): torch.from_numpy(v.astype(np.int64)) for k, v in (samples | errors).items()}
        reference = evaluate(network, planes, delta=delta, depth=depth, q=q)
        np.testing.assert_array_equal(native["taps"], reference.taps.numpy())
        np.testing.assert_array_equal(native["mean"], reference.mean.numpy())
        np.testing.assert_array_equal(native["error"], reference.errors.numpy())
        np.testing.assert_array_equal(native["outputs"], reference.outputs.numpy())


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("frame_type", [0, 1])
def test_nothing_depends_on_what_is_not_decoded(delta: int, frame_type: int) -> None:
    """Changing one sample may change the prediction of later groups only."""
    file = random_model(seed=3, taps=40, errors=26)
    samples, errors = random_planes(1, 8, extreme=False)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    group = x + delta * y

    def run() -> tuple[np.ndarray, np.ndarray]:
        out = _core.evaluate_plane(
            file,
            samples,
            errors,
            frame_type=frame_type,
            plane_class=2,
            delta=delta,
            depth=8,
            q=0,
            rows=(0, ROWS),
        )
        return out["mean"], out["outputs"]

    mean, outputs = run()
    anything_changed = False
    for cy, cx in ((0, 0), (5, 17), (12, 30), (18, 36), (18, 0), (3, 36)):
        former = samples[0][cy, cx]
        samples[0][cy, cx] = 255 - former
        changed_mean, changed_outputs = run()
        samples[0][cy, cx] = former
        decoded_before = group <= group[cy, cx]
        np.testing.assert_array_equal(mean[decoded_before], changed_mean[decoded_before])
        np.testing.assert_array_equal(outputs[:, decoded_before], changed_outputs[:, decoded_before])
        anything_changed |= bool((outputs != changed_outputs).any())
    assert anything_changed


def planes_of_the_second_frame() -> dict[int, np.ndarray]:
    """Luma of a generated CIF clip: frame 1, and frame 0 displaced to it as the codec would."""
    first, second = (np.ascontiguousarray(planes[0]).astype(np.uint16) for planes in make_clip(352, 288, 2).frames)
    field = _core.search_motion(second, first, None, 8)
    sub_sample = _core.compensate_subsample(first, field, 8, 352, 288, 0, 0, 8)
    full_sample = _core.compensate_integer(first, _core.to_integer(field), 8, 352, 288, 0, 0)
    return {0: second, 1: sub_sample, 2: full_sample, 3: sub_sample, 4: sub_sample, 5: sub_sample}


@pytest.mark.parametrize("frame_type", [0, 1])
def test_the_shipped_model_on_a_whole_frame(frame_type: int) -> None:
    file = load_model("standard").data
    samples = planes_of_the_second_frame()
    errors = {6: np.random.default_rng(0).integers(-20, 21, (288, 352)).astype(np.int8)}
    native = _core.evaluate_plane(
        file, samples, errors, frame_type=frame_type, plane_class=0, delta=2, depth=8, q=0, rows=(0, 288)
    )
    networks = IntegerModel.from_bytes(file).networks
    network = next(n for n in networks if (n.frame_type, n.plane_class) == (frame_type, 0))
    planes = {ContextPlane(k): torch.from_numpy(v.astype(np.int64)) for k, v in (samples | errors).items()}
    reference = evaluate(network, planes, delta=2)
    np.testing.assert_array_equal(native["mean"], reference.mean.numpy())
    np.testing.assert_array_equal(native["outputs"], reference.outputs.numpy())
