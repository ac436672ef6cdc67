"""Adam (Kingma and Ba, arXiv 1412.6980) over one vector of parameters."""

import numpy as np
from numpy.typing import NDArray

BETAS = (0.9, 0.99)  # how slowly means of gradients and of their squares forget
LEAST = 1e-8  # added to the root of the squares


class Adam:
    """Changes `parameters` float32 [n] in place."""

    def __init__(self, parameters: NDArray[np.float32]):
        self.parameters = parameters
        self.mean = np.zeros_like(parameters)
        self.square = np.zeros_like(parameters)
        self.steps = 0

    def step(self, gradient: NDArray[np.float32], rate: float) -> None:
        """One step against the gradient, about `rate` far in each parameter."""
        self.steps += 1
        self.mean += (1 - BETAS[0]) * (gradient - self.mean)
        self.square += (1 - BETAS[1]) * (gradient * gradient - self.square)
        mean = self.mean / (1 - BETAS[0] ** self.steps)
        square = self.square / (1 - BETAS[1] ** self.steps)
        self.parameters -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(LEAST))
