"""The golden streams decode for ever, with every set of kernels and with the second decoder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path

import pytest

from pynlvc import _core
from tests import reference_decoder
from tests.golden.make import HEADER, TABLE
from tests.golden.streams import FOLDER, digest, read_stream, streams

VERSIONS = sorted(path for path in FOLDER.iterdir() if path.is_dir() and path.name.startswith("v"))
STREAMS = [path for version in VERSIONS for path in sorted(version.glob("*.nlvs"))]
Row = tuple[bool, int, int, str]  # keyframe, pts, duration, SHA-256


def expected(path: Path) -> list[Row]:
    """What the frames of a stream must be."""
    header, *lines = (path.parent / TABLE).read_text(encoding="utf-8").splitlines()
    assert header == HEADER
    rows: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        name, number, keyframe, pts, duration, sha256 = line.split("\t")
        assert int(number) == len(rows[name])
        rows[name].append((keyframe == "1", int(pts), int(duration), sha256))
    return rows[path.stem]


def models_beside(path: Path) -> dict[bytes, bytes]:
    """The models that the streams of a version differ from, by SHA-256."""
    files = [file.read_bytes() for file in path.parent.glob("*.nlvm")]
    return {hashlib.sha256(data).digest(): data for data in files}


def test_there_are_streams_of_the_present_version() -> None:
    present = next(streams()["one_sample"].packets())[2]
    assert present in {read_stream(path)[0][2] for path in STREAMS}


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("kernels", _core.kernel_names())
def test_the_codec_decodes_them(path: Path, kernels: str) -> None:
    decoder = _core.Decoder(models_beside(path).get, threads=2, kernels=kernels)
    frames = [decoder.decode(packet) for packet in read_stream(path)]
    found = [(f.is_keyframe, f.pts, f.duration, digest(f.planes, f.format.depth)) for f in frames]
    assert found == expected(path)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_second_decoder_decodes_them(path: Path) -> None:
    decoder = reference_decoder.Decoder(models_beside(path))
    rows = expected(path)
    packets = read_stream(path)
    assert len(packets) == len(rows)
    for packet, (_, pts, duration, sha256) in zip(packets, rows, strict=True):
        frame = decoder.decode(packet)
        depth = 8 if frame.value_depth == 8 else 16
        assert (frame.pts, frame.duration, digest(frame.planes, depth)) == (pts, duration, sha256)


def test_they_use_every_part_of_the_format() -> None:
    modes, types, numberings, slopes, shifts = set(), set(), set(), set(), set()
    kinds = set()
    for path in STREAMS:
        for packet in read_stream(path):
            info = _core.parse_packet(packet)
            modes |= set(info.slice_modes)
            types |= set(info.side)
            slopes.add(info.delta)
            kinds.add(bytes(info.embedded_model[:4]))
            shifts.add(info.q)
            if 128 in info.side:
                numberings.add(info.side[128][0])
    assert modes == {"model", "raw", "repeats"}
    assert types >= {1, 2, 44, 128, 129}
    assert numberings == {1, 2, 3, 4, 5}
    assert kinds >= {b"NLVM", b"NLVP"}
    assert slopes >= {0, 1, 2} and len(shifts) > 1
