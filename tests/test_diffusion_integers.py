"""The transformer in integers: equal however it is computed, causal in every order, and what training promised."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pynlvc import _core
from pynlvc.errors import ModelError
from pynlvc.model.diffusion.arithmetic import (
    ANY_DEVICE,
    DEFINITION,
    FARTHEST,
    AttentionParts,
    Engine,
    Keys,
    attention_weight,
    stream_activation,
    weigh,
    weighted_mean,
)
from pynlvc.model.diffusion.export import export_diffusion
from pynlvc.model.diffusion.integers import NetworkRunner, PatchBatch, PatchCoder, slope_tables
from pynlvc.model.diffusion.modelfile import DenseLayer, DiffusionModel
from pynlvc.model.diffusion.native import PROCESSOR, NativeEngine
from pynlvc.model.diffusion.order import random_order, slope_order
from pynlvc.model.diffusion.shape import LAG, TOKENS
from pynlvc.training.diffusion_step import Patches, code_patches, slope_reveal
from pynlvc.training.diffusion_train import network_of
from tests.diffusion_models import lively_networks, small_model

CPU = torch.device("cpu")
DEVICES = [CPU, torch.device("cuda")] if torch.cuda.is_available() else [CPU]


def noise_batch(seed: int, frame_type: int, size: int = 3, *, partial: bool = False) -> tuple[PatchBatch, torch.Tensor]:
    """Patches of textured noise and their samples by token [B, 1024]."""
    rng = np.random.default_rng(seed)
    base = np.cumsum(np.cumsum(rng.normal(0, 1, (size, 36, 36)), 1), 2)
    wide = np.clip(128 + 4 * base, 0, 255).round().astype(np.float32)
    samples = np.clip(wide[:, 2:-2, 2:-2] + rng.normal(0, 3, (size, 32, 32)).round(), 0, 255)
    present = np.ones((size, TOKENS), np.bool_)
    if partial:
        present[1] = (np.arange(TOKENS) % 32 < 19) & (np.arange(TOKENS) // 32 < 7)
    kinds = np.arange(size, dtype=np.int64) % 3
    batch = PatchBatch(kinds, wide if frame_type else None, present)
    return batch, torch.from_numpy(samples.reshape(size, TOKENS).astype(np.float32))


def predictions(coder: PatchCoder, delta: int, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs and means of all ranks, group by group as a decoder asks for them."""
    tables = slope_tables(delta, CPU)
    parts = []
    for start, stop in tables.groups:
        parts.append(coder.predict(start, stop))
        coder.reveal(start, stop, samples[:, tables.tokens[start:stop]])
    return torch.cat([o for o, _ in parts], 1), torch.cat([m for _, m in parts], 1)


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("frame_type", [0, 1])
def test_groups_one_pass_engines_and_batches_agree(delta: int, frame_type: int) -> None:
    model = small_model(delta).networks[frame_type]
    batch, samples = noise_batch(delta, frame_type, partial=True)
    by_rank = samples[:, slope_tables(delta, CPU).tokens]
    inside = torch.from_numpy(batch.present)[:, slope_tables(delta, CPU).tokens]
    outputs, means = PatchCoder(NetworkRunner(model, CPU, PROCESSOR), batch, delta).predict_all(by_rank)
    assert len(outputs.reshape(-1, 9).unique(dim=0)) > TOKENS, "the distributions vary"
    for engine in (PROCESSOR, ANY_DEVICE, DEFINITION):
        found = predictions(PatchCoder(NetworkRunner(model, CPU, engine), batch, delta), delta, samples)
        assert torch.equal(found[0][inside], outputs[inside])
        assert torch.equal(found[1][inside], means[inside])
    for device in DEVICES:
        runner = NetworkRunner(model, device, ANY_DEVICE)
        elsewhere, _ = PatchCoder(runner, batch, delta).predict_all(by_rank.to(device), rows=200)
        assert torch.equal(elsewhere.cpu()[inside], outputs[inside])
    for i in range(len(batch.kinds)):
        reference = None if batch.reference is None else batch.reference[i : i + 1]
        alone = PatchBatch(batch.kinds[i : i + 1], reference, batch.present[i : i + 1])
        single, _ = PatchCoder(NetworkRunner(model, CPU), alone, delta).predict_all(by_rank[i : i + 1], rows=100)
        assert torch.equal(single[0][inside[i]], outputs[i][inside[i]])


@pytest.mark.parametrize("delta", [0, 1, 2])
def test_a_prediction_sees_earlier_groups_only(delta: int) -> None:
    runner = NetworkRunner(small_model(5).networks[0], CPU)
    batch, samples = noise_batch(9, 0, 1)
    tables = slope_tables(delta, CPU)
    group = torch.from_numpy(slope_order(delta).groups)
    before, _ = PatchCoder(runner, batch, delta).predict_all(samples[:, tables.tokens])
    for rank in (0, 300, 700):
        changed = samples[:, tables.tokens].clone()
        changed[0, rank] = 255 - changed[0, rank]
        after, _ = PatchCoder(runner, batch, delta).predict_all(changed)
        differs = (before != after).any(2)[0]
        assert not differs[group <= group[rank]].any()
        assert differs[group > group[rank]].any()


def test_integers_code_as_training_promised() -> None:
    nets = lively_networks(3)
    for frame_type in (0, 1):
        torch.nn.init.normal_(network_of(nets, frame_type).out.weight, 0.0, 0.05)
    model = export_diffusion(nets)
    for frame_type in (0, 1):
        batch, samples = noise_batch(4, frame_type, 2)
        kinds = np.zeros(2, np.int64)
        runner = NetworkRunner(model.networks[frame_type], CPU)
        tokens = slope_tables(2, CPU).tokens
        outputs, means = PatchCoder(runner, PatchBatch(kinds, batch.reference, batch.present), 2).predict_all(
            samples[:, tokens]
        )
        values = samples[:, tokens].numpy().astype(np.int32).ravel()
        bounds = _core.mixture_bounds(
            outputs.numpy().reshape(-1, 9), means.numpy().ravel(), np.stack([values, values + 1], 1), depth=8, q=0
        ).astype(np.int64)
        exact = float((24 - np.log2(bounds[:, 1] - bounds[:, 0])).mean())
        patches = Patches(0, samples.reshape(2, 32, 32).numpy(), batch.reference)
        with torch.no_grad():
            promised = code_patches(network_of(nets, frame_type), patches, slope_reveal(2)).lengths().mean().item()
        assert exact == pytest.approx(promised, rel=0.02)


def test_attention_weights_are_integers_within_their_bounds() -> None:
    generator = torch.Generator().manual_seed(0)
    distance = torch.from_numpy(slope_tables(2, CPU).distance.numpy())
    for scale, start, rows in ((3, 0, 40), (2000, 500, 17), (200_000, 900, 124)):
        columns = max(0, start + rows - LAG)
        products = (torch.randn(2, 2, rows, columns, generator=generator) * scale).round()
        absent = torch.rand(2, TOKENS, generator=generator) < 0.3
        for gone in (None, absent):
            keys = Keys(torch.tensor([0, 9000], dtype=torch.int32), distance, start, gone)
            weights, totals = weigh(products, keys)
            assert int(totals.max()) < 1 << 17 and int(totals.min()) > 0
            values = torch.full((2, 2, columns, 3), 127.0)
            found, again = (
                weighted_mean(weights, totals, values, engine.multiply) for engine in (DEFINITION, ANY_DEVICE)
            )
            assert found.abs().max() <= 127 and torch.equal(found, again)
    steps = torch.arange(FARTHEST + 40, dtype=torch.int32)
    weights = attention_weight(steps)
    assert weights[0] == 4096 and weights[32] == 2048 and weights[FARTHEST] == 0 and weights[-1] == 0
    assert (weights[1:] <= weights[:-1]).all()


def test_the_largest_sums_stay_exact() -> None:
    """Weights and activations at the ends of their ranges: float32 and 64-bit integers agree."""
    weights = torch.full((1, 1, 2, 1024), 127.0)  # 1024 * 127 * 127 < 2^24
    values = torch.full((1, 1, 1024, 2), -127.0)
    assert torch.equal(ANY_DEVICE.multiply(weights, values), DEFINITION.multiply(weights, values))


def limit_layer(rng: np.random.Generator, outputs: int, inputs: int, sets: int = 1) -> DenseLayer:
    """Weights of any size, some at their limits, and scales that let many outputs saturate."""
    weight = np.clip(rng.normal(0, 90, (outputs, inputs)).round(), -127, 127).astype(np.int8)
    weight[0], weight[-1] = 127, -127
    return DenseLayer(
        weight=weight,
        bias=rng.integers(-30_000, 30_000, (sets, outputs)).astype(np.int32),
        multiplier=rng.integers(1, 512, outputs).astype(np.uint16),
        shift=rng.integers(12, 18, outputs).astype(np.uint8),
    )


@pytest.mark.parametrize("kernels", _core.kernel_names())
@pytest.mark.parametrize(("width", "hidden", "heads", "key"), [(120, 128, 8, 124), (9, 17, 1, 5), (64, 96, 2, 28)])
def test_native_layers_and_attention_agree_at_their_limits(
    kernels: str, width: int, hidden: int, heads: int, key: int
) -> None:
    rng = np.random.default_rng(width)
    native = NativeEngine(kernels)
    stream = torch.from_numpy(rng.normal(0, 1500, (3, 20, width)).round().astype(np.int32))
    kinds = torch.tensor([2, 0, 1])
    inner, outer = limit_layer(rng, hidden, width, 3), limit_layer(rng, width, hidden)
    layers = [
        limit_layer(rng, *shape) for shape in ((heads * key, width), (heads * key, width + 4), (width, width + 4))
    ]
    layers.append(limit_layer(rng, width, width))
    falloff = torch.from_numpy(np.append(rng.integers(0, 4000, heads - 1), 1 << 19).astype(np.int32))
    content = torch.from_numpy(rng.integers(-127, 128, (3, TOKENS, 4)).astype(np.float32))
    known = torch.from_numpy(rng.normal(0, 1500, (3, TOKENS, width)).round().astype(np.int32))
    distance = slope_tables(2, CPU).distance
    absent = torch.from_numpy(rng.random((3, TOKENS)) < 0.3)
    absent[0] = False

    def run(engine: Engine) -> list[torch.Tensor]:
        first, second = engine.dense(inner, CPU), engine.dense(outer, CPU)
        activations = stream_activation(stream)
        found = [first.of_stream(stream, kinds), first.of_activations(activations, kinds)]
        found.append(engine.feed_forward(stream, first, second))
        query, keys, values, out = (engine.dense(layer, CPU) for layer in layers)
        parts = AttentionParts(query, keys, values, out, falloff, key)
        for gone in (None, absent):
            memory = engine.memory(parts, 3, distance, gone)
            memory.remember(0, known[:, :700], content[:, :700])
            memory.remember(700, known[:, 700:], content[:, 700:])
            found += [memory.attend(start, stream) for start in (0, 25, 333, 1004)]
        return found

    for mine, theirs in zip(run(native), run(DEFINITION), strict=True):
        assert torch.equal(mine, theirs)


def test_native_code_refuses_what_does_not_fit() -> None:
    rng = np.random.default_rng(0)
    layer = PROCESSOR.dense(limit_layer(rng, 8, 6, 2), CPU)
    with pytest.raises(ValueError, match="agree"):
        layer.of_activations(torch.zeros(1, 2, 7))
    with pytest.raises(ValueError, match="beyond the sets"):
        layer.of_activations(torch.zeros(1, 2, 6), torch.tensor([2]))
    with pytest.raises(ValueError, match=r"1 to 128 inputs"):
        PROCESSOR.dense(limit_layer(rng, 8, 129), CPU)
    square = PROCESSOR.dense(limit_layer(rng, 8, 8), CPU)
    wide = PROCESSOR.dense(limit_layer(rng, 8, 12), CPU)
    parts = AttentionParts(square, wide, wide, square, torch.zeros(2, dtype=torch.int32), 4)
    memory = PROCESSOR.memory(parts, 1, slope_tables(2, CPU).distance, None)
    with pytest.raises(ValueError, match="beyond the patch"):
        memory.attend(TOKENS - 1, torch.zeros(1, 2, 8, dtype=torch.int32))
    with pytest.raises(ValueError, match="beyond the patch"):
        memory.remember(TOKENS - 1, torch.zeros(1, 2, 8, dtype=torch.int32), torch.zeros(1, 2, 4))
    with pytest.raises(ValueError, match="agree"):
        memory.remember(0, torch.zeros(2, 2, 8, dtype=torch.int32), torch.zeros(2, 2, 4))


@pytest.mark.parametrize("delta", [0, 1, 2])
def test_no_group_is_larger_than_the_lag(delta: int) -> None:
    order = slope_order(delta)
    assert sorted(order.tokens.tolist()) == list(range(TOKENS))
    assert np.bincount(order.groups).max() <= LAG
    assert len(np.unique(order.groups)) == {0: 32, 1: 63, 2: 94}[delta]


def test_random_orders_reveal_what_came_before() -> None:
    order = random_order(np.random.default_rng(0))
    tokens, shown = order.neighbours()
    ranks = order.ranks
    for rank in (0, 17, 500, 1023):
        for token, visible in zip(tokens[rank], shown[rank], strict=True):
            if visible:
                assert ranks[token] // 16 < rank // 16
    assert 0.4 < shown.mean() < 0.5


def test_a_model_file_is_read_back_and_checked() -> None:
    file = small_model(2).to_bytes()
    assert DiffusionModel.from_bytes(file).to_bytes() == file
    for broken in (b"", file[:50], file[:-1], file + b"\0", b"NLVM" + file[4:]):
        with pytest.raises(ModelError):
            DiffusionModel.from_bytes(broken)
    name = 6 + file[5]
    for position, value in ((name, 0), (name, 255), (name + 2, 0), (name + 3, 200)):
        with pytest.raises(ModelError, match=r"limits|ends"):
            DiffusionModel.from_bytes(file[:position] + bytes([value]) + file[position + 1 :])
    shift = file[:name] + file[name:].replace(small_model(2).networks[0].embed.shift.tobytes(), b"\xff" * 16)
    with pytest.raises(ModelError, match="limits"):
        DiffusionModel.from_bytes(shift)
