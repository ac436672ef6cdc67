"""Cuts played frame by frame as the codec would: references, motion and the errors made so far travel along."""

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core

DEPTH = 8
REFERENCES = 4


class Stream:
    """One cut in the course of being coded: [Y, U, V] of 4:2:0 or [G, B, R].

    `planes` uint16 [frames, h, w]; `errors` are the int8 planes of the frame before `position`.
    """

    def __init__(self, planes: list[NDArray[np.uint16]]):
        self.planes = planes
        self.shift = 0 if planes[0].shape == planes[1].shape else 1  # log2 of the subsampling of planes 1 and 2
        self.position = 0
        self.errors: list[NDArray[np.int8]] = []
        self._past: list[NDArray[np.int16] | None] = []  # motion fields sent with frames 0 .. position - 1

    @property
    def is_rgb(self) -> bool:
        """Whether the planes have the same size, which only RGB has here."""
        return self.shift == 0

    @property
    def finished(self) -> bool:
        """Whether every frame has been coded."""
        return self.position >= len(self.planes[0])

    def current(self, plane: int) -> NDArray[np.uint16]:
        """The plane being coded."""
        return self.planes[plane][self.position]

    def references(self) -> list[dict[str, NDArray]]:
        """Displaced planes of the present P-frame: ref1_sub, ref1, ref2 .. ref4, err_prev."""
        t = self.position
        luma = self.planes[0]
        height, width = luma.shape[1:]
        field = _core.search_motion(luma[t], luma[t - 1], self._past[t - 1], DEPTH)
        integer = _core.to_integer(field)
        out: list[dict[str, NDArray]] = []
        for p in range(3):
            s = 0 if p == 0 else self.shift
            previous = self.planes[p][t - 1]
            out.append(
                {
                    "ref1_sub": _core.compensate_subsample(previous, field, 8, width, height, s, s, DEPTH),
                    "ref1": _core.compensate_integer(previous, integer, 8, width, height, s, s),
                    "err_prev": _core.compensate_errors(self.errors[p], integer, 8, width, height, s, s),
                }
            )
        newer, block = field, 8
        for k in range(2, REFERENCES + 1):
            if t - k < 0:
                for planes in out:
                    planes[f"ref{k}"] = planes[f"ref{k - 1}"] if k > 2 else planes["ref1_sub"]
                continue
            newer = _core.locate_older(
                out[0]["ref1_sub"], luma[t - k], DEPTH, field, newer, block, self._past[t - k + 1]
            )
            block = 16
            for p in range(3):
                s = 0 if p == 0 else self.shift
                out[p][f"ref{k}"] = _core.compensate_subsample(
                    self.planes[p][t - k], newer, 16, width, height, s, s, DEPTH
                )
        self._field = field
        return out

    def advance(self, errors: list[NDArray[np.int8]]) -> None:
        """The present frame is coded with these prediction errors."""
        self._past.append(self._field if self.position > 0 else None)
        self.errors = errors
        self.position += 1
