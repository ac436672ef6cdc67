"""Training of the probability models. Needs PyTorch; nothing but the command line imports it."""
