"""Trained networks -> the integer model that is shipped."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pynlvc.model.denoiser import OUTPUT_UNITS, SCALE_OFFSET, SCALE_ORIGIN
from pynlvc.model.diffusion.modelfile import (
    FALLOFF_LIMIT,
    LIMIT,
    MULTIPLIER_LIMIT,
    SLOPES,
    SUM_LIMIT,
    AttentionLayers,
    DenseLayer,
    DiffusionModel,
    FeedForwardLayers,
    IntegerNetwork,
)
from pynlvc.model.diffusion.shape import CLASSES
from pynlvc.model.diffusion.transformer import (
    BLIND_SET,
    UNIT,
    Attention,
    DiffusionNetwork,
    FeedForward,
    IntegerDense,
)

STREAM_UNIT = 16.0  # the residual stream has 16 steps to an activation
SAMPLE_UNIT = 1 << 14  # one sample in the linear part


@dataclass(frozen=True)
class Temperature:
    """What calibration adds to the scale outputs, int8 [3 slopes, 3 kinds] of each frame type."""

    intra: NDArray[np.int8]
    inter: NDArray[np.int8]


def untouched() -> Temperature:
    """No calibration."""
    zeros = np.zeros((SLOPES, CLASSES), np.int8)
    return Temperature(zeros, zeros)


def _multipliers(scales: NDArray[np.float64]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Nine-bit multipliers and shifts with multiplier / 2^shift nearest to each scale in [2^-14, 128)."""
    exponent = np.clip(np.floor(np.log2(scales)), -14, 6).astype(int)
    shift = 8 - exponent
    multiplier = np.rint(scales * 2.0**shift)
    over = multiplier > MULTIPLIER_LIMIT
    multiplier[over] = (MULTIPLIER_LIMIT + 1) / 2
    shift[over] -= 1
    return multiplier.astype(np.uint16), shift.astype(np.uint8)


def _round(real: NDArray[np.float64], offset: NDArray[np.float64]) -> DenseLayer:
    """real: weights [n_out, n_in], offset: biases [biases, n_out], both in output units."""
    largest = np.abs(offset).max(0)
    scale = np.maximum(np.abs(real).max(1) / LIMIT, (np.abs(real).sum(1) * LIMIT + largest) / (SUM_LIMIT * 0.98))
    multiplier, shift = _multipliers(np.maximum(scale, 2.0**-14))
    scale = multiplier / 2.0**shift
    return DenseLayer(
        weight=np.clip(np.rint(real / scale[:, None]), -LIMIT, LIMIT).astype(np.int8),
        bias=np.rint(offset / scale).astype(np.int32),
        multiplier=multiplier,
        shift=shift,
    )


def _real(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().double().numpy()


def _dense(layer: IntegerDense, unit: float = 1.0, extra: Tensor | None = None) -> DenseLayer:
    """`unit`: steps of the output to an activation; `extra`: added to the bias, in units of 1.0."""
    bias = layer.bias if extra is None else layer.bias + extra
    return _round(_real(layer.weight * layer.unit) * unit, _real(bias) * UNIT * unit)


def _feed_forward(block: FeedForward) -> FeedForwardLayers:
    return FeedForwardLayers(inner=_dense(block.inner), outer=_dense(block.outer, STREAM_UNIT))


def _attention(block: Attention) -> AttentionLayers:
    falloff = np.rint(np.exp(_real(block.log_falloff)) * 2.0**16)
    return AttentionLayers(
        query=_dense(block.query),
        key=_dense(block.key),
        values=_dense(block.values),
        out=_dense(block.out, STREAM_UNIT),
        falloff=np.clip(falloff, 0, FALLOFF_LIMIT).astype(np.int32),
    )


def _fixed_point(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.rint(values * SAMPLE_UNIT), -32767, 32767).astype(np.int16)


def export_network(net: DiffusionNetwork, temperature: NDArray[np.int8], *, blind: bool = False) -> IntegerNetwork:
    """One network in integers. `blind`: as it codes δ = 2 without the reference's neighbourhood (for the ablation)."""
    units = np.array(OUTPUT_UNITS)
    out_bias = _real(net.out_bias).copy()
    out_bias[:, 6:] -= SCALE_ORIGIN
    out_bias *= units
    out_bias[:, 6:] -= SCALE_OFFSET
    embed = _dense(net.embed, STREAM_UNIT, net.blind if blind else None)
    linear = _real(net.linear[BLIND_SET].expand(SLOPES, -1, -1) if blind else net.linear[:SLOPES]).copy()
    if blind and net.shape.references:
        embed.weight[:, -net.shape.references :] = 0
        linear[:, :, -net.shape.references :] = 0
    return IntegerNetwork(
        shape=net.shape,
        embed=embed,
        before=_feed_forward(net.before),
        attention1=_attention(net.attention1),
        between=_feed_forward(net.between),
        gate=_dense(net.gate),
        linear=_fixed_point(linear),
        hidden_mean=_fixed_point(_real(net.hidden_mean) / UNIT),
        errors=_dense(net.errors, STREAM_UNIT),
        attention2=_attention(net.attention2),
        after=_feed_forward(net.after),
        out=_round(_real(net.out.weight * net.out.unit) * units[:, None], out_bias),
        temperature=temperature,
    )


def export_diffusion(
    nets: nn.ModuleDict, temperature: Temperature | None = None, *, blind: bool = False
) -> DiffusionModel:
    """The integer model of the networks of I- and P-frames."""
    used = temperature or untouched()
    networks = []
    with torch.no_grad():
        for frame_type, offsets in (("0", used.intra), ("1", used.inter)):
            net = nets[frame_type]
            assert isinstance(net, DiffusionNetwork)
            networks.append(export_network(net, offsets, blind=blind))
    return DiffusionModel(name="diffusion", networks=(networks[0], networks[1]))
