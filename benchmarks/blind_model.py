"""The shipped transformer without its reference embedding, for the ablation of docs/diffusion.md §8:

    python -m benchmarks.blind_model CLIPS PICTURES blind.nlvm [--steps N]

The P-network loses the 24 samples around the reference. In their place it learns a bias and linear weights of its own
at δ = 2, on the clips and pictures of the training; every other weight stays as shipped. The same seed gives the same
file on the same machine. `python -m benchmarks.diffusion CLIP --blind blind.nlvm` measures it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pynlvc.model.denoiser import OUTPUT_UNITS, SCALE_OFFSET, SCALE_ORIGIN
from pynlvc.model.diffusion.export import SAMPLE_UNIT, STREAM_UNIT, export_network
from pynlvc.model.diffusion.modelfile import AttentionLayers, DenseLayer, DiffusionModel, IntegerNetwork
from pynlvc.model.diffusion.transformer import (
    BLIND_SET,
    SLOPES,
    UNIT,
    Attention,
    DiffusionNetwork,
    FeedForward,
    IntegerDense,
)
from pynlvc.model.store import load_model
from pynlvc.training.diffusion_step import code_patches, slope_reveal
from pynlvc.training.diffusion_train import KIND_SHARES, DiffusionSettings, read_sources

DELTA = 2
STEPS = 800  # a share of 8 % of the P-network's steps in the training of the shipped model
LEARNING_RATE = 4e-3


def trainable(net: IntegerNetwork) -> DiffusionNetwork:
    """The shipped P-network as it is trained, calibration of δ = 2 included."""
    made = DiffusionNetwork(net.shape)
    with torch.no_grad():
        _take_dense(made.embed, net.embed, STREAM_UNIT)
        for block, layers in ((made.before, net.before), (made.between, net.between), (made.after, net.after)):
            assert isinstance(block, FeedForward)
            _take_dense(block.inner, layers.inner)
            _take_dense(block.outer, layers.outer, STREAM_UNIT)
        _take_attention(made.attention1, net.attention1)
        _take_attention(made.attention2, net.attention2)
        _take_dense(made.gate, net.gate)
        _take_dense(made.errors, net.errors, STREAM_UNIT)
        linear = torch.from_numpy(net.linear.astype("f4")) / SAMPLE_UNIT
        made.linear[:SLOPES] = linear
        made.linear[BLIND_SET] = linear[DELTA]
        made.hidden_mean.copy_(torch.from_numpy(net.hidden_mean.astype("f4")) * (UNIT / SAMPLE_UNIT))
        weight, offset = _real(net.out)
        units = np.array(OUTPUT_UNITS)
        made.out.weight.copy_(torch.from_numpy(weight / units[:, None]) / made.out.unit)
        offset[:, 6:] += net.temperature[DELTA][:, None].astype(np.float64) + SCALE_OFFSET
        offset /= units
        offset[:, 6:] += SCALE_ORIGIN
        made.out_bias.copy_(torch.from_numpy(offset))
    return made


def fit_blind(shipped: DiffusionModel, clips: Path, pictures: Path, steps: int) -> DiffusionModel:
    """The model without the reference embedding."""
    settings = DiffusionSettings()
    torch.manual_seed(settings.seed)
    source, _ = read_sources(clips, pictures, settings)
    intra, inter = shipped.networks
    net = trainable(inter).requires_grad_(False)
    learning = [net.blind.requires_grad_(True), net.linear.requires_grad_(True)]
    optimizer = torch.optim.Adam(learning, LEARNING_RATE, betas=(0.9, 0.99))
    rng = np.random.default_rng(settings.seed)
    shares = np.array([KIND_SHARES[kind] for kind in source.kinds])
    mean = 0.0
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        kind = int(rng.choice(source.kinds, p=shares / shares.sum()))
        coded = code_patches(net, source.batch(rng, 1, kind, settings.batch), slope_reveal(DELTA, blind=True))
        optimizer.zero_grad(set_to_none=True)
        (coded.loss + settings.error_weight * coded.absolute_error).backward()
        optimizer.step()
        mean += (coded.loss.item() - mean) / min(step + 1, 100)
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}, {mean:.3f} bits per sample of late", flush=True)
    blind = export_network(net, inter.temperature, blind=True)
    return replace(shipped, networks=(intra, replace(inter, embed=blind.embed, linear=blind.linear)))


def _real(layer: DenseLayer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(weights, biases) in steps of the output."""
    scale = layer.multiplier.astype(np.float64) / 2.0 ** layer.shift.astype(np.float64)
    return layer.weight.astype(np.float64) * scale[:, None], layer.bias.astype(np.float64) * scale


def _take_dense(target: IntegerDense, layer: DenseLayer, unit: float = 1.0) -> None:
    """`unit`: steps of the output to an activation."""
    weight, bias = _real(layer)
    target.weight.copy_(torch.from_numpy(weight / unit) / target.unit)
    target.bias.copy_(torch.from_numpy(bias / (unit * UNIT)))


def _take_attention(target: Attention, layers: AttentionLayers) -> None:
    for name in ("query", "key", "values"):
        _take_dense(getattr(target, name), getattr(layers, name))
    _take_dense(target.out, layers.out, STREAM_UNIT)
    target.log_falloff.copy_(torch.from_numpy(np.log(np.maximum(layers.falloff, 1) / 2.0**16)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, metavar="CLIPS", help="folder of the training clips")
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="folder of the training pictures")
    parser.add_argument("output", type=Path, help="the model file that is written")
    parser.add_argument("--steps", type=int, default=STEPS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    shipped = DiffusionModel.from_bytes(load_model("diffusion").data)
    options.output.write_bytes(fit_blind(shipped, options.clips, options.pictures, options.steps).to_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
