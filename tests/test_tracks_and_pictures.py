"""Several video tracks, data tracks, pictures and sequences of them, standard input and output."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest

import pynlvc
from pynlvc import EncoderSettings, NlvcError, UsageError
from tests.clip_files import stock_framemd5, write_clip
from tests.clips import make_clip
from tests.media_files import CHAPTERS, PROJECT, folder_names, options, pynlvc_command, run_pynlvc, run_tool, words


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True)


@pytest.fixture(scope="module")
def two_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two video tracks of different size and rate, a sound between them."""
    folder = tmp_path_factory.mktemp("two")
    first = write_clip(folder / "first.mkv", make_clip(64, 48, 6), audio=True)
    second = write_clip(folder / "second.mkv", make_clip(34, 22, 3, pix_fmt="yuv444p"), rate=Fraction(12))
    target = folder / "two.mkv"
    maps = words("-map 0:v -map 0:a -map 1:v -c copy -metadata:s:v:1 title=Angle -disposition:v:1 0")
    run_tool("ffmpeg", "-v", "error", "-i", first, "-i", second, *maps, target)
    return target


def codecs(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [s.codec_context.name if s.codec_context else "nlvc" for s in container.streams]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (None, ["nlvc", "flac", "ffv1"]),
        ("main", ["nlvc", "flac", "ffv1"]),
        ("all", ["nlvc", "flac", "nlvc"]),
        ("1", ["ffv1", "flac", "nlvc"]),
        ("0,1", ["nlvc", "flac", "nlvc"]),
    ],
)
def test_video_tracks_are_coded_or_copied(
    tmp_path: Path, two_videos: Path, settings: EncoderSettings, choice: str | None, wanted: list[str]
) -> None:
    coded, back = tmp_path / "coded.mkv", tmp_path / "back.mkv"
    report = pynlvc.transcode(two_videos, coded, settings=settings, video_tracks=choice)
    assert codecs(coded) == wanted and report.warnings == ()
    assert [str(difference) for difference in pynlvc.compare(two_videos, coded).differences] == []
    if wanted[0] == "nlvc":
        pynlvc.transcode(coded, back)
        assert codecs(back) == ["ffv1", "flac", "ffv1"]
        assert pynlvc.compare(two_videos, back).equal


@pytest.mark.parametrize("choice", ["2", "first", "0,5", "-1", ""])
def test_wrong_choices_are_usage_errors(
    tmp_path: Path, two_videos: Path, settings: EncoderSettings, choice: str
) -> None:
    with pytest.raises(UsageError, match=r"say main, all, or numbers from 0 to 1"):
        pynlvc.transcode(two_videos, tmp_path / "out.mkv", settings=settings, video_tracks=choice)


def test_errors_name_the_track(tmp_path: Path, settings: EncoderSettings) -> None:
    first = write_clip(tmp_path / "first.mkv", make_clip(64, 48, 3))
    source = tmp_path / "in.mkv"
    palette = words("-f lavfi -i testsrc2=s=32x24:d=0.1 -map 0 -map 1 -c:v:0 copy -c:v:1 png -pix_fmt:v:1 pal8")
    run_tool("ffmpeg", "-v", "error", "-i", first, *palette, source)
    assert pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings).frames == 3
    with pytest.raises(NlvcError, match=r"video track 1: pixel format pal8 is not supported: .*palette"):
        pynlvc.transcode(source, tmp_path / "all.mkv", settings=settings, video_tracks="all")


def test_data_tracks_are_named(tmp_path: Path, settings: EncoderSettings, model_path: Path) -> None:
    source = tmp_path / "in.mov"
    clip = write_clip(tmp_path / "clip.mov", make_clip(64, 48, 3), codec="libx264")
    run_tool("ffmpeg", "-v", "error", "-i", clip, *words("-c copy -timecode 01:02:03:04"), source)
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 0
    assert "warning: data track 1" in done.stderr and "not kept" in done.stderr and "1 warnings" in done.stdout
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].metadata["TIMECODE"] == "01:02:03:04"


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """shot_0007.dpx to shot_0011.dpx."""
    folder = tmp_path / "shots"
    folder.mkdir()
    source = words("ffmpeg -v error -f lavfi -i testsrc2=s=33x21:d=0.2,format=gbrp10le -start_number 7")
    run_tool(*source, folder / "shot_%04d.dpx")
    return folder / "shot_%04d.dpx"


def test_sequences_in_and_out(tmp_path: Path, shots: Path, settings: EncoderSettings) -> None:
    coded = tmp_path / "coded.mkv"
    rate = Fraction(24000, 1001)
    report = pynlvc.transcode(shots, coded, settings=settings, frame_rate=rate)
    assert (report.frames, report.pix_fmt) == (5, "gbrp10le")
    with pynlvc.open(coded) as frames:
        assert frames.frame_rate == rate
        assert [frame.pts * frame.time_base for frame in frames] == [n / rate for n in range(5)]  # type: ignore[operator]
    pynlvc.transcode(coded, tmp_path / "back.mkv")
    assert (
        stock_framemd5(tmp_path / "back.mkv", pix_fmt="gbrp10le")
        == stock_framemd5(Path(str(shots).replace("%04d", "0007")), pix_fmt="gbrp10le")
        + stock_framemd5(tmp_path / "back.mkv", pix_fmt="gbrp10le")[1:]
    )
    assert pynlvc.compare(shots, coded).tracks[0].items == (5, 5)
    assert pynlvc.verify(coded, against=shots).ok
    pynlvc.transcode(shots, tmp_path / "slow.mkv", settings=settings, frame_rate=Fraction(1))
    assert pynlvc.verify(tmp_path / "slow.mkv", against=shots).ok, "pictures have no times"
    assert pynlvc.compare(shots, tmp_path / "slow.mkv").equal


@pytest.mark.parametrize(
    ("suffix", "pix_fmt"), [("png", "rgb24"), ("tiff", "rgb48le"), ("png", "gray16be"), ("tif", "ya8")]
)
def test_pictures_go_there_and_back(tmp_path: Path, settings: EncoderSettings, suffix: str, pix_fmt: str) -> None:
    clip = words(f"ffmpeg -v error -f lavfi -i testsrc2=s=35x27:d=0.12,format={pix_fmt}")
    run_tool(*clip, "-frames:v", "1", tmp_path / f"one.{suffix}")
    run_tool(*clip, tmp_path / f"in_%02d.{suffix}")
    for source, target in ((f"one.{suffix}", f"back.{suffix}"), (f"in_%02d.{suffix}", f"out_%03d.{suffix}")):
        pynlvc.transcode(tmp_path / source, tmp_path / "coded.mkv", settings=settings, overwrite=True)
        report = pynlvc.transcode(tmp_path / "coded.mkv", tmp_path / target)
        assert report.verified and report.pix_fmt == pix_fmt
        assert pynlvc.verify(tmp_path / target, against=tmp_path / source).problems == ()
    assert (tmp_path / f"out_003.{suffix}").exists() and not (tmp_path / f"out_000.{suffix}").exists()
    with pytest.raises(UsageError, match="exist already"):
        pynlvc.transcode(tmp_path / "coded.mkv", tmp_path / f"out_%03d.{suffix}")
    assert pynlvc.transcode(tmp_path / "coded.mkv", tmp_path / f"out_%03d.{suffix}", overwrite=True).frames == 3
    with pytest.raises(NlvcError, match="one picture: for more, name a sequence"):
        pynlvc.transcode(tmp_path / "coded.mkv", tmp_path / f"single.{suffix}")
    assert not [name for name in folder_names(tmp_path) if name.startswith(".")]


def test_a_hole_in_a_sequence_is_named(tmp_path: Path, shots: Path, model_path: Path) -> None:
    (shots.parent / "shot_0009.dpx").unlink()
    done = run_pynlvc("transcode", shots, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1 and "has a hole: shot_0009.dpx is missing" in done.stderr
    done = run_pynlvc("transcode", tmp_path / "none_%03d.png", tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1 and "no file has a name like" in done.stderr
    assert not (tmp_path / "out.mkv").exists()


def test_what_pictures_cannot_hold_is_named(tmp_path: Path, small_clip_path: Path, settings: EncoderSettings) -> None:
    source = tmp_path / "in.mkv"
    (tmp_path / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    run_tool(
        *("ffmpeg", "-v", "error", "-i", small_clip_path, "-i", tmp_path / "chapters.txt", "-map_chapters", "1"),
        *("-metadata:s:a:0", "title=First sound", *words("-c:v ffv1 -pix_fmt bgr0 -c:a copy")),
        source,
    )
    pynlvc.transcode(source, tmp_path / "coded.mkv", settings=settings)
    report = pynlvc.transcode(tmp_path / "coded.mkv", tmp_path / "out_%d.png")
    text = "; ".join(report.warnings)
    assert "audio track 1 (First sound) is not kept: pictures hold one video track" in text
    assert "2 chapters are not kept" in text and "stored as rgb24" in text


def piped(command: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=120, env=environment)


@pytest.mark.parametrize("container", ["mkv", "nut"])
def test_standard_input_and_output(tmp_path: Path, small_clip_path: Path, model_path: Path, container: str) -> None:
    command = pynlvc_command("transcode", "-", "-", "--container", container, *options(model_path))
    done = piped(command, small_clip_path.read_bytes())
    assert done.returncode == 0, done.stderr
    assert b"6 frames 96x80 yuv420p as nlvc" in done.stderr and b"verified" in done.stderr
    coded = tmp_path / f"coded.{container}"
    coded.write_bytes(done.stdout)
    assert [str(difference) for difference in pynlvc.compare(small_clip_path, coded).differences] == []
    back = piped(pynlvc_command("transcode", "-", tmp_path / "back.mkv"), done.stdout)
    assert back.returncode == 0, back.stderr
    assert pynlvc.compare(small_clip_path, tmp_path / "back.mkv").equal


def test_a_closed_output_pipe_is_an_error(small_clip_path: Path, model_path: Path) -> None:
    words_ = " ".join(pynlvc_command("transcode", small_clip_path, "-", *options(model_path)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        f"{words_} | head -c 10 > /dev/null",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "cannot write -" in done.stderr or "as nlvc" in done.stderr
