"""Fits a model to a video: the weights take whole steps where that saves more bits than saying so costs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.errors import ModelError
from pynlvc.fitting.examples import ExampleSet, NetworkExamples
from pynlvc.fitting.settings import FitSettings
from pynlvc.fitting.tunable import TunableNetwork
from pynlvc.model.adam import Adam
from pynlvc.model.examples import NetworkKey
from pynlvc.model.modelfile import IntegerModel, IntegerNetwork

NAME_SUFFIX = "-fitted"
FEWEST_VISITS = 100_000  # of a network; with fewer it is not worth the while
SCORED = 200_000  # examples that tell whether the steps pay, about
# What a step away from zero costs, about: so many bits for the first, and for each doubling.
FIRST_STEP_BITS = 6.0
DOUBLING_BITS = 2.0

Progress = Callable[[float], None]  # share of the work that is done, 0..1


def fit_model(
    base: bytes,
    examples: ExampleSet,
    coded_samples: dict[NetworkKey, int],
    *,
    delta: int,
    settings: FitSettings,
    threads: int,
    progress: Progress | None = None,
) -> bytes | None:
    """The difference (docs/bitstream.md §10.1) from the model file `base` to one that codes the video smaller; None
    where nothing saves more than it costs.

    coded_samples: how many samples each network will code in the whole video. The result is the same for every number
    of threads (0: all).
    """
    threads = threads or os.cpu_count() or 1
    model = IntegerModel.from_bytes(base)
    by_key = {(n.frame_type, n.plane_class): n for n in model.networks}
    total = sum(coded_samples.values())
    visits = min(settings.visits, settings.epochs * sum(network.count for network in examples.networks.values()))
    jobs = {
        key: round(visits * coded_samples[key] / total)
        for key in sorted(examples.networks, key=lambda k: -coded_samples.get(k, 0))
        if coded_samples.get(key, 0) > 0 and examples.networks[key].count > 0
    }
    jobs = {key: own for key, own in jobs.items() if own >= FEWEST_VISITS}
    done = 0
    fitted: dict[NetworkKey, IntegerNetwork] = {}
    for key, own in jobs.items():

        def advance(visits: int, before: int = done) -> None:
            if progress is not None:
                progress((before + visits) / sum(jobs.values()))

        fitted[key] = _fit_network(
            by_key[key], examples.networks[key], own, coded_samples[key], delta, settings, threads, advance
        )
        done += own
    networks = tuple(fitted.get((n.frame_type, n.plane_class), n) for n in model.networks)
    if all(new is old for new, old in zip(networks, model.networks, strict=True)):
        return None
    moved = replace(model, name=model.name + NAME_SUFFIX, networks=networks).to_bytes()
    try:
        return _core.write_model_difference(base, moved, delta=delta)
    except _core.BitstreamError as error:
        raise ModelError(f"fitting model {model.name} went beyond the limits of models: {error}") from None


def _fit_network(
    network: IntegerNetwork,
    examples: NetworkExamples,
    visits: int,
    coded_samples: int,
    delta: int,
    settings: FitSettings,
    threads: int,
    advance: Callable[[int], None],
) -> IntegerNetwork:
    """The network itself where its steps do not pay."""
    net = TunableNetwork(network, delta)
    generator = np.random.default_rng(settings.seed)
    # Mixed once, so that batches lie side by side: gathering them anew each time would take as long as learning.
    mixed = examples.arrays().mixed(generator)
    optimizer = Adam(net.steps)
    batch = min(settings.batch, examples.count)
    batches = examples.count // batch
    steps = max(1, visits // batch)

    def bits(number: int, gradient: NDArray[np.float32] | None = None) -> float:
        """Of one batch."""
        part = mixed.part(number * batch, (number + 1) * batch)
        return net.bits(part, depth=examples.depth, q=examples.q, gradient=gradient, threads=threads)

    def mean_bits() -> float:
        scored = range(batches)[: max(1, SCORED // batch)]
        return sum(bits(number) for number in scored) / (len(scored) * batch)

    before = mean_bits()
    order = generator.permutation(batches)
    for step in range(steps):
        if step % batches == 0:
            order = generator.permutation(batches)
        gradient = np.zeros_like(net.steps)
        bits(int(order[step % batches]), gradient)
        gradient /= batch
        gradient += _price_slope(net.steps) / coded_samples
        optimizer.step(gradient, settings.rate * (0.01 + 0.99 * (1 - step / steps)))
        advance((step + 1) * batch)
    saved = (before - mean_bits()) * coded_samples
    return net.moved() if saved > _price(np.rint(net.steps)) else network


def _price(steps: NDArray[np.float32]) -> float:
    """About what steps cost in the stream, bits."""
    size = np.abs(steps)
    return float((FIRST_STEP_BITS * (1 - np.exp(-size)) + DOUBLING_BITS * np.log2(1 + size)).sum())


def _price_slope(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Its derivative by each step; 0 where there is none."""
    size = np.abs(steps)
    slope = FIRST_STEP_BITS * np.exp(-size) + DOUBLING_BITS / np.log(2) / (1 + size)
    return (np.sign(steps) * slope).astype(np.float32)
