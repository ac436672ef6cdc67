"""An integer network whose weights may move: the trainable form of a model difference (docs/bitstream.md §10.1).

Where `pynlvc.model.learnable` learns real values, this learns whole steps away from a finished network, each in the
unit that a difference counts in. Only what one δ uses can move.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pynlvc.model.examples import ExampleArrays
from pynlvc.model.learnable import layers_of, learner_shape, revealed_columns
from pynlvc.model.modelfile import WEIGHT_LIMIT, IntegerLayer, IntegerNetwork

LINEAR_UNIT = 32
HIDDEN_UNIT = 4
MULTIPLIER_UNIT = 4
MULTIPLIER_LIMIT = 1023

Array = NDArray[np.float32]


class TunableNetwork:
    """A network for one δ whose weights can take steps: `steps` float32 [n], whole numbers after rounding.

    They stand in the order of csrc/learning/learner.h.
    """

    def __init__(self, network: IntegerNetwork, delta: int):
        self._network = network
        self._delta = delta
        self._shape = learner_shape(network, delta)
        self._columns = revealed_columns(network, delta)
        self._inputs = self._columns[0]
        base: list[NDArray] = []
        unit: list[NDArray] = []
        least: list[NDArray] = []
        most: list[NDArray] = []

        def add(values: NDArray, step: NDArray | float, low: NDArray | float, high: NDArray | float) -> None:
            base.append(values.ravel())
            for parts, part in ((unit, step), (least, low), (most, high)):
                parts.append(np.broadcast_to(part, values.shape).ravel())

        for number, layer in enumerate(layers_of(network)):
            power = 2.0 ** layer.shift.astype(np.float64)
            add(layer.weight[:, self._columns[number]], 1, -WEIGHT_LIMIT, WEIGHT_LIMIT)
            add(self._own_bias(layer), _bias_unit(layer), -np.inf, np.inf)
            add(layer.multiplier / power, MULTIPLIER_UNIT / power, 0, MULTIPLIER_LIMIT / power)
        add(network.linear[delta][self._inputs], LINEAR_UNIT, -np.inf, np.inf)
        add(network.hidden_mean, HIDDEN_UNIT, -np.inf, np.inf)
        add(network.linear_bias[delta : delta + 1], LINEAR_UNIT, -np.inf, np.inf)
        self._base, self._unit, self._least, self._most = (
            np.concatenate(parts).astype(np.float32) for parts in (base, unit, least, most)
        )
        self.steps: Array = np.zeros_like(self._base)

    def _own_bias(self, layer: IntegerLayer) -> NDArray[np.int32]:
        return layer.bias[self._delta] if layer.bias.ndim == 2 else layer.bias

    def bits(
        self,
        examples: ExampleArrays,
        *,
        depth: int,
        q: int,
        gradient: Array | None = None,
        threads: int = 1,
    ) -> float:
        """Ideal code length of all examples, bits; its derivative by the steps is added to `gradient`."""
        moved = self._base + np.rint(self.steps) * self._unit
        values = np.clip(moved, self._least, self._most).astype(np.float32)
        if gradient is None:
            return examples.learn(self._shape, values, depth=depth, q=q, threads=threads)
        by_value = np.zeros_like(values)
        bits = examples.learn(self._shape, values, depth=depth, q=q, gradient=by_value, threads=threads)
        gradient += np.where(values == moved, by_value * self._unit, 0)
        return bits

    def moved(self) -> IntegerNetwork:
        """The network with its steps."""
        whole = np.rint(self.steps).astype(np.int64)
        layers = [self._moved_layer(number, whole) for number in range(len(self._columns))]
        network, delta = self._network, self._delta
        linear, hidden, constant = np.split(
            whole[self._shape.linear_start :], [len(self._inputs), len(self._inputs) + len(network.hidden_mean)]
        )
        new_linear = network.linear.astype(np.int64)
        new_linear[delta][self._inputs] += linear * LINEAR_UNIT
        new_constant = network.linear_bias.astype(np.int64)
        new_constant[delta] += int(constant[0]) * LINEAR_UNIT
        return replace(
            network,
            layer1=layers[0],
            layer2=layers[1],
            layer3=layers[2],
            layer4=layers[3],
            out=layers[4],
            linear=new_linear.astype(np.int16),
            hidden_mean=(network.hidden_mean + hidden * HIDDEN_UNIT).astype(np.int16),
            linear_bias=new_constant.astype(np.int32),
        )

    def _moved_layer(self, number: int, whole: NDArray[np.int64]) -> IntegerLayer:
        layer = layers_of(self._network)[number]
        kept = self._columns[number]
        rows = len(layer.weight)
        start = self._shape.layer_start(number)
        steps, of_bias, of_multiplier = np.split(whole[start : start + rows * (len(kept) + 2)], [-2 * rows, -rows])
        weight = layer.weight.astype(np.int64)
        # A weight that would pass the limit stays there, in whole steps.
        weight[:, kept] = np.clip(weight[:, kept] + steps.reshape(rows, -1), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        bias = layer.bias.astype(np.int64)
        own = bias[self._delta] if bias.ndim == 2 else bias
        own += of_bias * _bias_unit(layer)
        multiplier = layer.multiplier.astype(np.int64) + of_multiplier * MULTIPLIER_UNIT
        inside = (multiplier >= 0) & (multiplier <= MULTIPLIER_LIMIT)
        return replace(
            layer,
            weight=weight.astype(np.int8),
            bias=bias.astype(np.int32),
            multiplier=np.where(inside, multiplier, layer.multiplier).astype(np.uint16),
        )


def _bias_unit(layer: IntegerLayer) -> NDArray[np.int64]:
    return 1 << np.maximum(0, layer.shift.astype(np.int64) - 10)
