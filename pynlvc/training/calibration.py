"""Temperature calibration of the masked-diffusion transformer: how wide its distributions should really be."""

import numpy as np
import torch
from torch import nn

from pynlvc.model.denoiser import OUTPUT_UNITS
from pynlvc.model.diffusion.export import Temperature
from pynlvc.model.diffusion.shape import CLASSES
from pynlvc.training.diffusion_patches import PatchSource
from pynlvc.training.diffusion_step import code_patches, slope_reveal
from pynlvc.training.diffusion_train import network_of

SCALE_UNIT = OUTPUT_UNITS[-1]  # steps of a scale output to a factor of e
CANDIDATES = range(-6, 7)  # steps


def calibrate(nets: nn.ModuleDict, source: PatchSource, patches: int, seed: int) -> Temperature:
    """For each frame type, slope and kind of plane the step that gives `patches` held-out patches the fewest bits."""
    rng = np.random.default_rng([seed, 1])
    found = np.zeros((2, 3, CLASSES), np.int8)
    with torch.no_grad():
        for frame_type in (0, 1):
            for kind in source.kinds:
                batch = source.batch(rng, frame_type, kind, patches)
                for delta in range(3):
                    coded = code_patches(network_of(nets, frame_type), batch, slope_reveal(delta))
                    lengths = [coded.lengths(step / SCALE_UNIT).sum().item() for step in CANDIDATES]
                    found[frame_type, delta, kind] = CANDIDATES[int(np.argmin(lengths))]
    return Temperature(found[0], found[1])
