"""Probability models: taps, shapes, the trainable denoiser, its integer form, and the store of shipped weights."""
