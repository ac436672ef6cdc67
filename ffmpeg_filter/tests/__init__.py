"""Tests of NLVC inside other programs; `make test-ffmpeg` builds those and runs them."""
