"""Whole files to NLVC and back: every sample, every other track, every description; failures leave nothing behind."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.stream import AttachmentStream, Stream

import pynlvc
from pynlvc import EncoderSettings, NlvcError, Progress, UnsupportedFormatError, UsageError
from pynlvc.codec.pixel_formats import pixel_format, same_samples
from pynlvc.codec.planes import frame_checksum, frame_planes, new_frame
from pynlvc.media import coding, job, sinks
from pynlvc.media.source import VideoSource
from tests.clip_files import fill_plane, stock_framemd5, video_frames, write_clip
from tests.clips import make_clip, noise_clip
from tests.media_files import copied_packets, folder_names, options, probe, pynlvc_command, words, write_rich_source

STREAM_FACTS = words(
    "codec_type width height sample_aspect_ratio display_aspect_ratio color_range color_space color_transfer "
    "color_primaries chroma_location field_order r_frame_rate avg_frame_rate disposition"
)


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True)


@pytest.fixture(scope="module")
def rich_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rich_source(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def rich_nlvc(rich_source: Path, settings: EncoderSettings) -> Path:
    target = rich_source.with_name("nlvc.mkv")
    assert pynlvc.transcode(rich_source, target, settings=settings).warnings == ()
    return target


@pytest.fixture(scope="module")
def rich_back(rich_nlvc: Path) -> Path:
    target = rich_nlvc.with_name("back.mkv")
    assert pynlvc.transcode(rich_nlvc, target).codec == "ffv1"
    return target


def true_tags(tags: dict[str, str]) -> dict[str, str]:
    return {key.upper(): value for key, value in tags.items() if key.upper() not in ("ENCODER", "DURATION")}


def test_the_stock_ffmpeg_sees_the_same_frames_before_and_after(rich_source: Path, rich_back: Path) -> None:
    assert stock_framemd5(rich_back) == stock_framemd5(rich_source)


@pytest.mark.parametrize("result", ["rich_nlvc", "rich_back"])
def test_descriptions_chapters_and_tags_are_kept(
    rich_source: Path, result: str, request: pytest.FixtureRequest
) -> None:
    before, after = probe(rich_source), probe(request.getfixturevalue(result))
    assert len(after["streams"]) == len(before["streams"]) == 6
    for old, new in zip(before["streams"], after["streams"], strict=True):
        assert {key: new.get(key) for key in STREAM_FACTS} == {key: old.get(key) for key in STREAM_FACTS}
        assert true_tags(new.get("tags", {})) == true_tags(old.get("tags", {}))
    assert after["chapters"] == before["chapters"]
    assert true_tags(after["format"]["tags"]) == true_tags(before["format"]["tags"])


@pytest.mark.parametrize("result", ["rich_nlvc", "rich_back"])
@pytest.mark.parametrize("track", ["0:a:0", "0:a:1", "0:s:0"])
def test_other_tracks_are_copied_packet_for_packet(
    rich_source: Path, result: str, track: str, request: pytest.FixtureRequest
) -> None:
    assert copied_packets(request.getfixturevalue(result), track) == copied_packets(rich_source, track)


@pytest.mark.parametrize("result", ["rich_nlvc", "rich_back"])
def test_attachments_and_cover_art_are_kept(rich_source: Path, result: str, request: pytest.FixtureRequest) -> None:
    found = []
    for path in (rich_source, request.getfixturevalue(result)):
        with av.open(str(path)) as container:
            fonts = [stream.data for stream in container.streams if isinstance(stream, AttachmentStream)]
            covers = [stream.index for stream in container.streams.video if stream.disposition & 0x400]
            pictures = [bytes(packet) for packet in container.demux(*covers) if packet.size]
            found.append((fonts, pictures))
    assert found[0] == found[1]
    assert found[0][0] == [bytes(range(256)) * 12] and found[0][1][0].startswith(b"\x89PNG")


def test_exact_source_times_survive_the_container(tmp_path: Path, settings: EncoderSettings) -> None:
    """Variable frame rate in units of 1/12800 s, which Matroska cannot express."""
    clip, times = make_clip(32, 24, 6), [0, 427, 854, 2000, 2001, 9999]
    source = tmp_path / "vfr.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=30, width=32, height=24, time_base=Fraction(1, 12800))
        stream.codec_context.max_b_frames = 0
        for frame, pts in zip(video_frames(clip), times, strict=True):
            frame.pts, frame.time_base = pts, Fraction(1, 12800)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoSource(source) as opened:
        wanted = [(frame.pts, frame.duration, frame.time_base) for frame in opened.frames()]
    assert [pts for pts, *_ in wanted] == times and wanted[0][2] == Fraction(1, 12800)
    pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    with pynlvc.open(tmp_path / "out.mkv") as frames:
        assert [(frame.pts, frame.duration, frame.time_base) for frame in frames] == wanted


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(50), Fraction(15, 2)])
def test_frame_rates_are_kept(tmp_path: Path, settings: EncoderSettings, rate: Fraction) -> None:
    source = write_clip(tmp_path / "in.mkv", make_clip(32, 24, 5), rate=rate)
    pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    wanted = probe(source)["streams"][0]["avg_frame_rate"]
    assert probe(tmp_path / "out.mkv")["streams"][0]["avg_frame_rate"] == wanted


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("ffv1", "mkv", "yuv422p10le"),
        ("ffvhuff", "mkv", "gbrp"),
        ("rawvideo", "nut", "yuv444p"),
        ("rawvideo", "mkv", "yuv420p"),
        ("rawvideo", "y4m", "yuv422p"),
        ("utvideo", "mkv", "gbrp"),
        ("magicyuv", "avi", "gray"),
        ("libx264", "mkv", "yuv420p"),
        ("libx265", "mkv", "yuv422p10le"),
        ("libvpx-vp9", "webm", "yuv444p"),
    ],
)
def test_every_lossless_codec_is_exact(
    tmp_path: Path, settings: EncoderSettings, codec: str, suffix: str, pix_fmt: str
) -> None:
    source = write_clip(tmp_path / "in.avi", make_clip(66, 50, 4, pix_fmt=pix_fmt), codec="ffvhuff")
    pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    report = pynlvc.transcode(tmp_path / "out.mkv", tmp_path / f"back.{suffix}", codec=codec)
    assert report.verified and report.codec == codec
    assert stock_framemd5(tmp_path / f"back.{suffix}") == stock_framemd5(source)


@pytest.mark.parametrize("pix_fmt", ["gray", "gray12le", "yuv410p", "yuva444p", "gbrp", "gbrap12le", "yuv440p10le"])
def test_formats_go_there_and_back_through_files(tmp_path: Path, settings: EncoderSettings, pix_fmt: str) -> None:
    layout = pixel_format(pix_fmt)
    rng = np.random.default_rng(4)
    frames = []
    for number in range(3):
        frame = av.VideoFrame(33, 18, pix_fmt)
        for index, plane in enumerate(frame.planes):
            shape = layout.plane_shape(index, 33, 18)
            fill_plane(plane, rng.integers(0, layout.maximum, shape, dtype=layout.dtype, endpoint=True))
        frame.pts, frame.time_base = number, Fraction(1, 25)
        frames.append(frame)
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as container:
        codec = "ffvhuff" if pix_fmt == "gbrp" else "ffv1"
        stream = container.add_stream(codec, rate=25, width=33, height=18, pix_fmt=pix_fmt)
        assert isinstance(stream, av.VideoStream)
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    wanted = [frame_checksum(frame) for frame in frames]
    pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    pynlvc.transcode(tmp_path / "out.mkv", tmp_path / "back.mkv")
    for path in (tmp_path / "out.mkv", tmp_path / "back.mkv"):
        with pynlvc.open(path) as reader:
            decoded = list(reader)
        assert [frame_checksum(frame) for frame in decoded] == wanted
        assert all(same_samples(frame.format.name, pix_fmt) for frame in decoded)
        assert path.name == "back.mkv" or {frame.format.name for frame in decoded} == {pix_fmt}


@pytest.mark.parametrize("suffix", ["nut", "mov", "avi"])
def test_other_containers_hold_nlvc(
    tmp_path: Path, small_clip_path: Path, settings: EncoderSettings, suffix: str
) -> None:
    target = tmp_path / f"out.{suffix}"
    report = pynlvc.transcode(small_clip_path, target, settings=settings)
    assert pynlvc.verify(target, against=small_clip_path).ok
    assert (report.warnings == ()) == (suffix != "mov"), "MOV does not hold the FLAC track: that is said"


def test_full_range_is_noted_when_ffv1_does_not_know_the_name(tmp_path: Path, settings: EncoderSettings) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, width=32, height=24, pix_fmt="yuvj420p")
        for frame in video_frames(make_clip(32, 24, 2)):
            same = new_frame(frame_planes(frame), 32, 24, "yuvj420p")
            same.pts, same.time_base = frame.pts, frame.time_base
            container.mux(stream.encode(same))
        container.mux(stream.encode(None))
    assert pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings).pix_fmt == "yuvj420p"
    pynlvc.transcode(tmp_path / "out.mkv", tmp_path / "back.mkv")
    assert pynlvc.verify(tmp_path / "back.mkv", against=source).ok
    assert probe(tmp_path / "back.mkv")["streams"][0]["color_range"] == "pc"


def test_reports_and_progress_tell_the_figures(
    tmp_path: Path, small_clip_path: Path, settings: EncoderSettings
) -> None:
    seen: list[Progress] = []
    report = pynlvc.transcode(small_clip_path, tmp_path / "out.mkv", settings=settings, progress=seen.append)
    with av.open(str(tmp_path / "out.mkv")) as container:
        coded = sum(packet.size for packet in container.demux(video=0))
    assert (report.frames, report.width, report.height, report.pix_fmt) == (6, 96, 80, "yuv420p")
    assert report.coded_bytes == coded
    assert report.raw_bytes == 6 * 96 * 80 * 3 // 2
    assert report.bits_per_pixel == pytest.approx(8 * coded / (6 * 96 * 80))
    assert report.ratio == pytest.approx(report.raw_bytes / coded)
    assert {state.stage for state in seen} == {"coding", "verifying"}
    assert [state for state in seen if state.stage == "coding"][-1].frames == 6
    assert seen[-1].frames == seen[-1].expected_frames == 6


@pytest.fixture(params=["beside coding", "afterwards"])
def verification(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """When frames are decoded: both ways of proof.py, whatever their size."""
    if request.param == "afterwards":
        monkeypatch.setattr(coding, "MOST_BYTES_BESIDE", 0)
    return str(request.param)


@pytest.mark.usefixtures("verification")
def test_verification_finds_a_frame_that_was_written_wrongly(
    tmp_path: Path, small_clip_path: Path, settings: EncoderSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = sinks.NlvcSink.encode

    def encode_wrongly(self: sinks.NlvcSink, frame: av.VideoFrame | None) -> list[av.Packet]:
        if frame is not None and frame.pts:
            frame_planes(frame)[2][3, 3] ^= 1
        return list(encode(self, frame))

    monkeypatch.setattr(sinks.NlvcSink, "encode", encode_wrongly)
    with pytest.raises(NlvcError, match="frame 1 differs from the source"):
        pynlvc.transcode(small_clip_path, tmp_path / "out.mkv", settings=settings)
    assert folder_names(tmp_path) == []
    pynlvc.transcode(small_clip_path, tmp_path / "out.mkv", settings=settings, verify=False)
    report = pynlvc.verify(tmp_path / "out.mkv", against=small_clip_path)
    assert not report.ok
    assert "1 samples of plane 2, the first at column 3, row 3" in report.problems[0]


@pytest.mark.parametrize(
    ("harm", "beside", "afterwards"),
    [
        ("flipped", "frame 2 in the file is not the one that was decoded", "checksum"),
        ("lost", "frame 2 in the file is not the one that was decoded", "frames are missing"),
        ("repeated", "frame 3 in the file is not the one that was decoded", "frames are missing"),
        ("last lost", "5 frames were written, 6 were read", "5 frames were written, 6 were read"),
        ("late", "frame 2 is shown", "frame 2 is shown"),
    ],
)
def test_verification_finds_a_file_that_holds_other_packets(
    tmp_path: Path,
    small_clip_path: Path,
    settings: EncoderSettings,
    monkeypatch: pytest.MonkeyPatch,
    verification: str,
    harm: str,
    beside: str,
    afterwards: str,
) -> None:
    """What goes wrong between the coder and the disk."""
    mux, numbers = job._mux, iter(range(100))

    def mux_wrongly(output: OutputContainer, track: Stream, packets: Sequence[av.Packet]) -> int:
        for packet in packets:
            number = next(numbers)
            if (harm, number) in (("lost", 2), ("last lost", 5)):
                continue
            if (harm, number) == ("flipped", 2):
                data = bytearray(bytes(packet))
                data[len(data) // 2] ^= 1
                harmed = av.Packet(bytes(data))
                harmed.pts, harmed.dts, harmed.time_base = packet.pts, packet.dts, packet.time_base
                mux(output, track, [harmed])
                continue
            if (harm, number) == ("late", 2):
                packet.pts = packet.dts = (packet.pts or 0) + (packet.duration or 1) // 2
            mux(output, track, [packet])
            if (harm, number) == ("repeated", 2):
                again = av.Packet(bytes(packet))
                again.pts = again.dts = packet.pts
                again.time_base = packet.time_base
                mux(output, track, [again])
        return 0

    monkeypatch.setattr(job, "_mux", mux_wrongly)
    with pytest.raises(NlvcError, match=beside if verification == "beside coding" else afterwards):
        pynlvc.transcode(small_clip_path, tmp_path / "out.mkv", settings=settings)
    assert folder_names(tmp_path) == []


@pytest.mark.parametrize(("first", "second"), [((64, 48), (32, 48)), ((64, 48), (64, 32))])
def test_a_size_that_changes_in_mid_stream_is_an_error(
    tmp_path: Path, settings: EncoderSettings, first: tuple[int, int], second: tuple[int, int]
) -> None:
    stream = b""
    for number, size in enumerate((first, second)):
        part = write_clip(tmp_path / f"{number}.h264", make_clip(*size, 3), codec="libx264")
        stream += part.read_bytes()
        part.unlink()
    source = tmp_path / "in.h264"
    source.write_bytes(stream)
    with pytest.raises(NlvcError, match=rf"frame 3 has {second[0]}x{second[1]}.*{first[0]}x{first[1]}"):
        pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    assert folder_names(tmp_path) == ["in.h264"]


def test_what_a_container_cannot_hold_is_named(tmp_path: Path, rich_source: Path, settings: EncoderSettings) -> None:
    report = pynlvc.transcode(rich_source, tmp_path / "out.nut", settings=settings)
    text = "; ".join(report.warnings)
    assert "font.ttf" in text and "cover.png" in text and "not kept" in text
    text = "; ".join(pynlvc.transcode(rich_source, tmp_path / "out.avi", settings=settings).warnings)
    wanted = (
        "file: tag custom_tag",
        "file: chapter 1 ",
        "audio track 1: tag language: eng",
        "video track 0: dispositions",
    )
    assert [lost for lost in wanted if f"not kept as it was: {lost}" not in text] == []
    text = "; ".join(pynlvc.transcode(rich_source, tmp_path / "out.mov", settings=settings).warnings)
    assert "not kept as it was: file: tag custom_tag" in text


def test_codecs_that_would_convert_are_refused(tmp_path: Path, settings: EncoderSettings) -> None:
    source = write_clip(tmp_path / "in.avi", noise_clip(32, 24, 2, pix_fmt="gbrp"), codec="ffvhuff")
    pynlvc.transcode(source, tmp_path / "out.mkv", settings=settings)
    with pytest.raises(UnsupportedFormatError, match=r"libx264 cannot hold gbrp.*ffvhuff"):
        pynlvc.transcode(tmp_path / "out.mkv", tmp_path / "back.mkv", codec="libx264")
    with pytest.raises(UsageError, match="unknown codec 'mpeg2video'"):
        pynlvc.transcode(tmp_path / "out.mkv", tmp_path / "back.mkv", codec="mpeg2video")
    back = pynlvc.transcode(tmp_path / "out.mkv", tmp_path / "back.mkv")
    assert back.codec == "ffv1"
    assert back.warnings == ("video track 0: the samples of gbrp are stored as bgr0",)
    assert folder_names(tmp_path) == ["back.mkv", "in.avi", "out.mkv"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, model_path: Path, number: int, code: int) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    source = write_clip(tmp_path / "in.mkv", noise_clip(704, 576, 40))
    arguments = ("transcode", str(source), str(folder / "out.mkv"), *options(model_path))
    process = subprocess.Popen(
        pynlvc_command(*arguments),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore SIGINT, and so would all that these tests start in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while ".out.mkv.part" not in folder_names(folder):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert folder_names(folder) == []
    assert output == "" and errors.count("\n") == 1 and "Traceback" not in errors
