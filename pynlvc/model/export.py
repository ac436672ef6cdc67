"""Trained denoisers -> the integer model that is shipped."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pynlvc.model.denoiser import (
    ACTIVATION_UNIT,
    INPUT_UNIT,
    OUTPUT_UNITS,
    SCALE_OFFSET,
    SCALE_ORIGIN,
    Denoiser,
    IntegerLinear,
)
from pynlvc.model.modelfile import IntegerLayer, IntegerModel, IntegerNetwork
from pynlvc.model.rounding import fixed_point, integer_layer
from pynlvc.model.taps import DELTAS


def _layer(linear: IntegerLinear, bias: Tensor, units: Tensor | None = None) -> IntegerLayer:
    """Rounds a layer. bias: [n_out] or [sets, n_out] in output units; `units` scales the rows of the weights too."""
    real = (linear.weight * linear.unit).detach().double().numpy()
    if units is not None:
        real = real * units.double().numpy()[:, None]
    return integer_layer(real, bias.detach().double().numpy())


def _fixed_point(values: Tensor, kind: type) -> NDArray:
    return fixed_point(values.detach().double().numpy(), kind)


def export_network(net: Denoiser) -> IntegerNetwork:
    """One denoiser in integers. The result differs from its training form only by the rounding of scales and biases."""
    sets = len(DELTAS)
    first = torch.stack([net.indicator1 @ net.pattern(net.causal_inputs, net.shape.inputs, d) for d in DELTAS])
    second = torch.stack([net.indicator3 @ net.pattern(net.causal_errors, net.shape.errors, d) for d in DELTAS])
    units = torch.tensor(OUTPUT_UNITS)
    out_bias = net.out_bias.detach().clone()
    out_bias[6:] -= SCALE_ORIGIN
    out_bias *= units
    out_bias[6:] -= SCALE_OFFSET
    return IntegerNetwork(
        frame_type=net.shape.frame_type,
        plane_class=net.shape.plane_class,
        inputs=net.shape.inputs,
        errors=net.shape.errors,
        layer1=_layer(net.layer1, (net.bias1[:sets] + first) * ACTIVATION_UNIT),
        layer2=_layer(net.layer2, net.bias2 * ACTIVATION_UNIT),
        linear=_fixed_point(net.linear[:sets], np.int16),
        hidden_mean=_fixed_point(net.hidden_mean * (INPUT_UNIT / ACTIVATION_UNIT), np.int16),
        linear_bias=_fixed_point(net.linear_bias[:sets], np.int32),
        layer3=_layer(net.layer3, (net.bias3[:sets] + second) * ACTIVATION_UNIT),
        layer4=_layer(net.layer4, net.bias4 * ACTIVATION_UNIT),
        out=_layer(net.out, out_bias, units),
    )


def export_model(name: str, nets: nn.ModuleDict) -> IntegerModel:
    """The integer model of the denoisers, in their order."""
    networks = []
    for net in nets.values():
        assert isinstance(net, Denoiser)
        networks.append(export_network(net))
    return IntegerModel(name=name, networks=tuple(networks))
