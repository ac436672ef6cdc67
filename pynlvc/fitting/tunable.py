"""An integer network whose weights may move: the trainable form of a model difference (docs/bitstream.md §10.1).

Where `pynlvc.model.denoiser` learns weights from nothing, this starts from a finished network and learns whole steps
away from it, each in the unit that a difference counts in. Only what one δ uses can move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pynlvc.model.denoiser import OUTPUT_UNITS, SCALE_OFFSET, SCALE_ORIGIN, WEIGHT_LIMIT, bits, round_through
from pynlvc.model.modelfile import IntegerLayer, IntegerNetwork

LINEAR_UNIT = 32
HIDDEN_UNIT = 4
MULTIPLIER_UNIT = 4
MULTIPLIER_LIMIT = 1023
LINEAR_ONE = float(1 << 14)  # linear weight of one sample per sample


class _Activation(torch.autograd.Function):
    """`clip(round(scale * (integer @ x + bias)), 0, 255)` in bfloat16, with the gradient of the unrounded clip.

    Of forward: x bfloat16 [n_in, N] (integers), integer float32 [n_out, n_in], bias and scale float32 [n_out, 1].
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, integer: Tensor, bias: Tensor, scale: Tensor) -> Tensor:
        weight = integer.bfloat16()
        out = weight @ x
        out.mul_(scale.bfloat16()).add_((bias * scale).bfloat16()).clamp_(0.0, 255.0).round_()
        ctx.save_for_backward(x, weight, scale, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, weight, scale, out = ctx.saved_tensors
        inner = torch.ops.aten.hardtanh_backward(gradient, out, 0.0, 255.0)
        for_scale = (inner * out).sum(1, keepdim=True, dtype=torch.float32) / scale
        inner.mul_(scale.bfloat16())
        for_bias = inner.sum(1, keepdim=True, dtype=torch.float32)
        return weight.T @ inner, (inner @ x.T).float(), for_bias, for_scale


class TunableLayer(nn.Module):
    """A layer with steps on its weights, biases and multipliers. `kept`: its inputs that δ reveals."""

    def __init__(self, layer: IntegerLayer, kept: list[int], bias: NDArray[np.int32]):
        super().__init__()
        self._layer = layer
        self._kept = kept
        self._unit = 1 << np.maximum(0, layer.shift.astype(np.int64) - 10)
        self.base_weight = nn.Buffer(torch.from_numpy(layer.weight[:, kept].astype(np.float32)))
        self.base_bias = nn.Buffer(torch.from_numpy(bias.astype(np.float32))[:, None])
        self.bias_unit = nn.Buffer(torch.from_numpy(self._unit.astype(np.float32))[:, None])
        self.base_multiplier = nn.Buffer(torch.from_numpy(layer.multiplier.astype(np.float32))[:, None])
        self.power = nn.Buffer(torch.from_numpy(2.0 ** layer.shift.astype(np.float32))[:, None])
        self.weight_steps = nn.Parameter(torch.zeros_like(self.base_weight))
        self.bias_steps = nn.Parameter(torch.zeros_like(self.base_bias))
        self.multiplier_steps = nn.Parameter(torch.zeros_like(self.base_multiplier))

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """(weights, biases, multipliers) as they are now."""
        weight = (self.base_weight + round_through(self.weight_steps)).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT)
        bias = self.base_bias + round_through(self.bias_steps) * self.bias_unit
        multiplier = self.base_multiplier + round_through(self.multiplier_steps) * MULTIPLIER_UNIT
        return weight, bias, multiplier.clamp(0, MULTIPLIER_LIMIT)

    def activation(self, x: Tensor) -> Tensor:
        """bfloat16 [n_in, N] -> bfloat16 [n_out, N], integers 0..255."""
        weight, bias, multiplier = self.integers()
        out: Tensor = _Activation.apply(x, weight, bias, multiplier / self.power)
        return out

    def output(self, x: Tensor) -> Tensor:
        """The last layer's: float32 [n_out, N], not rounded."""
        weight, bias, multiplier = self.integers()
        return (weight @ x.float() + bias) * (multiplier / self.power)

    def moved(self, set_of_bias: int | None) -> IntegerLayer:
        """The layer with its steps; `set_of_bias`: which row of biases is the one that moved, None: there is one."""
        steps = _steps(self.weight_steps).reshape(len(self._layer.weight), -1)
        weight = self._layer.weight.astype(np.int64)
        # A weight that would pass the limit stays there, in whole steps.
        weight[:, self._kept] = np.clip(weight[:, self._kept] + steps, -WEIGHT_LIMIT, WEIGHT_LIMIT)
        bias = self._layer.bias.astype(np.int64)
        own = bias if set_of_bias is None else bias[set_of_bias]
        own += _steps(self.bias_steps)[:, 0] * self._unit
        multiplier = self._layer.multiplier.astype(np.int64)
        steps = _steps(self.multiplier_steps)[:, 0]
        inside = (multiplier + steps * MULTIPLIER_UNIT >= 0) & (
            multiplier + steps * MULTIPLIER_UNIT <= MULTIPLIER_LIMIT
        )
        multiplier += np.where(inside, steps, 0) * MULTIPLIER_UNIT
        return replace(
            self._layer,
            weight=weight.astype(np.int8),
            bias=bias.astype(np.int32),
            multiplier=multiplier.astype(np.uint16),
        )


def _steps(parameter: nn.Parameter) -> NDArray[np.int64]:
    return np.rint(parameter.detach().numpy()).astype(np.int64)


class TunableNetwork(nn.Module):
    """A network for one δ whose weights can take steps."""

    def __init__(self, network: IntegerNetwork, delta: int):
        super().__init__()
        self._network = network
        self._delta = delta
        self._inputs = [i for i, tap in enumerate(network.inputs) if tap.revealed(delta)]
        hidden = len(network.layer2.weight)
        errors = [hidden + i for i, tap in enumerate(network.errors) if tap.revealed(delta)]
        self.layer1 = TunableLayer(network.layer1, self._inputs, network.layer1.bias[delta])
        self.layer2 = _whole(network.layer2)
        self.layer3 = TunableLayer(network.layer3, [*range(hidden), *errors], network.layer3.bias[delta])
        self.layer4 = _whole(network.layer4)
        self.out = _whole(network.out)
        self.base_linear = nn.Buffer(torch.from_numpy(network.linear[delta][self._inputs].astype(np.float32)))
        self.base_hidden = nn.Buffer(torch.from_numpy(network.hidden_mean.astype(np.float32)))
        self.base_constant = nn.Buffer(torch.tensor(float(network.linear_bias[delta])))
        self.linear_steps = nn.Parameter(torch.zeros_like(self.base_linear))
        self.hidden_steps = nn.Parameter(torch.zeros_like(self.base_hidden))
        self.constant_steps = nn.Parameter(torch.zeros(()))

    def bits(self, inputs: Tensor, errors: Tensor, anchor: Tensor, sample: Tensor, *, depth: int, q: int) -> Tensor:
        """Ideal code length of each sample, bits [N].

        inputs, errors: int8 [N, revealed taps]; anchor, sample: float32 [N], samples.
        """
        x = inputs.float().T
        h2 = self.layer2.activation(self.layer1.activation(inputs.bfloat16().T))
        linear = self.base_linear + round_through(self.linear_steps) * LINEAR_UNIT
        hidden = self.base_hidden + round_through(self.hidden_steps) * HIDDEN_UNIT
        constant = self.base_constant + round_through(self.constant_steps) * LINEAR_UNIT
        unit = float(1 << q)  # of everything below, in samples
        largest = ((1 << depth) - 1) / unit
        mean = anchor / unit + (linear @ x + hidden @ h2.float() + constant) / LINEAR_ONE
        mean = mean.clamp(0, largest)
        g1 = self.layer3.activation(torch.cat([h2, errors.bfloat16().T]))
        g2 = (g1 + self.layer4.activation(g1)).clamp_max(255.0)
        o = self.out.output(g2)
        scale = (o[6:] + SCALE_OFFSET) / OUTPUT_UNITS[6] + SCALE_ORIGIN
        mixture = o[:3] / OUTPUT_UNITS[0], (o[3:6] / OUTPUT_UNITS[3]).clamp(-255 / 32, 255 / 32), scale.clamp(-3.0, 4.5)
        return bits(sample / unit, mean, *mixture, maximum=largest, width=1 / unit)

    def steps(self) -> list[nn.Parameter]:
        """All parameters: steps, whole numbers after rounding."""
        return list(self.parameters())

    def moved(self) -> IntegerNetwork:
        """The network with its steps."""
        network, delta = self._network, self._delta
        linear = network.linear.astype(np.int64)
        linear[delta][self._inputs] += _steps(self.linear_steps) * LINEAR_UNIT
        constant = network.linear_bias.astype(np.int64)
        constant[delta] += int(_steps(self.constant_steps)) * LINEAR_UNIT
        hidden = network.hidden_mean + _steps(self.hidden_steps) * HIDDEN_UNIT
        return replace(
            network,
            layer1=self.layer1.moved(delta),
            layer2=self.layer2.moved(None),
            layer3=self.layer3.moved(delta),
            layer4=self.layer4.moved(None),
            out=self.out.moved(None),
            linear=linear.astype(np.int16),
            hidden_mean=hidden.astype(np.int16),
            linear_bias=constant.astype(np.int32),
        )


def _whole(layer: IntegerLayer) -> TunableLayer:
    return TunableLayer(layer, list(range(layer.weight.shape[1])), layer.bias)
