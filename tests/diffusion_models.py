"""Small untrained masked-diffusion transformers, for tests: they compress little and must be lossless all the same."""

from __future__ import annotations

import numpy as np
import torch

from pynlvc.model.diffusion.export import Temperature, export_diffusion
from pynlvc.model.diffusion.modelfile import DiffusionModel
from pynlvc.model.diffusion.transformer import Attention, IntegerDense
from pynlvc.training.diffusion_train import make_diffusion_networks, network_of

SMALL = {"width": 16, "hidden": 16, "heads": 2, "key": 8}


def lively_networks(seed: int, shape: dict[str, int] | None = None) -> torch.nn.ModuleDict:
    """Networks in which every part has an effect, attention and output included."""
    torch.manual_seed(seed)
    nets = make_diffusion_networks(SMALL if shape is None else shape)
    with torch.no_grad():
        for module in nets.modules():
            if isinstance(module, IntegerDense):
                module.weight.normal_(0.0, 1.2 / module.weight.shape[1] ** 0.5)
                module.bias.normal_(0.0, 0.2)
            if isinstance(module, Attention):
                module.log_falloff.uniform_(-6.0, -1.0)
        for net in (network_of(nets, 0), network_of(nets, 1)):
            net.linear.normal_(0.0, 0.15)
            net.hidden_mean.normal_(0.0, 0.5)
            net.blind.normal_(0.0, 0.5)
    return nets


def small_model(seed: int = 0) -> DiffusionModel:
    """A model file's content."""
    rng = np.random.default_rng(seed)
    offsets = [rng.integers(-4, 5, (3, 3)).astype(np.int8) for _ in range(2)]
    return export_diffusion(lively_networks(seed), Temperature(*offsets))
