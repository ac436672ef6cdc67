"""Model files for the speed benchmark: installed ones, and shapes that are not shipped with the weights they start
training from. Speed depends on the shape; bytes of the latter mean nothing."""

from __future__ import annotations

from pynlvc.model.architecture import SHAPES
from pynlvc.model.store import load_model, model_names


def model_file(name: str) -> bytes:
    """The file of an installed model, or of an untrained one of a known shape."""
    if name in model_names():
        return bytes(load_model(name).data)
    import torch

    from pynlvc.model.denoiser import Denoiser
    from pynlvc.model.export import export_model

    torch.manual_seed(1)
    networks = torch.nn.ModuleDict({f"{n.frame_type}{n.plane_class}": Denoiser(n) for n in SHAPES[name].networks})
    return export_model(name, networks).to_bytes()
