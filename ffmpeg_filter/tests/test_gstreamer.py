"""The GStreamer plugin: decodebin finds the decoder for Matroska, elements start and stop, caps come in-band."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import pynlvc
from ffmpeg_filter.tests.builds import build_gstreamer
from ffmpeg_filter.tests.conftest import Source
from pynlvc.codec.pixel_formats import pixel_format
from tests.clip_files import stock_framemd5_of_samples
from tests.media_files import PROJECT, run_tool, words

CYCLES = 20


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """GStreamer with the plugin, and with a registry of its own."""
    folder = build_gstreamer()
    registry = tmp_path_factory.mktemp("registry") / "registry.bin"
    return os.environ | {"GST_PLUGIN_PATH": str(folder), "GST_REGISTRY": str(registry)}


def launch(environment: dict[str, str], pipeline: str) -> subprocess.CompletedProcess[str]:
    """Runs gst-launch-1.0."""
    command = ["gst-launch-1.0", "-q", *words(pipeline)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def decoded_hashes(environment: dict[str, str], file: Path, source: Source, elements: str = "decodebin") -> list[str]:
    """MD5 of the frames that come out of a pipeline; sizes are such that GStreamer pads no row."""
    raw = file.with_suffix(".raw")
    done = launch(environment, f"filesrc location={file} ! {elements} ! filesink location={raw}")
    assert done.returncode == 0, done.stderr
    with pynlvc.open(source.path) as video:
        first = next(iter(video))
    frames = [raw.read_bytes()]
    size = pixel_format(source.pix_fmt).frame_bytes(first.width, first.height)
    assert len(frames[0]) == size * len(source.hashes)
    return stock_framemd5_of_samples(frames, pix_fmt=source.pix_fmt, width=first.width, height=first.height)


def test_decodebin_finds_the_decoder(environment: dict[str, str], source: Source, coded: Path) -> None:
    assert decoded_hashes(environment, coded, source) == source.hashes


def test_files_of_the_package_decode(environment: dict[str, str], source: Source, tmp_path: Path) -> None:
    ours = tmp_path / "ours.mkv"
    pynlvc.transcode(source.path, ours, settings=pynlvc.EncoderSettings(model="fast"))
    assert decoded_hashes(environment, ours, source) == source.hashes


def test_the_encoder(environment: dict[str, str], source: Source, coded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(coded.read_bytes())
    elements = "matroskademux ! nlvcdec ! nlvcenc model=fast effort=0 gop=2 embed-model=1 ! nlvcdec threads=1"
    assert decoded_hashes(environment, copy, source, elements) == source.hashes


def test_elements_start_and_stop(environment: dict[str, str], coded_sound: Path, sound: Source, tmp_path: Path) -> None:
    program = tmp_path / "start_stop"
    flags = run_tool(*words("pkg-config --cflags --libs gstreamer-1.0")).split()
    run_tool(*words("cc -Wall -Wextra -Werror"), PROJECT / "ffmpeg_filter/tests/start_stop.c", *flags, "-o", program)
    done = subprocess.run(
        [program, coded_sound, str(CYCLES)], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    frames = [int(line) for line in done.stdout.split()]
    assert len(frames) == CYCLES
    assert set(frames[::2]) == {len(sound.hashes)}
    assert all(1 <= count <= len(sound.hashes) for count in frames[1::2])


def test_errors_are_told_in_words(environment: dict[str, str], coded_sound: Path, tmp_path: Path) -> None:
    done = launch(environment, "videotestsrc num-buffers=2 ! nlvcenc model=none ! fakesink")
    assert done.returncode != 0
    assert (
        "there is no model named 'none'"
        in launch(environment, "-v videotestsrc num-buffers=2 ! nlvcenc model=none ! fakesink").stderr
    )
    broken = tmp_path / "broken.mkv"
    data = bytearray(coded_sound.read_bytes())
    data[len(data) // 2] ^= 0x40
    broken.write_bytes(bytes(data))
    damaged = launch(environment, f"filesrc location={broken} ! matroskademux ! nlvcdec max-errors=-1 ! fakesink")
    assert damaged.returncode == 0, damaged.stderr
