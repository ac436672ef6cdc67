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
    PROCESSOR,
    Engine,
    Keys,
    attention_weight,
    weigh,
    weighted_mean,
)
from pynlvc.model.diffusion.export import export_diffusion
from pynlvc.model.diffusion.integers import NetworkRunner, PatchBatch, PatchCoder, slope_tables
from pynlvc.model.diffusion.modelfile import DiffusionModel
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
            native, sums = PROCESSOR.weigh(products.clone(), keys)
            assert torch.equal(weights, native) and torch.equal(totals, sums)
            assert int(totals.max()) < 1 << 17 and int(totals.min()) > 0
            values = torch.full((2, 2, columns, 3), 127.0)
            assert weighted_mean(weights, totals, values, DEFINITION).abs().max() <= 127
            assert torch.equal(
                weighted_mean(weights, totals, values, DEFINITION), weighted_mean(weights, totals, values, ANY_DEVICE)
            )
    steps = torch.arange(FARTHEST + 40, dtype=torch.int32)
    weights = attention_weight(steps)
    assert weights[0] == 4096 and weights[32] == 2048 and weights[FARTHEST] == 0 and weights[-1] == 0
    assert (weights[1:] <= weights[:-1]).all()


def test_the_largest_sums_stay_exact() -> None:
    """Weights and activations at the ends of their ranges: float32 and 64-bit integers agree."""
    weights = torch.full((1, 1, 2, 1024), 127.0)  # 1024 * 127 * 127 < 2^24
    values = torch.full((1, 1, 1024, 2), -127.0)
    assert torch.equal(ANY_DEVICE.multiply(weights, values), DEFINITION.multiply(weights, values))
    assert isinstance(ANY_DEVICE, Engine)


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
