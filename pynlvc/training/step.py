"""One training step: a batch of streams coded one frame further, with the code length as the loss."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pynlvc.model.denoiser import RANDOM_PATTERN, Denoiser, bits
from pynlvc.model.taps import DELTAS, ContextPlane
from pynlvc.training.context import Context, median_edge, reduce_by_two
from pynlvc.training.streams import Stream

MAXIMUM = 255


@dataclass(frozen=True, kw_only=True)
class Reveal:
    """What is revealed in a step: a slope, or random patterns on top of the window of δ = 2."""

    delta: int  # 0..2: the anchor and the group prefix
    random: bool  # masked diffusion: keep each position of the window with a random probability
    schedule: str = "cosine"  # how that probability is drawn: "cosine" or "uniform"

    @property
    def mask_set(self) -> int:
        """Which of the bias sets is trained."""
        return RANDOM_PATTERN if self.random else DELTAS.index(self.delta)


def draw_reveal(rng: np.random.Generator, weights: tuple[float, float, float, float], schedule: str) -> Reveal:
    """A random choice: `weights` are the probabilities of δ = 0, 1, 2 and of random patterns."""
    choice = int(rng.choice(4, p=weights))
    return Reveal(delta=2 if choice == 3 else choice, random=choice == 3, schedule=schedule)


def _reveal_fraction(rng: np.random.Generator, schedule: str) -> float:
    u = rng.random()
    return float(np.cos(u * np.pi / 2)) if schedule == "cosine" else u


def _patterns(net: Denoiser, reveal: Reveal, samples: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Revealed masks of the causal taps of both stages: [taps], or [taps, samples] for random patterns."""
    first = net.pattern(net.causal_inputs, net.shape.inputs, reveal.delta)
    second = net.pattern(net.causal_errors, net.shape.errors, reveal.delta)
    if not reveal.random:
        return first, second
    keep = _reveal_fraction(rng, reveal.schedule)
    return (
        first[:, None] * (torch.rand(len(first), samples) < keep),
        second[:, None] * (torch.rand(len(second), samples) < keep),
    )


def _float(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


@dataclass
class Coded:
    """The outcome for one plane of a batch."""

    bits_per_sample: Tensor  # scalar, differentiable
    absolute_error: Tensor  # scalar, differentiable: |sample - mean| in samples
    errors: Tensor  # float32 [B, h, w], quarter samples, integers


def code_plane(
    net: Denoiser,
    sample: Tensor,
    planes: dict[ContextPlane, Tensor],
    anchors: list[Tensor],
    reveal: Reveal,
    rng: np.random.Generator,
) -> Coded:
    """Runs both stages over all samples of one plane [B, h, w] at once. anchors: A, then G of each guide."""
    anchor = anchors[0]
    context = Context(planes | {ContextPlane.CUR: sample}, anchors)
    first, second = _patterns(net, reveal, sample.numel(), rng)
    index1 = {tap: row for row, tap in enumerate(net.causal_inputs)}
    index2 = {tap: row for row, tap in enumerate(net.causal_errors)}
    x = context.taps(net.shape.inputs, first, index1).flatten(1)
    delta_mean, h2 = net.stage1(x, reveal.mask_set, first)
    mean = (anchor.flatten() + delta_mean).clamp(0, MAXIMUM)
    target = sample.flatten()
    with torch.no_grad():
        errors = torch.floor((target - mean) * 4 + 0.5).clamp(-127, 127).view(sample.shape)
    context.add_errors(errors)
    e = context.taps(net.shape.errors, second, index2).flatten(1).bfloat16()
    mixture = net.stage2(h2, e, reveal.mask_set, second)
    return Coded(
        bits_per_sample=bits(target, mean, *mixture, maximum=MAXIMUM).mean(),
        absolute_error=(target - mean).abs().mean(),
        errors=errors,
    )


def code_frame(nets: nn.ModuleDict, streams: list[Stream], reveal: Reveal, rng: np.random.Generator) -> list[Coded]:
    """Codes the present frame of every stream (all I or all P, all of one kind) and advances them. By plane."""
    frame_type = 0 if streams[0].position == 0 else 1
    references = [s.references() for s in streams] if frame_type else []
    rgb = streams[0].is_rgb
    samples = [_float([s.current(p) for s in streams]) for p in range(3)]
    displaced = [
        {k: _float([r[p][k] for r in references]) for k in references[0][p]} if references else {} for p in range(3)
    ]

    def onto_grid(luma: Tensor) -> Tensor:
        return luma if rgb else reduce_by_two(luma)

    coded: list[Coded] = []
    for p in range(3):
        planes: dict[ContextPlane, Tensor] = {ContextPlane[k.upper()]: v for k, v in displaced[p].items()}
        guides = [onto_grid(samples[0]), samples[1]][:p]
        for g, cur in enumerate(guides):
            first = ContextPlane.GUIDE1_CUR + 3 * g
            planes[ContextPlane(first)] = cur
            planes[ContextPlane(first + 2)] = onto_grid(coded[0].errors) if g == 0 else coded[g].errors
            if frame_type:
                reference = displaced[g]["ref1_sub"]
                planes[ContextPlane(first + 1)] = onto_grid(reference) if g == 0 else reference
        if frame_type:
            anchors = [planes[ContextPlane.REF1_SUB], *(planes[ContextPlane(9 + 3 * g)] for g in range(p))]
        else:
            anchors = median_edge(samples[p], reveal.delta, guides)
        net = nets[f"{frame_type}{p + 2 if rgb and p > 0 else p}"]
        assert isinstance(net, Denoiser)
        coded.append(code_plane(net, samples[p], planes, anchors, reveal, rng))
    maps = [c.errors.to(torch.int8).numpy() for c in coded]
    for i, stream in enumerate(streams):
        stream.advance([m[i] for m in maps])
    return coded
