"""Whole files that carry everything at once, there and back, judged by `compare`; and times that containers dislike."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import pynlvc
from pynlvc import EncoderSettings, NlvcError, _avshim, _core
from pynlvc.codec.pixel_formats import pixel_format
from pynlvc.codec.planes import frame_planes
from pynlvc.codec.side_information import (
    ASPECT_RATIO,
    COLOUR,
    FIELDS,
    FIRST_SIDE_DATA,
    KEPT_KINDS,
    PADDING,
    TRAILING_LUMA,
    read_side_information,
)
from pynlvc.codec.times import frame_time
from tests.clip_files import video_frames, write_clip
from tests.clips import make_clip
from tests.media_files import CHAPTERS, SUBTITLES, run_pynlvc, run_tool, words

MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HEVC with HDR10, 10 bits, odd aspect ratio and variable frame rate; two sounds, subtitles, chapters, a font, a
    cover, tags, languages, dispositions."""
    folder = tmp_path_factory.mktemp("everything")
    video = write_clip(folder / "video.mkv", make_clip(96, 80, 12, pix_fmt="yuv420p10le", seed=4))
    (folder / "text.srt").write_text(SUBTITLES, encoding="utf-8")
    (folder / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    (folder / "font.ttf").write_bytes(bytes(range(256)) * 12)
    run_tool(*words("ffmpeg -v error -y -f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1"), folder / "cover.png")
    target = folder / "everything.mkv"
    hdr = f"log-level=error:hdr10=1:repeat-headers=1:master-display={MASTERING}:max-cll=1000,400"
    run_tool(
        *("ffmpeg", "-v", "error", "-y", "-i", video, "-f", "lavfi", "-i", "sine=f=440:d=0.5:r=48000"),
        *("-f", "lavfi", "-i", "sine=f=880:d=0.5:r=44100", "-i", folder / "text.srt", "-i", folder / "chapters.txt"),
        *words("-map 0:v -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4"),
        *("-vf", "setpts='(N+mod(N,3)*0.3)/25/TB',setsar=16/11", "-fps_mode", "vfr", "-enc_time_base", "1/1000"),
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", hdr, "-pix_fmt", "yuv420p10le"),
        *words("-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv"),
        *words("-chroma_sample_location topleft -c:a:0 flac -c:a:1 libopus -c:s srt"),
        *("-metadata:s:v", "language=jpn", "-metadata:s:v", "title=Main video", "-metadata:s:v", "OPERATOR=me"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=First sound", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:s", "language=fra"),
        *words("-disposition:v default+original -disposition:a:0 default -disposition:a:1 comment+hearing_impaired"),
        *words("-disposition:s:0 forced"),
        *("-attach", folder / "font.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font"),
        *("-attach", folder / "cover.png", "-metadata:s:t:1", "mimetype=image/png"),
        target,
    )
    return target


def test_nothing_of_a_file_with_everything_is_lost(everything: Path, settings: EncoderSettings, tmp_path: Path) -> None:
    coded, back = tmp_path / "coded.mkv", tmp_path / "back.mkv"
    assert pynlvc.transcode(everything, coded, settings=settings).warnings == ()
    report = pynlvc.compare(everything, coded)
    assert [str(difference) for difference in report.differences] == []
    kinds = [track.kind for track in report.tracks]
    assert kinds == ["video", "cover", "audio", "audio", "subtitle", "attachment"]
    assert report.tracks[0].codecs == ("hevc", "nlvc") and report.tracks[0].items == (12, 12)
    with pynlvc.open(coded) as frames:
        first = next(frames)
        steps = [frame_time(frame)[0] for frame in frames]
    said = {kind for kind, _ in _avshim.frame_side_data(first)}
    assert {11, 14} <= said, "mastering display and content light level are on the frames"
    assert len({b - a for a, b in pairwise(steps)}) > 1, "the frame rate varies"
    pynlvc.transcode(coded, back)
    assert [str(difference) for difference in pynlvc.compare(coded, back).differences] == []
    stream = json.loads(
        run_tool(*words("ffprobe -v error -select_streams v:0 -show_streams -show_frames -of json"), back)
    )
    assert stream["streams"][0]["sample_aspect_ratio"] == "16:11"
    assert stream["streams"][0]["color_transfer"] == "smpte2084"
    kinds = [side["side_data_type"] for side in stream["streams"][0]["side_data_list"]]
    assert "Mastering display metadata" in kinds and "Content light level metadata" in kinds


def test_compare_tells_what_differs(everything: Path, settings: EncoderSettings, tmp_path: Path) -> None:
    edited, clip = tmp_path / "edited.mkv", tmp_path / "clip.mkv"
    pynlvc.transcode(everything, edited, settings=settings)
    changes = "--edit info --set title=Other --edit track:a1 --set language=ita --set flag-default=0 --edit track:v1"
    run_tool("mkvpropedit", "-q", edited, *words(changes), "--set", "display-width=100", "--delete-attachment", "1")
    found = "\n".join(map(str, pynlvc.compare(everything, edited).differences))
    for part in ("tag title: Source title and Other", "tag language: eng and ita", "dispositions", "aspect ratio"):
        assert part in found
    assert "number of attachment tracks: 1 and 0" in found or "number of cover tracks: 1 and 0" in found
    write_clip(clip, make_clip(96, 80, 12, pix_fmt="yuv420p10le", seed=5))
    found = "\n".join(map(str, pynlvc.compare(everything, clip).differences))
    assert "video 0, frame 0: the samples differ" in found and "number of audio tracks: 2 and 0" in found
    assert "mastering display" in found and "colour" in found and "more differences" in found


def test_the_command_reports_and_counts(everything: Path, small_clip_path: Path, tmp_path: Path) -> None:
    done = run_pynlvc("compare", everything, everything)
    assert (
        done.returncode == 0 and "the files hold the same" in done.stdout and "video 0: hevc, 12 frames" in done.stdout
    )
    done = run_pynlvc("compare", everything, small_clip_path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["equal"] is False
    assert {"where", "what"} <= set(report["differences"][0])
    done = run_pynlvc("compare", everything, tmp_path / "nothing.mkv")
    assert done.returncode == 1 and "does not exist" in done.stderr


def timed_source(path: Path, times: list[int], base: Fraction, *, durations: int = 1) -> Path:
    """FFV1 frames at the given times."""
    clip = make_clip(32, 24, len(times), seed=9)
    with av.open(str(path), "w") as container:
        rate = 1 / base if times == list(range(len(times))) else 25
        stream = container.add_stream("ffv1", rate=rate, width=32, height=24, pix_fmt="yuv420p", time_base=base)
        for frame, pts in zip(video_frames(clip), times, strict=True):
            frame.pts, frame.time_base, frame.duration = pts, base, durations
            for packet in stream.encode(frame):
                container.mux(packet)
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mkv", "nut", "mov"])
@pytest.mark.parametrize(
    ("times", "base"),
    [
        (list(range(8)), Fraction(1001, 30000)),
        (list(range(8)), Fraction(1001, 24000)),
        ([0, 3003, 6006, 7000, 9009, 30000], Fraction(1, 90000)),
        ([90001, 93004, 96007], Fraction(1, 90000)),
    ],
    ids=["30/1.001", "24/1.001", "variable", "late start"],
)
def test_times_come_back_exactly_through_every_container(
    tmp_path: Path, settings: EncoderSettings, times: list[int], base: Fraction, suffix: str
) -> None:
    source = timed_source(tmp_path / "in.nut", times, base)
    with pynlvc.open(source) as frames:
        wanted = [(frame.pts * frame.time_base, frame.time_base) for frame in frames]  # type: ignore[operator]
    target = tmp_path / f"out.{suffix}"
    pynlvc.transcode(source, target, settings=settings)
    with pynlvc.open(target) as frames:
        found = list(frames)
        assert [(frame.pts * frame.time_base, frame.time_base) for frame in found] == wanted  # type: ignore[operator]
        frames.seek(max(Fraction(0), wanted[2][0]))
        assert frame_time(next(frames)) == frame_time(found[2 if wanted[2][0] >= 0 else 0])
    pynlvc.transcode(target, tmp_path / "back.nut")
    assert pynlvc.verify(tmp_path / "back.nut", against=source).ok


def test_avi_counts_frames(tmp_path: Path, settings: EncoderSettings) -> None:
    constant = timed_source(tmp_path / "constant.nut", list(range(8)), Fraction(1001, 30000))
    assert pynlvc.transcode(constant, tmp_path / "constant.avi", settings=settings).warnings == ()
    assert pynlvc.compare(constant, tmp_path / "constant.avi").equal
    variable = timed_source(tmp_path / "variable.nut", [0, 40, 80, 160, 200, 1000], Fraction(1, 1000))
    pynlvc.transcode(variable, tmp_path / "variable.avi", settings=settings)
    assert pynlvc.compare(variable, tmp_path / "variable.avi").equal, "exact times travel in the stream"
    close = timed_source(tmp_path / "close.nut", [0, 40, 45, 80], Fraction(1, 1000))
    with pytest.raises(NlvcError, match=r"frame 2: AVI counts frames, here 25 a second, and this one at 0\.045"):
        pynlvc.transcode(close, tmp_path / "close.avi", settings=settings)


def test_sound_stays_in_step_where_the_start_is_negative(tmp_path: Path, settings: EncoderSettings) -> None:
    """Matroska moves all tracks to zero; exact times and sound come back to where they were."""
    source, coded, back = (tmp_path / name for name in ("in.mkv", "out.mkv", "back.mkv"))
    plain = write_clip(tmp_path / "plain.nut", make_clip(32, 24, 10, seed=9), audio=True)
    shift, keep = words("ffmpeg -v error -itsoffset -0.2 -i"), words("-map 0 -c copy -avoid_negative_ts disabled")
    run_tool(*shift, plain, *keep, source)
    with pynlvc.open(source) as frames:
        assert next(frames).pts == -200
    report = pynlvc.transcode(source, coded, settings=settings)
    assert report.warnings == () and pynlvc.compare(source, coded).equal
    with av.open(str(coded)) as container:
        assert container.start_time == 0, "players see no time before zero"
    pynlvc.transcode(coded, back)
    assert pynlvc.verify(back, against=source).ok
    shown = [packets(path) for path in (source, back)]
    assert [b - a for a, b in zip(*shown, strict=True)] == pytest.approx([0.2] * len(shown[0]), abs=0.0021)


def packets(path: Path) -> list[float]:
    """Seconds of all packets of both tracks, each track's in order."""
    with av.open(str(path)) as container:
        found = [(p.stream.index, float(p.pts * p.time_base)) for p in container.demux() if p.size]  # type: ignore[operator]
    return [seconds for _, seconds in sorted(found)]


def test_edit_lists_are_obeyed(tmp_path: Path, settings: EncoderSettings) -> None:
    """A MOV that was cut without coding begins with frames that are decoded but not shown."""
    whole = tmp_path / "whole.mov"
    run_tool(*words("ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=25:d=1 -c:v libx264 -g 25 -bf 2"), whole)
    cut = tmp_path / "cut.mov"
    run_tool(*words("ffmpeg -v error -ss 0.4 -i"), whole, *words("-c copy"), cut)
    report = pynlvc.transcode(cut, tmp_path / "out.mkv", settings=settings)
    assert report.frames == 15
    assert pynlvc.verify(tmp_path / "out.mkv", against=cut).ok


def test_interlacing_is_kept_frame_by_frame(tmp_path: Path, settings: EncoderSettings) -> None:
    source = tmp_path / "in.mkv"
    run_tool(
        *words("ffmpeg -v error -f lavfi -i testsrc2=s=96x64:r=25:d=0.24 -vf setfield=tff,format=yuv422p"),
        *words("-c:v mpeg2video -q:v 2 -flags +ildct+ilme -top 1 -aspect 4:3"),
        source,
    )
    coded, back = tmp_path / "coded.mkv", tmp_path / "back.mkv"
    pynlvc.transcode(source, coded, settings=settings)
    pynlvc.transcode(coded, back)
    for path in (source, coded, back):
        with pynlvc.open(path) as frames:
            assert {_avshim.frame_fields(frame)[:2] for frame in frames} == {(True, True)}, path
    assert [str(difference) for difference in pynlvc.compare(source, coded).differences] == []


def test_rotation_is_kept(tmp_path: Path, settings: EncoderSettings) -> None:
    source = tmp_path / "in.mov"
    clip = write_clip(tmp_path / "clip.mov", make_clip(64, 48, 3), codec="libx264")
    run_tool("ffmpeg", "-v", "error", "-i", clip, *words("-c copy -metadata:s:v rotate=90"), source)
    with av.open(str(source)) as container:
        matrix = _avshim.stream_side_data(container.streams.video[0])[5]
    for target in (tmp_path / "out.mkv", tmp_path / "out.mov"):
        pynlvc.transcode(source, target, settings=settings)
        with av.open(str(target)) as container:
            assert _avshim.stream_side_data(container.streams.video[0])[5] == matrix


def test_side_data_of_frames_comes_back(model_path: Path) -> None:
    settings = EncoderSettings(model=str(model_path), embed_model=True, gop=3, scene_cuts=False)
    clip = make_clip(32, 24, 6)
    frames = list(video_frames(clip))
    for number, frame in enumerate(frames):
        _avshim.set_frame_color(frame, 1, 9, 16, 9, 3)
        _avshim.set_frame_fields(frame, number > 1, number > 2, number % 2)
        _avshim.set_frame_aspect_ratio(frame, 12 + number // 4, 11)
        for kind, known in KEPT_KINDS.items():
            if (number + kind) % 3:
                _avshim.add_frame_side_data(frame, kind, bytes([number + 1]) * (known.size or 30 + number))
        _avshim.add_frame_side_data(frame, 17, bytes(100))
        _avshim.add_frame_side_data(frame, 20, bytes(100))
    encoder = pynlvc.Encoder(32, 24, "yuv420p", time_base=Fraction(1, 25), settings=settings, like=frames[0])
    decoder = pynlvc.Decoder(encoder.extradata)
    for number, frame in enumerate(frames):
        (decoded,) = [one for packet in encoder.encode(frame) for one in decoder.decode(packet)]
        assert read_side_information(decoded)[0] == read_side_information(frame)[0]
        assert _avshim.frame_fields(decoded) == (number > 1, number > 2, number % 2)
        assert len([kind for kind in read_side_information(frame)[0] if kind >= FIRST_SIDE_DATA]) > 5
        assert (frame_planes(decoded)[0] == frame_planes(frame)[0]).all()
    assert encoder.not_kept == {"dynamic HDR10+ metadata"}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (COLOUR, b"\1\1"),
        (COLOUR, b"\1\1\1\1\x80\x10"),
        (ASPECT_RATIO, b"\1"),
        (FIELDS, b"\xff\xff\xff\xff\xff\1\0"),
        (PADDING, b"\1"),
        (TRAILING_LUMA, b"abc"),
        *(
            (FIRST_SIDE_DATA + kind, b"\1" * (known.size - 1) or b"12")
            for kind, known in KEPT_KINDS.items()
            if known.size
        ),
    ],
)
def test_damaged_side_information_is_refused(model_path: Path, kind: int, data: bytes) -> None:
    layout = pixel_format("yuyv422")
    core = _core.Encoder(layout.core_format(5, 4, (1, 25)), model_path.read_bytes(), embed_model=True)
    planes = [np.zeros(layout.plane_shape(index, 5, 4), np.uint8) for index in range(3)]
    packet = av.Packet(core.encode(planes, pts=0, duration=1, side={kind: data}).data)
    with pytest.raises(pynlvc.BitstreamError, match="packet 0: "):
        pynlvc.Decoder().decode(packet)
