"""Sources that are not what they should be: one clear message that names frame and track, nothing lost, exit code 1."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest

import pynlvc
from pynlvc import EncoderSettings, NlvcError, _avshim
from tests.clip_files import video_frames, write_clip
from tests.clips import make_clip
from tests.media_files import folder_names, options, run_pynlvc, run_tool, words


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True)


def concatenated(folder: Path, *parts: bytes) -> Path:
    source = folder / "in.h264"
    source.write_bytes(b"".join(parts))
    return source


def h264(folder: Path, pix_fmt: str, *more: str) -> bytes:
    target = folder / "part.h264"
    base = words("ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:d=0.12 -c:v libx264")
    run_tool(*base, "-pix_fmt", pix_fmt, *more, target)
    data = target.read_bytes()
    target.unlink()
    return data


def test_a_format_that_changes_is_an_error(tmp_path: Path, model_path: Path) -> None:
    source = concatenated(tmp_path, h264(tmp_path, "yuv420p"), h264(tmp_path, "yuv444p"))
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1
    assert "video track 0: frame 3 has pixel format yuv444p, the stream yuv420p" in done.stderr
    assert folder_names(tmp_path) == ["in.h264"]


def test_colour_that_changes_is_kept_and_named(tmp_path: Path, model_path: Path) -> None:
    change = words("-color_primaries bt2020 -colorspace bt2020nc -color_trc smpte2084")
    source = concatenated(tmp_path, h264(tmp_path, "yuv420p"), h264(tmp_path, "yuv420p", *change))
    target = tmp_path / "out.mkv"
    done = run_pynlvc("transcode", source, target, *options(model_path))
    assert done.returncode == 1
    # FFmpeg gives the new colour to frames that its decoder still held when it changed, so the number is not fixed.
    assert re.search(r"video track 0: its colour description changes at frame [1-3]: kept frame by frame", done.stderr)
    with pynlvc.open(target) as frames, pynlvc.open(source) as originals:
        found = [_avshim.frame_color(frame) for frame in frames]
        assert found == [_avshim.frame_color(frame) for frame in originals] and len(set(found)) == 2


def test_damaged_sound_beside_good_video_is_copied_and_named(tmp_path: Path, model_path: Path) -> None:
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    clip = write_clip(tmp_path / "clip.mkv", make_clip(64, 48, 12), audio=True)
    with av.open(str(clip)) as container, av.open(str(source), "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in container.streams}
        sounds = 0
        for packet in container.demux():
            if not packet.size:
                continue
            stream = streams[packet.stream.index]
            if packet.stream.type == "audio":
                sounds += 1
                if sounds == 3:
                    broken = av.Packet(bytes(packet.size))
                    broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                    packet = broken
            packet.stream = stream
            output.mux(packet)
    done = run_pynlvc("transcode", source, target, *options(model_path))
    assert done.returncode == 1
    assert "audio track 1: damaged, copied as it is: packet 2 (0.1" in done.stderr
    assert "12 frames" in done.stdout
    assert pynlvc.compare(source, target).equal


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3]])
def test_times_that_do_not_rise_name_the_frame(settings: EncoderSettings, times: list[int]) -> None:
    encoder = pynlvc.Encoder(32, 24, "yuv420p", time_base=Fraction(1, 25), settings=settings)
    frames = list(video_frames(make_clip(32, 24, 4)))
    with pytest.raises(NlvcError, match=r"frame 2 is shown at 0\.04.* s, not after the frame before it"):
        for frame, pts in zip(frames, times, strict=True):
            frame.pts = pts
            encoder.encode(frame)


@pytest.mark.parametrize("times", ["0 40 40 80", "0 80 40 120"])
def test_files_whose_times_do_not_rise(tmp_path: Path, model_path: Path, times: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", make_clip(32, 24, 4))
    (tmp_path / "times.txt").write_text("# timestamp format v4\n" + "\n".join(times.split()) + "\n", encoding="ascii")
    source = tmp_path / "in.mkv"
    run_tool("mkvmerge", "-q", "-o", source, "--timestamps", f"0:{tmp_path / 'times.txt'}", clip)
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "video track 0: frame 2 is shown at 0.04" in done.stderr and "not after the frame before it" in done.stderr
    assert not (tmp_path / "out.mkv").exists()


def test_a_frame_without_all_its_planes(tmp_path: Path, model_path: Path) -> None:
    source = tmp_path / "in.nut"
    with av.open(str(source), "w") as output:
        stream = output.add_stream("rawvideo", rate=25, width=64, height=48, pix_fmt="yuv420p")
        for number, frame in enumerate(video_frames(make_clip(64, 48, 4))):
            for packet in stream.encode(frame):
                cut = av.Packet(bytes(packet)[: 64 * 48 if number == 2 else None])
                cut.pts, cut.dts, cut.time_base, cut.stream = packet.pts, packet.dts, packet.time_base, stream
                cut.is_keyframe = True
                output.mux(cut)
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1
    assert "video track 0 is damaged at frame 2" in done.stderr
    assert not (tmp_path / "out.mkv").exists()
