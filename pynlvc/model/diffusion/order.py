"""Orders in which the tokens of a patch are revealed, and what each token sees (docs/diffusion.md §2)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pynlvc.model.diffusion.shape import NEIGHBOURS, PATCH, TOKENS


@dataclass(frozen=True)
class RevealOrder:
    """A sequence of groups. Tokens are numbered in raster order of the patch, y * 32 + x."""

    tokens: NDArray[np.int64]  # [1024] the token of each rank
    groups: NDArray[np.int64]  # [1024] the group of each rank, ascending

    @property
    def ranks(self) -> NDArray[np.int64]:
        """[1024] the rank of each token."""
        ranks = np.empty_like(self.tokens)
        ranks[self.tokens] = np.arange(TOKENS)
        return ranks

    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """What each rank sees around it: (token, 0 where there is none; whether it is revealed), each [1024, 48]."""
        return self._around(NEIGHBOURS)

    def beside(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The same for the left, upper and upper left neighbour, [1024, 3]."""
        return self._around(((-1, 0), (0, -1), (-1, -1)))

    def _around(self, offsets: tuple[tuple[int, int], ...]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        dx, dy = np.array(offsets).T
        x = self.tokens[:, None] % PATCH + dx
        y = self.tokens[:, None] // PATCH + dy
        inside = (x >= 0) & (x < PATCH) & (y >= 0) & (y < PATCH)
        token = np.where(inside, y * PATCH + x, 0)
        group = np.empty_like(self.groups)
        group[self.tokens] = self.groups
        return token, inside & (group[token] < self.groups[:, None])


@lru_cache(maxsize=3)
def slope_order(delta: int) -> RevealOrder:
    """Groups x + δ*y in ascending order, the tokens of a group in ascending y."""
    y, x = np.divmod(np.arange(TOKENS), PATCH)
    group = x + delta * y
    tokens = np.lexsort((y, group))
    return RevealOrder(tokens, group[tokens])


def random_order(rng: np.random.Generator, group_size: int = 16) -> RevealOrder:
    """Groups of tokens drawn at random: each prefix of the order is a random mask (masked diffusion)."""
    return RevealOrder(rng.permutation(TOKENS), np.arange(TOKENS) // group_size)
