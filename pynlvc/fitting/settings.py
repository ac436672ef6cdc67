"""How much is done to fit a model."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_FITTING_EFFORT = 4  # efforts from here on fit a model to the whole video


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a model is fitted. The result depends on nothing else but the frames."""

    visits: int = 25_000_000  # samples that are learned from, counted each time, > 0
    epochs: int = 100  # most visits of one sample, on average: what bounds the time for short videos, > 0
    examples: int = 2_000_000  # samples that are kept to learn from, of all networks; about 140 bytes each
    looked_at: int = 24_000_000  # samples of the frames that they are taken from; at least one run of frames
    tried: int = 6_000_000  # samples of the frames that the outcome is tried on, once more, each in one or two bytes
    run: int = 7  # frames in a row, of which the first is a keyframe, 2..
    batch: int = 8192  # samples in one step of learning, 1..
    rate: float = 0.5  # learning rate at first, steps of weights; falls to a hundredth
    seed: int = 1  # of the order in which examples are learned from

    @staticmethod
    def of_effort(effort: int) -> FitSettings:
        """Effort 4 learns from 6 million samples, each further one from twice as many; from 7 on more are kept."""
        above = effort - FIRST_FITTING_EFFORT
        return FitSettings(
            visits=6_250_000 << above, epochs=min(150, 12 << above), examples=2_000_000 if above < 3 else 4_000_000
        )
