"""The trainable masked denoiser, quantisation-aware from the first step.

The forward pass computes what the integer network of docs/bitstream.md section 5 computes, with rounding made
differentiable (straight-through). Activations live on the integers 0..255, inputs on -127..127 and weights are
rounded to -64..64 times a scale for each row, so bfloat16 products lose nothing but the last rounding.

    taps [n_in, N] --w1--> h1 [h1, N] --w2--> h2 [h2, N] --wm--+--> mean [N]   (stage 1)
        \\______________________wl___________________________/
    h2, errors [n_err, N] --w3--> g1 [g, N] --w4 (residual)--> g2 [g, N] --wo--> outputs [9, N]   (stage 2)

Masks: stage 1 sees `revealed` for each tap. A tap that is not revealed reads 0, and the indicator weights tell the
network so; for a fixed δ they fold into one bias vector, which is why one set of weights serves every δ.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from pynlvc.model.architecture import OUTPUTS, NetworkShape
from pynlvc.model.taps import DELTAS, Tap

WEIGHT_LIMIT = 64
ACTIVATION_UNIT = 32.0  # activation 32 is 1.0 for the float parameters
INPUT_UNIT = 8.0  # a difference of 8 samples is 1.0
OUTPUT_UNITS = (32.0,) * 6 + (34.0,) * 3  # integers for 1.0 of logits, offsets, log-scales
SCALE_ORIGIN = -3.0  # log-scale of index 0 (section 6)
SCALE_OFFSET = 128  # index of output 0
RANDOM_PATTERN = len(DELTAS)  # the mask set used for random reveal patterns in training
MASK_SETS = len(DELTAS) + 1


def round_through(x: Tensor) -> Tensor:
    """Rounds; the gradient passes unchanged."""
    return x + (torch.round(x) - x).detach()


class DenseActivation(torch.autograd.Function):
    """`clip(round(scale * (integer @ x) + bias), 0, 255)` in bfloat16, with the gradient of the unrounded clip.

    Forward arguments: x bfloat16 [n_in, N] (integers), integer bfloat16 [n_out, n_in], scale and bias [n_out, 1] or
    [n_out, N] float32. Written out because autograd's own chain would keep and read six times the memory.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, integer: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        out = integer @ x
        out.mul_(scale.bfloat16()).add_(bias.bfloat16()).clamp_(0.0, 255.0).round_()
        ctx.save_for_backward(x, integer, scale, out)
        ctx.wide_bias = bias.shape[1] > 1
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, Tensor]:
        x, integer, scale, out = ctx.saved_tensors
        inner = torch.ops.aten.hardtanh_backward(gradient, out, 0.0, 255.0)
        grad_bias = inner.float() if ctx.wide_bias else inner.sum(1, keepdim=True, dtype=torch.float32)
        inner.mul_(scale.bfloat16())
        return integer.T @ inner, (inner @ x.T).to(integer.dtype), None, grad_bias


def masked_bias(bias: Tensor, indicator: Tensor, revealed: Tensor) -> Tensor:
    """The bias [n, 1] or [n, N] in activation units that goes with a mask, float [taps] or [taps, N]."""
    columns = revealed if revealed.dim() == 2 else revealed[:, None]
    return (bias[:, None] + indicator @ columns) * ACTIVATION_UNIT


class IntegerLinear(nn.Module):
    """A dense layer whose weights are integers times a scale for each row; inputs and outputs are [features, N]."""

    def __init__(self, n_in: int, n_out: int, *, gain: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) * gain * math.sqrt(2.0 / n_in))
        self.unit = nn.Buffer(torch.ones(n_in))  # float units of each input column (outputs are in activation units)

    def scales(self) -> Tensor:
        """The value of weight 1 of each row, [n_out], activation units per input unit."""
        real = self.weight.detach() * self.unit
        return (real.abs().amax(1) / WEIGHT_LIMIT).clamp_min(1e-6)

    def integers(self) -> tuple[Tensor, Tensor]:
        """(weights as integers -64..64, the value of 1 for each row [n_out, 1]); the gradient reaches the weights."""
        scale = self.scales()[:, None]
        return round_through(self.weight * self.unit / scale), scale

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x: bfloat16 [n_in, N] of integers, bias in activation units -> activations 0..255, bfloat16 [n_out, N]."""
        integer, scale = self.integers()
        out: Tensor = DenseActivation.apply(x, integer.bfloat16(), scale, bias)
        return out


class Denoiser(nn.Module):
    """One network of a model (one frame type and plane class)."""

    def __init__(self, shape: NetworkShape):
        super().__init__()
        self.shape = shape
        n_in, n_err = len(shape.inputs), len(shape.errors)
        self.causal_inputs = [i for i, t in enumerate(shape.inputs) if any(not t.revealed(d) for d in DELTAS)]
        self.causal_errors = [i for i, t in enumerate(shape.errors) if any(not t.revealed(d) for d in DELTAS)]
        self.layer1 = IntegerLinear(n_in, shape.h1)
        self.layer1.unit.fill_(ACTIVATION_UNIT / INPUT_UNIT)
        self.layer2 = IntegerLinear(shape.h1, shape.h2)
        self.layer3 = IntegerLinear(shape.h2 + n_err, shape.g)
        self.layer4 = IntegerLinear(shape.g, shape.g, gain=0.5)
        self.out = IntegerLinear(shape.g, OUTPUTS, gain=0.0)
        self.out.unit.fill_(1.0 / ACTIVATION_UNIT)
        self.indicator1 = nn.Parameter(torch.zeros(shape.h1, len(self.causal_inputs)))
        self.indicator3 = nn.Parameter(torch.zeros(shape.g, len(self.causal_errors)))
        self.bias1 = nn.Parameter(torch.zeros(MASK_SETS, shape.h1))
        self.bias2 = nn.Parameter(torch.zeros(shape.h2))
        self.bias3 = nn.Parameter(torch.zeros(MASK_SETS, shape.g))
        self.bias4 = nn.Parameter(torch.zeros(shape.g))
        self.out_bias = nn.Parameter(torch.tensor([0.0] * 6 + [-1.0, 0.3, 1.5]))
        self.linear = nn.Parameter(torch.zeros(MASK_SETS, n_in))  # samples per sample of difference
        self.linear_bias = nn.Parameter(torch.zeros(MASK_SETS))  # samples
        self.hidden_mean = nn.Parameter(torch.zeros(shape.h2))  # INPUT_UNIT samples per ACTIVATION_UNIT

    def pattern(self, taps: list[int], of: tuple[Tap, ...], delta: int) -> Tensor:
        """Which of the causal taps `delta` reveals, float [len(taps)]."""
        return torch.tensor([float(of[i].revealed(delta)) for i in taps])

    def stage1(self, x: Tensor, mask_set: int, revealed: Tensor) -> tuple[Tensor, Tensor]:
        """The mean and the hidden state.

        x: float32 [n_in, N], integers -127..127, 0 where not revealed. revealed: float [causal taps] or
        [causal taps, N].
        Returns (mean minus anchor in samples [N], h2 as bfloat16 integers [h2, N]).
        """
        bias1 = masked_bias(self.bias1[mask_set], self.indicator1, revealed)
        h1 = self.layer1(x.bfloat16(), bias1)
        h2 = self.layer2(h1, self.bias2[:, None] * ACTIVATION_UNIT)
        mean = self.linear[mask_set] @ x + self.linear_bias[mask_set]
        mean = mean + (self.hidden_mean * (INPUT_UNIT / ACTIVATION_UNIT)) @ h2.float()
        return mean, h2

    def stage2(self, h2: Tensor, errors: Tensor, mask_set: int, revealed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixture: (logits [3, N], offsets in scales [3, N], log-scales [3, N]).

        errors: bfloat16 [n_err, N], quarter samples, integers -127..127, 0 where not revealed.
        """
        bias3 = masked_bias(self.bias3[mask_set], self.indicator3, revealed)
        g1 = self.layer3(torch.cat([h2, errors]), bias3)
        g2 = self.layer4(g1, self.bias4[:, None] * ACTIVATION_UNIT)
        g2 = (g1 + g2).clamp_max(255.0)
        integer, scale = self.out.integers()
        out = (integer * scale) @ g2.float() + self.out_bias[:, None]
        return out[:3], out[3:6].clamp(-255 / 32, 255 / 32), out[6:].clamp(-3.0, 4.5)


def bits(
    sample: Tensor,
    mean: Tensor,
    logits: Tensor,
    offsets: Tensor,
    log_scales: Tensor,
    maximum: float,
    width: float = 1.0,
) -> Tensor:
    """Ideal code length of each sample [N] in bits under the mixture of section 6.

    Everything is in units of 2^q samples: `width` is what one sample is in them, `maximum` the largest sample.
    """
    half = width / 2
    location = mean + offsets * torch.exp(log_scales.detach())
    inverse = torch.exp(-log_scales)
    upper = torch.sigmoid((sample + half - location) * inverse)
    lower = torch.sigmoid((sample - half - location) * inverse)
    upper = torch.where(sample >= maximum, torch.ones_like(upper), upper)
    lower = torch.where(sample <= 0, torch.zeros_like(lower), lower)
    probability = (torch.softmax(logits, 0) * (upper - lower)).sum(0)
    return -torch.log2(probability * (1 - 2e-5) + 2e-5 / (maximum / width + 1))
