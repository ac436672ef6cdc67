"""The integer networks on a PyTorch device, many samples at once, as the native codec's accelerator.

Exact on every device and in every order of summation: products are summed in float32, and every partial sum stays below
2^24 in size. Section 5 of docs/bitstream.md bounds a dense layer's at 2^21; the 16-bit weights of the linear part are
split into 256 * high + low, whose sums are at most 255 inputs * 128 * 127 < 2^22 and 255 * 128 * 255 < 2^23. TF32 would
round the factors: it is switched off around the products.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pynlvc.errors import UsageError
from pynlvc.model.architecture import OUTPUTS
from pynlvc.model.modelfile import IntegerLayer, IntegerModel, IntegerNetwork

Arrays = tuple[NDArray, ...]
LANES = 16  # samples of a batch


def usable_device(name: str) -> torch.device:
    """The device, or UsageError: what PyTorch does not know or cannot use here."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # PyTorch built without CUDA asserts
        raise UsageError(f"device {name}: PyTorch cannot use it here: {str(error).splitlines()[0]}") from None
    return device


def _padded(weight: NDArray, groups: list[int]) -> NDArray:
    """Columns for inputs in words of four: `groups` of inputs begin with a new word each."""
    parts, at = [], 0
    for count in groups:
        part = np.zeros((len(weight), -(-count // 4) * 4), weight.dtype)
        part[:, :count] = weight[:, at : at + count]
        parts.append(part)
        at += count
    return np.concatenate(parts, 1)


@dataclass(frozen=True, kw_only=True)
class _Dense:
    """A dense layer on the device."""

    weight: Tensor  # float32 [n_in, n_out]
    bias: Tensor  # int32 [n_out]
    multiplier: Tensor
    half: Tensor
    shift: Tensor

    @staticmethod
    def of(layer: IntegerLayer, bias: NDArray, groups: list[int], kept: list[int], device: torch.device) -> _Dense:
        """`kept`: the inputs that are evaluated; `groups`: how many of them begin with a new word each."""
        shift = torch.from_numpy(layer.shift.astype(np.int32)).to(device)
        weight = _padded(layer.weight[:, kept].astype(np.float32), groups)
        return _Dense(
            weight=torch.from_numpy(weight.T.copy()).to(device),
            bias=torch.from_numpy(bias.astype(np.int32)).to(device),
            multiplier=torch.from_numpy(layer.multiplier.astype(np.int32)).to(device),
            half=torch.ones_like(shift) << shift >> 1,
            shift=shift,
        )

    def __call__(self, x: Tensor) -> Tensor:
        """float32 [n, n_in] -> int32 [n, n_out]; all numbers fit 32 bits (section 5)."""
        total = (x @ self.weight).to(torch.int32) + self.bias
        return (total * self.multiplier + self.half) >> self.shift


class _Network:
    """One network on the device, for one slope of the groups."""

    def __init__(self, network: IntegerNetwork, delta: int, device: torch.device) -> None:
        inputs = [i for i, tap in enumerate(network.inputs) if tap.revealed(delta)]
        errors = [i for i, tap in enumerate(network.errors) if tap.revealed(delta)]
        h1, h2, g = len(network.layer1.weight), len(network.layer2.weight), len(network.layer3.weight)
        self._device = device
        self._h2 = h2
        self._layer1 = _Dense.of(network.layer1, network.layer1.bias[delta], [len(inputs)], inputs, device)
        self._layer2 = _Dense.of(network.layer2, network.layer2.bias, [h1], list(range(h1)), device)
        both = [*range(h2), *(h2 + i for i in errors)]
        self._layer3 = _Dense.of(network.layer3, network.layer3.bias[delta], [h2, len(errors)], both, device)
        self._layer4 = _Dense.of(network.layer4, network.layer4.bias, [g], list(range(g)), device)
        self._out = _Dense.of(network.out, network.out.bias, [g], list(range(g)), device)
        self._linear = self._halves(network.linear[delta][inputs][None])
        self._hidden = self._halves(network.hidden_mean[None])
        self._linear_bias = int(network.linear_bias[delta])

    def _halves(self, weights: NDArray) -> Tensor:
        """16-bit weights [1, n] as the columns high and low of 256 * high + low, float32 [n, 2]."""
        wide = _padded(weights.astype(np.int32), [weights.shape[1]])
        low = (wide & 255).astype(np.uint8).view(np.int8).astype(np.int32)
        return torch.from_numpy(np.concatenate([(wide - low) >> 8, low]).T.astype(np.float32)).to(self._device)

    def _values(self, values: NDArray) -> Tensor:
        """Words of batches [n, words, 16, 4] -> float32 [16 n, 4 words]."""
        on_device = torch.from_numpy(np.ascontiguousarray(values)).to(self._device)
        n, words = on_device.shape[:2]
        return on_device.permute(0, 2, 1, 3).reshape(n * LANES, 4 * words).float()

    def stage1(self, taps: NDArray) -> Arrays:
        """-> linear int32 [n, 16], hidden uint8 [n, words, 16, 4]"""
        x = self._values(taps)
        h1 = self._widened(self._layer1(x))
        h2 = self._widened(self._layer2(h1))
        halves = (x @ self._linear).to(torch.int32) + (h2 @ self._hidden).to(torch.int32)
        linear = halves[:, 0] * 256 + halves[:, 1] + self._linear_bias
        hidden = h2.to(torch.uint8).view(len(taps), LANES, -1, 4).permute(0, 2, 1, 3).contiguous()
        return linear.view(-1, LANES).cpu().numpy(), hidden.cpu().numpy()

    def stage2(self, hidden: NDArray, errors: NDArray) -> Arrays:
        """-> outputs int32 [n, 9, 16]"""
        x = torch.cat([self._values(hidden), self._values(errors)], 1)
        g1 = self._widened(self._layer3(x))
        g2 = (g1 + self._widened(self._layer4(g1))).clamp(max=255)
        outputs = self._out(g2).view(len(hidden), LANES, OUTPUTS).permute(0, 2, 1).contiguous()
        return (outputs.cpu().numpy(),)

    @staticmethod
    def _widened(values: Tensor) -> Tensor:
        """Activations clipped to 0..255 as float32, columns filled up to whole words."""
        clipped = values.clamp(0, 255).float()
        return torch.nn.functional.pad(clipped, (0, -clipped.shape[1] % 4))


@dataclass(kw_only=True)
class _Request:
    arrays: Arrays
    results: Arrays = field(default=())
    error: Exception | None = None


class DeviceNetworks:
    """All networks of a model on a device. Calls of several threads (slices, GOPs) that wait for it are computed
    together."""

    def __init__(self, model: bytes, delta: int, device: torch.device) -> None:
        self._networks = {
            (n.frame_type, n.plane_class): _Network(n, delta, device) for n in IntegerModel.from_bytes(model).networks
        }
        self._waiting: dict[tuple[int, int, int], list[_Request]] = {}
        self._lock = threading.Lock()  # over the dictionary
        self._turn = threading.Lock()  # held by the thread that computes

    def stage1(
        self, frame_type: int, plane_class: int, taps: NDArray[np.int8]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """taps [n, words, 16, 4] -> linear int32 [n, 16], hidden uint8 [n, words, 16, 4]"""
        network = self._networks[frame_type, plane_class]
        linear, hidden = self._together((1, frame_type, plane_class), (taps,), network.stage1)
        return linear, hidden

    def stage2(
        self, frame_type: int, plane_class: int, hidden: NDArray[np.uint8], errors: NDArray[np.int8]
    ) -> NDArray[np.int32]:
        """hidden and second tap list [n, words, 16, 4] -> outputs [n, 9, 16]"""
        network = self._networks[frame_type, plane_class]
        return self._together((2, frame_type, plane_class), (hidden, errors), network.stage2)[0]

    def _together(self, key: tuple[int, int, int], arrays: Arrays, compute: Callable[..., Arrays]) -> Arrays:
        request = _Request(arrays=arrays)
        with self._lock:
            self._waiting.setdefault(key, []).append(request)
        with self._turn:
            if not request.results and request.error is None:
                with self._lock:
                    requests = self._waiting.pop(key)
                self._compute(requests, compute)
        if request.error is not None:
            raise request.error
        return request.results

    @staticmethod
    def _compute(requests: list[_Request], compute: Callable[..., Arrays]) -> None:
        columns = zip(*(request.arrays for request in requests), strict=True)
        try:
            with torch.inference_mode(), exact_products:
                results = compute(*(np.concatenate(column) for column in columns))
        except Exception as error:
            for request in requests:
                request.error = error
            return
        ends = np.cumsum([len(request.arrays[0]) for request in requests])[:-1]
        parts = [np.split(result, ends) for result in results]
        for i, request in enumerate(requests):
            request.results = tuple(part[i] for part in parts)


class _ExactProducts:
    """Float32 products without TF32 while it is entered, by whatever threads; the caller's choice afterwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = 0
        self._former = False

    def __enter__(self) -> None:
        with self._lock:
            if self._entered == 0:
                self._former = torch.backends.cuda.matmul.allow_tf32
                torch.backends.cuda.matmul.allow_tf32 = False
            self._entered += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._entered -= 1
            if self._entered == 0:
                torch.backends.cuda.matmul.allow_tf32 = self._former


exact_products = _ExactProducts()
