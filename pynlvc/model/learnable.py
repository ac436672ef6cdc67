"""A network with real-valued weights that learns through its integer form (`_core.learn`), without PyTorch.

Each step rounds the weights as a model file would have them, takes the code length of examples and its gradient under
those integers, and hands the gradient to the real values as if they had not been rounded (straight-through).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pynlvc import _core
from pynlvc.model.examples import ExampleArrays
from pynlvc.model.modelfile import WEIGHT_LIMIT, IntegerLayer, IntegerNetwork
from pynlvc.model.rounding import LINEAR_ONE, fixed_point, integer_layer, row_scales
from pynlvc.model.taps import DELTAS

Array = NDArray[np.float32]
BIAS_STEP = 0.25  # of an activation: what a parameter of 1 means
LINEAR_STEP = 32 / LINEAR_ONE  # samples per sample
HIDDEN_STEP = 8 / LINEAR_ONE  # samples per activation
_LAYERS = (("w1", "b1"), ("w2", "b2"), ("w3", "b3"), ("w4", "b4"), ("wo", "bo"))


def layers_of(network: IntegerNetwork) -> tuple[IntegerLayer, ...]:
    """The dense layers in the order of `_core.LearnerShape`."""
    return network.layer1, network.layer2, network.layer3, network.layer4, network.out


def revealed_columns(network: IntegerNetwork, delta: int) -> list[list[int]]:
    """The columns of each dense layer's weights that δ reveals; those of the first are taps of the first list."""
    hidden = len(network.layer2.weight)
    columns = [list(range(layer.weight.shape[1])) for layer in layers_of(network)]
    columns[0] = [i for i, tap in enumerate(network.inputs) if tap.revealed(delta)]
    columns[2] = columns[2][:hidden] + [hidden + i for i, tap in enumerate(network.errors) if tap.revealed(delta)]
    return columns


def learner_shape(network: IntegerNetwork, delta: int) -> _core.LearnerShape:
    """The sizes of a network for one δ."""
    columns = revealed_columns(network, delta)
    first, second, third = (len(layer.weight) for layer in layers_of(network)[:3])
    errors = len(columns[2]) - second
    return _core.LearnerShape(inputs=len(columns[0]), errors=errors, h1=first, h2=second, g=third)


class LearnableNetwork:
    """Parameters in one vector, so that an optimiser need not know what they are.

    A parameter of 1 means about one step of what the model file holds: weight 1 in a dense layer, a quarter of an
    activation in a bias, LINEAR_STEP and HIDDEN_STEP in the linear part.
    """

    def __init__(self, network: IntegerNetwork):
        self._network = network
        parts: dict[str, NDArray[np.float64]] = {}
        units: dict[str, NDArray[np.float64]] = {}
        for (weight, bias), layer in zip(_LAYERS, layers_of(network), strict=True):
            scale = layer.multiplier / 2.0**layer.shift
            parts[weight] = layer.weight.astype(np.float64) * scale[:, None]
            units[weight] = np.broadcast_to(np.maximum(scale, 1e-6)[:, None], layer.weight.shape)
            parts[bias] = layer.bias.astype(np.float64) * scale
            units[bias] = np.full(layer.bias.shape, BIAS_STEP)
        linear: tuple[tuple[str, NDArray, float], ...] = (
            ("wl", network.linear, LINEAR_STEP),
            ("wm", network.hidden_mean, HIDDEN_STEP),
            ("bl", network.linear_bias, LINEAR_STEP),
        )
        for name, integers, step in linear:
            parts[name] = integers / LINEAR_ONE
            units[name] = np.full(integers.shape, step)
        self._shapes = {name: part.shape for name, part in parts.items()}
        self._units = np.concatenate([unit.ravel() for unit in units.values()]).astype(np.float32)
        self.parameters: Array = np.concatenate([part.ravel() for part in parts.values()]).astype(np.float32)
        self.parameters /= self._units
        self._columns = [revealed_columns(network, delta) for delta in DELTAS]
        self._learner_shapes = [learner_shape(network, delta) for delta in DELTAS]

    def _named(self, flat: Array) -> dict[str, Array]:
        out, at = {}, 0
        for name, shape in self._shapes.items():
            size = int(np.prod(shape))
            out[name] = flat[at : at + size].reshape(shape)
            at += size
        return out

    def bits(
        self,
        delta: int,
        examples: ExampleArrays,
        *,
        depth: int = 8,
        q: int = 0,
        gradient: Array | None = None,
        threads: int = 1,
    ) -> float:
        """Code length of examples for a δ in bits; its derivative by the parameters is added to `gradient`."""
        columns, shape = self._columns[delta], self._learner_shapes[delta]
        inputs = columns[0]
        real = self._named(self.parameters * self._units)
        parts: list[Array] = []
        scales = []
        for (weight, bias), kept in zip(_LAYERS, columns, strict=True):
            scale = row_scales(real[weight], real[bias])
            whole = np.rint(real[weight] / scale[:, None]).clip(-WEIGHT_LIMIT, WEIGHT_LIMIT)
            own_bias = real[bias][delta] if real[bias].ndim == 2 else real[bias]
            parts += [whole[:, kept].ravel(), own_bias / scale, scale]
            scales.append(scale)
        parts += [real["wl"][delta][inputs], real["wm"], real["bl"][delta : delta + 1]]
        values = np.concatenate(parts).astype(np.float32)
        values[-sum(part.size for part in parts[-3:]) :] *= LINEAR_ONE
        if gradient is None:
            return examples.learn(shape, values, depth=depth, q=q, threads=threads)
        by_value = np.zeros_like(values)
        bits = examples.learn(shape, values, depth=depth, q=q, gradient=by_value, threads=threads)
        own = np.zeros_like(gradient)
        by_real = self._named(own)
        for number, ((weight, bias), kept, scale) in enumerate(zip(_LAYERS, columns, scales, strict=True)):
            start = shape.layer_start(number)
            size = len(scale) * len(kept)
            by_real[weight][:, kept] = by_value[start : start + size].reshape(len(scale), -1) / scale[:, None]
            of_bias = by_real[bias][delta] if by_real[bias].ndim == 2 else by_real[bias]
            of_bias[:] = by_value[start + size : start + size + len(scale)] / scale
        rest = by_value[shape.linear_start :] * LINEAR_ONE
        by_real["wl"][delta][inputs] = rest[: len(inputs)]
        by_real["wm"][:] = rest[len(inputs) : -1]
        by_real["bl"][delta] = rest[-1]
        gradient += own * self._units
        return bits

    def rounded(self) -> IntegerNetwork:
        """The network as a model file holds it."""
        real = {name: part.astype(np.float64) for name, part in self._named(self.parameters * self._units).items()}
        layers = [integer_layer(real[weight], real[bias]) for weight, bias in _LAYERS]
        return IntegerNetwork(
            frame_type=self._network.frame_type,
            plane_class=self._network.plane_class,
            inputs=self._network.inputs,
            errors=self._network.errors,
            layer1=layers[0],
            layer2=layers[1],
            linear=fixed_point(real["wl"], np.int16),
            hidden_mean=fixed_point(real["wm"], np.int16),
            linear_bias=fixed_point(real["bl"], np.int32),
            layer3=layers[2],
            layer4=layers[3],
            out=layers[4],
        )


def grown(network: IntegerNetwork, *, h1: int, h2: int, g: int, rng: np.random.Generator) -> IntegerNetwork:
    """A wider network that computes the same: new units see their inputs at random and nobody sees them yet.

    Widths that are smaller than the network's leave it as wide as it is.
    """
    more1 = max(0, h1 - len(network.layer1.weight))
    more2 = max(0, h2 - len(network.layer2.weight))
    more_g = max(0, g - len(network.layer3.weight))
    hidden = len(network.layer2.weight)

    def wider(layer: IntegerLayer, rows: int, columns: int, at: int, gain: float, per_input: float) -> IntegerLayer:
        """`columns` new inputs at column `at`, and `rows` new outputs."""
        weight = np.insert(layer.weight, [at] * columns, 0, axis=1)
        total = weight.shape[1]
        scale = gain * np.sqrt(2 / total) * per_input / 24  # the value of weight 1: new weights are 24 or so
        shift = int(np.clip(9 - np.floor(np.log2(scale)), 1, 22))
        fresh = np.clip(np.rint(rng.standard_normal((rows, total)) * 24), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        zeros = np.zeros((*layer.bias.shape[:-1], rows))
        return IntegerLayer(
            weight=np.concatenate([weight, fresh]).astype(np.int8),
            bias=np.concatenate([layer.bias, zeros], -1).astype(np.int32),
            multiplier=np.append(layer.multiplier, [round(scale * 2**shift)] * rows).astype(np.uint16),
            shift=np.append(layer.shift, [shift] * rows).astype(np.uint8),
        )

    per_difference = 4.0  # an activation is 32 for 1.0, a difference of 8 samples is 1.0 (denoiser.py)
    return IntegerNetwork(
        frame_type=network.frame_type,
        plane_class=network.plane_class,
        inputs=network.inputs,
        errors=network.errors,
        layer1=wider(network.layer1, more1, 0, 0, 1.0, per_difference),
        layer2=wider(network.layer2, more2, more1, network.layer2.weight.shape[1], 1.0, 1.0),
        linear=network.linear,
        hidden_mean=np.append(network.hidden_mean, np.zeros(more2)).astype(np.int16),
        linear_bias=network.linear_bias,
        layer3=wider(network.layer3, more_g, more2, hidden, 1.0, 1.0),
        layer4=wider(network.layer4, more_g, more_g, network.layer4.weight.shape[1], 0.5, 1.0),
        out=wider(network.out, 0, more_g, network.out.weight.shape[1], 1.0, 1.0),
    )
