"""The filter `nlvc`: what the model thinks of frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffmpeg_filter.tests.builds import Ffmpeg
from ffmpeg_filter.tests.conftest import Source
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import words


def metadata(ffmpeg: Ffmpeg, path: Path, filters: str) -> list[dict[str, float]]:
    """The filter's findings, one dictionary for each frame."""
    text = ffmpeg.run("-i", path, "-map", "0:v", "-vf", f"{filters},metadata=print:file=-", "-f", "null", "-")
    frames: list[dict[str, float]] = []
    for line in text.splitlines():
        if line.startswith("frame:"):
            frames.append({})
        elif line.startswith("lavfi.nlvc."):
            name, value = line.removeprefix("lavfi.nlvc.").split("=")
            frames[-1][name] = float(value)
    return frames


def test_it_passes_frames_through_and_measures_them(ffmpeg: Ffmpeg, source: Source, tmp_path: Path) -> None:
    assert ffmpeg.framemd5(source.path, "-vf", "nlvc=model=fast", "-pix_fmt", source.pix_fmt) == source.hashes
    found = metadata(ffmpeg, source.path, f"format={source.pix_fmt},nlvc=model=fast")
    assert len(found) == len(source.hashes)
    coded = tmp_path / "out.nut"
    ffmpeg.run(
        "-i", source.path, *words("-map 0:v -c:v libnlvc -model fast -effort 0 -gop 0 -pix_fmt"), source.pix_fmt, coded
    )
    sizes = ffmpeg.probe(*words("-show_entries packet=size -of csv=p=0"), coded).split()
    for frame, size in zip(found, sizes, strict=True):
        assert frame["bits"] == pytest.approx(8 * int(size), abs=200), "but for the times, the encoder's packet"
        planes = sum(value for name, value in frame.items() if name.startswith("plane"))
        assert planes + frame["motion_bits"] == pytest.approx(frame["bits"], rel=0.02, abs=3000)
    assert [frame["keyframe"] for frame in found][:2] == [1, 0]


def test_cuts_are_found(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "cuts.nut", make_clip(128, 96, 12, cuts=(5, 9)))
    found = metadata(ffmpeg, clip, "nlvc=model=fast")
    cuts = [number for number, frame in enumerate(found) if frame["scene_score"] > 1]
    assert cuts == [5, 9]
    assert [number for number, frame in enumerate(found) if frame["keyframe"]] == [0, 5, 9]


def test_ffprobe_reads_it(ffmpeg: Ffmpeg, sound: Source) -> None:
    graph = f"movie={sound.path},nlvc=model=fast"
    tags = words("-show_entries frame_tags=lavfi.nlvc.bpp -of csv=p=0")
    listing = ffmpeg.probe("-f", "lavfi", "-i", graph, *tags).split()
    assert len(listing) == len(sound.hashes)
    assert all(0.1 < float(value) < 12 for value in listing)


def test_the_heat_map_shows_where_bits_go(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = make_clip(96, 80, 3, noise=0)
    for planes in clip.frames:
        planes[0][:, :48] = 100  # the left half is flat
    path = write_clip(tmp_path / "half.nut", clip)
    target = tmp_path / "heat.gray"
    ffmpeg.run("-i", path, *words("-vf nlvc=heatmap=1:white=8 -frames:v 1 -f rawvideo -pix_fmt gray"), target)
    picture = target.read_bytes()
    rows = [picture[96 * y : 96 * y + 96] for y in range(80)]
    assert len(picture) == 96 * 80
    left, right = (sum(sum(row[part]) for row in rows) for part in (slice(0, 32), slice(64, 96)))
    assert right > 4 * left > 0
    assert all(len(set(row[x : x + 16])) == 1 for row in rows for x in range(0, 96, 16)), "blocks of 16"
