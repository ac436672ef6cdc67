"""NLVC in Matroska through the stock tools that people use on such files, and seeking."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

import pynlvc
from pynlvc import DecoderSettings, EncoderSettings, UsageError
from pynlvc.codec.planes import frame_checksum
from pynlvc.codec.times import frame_seconds
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import probe, run_tool

RATE = Fraction(30000, 1001)
FRAMES, GOP = 12, 4


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FFV1 with sound in NUT, which keeps times in units of 1/RATE."""
    clip = make_clip(48, 40, FRAMES, seed=2)
    return write_clip(tmp_path_factory.mktemp("tools") / "source.nut", clip, rate=RATE, audio=True)


@pytest.fixture(scope="module")
def coded(source: Path, model_path: Path) -> Path:
    target = source.with_name("coded.mkv")
    settings = EncoderSettings(model=str(model_path), embed_model=True, gop=GOP, scene_cuts=False)
    pynlvc.transcode(source, target, settings=settings)
    return target


@pytest.fixture(scope="module")
def checksums(source: Path) -> list[int]:
    with pynlvc.open(source) as frames:
        return [frame_checksum(frame) for frame in frames]


def decoded(path: Path, settings: DecoderSettings | None = None) -> list[int]:
    with pynlvc.open(path, settings=settings) as frames:
        return [frame_checksum(frame) for frame in frames]


def test_stock_tools_know_the_track(coded: Path) -> None:
    stream = probe(coded)["streams"][0]
    assert (stream["codec_type"], stream["codec_tag_string"]) == ("video", "NLVC")
    assert (stream["width"], stream["height"], stream["avg_frame_rate"]) == (48, 40, "30000/1001")
    listing = run_tool("mkvmerge", "-J", coded)
    assert "V_MS/VFW/FOURCC" in listing and "NLVC" in listing


@pytest.mark.parametrize("suffix", ["mkv", "nut"])
def test_ffmpeg_stream_copy(coded: Path, source: Path, tmp_path: Path, suffix: str) -> None:
    copy = tmp_path / f"copy.{suffix}"
    run_tool("ffmpeg", "-v", "error", "-i", coded, "-map", "0", "-c", "copy", copy)
    assert pynlvc.verify(copy, against=source).problems == ()


def test_ffmpeg_pipes(coded: Path, source: Path, tmp_path: Path) -> None:
    piped = tmp_path / "piped.mkv"
    command = f"ffmpeg -v error -i {coded} -map 0 -c copy -f matroska -live 1 - > {piped}"
    run_tool("sh", "-c", command)
    assert pynlvc.verify(piped, against=source).problems == ()


def test_mkvmerge(coded: Path, source: Path, tmp_path: Path) -> None:
    merged = tmp_path / "merged.mkv"
    run_tool("mkvmerge", "-q", "-o", merged, coded)
    assert pynlvc.verify(merged, against=source).problems == ()
    with pynlvc.open(merged) as frames, pynlvc.open(coded) as originals:
        assert [(f.pts, f.duration, f.time_base) for f in frames] == [
            (f.pts, f.duration, f.time_base) for f in originals
        ]


def test_mkvextract_and_merge_again(source: Path, model_path: Path, checksums: list[int], tmp_path: Path) -> None:
    """mkvextract writes AVI. Version 74 cannot do so with more than 2 kB of codec header: the model is not embedded."""
    coded, extracted = tmp_path / "coded.mkv", tmp_path / "video.avi"
    pynlvc.transcode(source, coded, settings=EncoderSettings(model=str(model_path)))
    run_tool("mkvextract", "-q", coded, "tracks", f"0:{extracted}")
    settings = DecoderSettings(model_files=(model_path,))
    assert decoded(extracted, settings) == checksums
    times = tmp_path / "times.txt"
    run_tool("mkvextract", "-q", coded, "timestamps_v2", f"0:{times}")
    merged = tmp_path / "merged.mkv"
    run_tool("mkvmerge", "-q", "-o", merged, "--timestamps", f"0:{times}", extracted)
    assert decoded(merged, settings) == checksums


def test_mkvmerge_appends_and_the_times_follow(coded: Path, checksums: list[int], tmp_path: Path) -> None:
    joined = tmp_path / "joined.mkv"
    run_tool("mkvmerge", "-q", "-o", joined, "-A", coded, "+", "-A", coded)
    report = pynlvc.verify(joined)
    assert report.problems == () and report.frames == 2 * FRAMES
    assert decoded(joined) == checksums + checksums
    with pynlvc.open(joined) as frames:
        seconds = [float(frame_seconds(frame)) for frame in frames]
    steps = [later - earlier for earlier, later in pairwise(seconds)]
    assert steps == pytest.approx([float(1 / RATE)] * (2 * FRAMES - 1), abs=0.001)


def test_mkvmerge_splits_at_keyframes(coded: Path, checksums: list[int], tmp_path: Path) -> None:
    run_tool("mkvmerge", "-q", "-o", tmp_path / "part-%d.mkv", "--split", f"frames:{GOP + 1}", "-A", coded)
    parts = sorted(tmp_path.glob("part-*.mkv"))
    assert len(parts) == 2
    assert decoded(parts[0]) == checksums[:GOP] and decoded(parts[1]) == checksums[GOP:]


def test_ffmpeg_cuts_at_keyframes_and_sound_stays_in_step(coded: Path, checksums: list[int], tmp_path: Path) -> None:
    cut = tmp_path / "cut.mkv"
    start = f"{float((GOP + 1) / RATE):.3f}"
    run_tool("ffmpeg", "-v", "error", "-ss", start, "-i", coded, "-map", "0", "-c", "copy", cut)
    assert decoded(cut) == checksums[GOP:]
    with av.open(str(cut)) as container, pynlvc.open(cut) as frames:
        first = next(packet for packet in container.demux(video=0))
        assert first.pts is not None
        assert float(frame_seconds(next(frames))) == pytest.approx(float(first.pts * first.time_base), abs=0.001)


def test_container_seeking_lands_on_keyframes(coded: Path) -> None:
    with av.open(str(coded)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        for index in range(FRAMES):
            container.seek(int(index / RATE / stream.time_base) + 1, stream=stream)
            packet = next(container.demux(stream))
            assert packet.is_keyframe and packet.pts is not None
            assert round(packet.pts * stream.time_base * RATE) == index // GOP * GOP


def test_the_reader_seeks_to_the_frame_that_is_shown(coded: Path, checksums: list[int]) -> None:
    with pynlvc.open(coded) as frames:
        for index in (7, 0, 11, 4, 3, 8):
            for within in (Fraction(0), Fraction(1, 3), Fraction(99, 100)):
                frames.seek((index + within) / RATE)
                rest = [frame_checksum(frame) for frame in frames]
                assert rest == checksums[index:], f"frame {index} + {within}"


def test_seeking_beyond_the_ends(coded: Path, checksums: list[int]) -> None:
    with pynlvc.open(coded) as frames:
        frames.seek(1000.0)
        assert [frame_checksum(frame) for frame in frames] == checksums[-1:]
        frames.seek(0)
        assert frame_checksum(next(frames)) == checksums[0]
        with pytest.raises(UsageError, match="not negative"):
            frames.seek(-1)


def test_the_reader_gives_frames_as_pyav_does(coded: Path, source: Path) -> None:
    with pynlvc.open(coded) as frames, av.open(str(source)) as original:
        for mine, theirs in zip(frames, original.decode(video=0), strict=True):
            assert isinstance(mine, av.VideoFrame)
            assert (mine.width, mine.height, mine.format.name) == (theirs.width, theirs.height, theirs.format.name)
            assert (mine.pts, mine.time_base) == (theirs.pts, theirs.time_base)
            assert mine.time == pytest.approx(theirs.time)


def test_ffmpeg_cuts_the_end(coded: Path, checksums: list[int], tmp_path: Path) -> None:
    cut = tmp_path / "cut.mkv"
    seconds = f"{float(Fraction(2 * GOP) / RATE) - 0.005:.3f}"
    run_tool("ffmpeg", "-v", "error", "-i", coded, "-map", "0", "-c", "copy", "-t", seconds, cut)
    assert decoded(cut) == checksums[: 2 * GOP]
    assert pynlvc.verify(cut).problems == ()


def test_mkvpropedit_changes_what_is_said_and_no_sample(coded: Path, source: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited.mkv"
    edited.write_bytes(coded.read_bytes())
    track = ("--edit", "track:v1", "--set", "name=Renamed", "--set", "language=fra", "--set", "color-range=2")
    run_tool("mkvpropedit", "-q", edited, "--edit", "info", "--set", "title=New title", *track)
    assert pynlvc.verify(edited, against=source).problems == ()
    back = tmp_path / "back.mkv"
    pynlvc.transcode(edited, back)
    described = probe(back)
    assert described["streams"][0]["tags"]["title"] == "Renamed"
    assert described["streams"][0]["tags"]["language"] == "fre"
    assert described["streams"][0]["color_range"] == "pc"
    assert described["format"]["tags"]["title"] == "New title"


def test_parts_that_mkvmerge_split_join_again(coded: Path, source: Path, tmp_path: Path) -> None:
    run_tool("mkvmerge", "-q", "-o", tmp_path / "part-%d.mkv", "--split", f"frames:{GOP + 1}", "-A", coded)
    parts = sorted(tmp_path.glob("part-*.mkv"))
    joined = tmp_path / "joined.mkv"
    run_tool("mkvmerge", "-q", "-o", joined, parts[0], "+", parts[1])
    assert pynlvc.verify(joined, against=source).problems == ()
