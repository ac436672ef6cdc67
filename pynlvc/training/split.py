"""Which clips are learned from and which validate."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

Clip = TypeVar("Clip")


def split_clips(
    clips: dict[str, Clip], share: float, seed: int, origin: Callable[[str], str] = str
) -> tuple[dict[str, Clip], dict[str, Clip]]:
    """Training and validation clips, chosen by name and seed; at least one of each.

    `origin` names what clips are made from: those with the same one stay together.
    """
    names = sorted({origin(name) for name in clips})
    order = np.random.default_rng(seed).permutation(len(names))
    kept = {names[i] for i in order[: max(1, round(share * len(names)))]}
    return (
        {n: c for n, c in clips.items() if origin(n) not in kept},
        {n: clips[n] for n in sorted(clips) if origin(n) in kept},
    )
