"""Where the networks are evaluated: in the native module, or on a PyTorch device."""

from __future__ import annotations

from functools import lru_cache

from pynlvc import _core
from pynlvc.codec.settings import NATIVE


@lru_cache(maxsize=4)
def _networks(model: bytes, delta: int, device: str) -> _core.Accelerator:
    """Shared by all encoders and decoders with the model, whose work is then done together."""
    from pynlvc.model.device import DeviceNetworks, usable_device  # loads PyTorch, which native coding does without

    return DeviceNetworks(model, delta, usable_device(device))


def torch_device(device: str) -> str | None:
    """What the transformer's codec is given: None for native code. UsageError where PyTorch cannot use the device."""
    if device == NATIVE:
        return None
    from pynlvc.model.device import usable_device

    return str(usable_device(device))


def accelerator(device: str) -> _core.MakeAccelerator | None:
    """What the native codec is given to evaluate networks on `device`; None: it evaluates them itself. UsageError where
    PyTorch cannot use the device."""
    if device == NATIVE:
        return None
    from pynlvc.model.device import usable_device

    usable_device(device)
    return lambda model, delta: _networks(model, delta, device)
