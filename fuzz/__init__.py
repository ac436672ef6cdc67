"""Targets for libFuzzer (Makefile), their seeds and the regression corpus."""
