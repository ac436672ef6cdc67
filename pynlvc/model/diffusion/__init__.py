"""The masked-diffusion transformer on patches of 32x32 tokens (docs/diffusion.md)."""
