"""The shapes of the shipped networks: which taps they read and how wide they are."""

from dataclasses import dataclass, field

from pynlvc.model.taps import (
    ContextPlane,
    Tap,
    absolute,
    error_window,
    plus,
    square,
    window,
    without_centre,
    without_corners,
)

PLANE_CLASSES = 5
OUTPUTS = 9  # three logits, three offsets, three scales (docs/bitstream.md section 6)


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """One network: its frame type, plane class, inputs and layer widths."""

    frame_type: int  # 0 I, 1 P
    plane_class: int  # 0 no guide; 1, 2 planes 1, 2 of YUV; 3, 4 planes 1, 2 of RGB (docs/bitstream.md section 1)
    inputs: tuple[Tap, ...]  # first tap list, 1..255
    errors: tuple[Tap, ...]  # second tap list, 1..255
    h1: int  # width of the first hidden layer, 1..255
    h2: int  # width of the second hidden layer, 1..255
    g: int  # width of the layers of the second stage, 1..255

    def macs_per_sample(self, delta: int = 2) -> int:
        """Multiply-accumulates for one sample when only the taps that `delta` reveals are kept."""
        n_in = sum(t.revealed(delta) for t in self.inputs)
        n_err = sum(t.revealed(delta) for t in self.errors)
        stage1 = n_in * self.h1 + self.h1 * self.h2 + n_in + self.h2
        return stage1 + (self.h2 + n_err) * self.g + self.g * self.g + self.g * OUTPUTS


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """All networks of a model and its name."""

    name: str
    networks: tuple[NetworkShape, ...] = field(default_factory=tuple)


def guides_of(plane_class: int) -> int:
    """How many planes before it a plane of the class sees."""
    return plane_class - 2 if plane_class > 2 else plane_class


_GUIDES = (ContextPlane.GUIDE1_CUR, ContextPlane.GUIDE2_CUR)


def _arms(plane: ContextPlane) -> list[Tap]:
    """The four taps at a distance of two."""
    return [Tap(plane=plane, dx=dx, dy=dy) for dx, dy in ((0, -2), (-2, 0), (2, 0), (0, 2))]


def _guide_taps(number: int, temporal: bool) -> tuple[list[Tap], list[Tap]]:
    """First and second tap list of guide `number` (1 or 2)."""
    cur = _GUIDES[number - 1]
    ref = (ContextPlane.GUIDE1_REF, ContextPlane.GUIDE2_REF)[number - 1]
    err = (ContextPlane.GUIDE1_ERR, ContextPlane.GUIDE2_ERR)[number - 1]
    inputs = square(cur, 1) + square(err, 1)
    if temporal:
        inputs += without_centre(square(ref, 1))
    return inputs, absolute(plus(err))


def _network(*, frame_type: int, plane_class: int, h1: int, h2: int, g: int) -> NetworkShape:
    temporal = frame_type == 1
    inputs = window(ContextPlane.CUR, 3) + [Tap(plane=ContextPlane.LEVEL, dx=0, dy=0)]
    errors = error_window()
    if temporal and plane_class == 0:
        inputs += without_centre(square(ContextPlane.REF1_SUB, 1))
        inputs += without_corners(square(ContextPlane.REF1, 2)) + square(ContextPlane.REF2, 1)
        inputs += plus(ContextPlane.REF3) + plus(ContextPlane.REF4) + square(ContextPlane.ERR_PREV, 1)
        errors += absolute(square(ContextPlane.ERR_PREV, 1))
    elif temporal:
        inputs += without_centre(square(ContextPlane.REF1_SUB, 1))
        inputs += plus(ContextPlane.REF1) + plus(ContextPlane.REF2) + plus(ContextPlane.ERR_PREV)
        errors += absolute(plus(ContextPlane.ERR_PREV))
    for number in range(1, guides_of(plane_class) + 1):
        guide_inputs, guide_errors = _guide_taps(number, temporal)
        inputs += guide_inputs
        errors += guide_errors
    if plane_class > 2:  # interpolated colour, which most RGB once was, shows over two samples
        inputs += [tap for n in range(guides_of(plane_class)) for tap in _arms(_GUIDES[n])]
    return NetworkShape(
        frame_type=frame_type, plane_class=plane_class, inputs=tuple(inputs), errors=tuple(errors), h1=h1, h2=h2, g=g
    )


def _model(
    name: str, *, luma: tuple[int, int, int], chroma: tuple[int, int, int], rgb: tuple[int, int, int]
) -> ModelShape:
    """A model whose networks have widths (h1, h2, g) for plane class 0, for 1 and 2, and for 3 and 4."""
    widths = (luma, chroma, chroma, rgb, rgb)
    networks = []
    for frame_type in (0, 1):
        for plane_class in range(PLANE_CLASSES):
            h1, h2, g = widths[plane_class]
            networks.append(_network(frame_type=frame_type, plane_class=plane_class, h1=h1, h2=h2, g=g))
    return ModelShape(name=name, networks=tuple(networks))


SHAPES = {
    shape.name: shape
    for shape in (
        _model("fast", luma=(16, 16, 16), chroma=(16, 12, 12), rgb=(16, 12, 12)),
        _model("standard", luma=(64, 48, 48), chroma=(48, 32, 32), rgb=(48, 32, 32)),
        _model("large", luma=(128, 96, 64), chroma=(96, 64, 48), rgb=(48, 32, 32)),
    )
}
