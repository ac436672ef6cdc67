"""Context planes -> tap tensors for whole batches of cuts (docs/bitstream.md section 4), in PyTorch."""

import torch
from torch import Tensor
from torch.nn import functional

from pynlvc.model.taps import PLAIN_PLANES, ContextPlane, Tap

REACH = 3


def shifted(plane: Tensor, dx: int, dy: int, out: Tensor) -> None:
    """out [B, h, w] = plane displaced by a tap; plane is [B, h + 6, w + 6], padded by 3."""
    height, width = out.shape[1:]
    out.copy_(plane[:, REACH + dy : REACH + dy + height, REACH + dx : REACH + dx + width])


def pad(plane: Tensor, replicate: bool) -> Tensor:
    """[B, h, w] -> [B, h + 6, w + 6], by the nearest value or by zeros."""
    if replicate:
        return functional.pad(plane[:, None], (REACH,) * 4, mode="replicate")[:, 0]
    return functional.pad(plane, (REACH,) * 4)


def reduce_by_two(plane: Tensor) -> Tensor:
    """A guide plane brought to a grid of half the width and height: rounded averages, integers as float."""
    b, h, w = plane.shape
    return torch.floor((plane.reshape(b, h // 2, 2, w // 2, 2).sum((2, 4)) + 2) / 4)


def median_edge(plane: Tensor, delta: int, guides: list[Tensor]) -> list[Tensor]:
    """The I-frame anchors A of [B, h, w] and G of its guides (section 4): one choice serves them all."""

    def neighbours(p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        padded = functional.pad(p, (1, 0, 1, 0))
        return padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1]

    west, north, corner = neighbours(plane)
    low, high = torch.minimum(west, north), torch.maximum(west, north)
    takes_west = ((corner <= low) & (west >= north)) | ((corner > low) & (corner >= high) & (west <= north))
    takes_north = ((corner <= low) & (north > west)) | ((corner > low) & (corner >= high) & (north < west))
    anchors = []
    for p in [plane, *guides]:
        west, north, corner = neighbours(p)
        anchor = torch.where(takes_west, west, torch.where(takes_north, north, west + north - corner))
        if delta == 0:
            anchor = west.clone()
        else:
            anchor[:, 0, :] = west[:, 0, :]
            anchor[:, :, 0] = north[:, :, 0]
        anchor[:, 0 if delta else slice(None), 0] = 128.0
        anchors.append(anchor)
    return anchors


class Context:
    """The context planes of one plane of a batch of frames, all float32 [B, h, w] on that plane's grid."""

    def __init__(self, planes: dict[ContextPlane, Tensor], anchors: list[Tensor]):
        """anchors: A of the plane, then G of each guide."""
        self.anchor = anchors[0]
        self._anchors = {
            plane: anchors[1 + (plane - ContextPlane.GUIDE1_CUR) // 3 if plane >= ContextPlane.GUIDE1_CUR else 0]
            for plane in planes
        }
        self._padded = {p: pad(v, replicate=p is not ContextPlane.CUR) for p, v in planes.items()}
        self._inside = pad(torch.ones_like(self.anchor), replicate=False)

    def taps(self, taps: tuple[Tap, ...], revealed: Tensor, index: dict[int, int]) -> Tensor:
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
            if i in index:
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
