"""Sizes of the masked-diffusion transformer (docs/diffusion.md §1 to §3)."""

from dataclasses import dataclass

PATCH = 32  # edge of a patch, samples
TOKENS = PATCH * PATCH
REACH = 3  # a token sees revealed neighbours up to this distance in its input
REFERENCE_REACH = 2  # and the reference up to this distance
LAG = 32  # attention sees tokens whose rank is at least this much lower
CLASSES = 3  # kinds of planes
LUMA, CHROMA, COLOUR = range(CLASSES)  # plane 0, grey and alpha; planes 1 and 2 of YUV; planes of RGB
OUTPUTS = 9  # three logits, three offsets, three scales (docs/bitstream.md §6)
CONTENT = 4  # features of a revealed token that its keys and values see
EXPERTS = 6  # linear predictors that a gate blends for each token
PLACE = 3  # inputs that say how bright and where in its patch a token is


def window(reach: int) -> tuple[tuple[int, int], ...]:
    """(dx, dy) of all neighbours up to a distance, without the centre, row by row."""
    span = range(-reach, reach + 1)
    return tuple((dx, dy) for dy in span for dx in span if (dx, dy) != (0, 0))


NEIGHBOURS = window(REACH)
REFERENCE_TAPS = window(REFERENCE_REACH)


@dataclass(frozen=True, kw_only=True)
class DiffusionShape:
    """One network of the model: that of I-frames or that of P-frames."""

    frame_type: int  # 0 I, 1 P
    width: int = 64  # of the residual stream, a multiple of `heads`, 8..128
    hidden: int = 96  # width inside feed-forward blocks, 8..128
    heads: int = 2  # 1..8
    key: int = 28  # dimensions of a head's queries and keys, 4..124

    @property
    def references(self) -> int:
        """Inputs of the reference embedding."""
        return len(REFERENCE_TAPS) if self.frame_type else 0

    @property
    def inputs(self) -> int:
        """Inputs of the embedding: differences, masks, place, reference."""
        return 2 * len(NEIGHBOURS) + PLACE + self.references

    @property
    def value(self) -> int:
        """Dimensions of a head's values."""
        return self.width // self.heads
