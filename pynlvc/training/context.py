"""Context planes -> tap tensors for whole batches of cuts (docs/bitstream.md section 4), in PyTorch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pynlvc.model.taps import PLAIN_PLANES, ContextPlane, Tap

REACH = 3


def shifted(plane: Tensor, dx: int, dy: int, out: Tensor) -> None:
    """out [B, h, w] = plane displaced by a tap; plane is [B, h + 6, w + 6], padded by 3."""
    height, width = out.shape[1:]
    out.copy_(plane[:, REACH + dy : REACH + dy + height, REACH + dx : REACH + dx + width])


def pad(plane: Tensor, replicate: bool) -> Tensor:
    """[B, h, w] -> [B, h + 6, w + 6], by the nearest value or by zeros."""
    if replicate:
        return F.pad(plane[:, None], (REACH,) * 4, mode="replicate")[:, 0]
    return F.pad(plane, (REACH,) * 4)


def reduce_by_two(plane: Tensor) -> Tensor:
    """A guide plane brought to a grid of half the width and height: rounded averages, integers as float."""
    b, h, w = plane.shape
    return torch.floor((plane.reshape(b, h // 2, 2, w // 2, 2).sum((2, 4)) + 2) / 4)


def median_edge(plane: Tensor, delta: int) -> Tensor:
    """The I-frame anchor A for every sample of [B, h, w] (section 4), with what `delta` reveals at the borders."""
    padded = F.pad(plane, (1, 0, 1, 0))
    west, north, corner = padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1]
    low, high = torch.minimum(west, north), torch.maximum(west, north)
    anchor = torch.where(corner >= high, low, torch.where(corner <= low, high, west + north - corner))
    if delta == 0:
        anchor = west.clone()
        anchor[:, :, 0] = 128.0
        return anchor
    anchor[:, 0, :] = west[:, 0, :]
    anchor[:, :, 0] = north[:, :, 0]
    anchor[:, 0, 0] = 128.0
    return anchor


class Context:
    """The context planes of one plane of a batch of frames, all float32 [B, h, w] on that plane's grid."""

    def __init__(self, anchor: Tensor, planes: dict[ContextPlane, Tensor], guide_anchors: dict[int, Tensor]):
        self.anchor = anchor
        self._anchors = {
            plane: guide_anchors[(plane - ContextPlane.GUIDE1_CUR) // 3] if plane >= ContextPlane.GUIDE1_CUR else anchor
            for plane in planes
        }
        self._padded = {p: pad(v, replicate=p is not ContextPlane.CUR) for p, v in planes.items()}
        inside = pad(torch.ones_like(anchor), replicate=False)
        self._inside = inside

    def taps(self, taps: tuple[Tap, ...], revealed: Tensor | None, index: dict[int, int]) -> Tensor:
        """float32 [taps, B, h, w]: clipped differences, 0 where outside or not revealed.

        revealed: [causal taps] or [causal taps, B * h * w], rows found through `index` (tap number -> row).
        """
        shape = self.anchor.shape
        out = torch.empty(len(taps), *shape)
        for i, tap in enumerate(taps):
            if tap.plane is ContextPlane.LEVEL:
                out[i] = self.anchor - 128
                continue
            shifted(self._padded[tap.plane], tap.dx, tap.dy, out[i])
            if tap.plane not in PLAIN_PLANES:
                out[i] -= self._anchors[tap.plane]
            if tap.absolute:
                out[i].abs_()
            if i in index and revealed is not None:
                row = revealed[index[i]]
                if row.dim() == 0 and row == 0:
                    out[i].zero_()
                    continue
                if tap.plane is ContextPlane.CUR:
                    h, w = shape[1:]
                    out[i] *= self._inside[:, REACH + tap.dy : REACH + tap.dy + h, REACH + tap.dx : REACH + tap.dx + w]
                if row.dim() > 0:
                    out[i] *= row.view(shape)
        return out.clamp_(-127, 127)

    def add_errors(self, errors: Tensor) -> None:
        """The current plane's prediction errors, known once stage 1 has run."""
        self._padded[ContextPlane.ERR] = pad(errors, replicate=False)
