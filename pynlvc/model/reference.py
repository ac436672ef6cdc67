"""The integer network in PyTorch, whole planes at once: the second definition that the native code is compared with.

Everything is exact on any device: products are summed in float64, whose 53 bits hold every sum of section 5
(docs/bitstream.md), or in integers. Nothing here is shared with the native code but the model file.
"""

from dataclasses import dataclass

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pynlvc.model.modelfile import IntegerLayer, IntegerNetwork
from pynlvc.model.taps import CAUSAL_PLANES, PLAIN_PLANES, ContextPlane, Tap

REACH = 3


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the network says of every sample of a plane, int64."""

    taps: Tensor  # [n_in, h, w], -127..127
    mean: Tensor  # [h, w], 1/32 sample
    errors: Tensor  # [h, w], quarter samples, -127..127
    outputs: Tensor  # [9, h, w]


def anchors(
    planes: dict[ContextPlane, Tensor], *, temporal: bool, delta: int, depth: int
) -> dict[ContextPlane, Tensor]:
    """The anchor of each plane that has one (section 4), int64 [h, w]."""
    guides = (ContextPlane.GUIDE1_CUR, ContextPlane.GUIDE2_CUR)
    found: dict[ContextPlane, Tensor] = {}
    if temporal:
        for plane in (ContextPlane.CUR, ContextPlane.REF1_SUB, ContextPlane.REF1, *list(ContextPlane)[3:6]):
            found[plane] = planes[ContextPlane.REF1_SUB]
        for guide in guides:
            if guide in planes:
                reference = ContextPlane(guide + 1)
                found[guide] = found[reference] = planes[reference]
        return found
    cur = planes[ContextPlane.CUR]
    y, x = torch.meshgrid(torch.arange(cur.shape[0]), torch.arange(cur.shape[1]), indexing="ij")
    west_revealed = (x > 0).to(cur.device)
    north_revealed = ((y > 0) & (delta > 0)).to(cur.device)

    def shifted(plane: Tensor, dx: int, dy: int) -> Tensor:
        return functional.pad(plane, (1, 0, 1, 0))[1 + dy : 1 + dy + cur.shape[0], 1 + dx : 1 + dx + cur.shape[1]]

    west, north, corner = shifted(cur, -1, 0), shifted(cur, 0, -1), shifted(cur, -1, -1)
    low, high = torch.minimum(west, north), torch.maximum(west, north)
    larger, smaller = corner <= low, (corner > low) & (corner >= high)
    both = west_revealed & north_revealed
    use_west = torch.where(both, (larger & (west >= north)) | (smaller & (west <= north)), west_revealed)
    use_north = torch.where(both, (larger & (north > west)) | (smaller & (north < west)), north_revealed)
    for plane in (ContextPlane.CUR, *guides):
        if plane not in planes:
            continue
        west, north, corner = (shifted(planes[plane], dx, dy) for dx, dy in ((-1, 0), (0, -1), (-1, -1)))
        planar = torch.where(both, west + north - corner, torch.full_like(west, 1 << (depth - 1)))
        found[plane] = torch.where(use_west, west, torch.where(use_north, north, planar))
    return found


def _tap(
    tap: Tap, planes: dict[ContextPlane, Tensor], anchor: dict[ContextPlane, Tensor], delta: int, depth: int, q: int
) -> Tensor:
    if tap.plane is ContextPlane.LEVEL:
        level = ((anchor[ContextPlane.CUR] >> (depth - 8)) - 128).clamp(min=-127)
        return level.abs() if tap.absolute else level
    plane = planes[tap.plane]
    h, w = plane.shape
    area = (slice(REACH + tap.dy, REACH + tap.dy + h), slice(REACH + tap.dx, REACH + tap.dx + w))
    padded = functional.pad(plane[None, None].double(), (REACH,) * 4, mode="replicate")[0, 0].long()
    value = padded[area]
    if tap.plane not in PLAIN_PLANES:
        value = ((value - anchor[tap.plane]) >> q).clamp(-127, 127)
    if tap.plane in CAUSAL_PLANES:
        inside = functional.pad(torch.ones_like(plane), (REACH,) * 4)[area]
        value = value * inside if tap.revealed(delta) else torch.zeros_like(value)
    return value.abs() if tap.absolute else value


def _dense(layer: IntegerLayer, x: Tensor, mask_set: int | None = None) -> Tensor:
    """`(multiplier * (bias + weight @ x) + half) >> shift`, int64 [n_out, ...]."""
    bias = layer.bias if mask_set is None else layer.bias[mask_set]

    def column(values: NDArray) -> Tensor:
        return torch.from_numpy(values.astype("int64")).to(x.device)[:, None]

    weight = torch.from_numpy(layer.weight.astype("float64")).to(x.device)
    total = (weight @ x.flatten(1).double()).long() + column(bias)
    shift = column(layer.shift)
    out = (total * column(layer.multiplier) + (torch.ones_like(shift) << shift >> 1)) >> shift
    return out.view(-1, *x.shape[1:])


def evaluate(
    network: IntegerNetwork, planes: dict[ContextPlane, Tensor], *, delta: int, depth: int = 8, q: int = 0
) -> Evaluation:
    """Evaluates a network on a plane whose samples are known.

    planes: int64 [h, w] on the plane's own grid, displaced, CUR among them; borders are the planes' own (one slice).
    """
    cur = planes[ContextPlane.CUR]
    anchor = anchors(planes, temporal=network.frame_type == 1, delta=delta, depth=depth)
    taps = torch.stack([_tap(t, planes, anchor, delta, depth, q) for t in network.inputs])
    h1 = _dense(network.layer1, taps, delta).clamp(0, 255)
    h2 = _dense(network.layer2, h1).clamp(0, 255)

    def weights(values: NDArray) -> Tensor:
        return torch.from_numpy(values.astype("float64")).to(cur.device)

    linear = torch.tensordot(weights(network.linear[delta]), taps.double(), 1)
    linear = linear + torch.tensordot(weights(network.hidden_mean), h2.double(), 1)
    total = linear.long() + int(network.linear_bias[delta])
    maximum = (1 << depth) - 1
    mean = ((anchor[ContextPlane.CUR] << 5) + (((total + 256) >> 9) << q)).clamp(0, maximum << 5)
    errors = (((cur << 5) - mean + (4 << q)) >> (3 + q)).clamp(-127, 127)
    known = planes | {ContextPlane.ERR: errors}
    if network.errors:
        x2 = torch.cat([h2, torch.stack([_tap(t, known, anchor, delta, depth, q) for t in network.errors])])
    else:
        x2 = h2
    g1 = _dense(network.layer3, x2, delta).clamp(0, 255)
    g2 = (g1 + _dense(network.layer4, g1).clamp(0, 255)).clamp(max=255)
    return Evaluation(taps=taps, mean=mean, errors=errors, outputs=_dense(network.out, g2))
