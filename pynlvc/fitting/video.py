"""A model fitted to a whole video: which frames are looked at, and what an encoder makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice

import av
import numpy as np

from pynlvc import _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import Plane, check_samples, frame_planes
from pynlvc.codec.settings import EncoderSettings
from pynlvc.errors import UsageError
from pynlvc.fitting.examples import ExampleSet
from pynlvc.fitting.fit import fit_model
from pynlvc.fitting.settings import FIRST_FITTING_EFFORT, FitSettings
from pynlvc.model.examples import NetworkKey
from pynlvc.model.store import Model, is_diffusion, load_model, parse_model

Progress = Callable[[str, float], None]  # ("looking" or "fitting", share of it that is done)


def fits_model(settings: EncoderSettings) -> bool:
    """Whether these settings ask for a model that is fitted to the whole video. UsageError where that cannot be."""
    if settings.effort < FIRST_FITTING_EFFORT:
        return False
    model = load_model(settings.model)
    if is_diffusion(model.data):
        return False
    if model.difference:
        raise UsageError(
            f"model {settings.model} is fitted already: use it with an effort below {FIRST_FITTING_EFFORT}"
        )
    return True


def fit_to_video(
    frames: Iterable[av.VideoFrame],
    count: int,
    frame_rate: Fraction | None,
    settings: EncoderSettings,
    *,
    fit: FitSettings | None = None,
    progress: Progress | None = None,
) -> Model | None:
    """The model of `settings`, fitted to a video of about `count` frames; None where that saves nothing.

    frames: all of the video, or its beginning; frame_rate in frames per second says how many keyframes there will be.
    The same frames and settings give the same model on the same processor, with any number of threads.
    """
    fit = fit or FitSettings.of_effort(settings.effort)
    base = load_model(settings.model)
    picker = _Picker(count, fit, progress)
    examples = ExampleSet()
    trial = _Trial(fit.tried)
    for run in picker.runs(iter(frames)):
        encoder = None
        for frame in run:
            planes = _planes(frame)
            if encoder is None:
                encoder = _encoder(frame, base.data, settings, effort=0, examples=picker.interval(frame))
                trial.begin_run(frame)
            examples.add_frame(encoder, planes)
            trial.add(planes)
    keys = keyframes(count, frame_rate, settings)
    difference = fit_model(
        base.data,
        examples,
        _coded_samples(examples, count, keys),
        delta=settings.delta,
        settings=fit,
        threads=settings.threads,
        progress=None if progress is None else lambda share: progress("fitting", share),
    )
    if difference is None:
        return None
    fitted = parse_model(difference, "the fitted model")
    return fitted if trial.saved(base, fitted, settings, count, keys) > len(difference) else None


def keyframes(count: int, frame_rate: Fraction | None, settings: EncoderSettings) -> int:
    """How many keyframes a video of `count` frames will have, scene cuts aside."""
    gop = settings.gop
    if gop is None:
        gop = max(1, round(settings.gop_seconds * float(frame_rate or 25)))
    return 1 if gop == 0 else math.ceil(count / gop)


class _Picker:
    """Spreads the runs of frames that are looked at over the video."""

    def __init__(self, count: int, fit: FitSettings, progress: Progress | None) -> None:
        self._count = max(1, count)
        self._fit = fit
        self._progress = progress
        self._looked_at = self._count  # frames

    def runs(self, frames: Iterator[av.VideoFrame]) -> Iterator[Iterator[av.VideoFrame]]:
        """Runs of frames, in order; each must be used up before the next one."""
        first = next(frames, None)
        if first is None:
            return
        samples = sum(plane.size for plane in frame_planes(first))
        length = self._fit.run
        runs = max(1, min(self._fit.looked_at // (length * samples), self._count // length))
        if runs * length >= self._count - length:
            runs, length = 1, self._count
        self._looked_at = runs * length
        frames = self._watched(first, frames)
        at = 0
        for run in range(runs):
            start = run * (self._count - length) // max(1, runs - 1)
            for _ in islice(frames, start - at):
                pass
            yield islice(frames, length)
            at = start + length

    def interval(self, frame: av.VideoFrame) -> int:
        """One of how many samples becomes an example."""
        samples = sum(plane.size for plane in frame_planes(frame))
        return max(1, math.ceil(self._looked_at * samples / self._fit.examples))

    def _watched(self, first: av.VideoFrame, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """All frames, up to one of another kind: the encoder will refuse it and say so."""
        yield first
        for number, frame in enumerate(frames, 2):
            if (frame.width, frame.height, frame.format.name) != (first.width, first.height, first.format.name):
                return
            if self._progress is not None:
                self._progress("looking", min(1.0, number / self._count))
            yield frame


class _Trial:
    """Runs of frames to code again, with the model and with the fitted one: what counts is what really comes out."""

    def __init__(self, most_samples: int) -> None:
        self._most = most_samples
        self._runs: list[tuple[av.VideoFrame, list[list[Plane]]]] = []

    def begin_run(self, first: av.VideoFrame) -> None:
        """`first`: says what the frames are like."""
        self._runs.append((first, []))

    def add(self, planes: list[Plane]) -> None:
        """A frame of the run, kept as long as there is room; the first one always is."""
        frames = self._runs[-1][1]
        if self._most > 0 or not self._runs[0][1]:
            frames.append(planes)
            self._most -= sum(plane.size for plane in planes)

    def saved(self, base: Model, fitted: Model, settings: EncoderSettings, count: int, keyframe_count: int) -> float:
        """Bytes that the fitted model saves in a video of so many frames and keyframes, its difference not counted."""
        saved = {False: 0, True: 0}
        coded = {False: 0, True: 0}
        for first, frames in self._runs:
            encoders = [_encoder(first, model.data, settings, effort=settings.effort) for model in (base, fitted)]
            for number, planes in enumerate(frames):
                before, after = (encoder.encode(planes, pts=number, duration=1) for encoder in encoders)
                saved[before.is_keyframe] += len(before.data) - len(after.data)
                coded[before.is_keyframe] += 1
        frames_of = {True: keyframe_count, False: count - keyframe_count}
        return sum(saved[kind] / coded[kind] * frames_of[kind] for kind in saved if coded[kind])


def _encoder(
    frame: av.VideoFrame, model: bytes, settings: EncoderSettings, *, effort: int, examples: int = 0
) -> _core.Encoder:
    layout = pixel_format(frame.format.name).core_format(frame.width, frame.height, (1, 1))
    return _core.Encoder(
        layout,
        model,
        delta=settings.delta,
        keyframe_interval=settings.gop or 0,
        slices=settings.slices,
        threads=settings.threads,
        scene_cuts=settings.scene_cuts,
        effort=effort,
        examples=examples,
    )


def _planes(frame: av.VideoFrame) -> list[Plane]:
    check_samples(frame)
    dtype = pixel_format(frame.format.name).dtype
    return [np.ascontiguousarray(plane, dtype) for plane in frame_planes(frame)]


def _coded_samples(examples: ExampleSet, count: int, keyframe_count: int) -> dict[NetworkKey, int]:
    """How many samples each network will code in the whole video."""
    frames = {0: keyframe_count, 1: count - keyframe_count}
    return {key: round(network.coded / network.frames * frames[key[0]]) for key, network in examples.networks.items()}
