"""The trainable masked-diffusion transformer, quantisation-aware from the first step (docs/diffusion.md §3).

It computes what the integer network computes, with roundings made differentiable (straight-through): activations live
on the integers -127..127, weights are integers -127..127 times a scale for each row. Tokens stand in the order in which
they are revealed, so that "sees what was revealed" is plain causal attention and one pass gives the code length of
every token of a patch under every mask that the order passes through.

    taps, masks, place, reference --embed--> r --ffn--> r --attention 1--> r --ffn--> mean of the token
                              content of revealed tokens --^                            |
    errors of revealed neighbours --embed--> r --attention 2--> r --ffn--> mixture around the mean
             content and errors of revealed tokens --^
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from pynlvc.model.diffusion.shape import (
    CLASSES,
    CONTENT,
    EXPERTS,
    LAG,
    NEIGHBOURS,
    OUTPUTS,
    PATCH,
    REFERENCE_TAPS,
    TOKENS,
    DiffusionShape,
)

LIMIT = 127  # of weights and activations
UNIT = 32.0  # activation 32 is 1.0 for the float parameters
SCORE_BITS = 10  # a product of query and key of 2^10 is one octave of attention weight
SLOPES = 3
RANDOM_SET, BLIND_SET = SLOPES, SLOPES + 1  # linear weights for random orders, and for δ = 2 without reference
SETS = SLOPES + 2
DIFFERENCE_UNIT = 4.0  # a difference of 4 samples is 1.0


class Quantise(torch.autograd.Function):
    """`round(clip(x, low, high))` with the gradient of the clip."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bounds = low, high
        return x.clamp(low, high).round_()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, x, *ctx.bounds), None, None


def quantise(x: Tensor, low: float = -LIMIT) -> Tensor:
    """Activations as integers `low`..127; the gradient passes inside the range."""
    out: Tensor = Quantise.apply(x, low, float(LIMIT))
    return out


class IntegerDense(nn.Module):
    """A dense layer whose weights are integers times a scale for each row: [N, n_in] -> [N, n_out]."""

    def __init__(self, n_in: int, n_out: int, *, gain: float = 1.0, biases: int = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) * gain / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.zeros(biases, n_out))  # in units of 1.0
        self.unit = nn.Buffer(torch.ones(n_in))  # output units for 1 of each input column at weight 1.0

    def integers(self) -> tuple[Tensor, Tensor]:
        """(weights as integers -127..127, the value of 1 for each row [n_out, 1]); the gradient reaches the weights."""
        real = self.weight * self.unit
        scale = (real.detach().abs().amax(1, keepdim=True) / LIMIT).clamp_min(1e-6)
        integer = real / scale
        return integer + (integer.round() - integer).detach(), scale

    def forward(self, x: Tensor, kind: int = 0) -> Tensor:
        """x: bfloat16 [N, n_in] of integers; `kind`: which bias. Returns bfloat16 [N, n_out] in activation units."""
        integer, scale = self.integers()
        return torch.addcmul((self.bias[kind] * UNIT).bfloat16(), x @ integer.bfloat16().T, scale.bfloat16().T)


class FeedForward(nn.Module):
    """r + W2 relu(W1 r)."""

    def __init__(self, shape: DiffusionShape):
        super().__init__()
        self.inner = IntegerDense(shape.width, shape.hidden, gain=math.sqrt(2.0))
        self.outer = IntegerDense(shape.hidden, shape.width, gain=0.5)

    def forward(self, r: Tensor) -> Tensor:
        """[N, width] -> [N, width]"""
        return r + self.outer(quantise(self.inner(quantise(r)), 0.0))


class Attention(nn.Module):
    """r + Wo attention: each token attends to those revealed at least LAG ranks before it, nearer ones preferred.

    Keys and values see the residual stream of their token, which knows nothing of the token itself, and `content`,
    which says what it turned out to be. Both are final as soon as the token is known.
    """

    def __init__(self, shape: DiffusionShape):
        super().__init__()
        self.shape = shape
        heads, width = shape.heads, shape.width
        self.query = IntegerDense(width, heads * shape.key)
        self.key = IntegerDense(width + CONTENT, heads * shape.key)
        self.values = IntegerDense(width + CONTENT, width)
        self.out = IntegerDense(width, width, gain=0.05)
        nearest, farthest = 0.15, 0.01  # octaves per squared sample of distance
        steps = torch.arange(heads) / max(1, heads - 1)
        self.log_falloff = nn.Parameter(math.log(nearest) + steps * math.log(farthest / nearest))

    def forward(self, r: Tensor, content: Tensor, places: Tensor) -> Tensor:
        """r: bfloat16 [N, width] in order of rank, content: bfloat16 [N, CONTENT], places: float [1024, 2]."""
        heads, batch = self.shape.heads, len(r) // TOKENS
        a = quantise(r)
        known = torch.cat([a, content], 1)
        falloff = self.log_falloff.exp().view(1, heads, 1, 1)
        square = places.square().sum(1).view(1, 1, TOKENS, 1)
        one = torch.ones_like(square)
        unit = 2.0 ** (-SCORE_BITS / 2)

        def split(x: Tensor) -> Tensor:
            return x.view(batch, TOKENS, heads, -1).transpose(1, 2).float()

        def extended(x: Tensor, *place: Tensor) -> Tensor:
            columns = torch.cat([p.expand(batch, heads, TOKENS, p.shape[-1]) for p in place], 3)
            return torch.cat([split(quantise(x)) * unit, columns], 3)

        # The score's distance term -falloff * |p - p'|^2 as a product of four more dimensions.
        query = extended(self.query(a), 2 * falloff * places, -falloff * square, one)
        key = extended(self.key(known), places.view(1, 1, TOKENS, 2), one, -falloff * square)
        values = split(quantise(self.values(known)))
        spare = query.shape[-1] - values.shape[-1]
        if spare > 0:
            values = nn.functional.pad(values, (0, spare))
        elif spare < 0:
            query, key = (nn.functional.pad(x, (0, -spare)) for x in (query, key))
        # LAG sinks of score 0 and value 0 stand before the tokens; the last tokens are seen by none.
        late_key, late_values = (nn.functional.pad(x[:, :, :-LAG], (0, 0, LAG, 0)) for x in (key, values))
        mixed = nn.functional.scaled_dot_product_attention(
            query, late_key, late_values, is_causal=True, scale=math.log(2.0)
        )
        mixed = mixed[..., : self.shape.value].transpose(1, 2).reshape(batch * TOKENS, -1)
        return r + self.out(quantise(mixed.bfloat16()))


class DiffusionNetwork(nn.Module):
    """The network of one frame type."""

    def __init__(self, shape: DiffusionShape):
        super().__init__()
        self.shape = shape
        taps, width = len(NEIGHBOURS), shape.width
        self.embed = IntegerDense(shape.inputs, width, biases=CLASSES)
        difference = UNIT / DIFFERENCE_UNIT
        self.embed.unit[:taps] = difference
        self.embed.unit[2 * taps : 2 * taps + 3] = 0.25
        self.embed.unit[2 * taps + 3 :] = difference
        self.blind = nn.Parameter(torch.zeros(width))  # bias where the reference is hidden, in units of 1.0
        self.before = FeedForward(shape)
        self.attention1 = Attention(shape)
        self.between = FeedForward(shape)
        self.errors = IntegerDense(taps, width, gain=0.5)
        self.errors.unit.fill_(UNIT / (4 * DIFFERENCE_UNIT))
        self.attention2 = Attention(shape)
        self.after = FeedForward(shape)
        self.out = IntegerDense(width, OUTPUTS, gain=0.0)
        self.out.unit.fill_(1.0 / UNIT)
        self.out_bias = nn.Parameter(torch.tensor([0.0] * 6 + [-1.0, 0.3, 1.5]).repeat(CLASSES, 1))
        # samples per sample of difference: of neighbours, then of the reference
        self.linear = nn.Parameter(first_experts(shape))
        self.gate = IntegerDense(width, EXPERTS, gain=0.1, biases=CLASSES)
        self.gate.bias.data[:, 0] = 2.0
        self.hidden_mean = nn.Parameter(torch.zeros(width))  # samples for 1.0
        self.attend = True  # whether the attention blocks take part; training begins without

    def stage1(
        self, inputs: Tensor, content: Tensor, places: Tensor, kind: int, linear_set: int
    ) -> tuple[Tensor, Tensor]:
        """(mean minus anchor in samples [N], residual stream [N, width]). inputs: float32 [N, n_in] of integers."""
        taps = len(NEIGHBOURS)
        r = self.embed(inputs.bfloat16(), kind)
        if linear_set == BLIND_SET:
            r = r + (self.blind * UNIT).bfloat16()
        r = self.before(r)
        r = self.between(self.attention1(r, content, places) if self.attend else r)
        differences = torch.cat([inputs[:, :taps], inputs[:, 2 * taps + 3 :]], 1)
        a = quantise(r)
        shares = blend(self.gate(a, kind).float() / UNIT)
        mean = ((differences @ self.linear[linear_set].T) * shares).sum(1) + a.float() @ (self.hidden_mean / UNIT)
        return mean, r

    def stage2(self, r: Tensor, errors: Tensor, content: Tensor, places: Tensor, kind: int) -> tuple[Tensor, ...]:
        """The mixture: (logits, offsets in scales, log-scales), each [3, N]. errors: bfloat16 [N, taps]."""
        r = r + self.errors(errors)
        r = self.after(self.attention2(r, content, places) if self.attend else r)
        integer, scale = self.out.integers()
        out = (integer * scale) @ quantise(r).float().T + self.out_bias[kind][:, None]
        return out[:3], out[3:6].clamp(-255 / 32, 255 / 32), out[6:].clamp(-3.0, 4.5)


def blend(scores: Tensor) -> Tensor:
    """Shares of experts [N, EXPERTS] by their scores in octaves, as the integer network has them: 2^x made of lines."""
    steps = torch.round(scores * UNIT) / UNIT
    scores = scores + (steps - scores).detach()
    below = scores.amax(1, keepdim=True) - scores
    octave = torch.floor(below.detach())
    weight = torch.exp2(-octave) * (1 - (below - octave) / 2)
    return weight / weight.sum(1, keepdim=True)


def first_experts(shape: DiffusionShape) -> Tensor:
    """Where the experts begin, [SETS, EXPERTS, taps + references]: the anchor, W + N - C, (W + N) / 2, and little."""
    taps = len(NEIGHBOURS)
    first = torch.randn(SETS, EXPERTS, taps + shape.references) * 0.01
    for linear_set in range(1, SETS):  # δ = 0 does not reveal N
        for offset, planar in (((-1, 0), 1.0), ((0, -1), 1.0), ((-1, -1), -1.0)):
            columns = [NEIGHBOURS.index(offset)]
            if shape.references and linear_set != BLIND_SET:
                columns.append(taps + REFERENCE_TAPS.index(offset))
            first[linear_set, 1, columns] += planar
            first[linear_set, 2, columns] += max(0.0, planar) / 2
    return first


def token_places(tokens: Tensor) -> Tensor:
    """Float [1024, 2]: x and y of the tokens, in samples from the middle of the patch."""
    return torch.stack([tokens % PATCH, tokens // PATCH], 1).float() - (PATCH - 1) / 2


def content_of(difference: Tensor, sample: Tensor) -> Tensor:
    """What keys and values of attention 1 see of revealed tokens, integers -127..127 [N, CONTENT]."""
    d = difference.clamp(-LIMIT, LIMIT)
    level = torch.floor(sample / 2) - 64
    return torch.stack([d, (8 * d).clamp(-LIMIT, LIMIT), (8 * d).abs().clamp_max(LIMIT), level], 1)


def error_content(errors: Tensor) -> Tensor:
    """What keys and values of attention 2 see, integers -127..127 [N, CONTENT]. errors: quarter samples -127..127."""
    wide = (8 * errors).clamp(-LIMIT, LIMIT)
    return torch.stack([errors, wide, (2 * errors).abs().clamp_max(LIMIT), wide.abs()], 1)
