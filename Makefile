# make demo [IN=clip.mkv] [OUT=out.mkv]   transcode, decode, verify, compare; without IN a clip is generated
# make test                               the test suite
# make lib                                libnlvc, the codec for C: build/libnlvc
# make install-lib PREFIX=/usr/local      libnlvc, nlvc.h and nlvc.pc for pkg-config
# make ffmpeg                             ffmpeg, ffprobe, ffplay with NLVC inside: build/ffmpeg
# make gstreamer                          the GStreamer plugin: build/gstreamer
# make test-ffmpeg                        NLVC inside FFmpeg, GStreamer and mpv: builds them and runs their tests
# make lint                               formatting, linters, types
# make bench CLIPS="a.mkv b.mkv"          NLVC beside FFV1, x264, x265, VP9 and AV1
# Everything is installed into .venv first; nothing outside this folder is touched, but that `make test` installs the
# Debian packages of the programs that it runs (ffmpeg, mkvtoolnix) where they are missing and it may.
# PYTHON=python3.12 chooses the interpreter. TORCH_INDEX=https://download.pytorch.org/whl/cpu avoids CUDA packages.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IN ?=
OUT ?= demo/out.mkv
CLIPS ?=
TORCH_INDEX ?=
PIP_INSTALL := $(BIN)/python -m pip install -qq $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
NATIVE := $(wildcard csrc/* csrc/*/* src/*/*)
CXX_FILES := $(wildcard fuzz/*.h fuzz/*.cpp tests/native/*.cpp csrc/*.h csrc/*.cpp csrc/*/*.h csrc/*/*.cpp src/*/*.h src/*/*.cpp examples/c/*.c ffmpeg_filter/gstreamer/*.h ffmpeg_filter/gstreamer/*.c ffmpeg_filter/tests/*.c)

.PHONY: demo test lib install-lib ffmpeg gstreamer test-ffmpeg lint bench venv install programs hosts clean
.DELETE_ON_ERROR:

venv install: $(VENV)/installed

# One clear line for what a fresh machine may lack.
HEADERS := import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))

$(VENV)/bin/python:
	@command -v c++ >/dev/null || { echo "No C++ compiler: try 'apt install g++'."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "pynlvc needs Python 3.11 or newer, and $(PYTHON) is not. Name another: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c "$(HEADERS)" || { echo "No Python headers: try 'apt install python3-dev'."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment: try 'apt install python3-venv'."; exit 1; }

# The development install builds the native modules in place; it is made again when their sources change.
$(VENV)/installed: $(VENV)/bin/python pyproject.toml setup.py $(NATIVE)
	@echo "Installing pynlvc and its tools into $(VENV) (some minutes the first time) ..."
	@$(PIP_INSTALL) --upgrade 'pip>=24'
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/python -m benchmarks.demo $(if $(IN),--input '$(IN)') --output '$(OUT)'

test: $(VENV)/installed programs
	@$(BIN)/python -m pytest

# libnlvc needs a C++ compiler and nothing of the Python environment.
lib:
	@$(MAKE) --no-print-directory -C ffmpeg_filter lib

install-lib:
	@$(MAKE) --no-print-directory -C ffmpeg_filter install

ffmpeg gstreamer:
	@$(MAKE) --no-print-directory -C ffmpeg_filter $@

test-ffmpeg: $(VENV)/installed programs hosts
	@$(BIN)/python -m pytest ffmpeg_filter/tests

# The end of a recipe that collects the names of Debian packages in $missing.
define INSTALL_MISSING
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
    echo "The tests run programs that are not here: apt install$$missing"; exit 1; \
fi; \
echo "Installing$$missing ..."; \
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

# What FFmpeg's build and the tests of GStreamer and mpv need. SDL is for ffplay.
HOSTS := xz-utils dpkg-dev libsdl2-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools \
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good mpv valgrind
hosts:
	@missing=""; \
	for package in $(HOSTS); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	$(INSTALL_MISSING)

# The tests check files with programs that are not ours.
programs:
	@missing=""; \
	command -v ffmpeg >/dev/null || missing=" ffmpeg"; \
	command -v mkvmerge >/dev/null && command -v mkvextract >/dev/null || missing="$$missing mkvtoolnix"; \
	command -v pkg-config >/dev/null || missing="$$missing pkg-config"; \
	$(INSTALL_MISSING)

lint: $(VENV)/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@clang-format --dry-run -Werror $(CXX_FILES)

bench: $(VENV)/installed
	@$(BIN)/python -m benchmarks.compare $(CLIPS)

clean:
	rm -rf $(VENV) build dist demo pynlvc.egg-info pynlvc/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
