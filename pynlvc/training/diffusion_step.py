"""Code length of a batch of patches under the masked-diffusion transformer, all tokens in one pass."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pynlvc.model.denoiser import bits
from pynlvc.model.diffusion.order import RevealOrder, random_order, slope_order
from pynlvc.model.diffusion.shape import LAG, NEIGHBOURS, PATCH, PLACE, REFERENCE_REACH, REFERENCE_TAPS, TOKENS
from pynlvc.model.diffusion.transformer import (
    BLIND_SET,
    LIMIT,
    RANDOM_SET,
    DiffusionNetwork,
    content_of,
    error_content,
    token_places,
)

MAXIMUM = 255
MASK_INPUT = 32.0  # input that says "this neighbour is revealed"


@dataclass(frozen=True)
class Patches:
    """Patches of one kind of plane, all with a reference or all without."""

    kind: int  # a class of pynlvc.model.diffusion.shape
    samples: NDArray[np.float32]  # [B, 32, 32]
    reference: NDArray[np.float32] | None  # [B, 36, 36]: the previous frame there and 2 samples around, None: I-frame


@dataclass(frozen=True)
class Reveal:
    """In which order a batch is revealed."""

    order: RevealOrder
    linear_set: int  # which linear weights learn
    weight: Tensor  # float [1024]: of each rank's code length, mean 1


def schedule_weight(schedule: str) -> Tensor:
    """Weight of each rank: one pass over an order meets every share of masked tokens once, which is the uniform
    schedule; the cosine schedule draws the share as cos(u * pi / 2) with u uniform, so weighs it with its density."""
    if schedule == "uniform":
        return torch.ones(TOKENS)
    masked = 1 - (torch.arange(TOKENS) + 0.5) / TOKENS
    density = (1 - masked.square()).rsqrt()
    return density / density.mean()


def draw_reveal(rng: np.random.Generator, weights: tuple[float, ...], schedule: str) -> Reveal:
    """`weights`: probabilities of δ = 0, 1, 2, of a random order, and of δ = 2 without reference."""
    choice = int(rng.choice(len(weights), p=weights))
    if choice == RANDOM_SET:
        return Reveal(random_order(rng), choice, schedule_weight(schedule))
    return slope_reveal(2 if choice == BLIND_SET else choice, blind=choice == BLIND_SET)


def slope_reveal(delta: int, *, blind: bool = False) -> Reveal:
    """The order of a slope; `blind` hides the reference's neighbourhood."""
    return Reveal(slope_order(delta), BLIND_SET if blind else delta, torch.ones(TOKENS))


def median_edge(samples: Tensor, order: RevealOrder) -> Tensor:
    """The anchor of I-frames: float [B, 1024] in order of rank from samples [B, 1024] in raster order."""
    index, revealed = (torch.from_numpy(a).to(samples.device) for a in order.beside())
    west, north, corner = samples[:, index].unbind(2)
    has_west, has_north, has_corner = revealed.unbind(1)
    low, high = torch.minimum(west, north), torch.maximum(west, north)
    edge = torch.where(corner <= low, high, torch.where(corner >= high, low, west + north - corner))
    both = torch.where(has_corner, edge, torch.floor((west + north + 1) / 2))
    single = torch.where(has_west, west, torch.where(has_north, north, torch.full_like(west, (MAXIMUM + 1) / 2)))
    return torch.where(has_west & has_north, both, single)


def reference_differences(reference: Tensor, tokens: Tensor) -> Tensor:
    """Float [B, 1024, 24]: the reference around each token less the reference at the token, in order of rank."""
    wide = PATCH + 2 * REFERENCE_REACH
    centre = (tokens // PATCH + REFERENCE_REACH) * wide + tokens % PATCH + REFERENCE_REACH
    around = torch.tensor([dy * wide + dx for dx, dy in REFERENCE_TAPS], device=tokens.device)
    flat = reference.flatten(1)
    return flat[:, centre[:, None] + around] - flat[:, centre][:, :, None]


@dataclass
class Coded:
    """The outcome for a batch: what the code lengths of its tokens [N] follow from."""

    target: Tensor  # float [N], samples
    mean: Tensor  # float [N], samples, differentiable
    mixture: tuple[Tensor, ...]  # logits, offsets and log-scales, each float [3, N], differentiable
    reveal: Reveal

    def lengths(self, log_scale_offset: float = 0.0) -> Tensor:
        """Bits of each token [N], the scales of all its logistics multiplied by exp(log_scale_offset)."""
        logits, offsets, log_scales = self.mixture
        return bits(self.target, self.mean, logits, offsets, log_scales + log_scale_offset, maximum=MAXIMUM)

    @property
    def loss(self) -> Tensor:
        """Bits per sample, weighted by the mask schedule."""
        return (self.lengths().view(-1, TOKENS) * self.reveal.weight.to(self.target.device)).mean()

    @property
    def absolute_error(self) -> Tensor:
        """|sample - mean| in samples."""
        return (self.target - self.mean).abs().mean()


def code_patches(net: DiffusionNetwork, patches: Patches, reveal: Reveal) -> Coded:
    """Codes a batch of patches in one pass."""
    order, device = reveal.order, net.linear.device
    tokens = torch.from_numpy(order.tokens).to(device)
    index, revealed = (torch.from_numpy(a).to(device) for a in order.neighbours())
    raster = torch.from_numpy(patches.samples).to(device).flatten(1)
    samples = raster[:, tokens]
    batch = len(samples)
    shown = revealed.float()
    reference_taps: list[Tensor] = []
    if patches.reference is None:
        anchor = median_edge(raster, order)
        differences = raster[:, index] - anchor[:, :, None]
    else:
        reference = torch.from_numpy(patches.reference).to(device)
        inner = slice(REFERENCE_REACH, REFERENCE_REACH + PATCH)
        here = reference[:, inner, inner].flatten(1)
        anchor = here[:, tokens]
        differences = (raster - here)[:, index]
        around = reference_differences(reference, tokens).clamp(-LIMIT, LIMIT)
        reference_taps = [torch.zeros_like(around) if reveal.linear_set == BLIND_SET else around]
    places = token_places(tokens)
    place = torch.empty(batch, TOKENS, PLACE, device=device)
    place[:, :, 0] = (anchor - 128).clamp_min(-LIMIT)
    place[:, :, 1:] = places * 8
    mask = (shown * MASK_INPUT).expand(batch, TOKENS, len(NEIGHBOURS))
    inputs = torch.cat([differences.clamp(-LIMIT, LIMIT) * shown, mask, place, *reference_taps], 2).flatten(0, 1)
    content = content_of((samples - anchor).flatten(), samples.flatten()).bfloat16()
    change, r = net.stage1(inputs, content, places, patches.kind, reveal.linear_set)
    target = samples.flatten()
    mean = (anchor.flatten() + change).clamp(0, MAXIMUM)
    with torch.no_grad():
        errors = torch.floor((target - mean) * 4 + 0.5).clamp(-LIMIT, LIMIT)
        by_token = torch.empty(batch, TOKENS, device=device)
        by_token[:, tokens] = errors.view(batch, TOKENS)
        around = (by_token[:, index] * shown).flatten(0, 1).bfloat16()
    mixture = net.stage2(r, around, error_content(errors).bfloat16(), places, patches.kind)
    return Coded(target, mean, mixture, reveal)


assert LAG == PATCH, "a group of a slope has at most 32 tokens: none is seen by attention too early"
