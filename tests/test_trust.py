"""What archives rely on: damage is listed, never called good; interrupted runs go on; hashes agree; policies hold."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Stream

import pynlvc
from pynlvc import DecoderSettings, EncoderSettings, NlvcError, UsageError
from pynlvc.codec.planes import frame_checksum
from pynlvc.media.info import info
from pynlvc.media.output_file import part_path
from pynlvc.media.policy import check, parse_policy
from tests.clip_files import write_clip
from tests.clips import make_clip
from tests.media_files import PROJECT, copied_packets, folder_names, options, run_pynlvc, run_tool, words

FRAMES, GOP = 12, 4
CONCEAL = DecoderSettings(on_error="conceal")


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True, gop=GOP, slices=3, scene_cuts=False, effort=0)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("trust") / "in.mkv", make_clip(96, 80, FRAMES, seed=3))


@pytest.fixture(scope="module")
def coded(source: Path, settings: EncoderSettings) -> Path:
    pynlvc.transcode(source, source.with_name("coded.mkv"), settings=settings)
    return source.with_name("coded.mkv")


@pytest.fixture(scope="module")
def checksums(source: Path) -> list[int]:
    with pynlvc.open(source) as frames:
        return [frame_checksum(frame) for frame in frames]


def packets_of(path: Path) -> list[tuple[int, bytes]]:
    """(position of the packet's bytes in the file, bytes) of the video track."""
    data = path.read_bytes()
    with av.open(str(path)) as container:
        found = [(packet.pos, bytes(packet)) for packet in container.demux(video=0) if packet.size]
    return [(data.index(packet, position), packet) for position, packet in found]


def flipped(path: Path, target: Path, position: int, bit: int = 0x10) -> Path:
    data = bytearray(path.read_bytes())
    data[position] ^= bit
    target.write_bytes(data)
    return target


def remuxed(path: Path, target: Path, kept: set[int]) -> Path:
    """A copy with some of the packets, at their former times."""
    with av.open(str(path)) as given, av.open(str(target), "w") as out:
        template: Stream = given.streams.video[0]
        track: Stream = out.add_mux_stream("h264", rate=25, width=96, height=80)
        av.BitStreamFilterContext("null", in_stream=template, out_stream=track)
        for number, packet in enumerate(p for p in given.demux(template) if p.size):
            if number in kept:
                packet.stream = track
                out.mux(packet)
    return target


def test_verify_lists_damage_and_decoding_goes_on(coded: Path, checksums: list[int], tmp_path: Path) -> None:
    position, packet = packets_of(coded)[5]
    bad = flipped(coded, tmp_path / "bad.mkv", position + len(packet) - 3)  # in the last slice
    report = pynlvc.verify(bad)
    assert not report.ok and report.frames == 9
    own = [d for d in report.damage if d.kind == "damaged"]
    assert [(d.frame, d.slice) for d in own] == [(5, 2)]
    assert own[0].position is not None and own[0].position <= position and 0 < own[0].offset < len(packet)
    assert {d.frame for d in report.damage if d.kind == "dependent"} == {6, 7}
    assert any("frames 6 to 7 rest on damaged" in problem for problem in report.problems)
    assert any("Cluster" in problem for problem in report.problems)

    with pynlvc.open(bad, settings=CONCEAL) as frames:
        shown = list(frames)
    assert [frame.is_corrupt for frame in shown] == [number in (5, 6, 7) for number in range(FRAMES)]
    for number, frame in enumerate(shown):
        if not frame.is_corrupt:
            assert frame_checksum(frame) == checksums[number]
    with pynlvc.open(bad) as frames, pytest.raises(NlvcError, match="packet 5"):
        list(frames)


def test_further_tracks_are_verified_too(source: Path, settings: EncoderSettings, tmp_path: Path) -> None:
    twice, both = tmp_path / "twice.mkv", tmp_path / "both.mkv"
    run_tool("ffmpeg", "-v", "error", "-i", source, *words("-map 0:v -map 0:v -c copy"), twice)
    pynlvc.transcode(twice, both, settings=settings, video_tracks="all")
    assert pynlvc.verify(both).ok
    with av.open(str(both)) as container:
        second = [bytes(packet) for packet in container.demux(video=1) if packet.size]
    data = both.read_bytes()
    at = data.rindex(second[6]) + len(second[6]) - 3
    report = pynlvc.verify(flipped(both, tmp_path / "bad.mkv", at))
    assert not report.ok and report.frames == FRAMES, "those of the main track are right"
    assert {(d.track, d.frame) for d in report.damage if d.kind == "damaged"} == {(1, 6)}
    assert any(problem.startswith("video track 1: frame 6") for problem in report.problems)


def test_decode_conceals_on_request_and_says_so(coded: Path, tmp_path: Path) -> None:
    position, packet = packets_of(coded)[GOP]
    bad = flipped(coded, tmp_path / "bad.mkv", position + len(packet) - 3)
    target = tmp_path / "out.mkv"
    assert run_pynlvc("decode", bad, target).returncode == 1
    assert folder_names(tmp_path) == ["bad.mkv"]
    done = run_pynlvc("decode", "--on-error", "conceal", bad, target)
    assert done.returncode == 1 and "frame 4" in done.stderr and "slice 2" in done.stderr
    assert f"{FRAMES} frames" in done.stdout
    done = run_pynlvc("verify", bad, "--json")
    damage = json.loads(done.stdout)["damage"]
    assert done.returncode == 1 and {"frame": 4, "slice": 2, "kind": "damaged"}.items() <= damage[0].items()


def test_a_decoder_for_packets_conceals_too(coded: Path) -> None:
    packets = [packet for _, packet in packets_of(coded)]
    decoder = pynlvc.Decoder(settings=CONCEAL)
    assert decoder.decode(av.Packet(packets[1])) == [] and decoder.damage[0].slice is None
    (frame,) = decoder.decode(av.Packet(packets[0]))
    assert not frame.is_corrupt and not any(decoder.damage)
    lost = av.Packet(packets[2])
    lost.pts, lost.time_base = 90, pynlvc.open(coded)._source.time_base
    (frame,) = decoder.decode(lost)
    assert decoder.damage[0].kind == "missing" and frame.time == pytest.approx(0.09, abs=0.03)
    with pytest.raises(UsageError, match="on_error"):
        DecoderSettings(on_error="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({0, 1, 2, 3, 8, 9, 10, 11}, "frame 4: the 4 frames before it are missing"),
        ({0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "1 frames before this one are missing"),
        ({0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11}, "frame 3: the 1 frames before it are missing"),
    ],
)
def test_missing_packets_are_found(coded: Path, source: Path, tmp_path: Path, kept: set[int], message: str) -> None:
    holed = remuxed(coded, tmp_path / "holed.mkv", kept)
    report = pynlvc.verify(holed)
    assert any(message in problem for problem in report.problems), report.problems
    whole = len(kept) % GOP == 0  # whole GOPs are missing: what is left is right
    assert report.frames == (len(kept) if whole or message.startswith("frame") else len(kept) - 1)
    against = pynlvc.verify(holed, against=source)
    assert not any("differs from" in problem for problem in against.problems), "the others are compared in their places"


def append(target: Path, first: Path, second: Path) -> None:
    """mkvmerge's exit code 1 is a warning: the files' headers are not the same byte for byte."""
    done = subprocess.run(["mkvmerge", "-q", "-o", target, first, "+", second], capture_output=True, check=False)
    assert done.returncode <= 1, done.stdout


def test_cut_and_joined_files_are_remarked_not_blamed(coded: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mkv"
    run_tool("ffmpeg", "-v", "error", "-ss", "0.16", "-i", coded, *words("-c copy"), cut)
    report = pynlvc.verify(cut)
    assert report.ok and report.frames == FRAMES - GOP
    assert any("begins with frame 4" in remark for remark in report.remarks)
    joined = tmp_path / "joined.mkv"
    append(joined, coded, cut)
    report = pynlvc.verify(joined)
    assert report.ok and any("pieces were joined at frame 12" in remark for remark in report.remarks)
    append(joined, cut, coded)
    assert any("another stream begins at frame 8" in remark for remark in pynlvc.verify(joined).remarks)


def test_the_containers_own_bytes_are_checked(coded: Path, tmp_path: Path) -> None:
    data = coded.read_bytes()
    place = data.index(b"NLVC") + 20  # in the copy of the header
    report = pynlvc.verify(flipped(coded, tmp_path / "bad.mkv", place))
    assert any("Tracks" in problem or "header" in problem for problem in report.problems)


def test_framemd5_in_the_same_pass(source: Path, settings: EncoderSettings, tmp_path: Path) -> None:
    listing, target = tmp_path / "in.framemd5", tmp_path / "out.mkv"
    report = pynlvc.transcode(source, target, settings=settings, framemd5=listing)
    stock = run_tool("ffmpeg", "-v", "error", "-i", source, *words("-map 0:v -f framemd5 -"))
    own = listing.read_text()
    assert [line for line in own.splitlines() if line[0] != "#"] == [s for s in stock.splitlines() if s[0] != "#"]
    assert report.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert pynlvc.verify(target, against=listing).ok
    theirs = tmp_path / "theirs.framehash"
    run_tool("ffmpeg", "-v", "error", "-i", source, *words("-f framehash"), theirs)
    assert pynlvc.verify(target, against=theirs).ok, "SHA-256, the muxer's default"
    lines = own.splitlines()
    lines[-2] = lines[-2][:-4] + "0000"
    listing.write_text("\n".join(lines[:-1]) + "\n")
    problems = pynlvc.verify(target, against=listing).problems
    assert any(f"frame {FRAMES - 2} differs from its MD5" in p for p in problems)
    assert any(f"{FRAMES} frames where" in p for p in problems)
    done = run_pynlvc("verify", target, "--against", theirs, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["sha256"] == report.sha256


def test_the_report_for_machines(source: Path, model_path: Path, tmp_path: Path) -> None:
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", "--json", *options(model_path))
    report = json.loads(done.stdout)
    assert report["sha256"] == hashlib.sha256((tmp_path / "out.mkv").read_bytes()).hexdigest()
    assert (report["frames"], report["verified"], report["problems"]) == (FRAMES, True, [])


@pytest.mark.parametrize(
    ("policy", "failures"),
    [
        ("gop=4, slices>=3,crc", []),
        ("gop=1,slices>=4,crc", ["gop=1: it is 4", "slices>=4: it is 3"]),
        ("codec=nlvc,pix_fmt=yuv420p,width>90,frames!=11,model=random,embedded", []),
        ("installed", ["installed: no"]),
        ("codec!=nlvc", ["codec!=nlvc: it is nlvc"]),
    ],
)
def test_policies(coded: Path, policy: str, failures: list[str]) -> None:
    assert check(info(coded), parse_policy(policy)) == failures
    done = run_pynlvc("info", coded, "--check", policy)
    assert done.returncode == (1 if failures else 0)
    assert all(failure in done.stderr for failure in failures)


@pytest.mark.parametrize("policy", ["", "gop", "crc=1", "speed>3", "gop=1;slices=2", "gop=fast"])
def test_what_is_no_policy_is_refused(coded: Path, policy: str) -> None:
    with pytest.raises(UsageError, match="condition"):
        check(info(coded), parse_policy(policy))


def test_other_codecs_meet_no_policy_of_ours(source: Path) -> None:
    assert check(info(source), parse_policy("crc,slices>=1")) == ["crc: no", "slices>=1: it is unknown"]


def killed_part(
    source: Path, target: Path, arguments: list[str], least_bytes: int, number: signal.Signals = signal.SIGKILL
) -> None:
    """Runs a transcode and ends it with a signal once its part has so many bytes."""
    command = [sys.executable, "-m", "pynlvc", "transcode", str(source), str(target), *arguments]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None:
            if part_path(target).exists() and part_path(target).stat().st_size >= least_bytes:
                run.send_signal(number)
                break
            time.sleep(0.002)


@pytest.fixture(scope="module")
def long_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("long") / "in.mkv", make_clip(160, 128, 60, seed=5), audio=True)


def test_a_killed_run_resumes_to_the_same_bytes(long_source: Path, model_path: Path, tmp_path: Path) -> None:
    arguments = [*options(model_path), "--gop", "5", "--effort", "3", "--no-verify"]
    whole, target = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    assert run_pynlvc("transcode", long_source, whole, *arguments).returncode == 0
    killed_part(long_source, target, arguments, whole.stat().st_size // 2)
    assert not target.exists() and part_path(target).exists()
    done = run_pynlvc("transcode", long_source, target, *arguments, "--resume")
    assert done.returncode == 0 and "frames of them from an interrupted run" in done.stdout, done.stderr
    assert copied_packets(target, "0:v") == copied_packets(whole, "0:v")
    assert copied_packets(target, "0:a") == copied_packets(whole, "0:a")
    assert folder_names(tmp_path) == ["out.mkv", "whole.mkv"]
    assert pynlvc.verify(target, against=long_source).ok


def test_interruptions_of_resumable_runs_leave_their_part(long_source: Path, model_path: Path, tmp_path: Path) -> None:
    arguments, target = [*options(model_path), "--gop", "5"], tmp_path / "out.mkv"
    killed_part(long_source, target, [*arguments, "--resume"], 1000, signal.SIGTERM)
    assert folder_names(tmp_path) == [".out.mkv.part", ".out.mkv.resume"]
    assert run_pynlvc("transcode", long_source, target, *arguments).returncode == 0
    assert folder_names(tmp_path) == ["out.mkv"]


def test_an_input_that_ends_in_the_middle_leaves_nothing(source: Path, model_path: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mkv"
    data = source.read_bytes()
    half.write_bytes(data[: len(data) // 2])
    with pytest.raises(NlvcError, match="cut off"):
        pynlvc.transcode(half, tmp_path / "out.mkv", settings=EncoderSettings(model=str(model_path), effort=0))
    assert folder_names(tmp_path) == ["half.mkv"]


def test_a_part_of_something_else_is_not_continued(
    source: Path, settings: EncoderSettings, model_path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.mkv"
    part_path(target).write_bytes(b"whatever")
    with pytest.raises(UsageError, match="without --resume it is replaced"):
        pynlvc.transcode(source, target, settings=settings, resume=True)
    assert part_path(target).read_bytes() == b"whatever"
    report = pynlvc.transcode(source, target, settings=settings)
    assert report.reused_frames == 0 and folder_names(tmp_path) == ["out.mkv"]
    with pytest.raises(UsageError, match="only files"):
        pynlvc.transcode(target, tmp_path / "back.mkv", resume=True)
    other = tmp_path / "other.mkv"
    report = pynlvc.transcode(source, other, settings=settings, resume=True)
    assert report.reused_frames == 0 and pynlvc.verify(other, against=source).ok


def test_models_are_embedded_where_that_is_cheap(model_path: Path, tmp_path: Path) -> None:
    small = write_clip(tmp_path / "small.mkv", make_clip(64, 48, 2, seed=1))
    chosen = EncoderSettings(model=str(model_path), effort=0)
    pynlvc.transcode(
        small, tmp_path / "out.mkv", settings=chosen, decoder_settings=DecoderSettings(model_files=(model_path,))
    )
    stream = info(tmp_path / "out.mkv").stream
    assert stream is not None and not stream.model_embedded
    # A model of some kilobytes costs less than 0.1 % from some ten megabytes of samples on.
    long = write_clip(tmp_path / "long.mkv", make_clip(512, 512, 3, seed=1))
    tiny = tmp_path / "tiny.nlvm"
    from tests.models import random_model

    tiny.write_bytes(random_model(seed=2, taps=1, errors=1, h1=1, h2=1, g=1))
    frame_bytes = 512 * 512 * 3 // 2
    expected = 3 * frame_bytes >= 10_000 * len(tiny.read_bytes())
    pynlvc.transcode(long, tmp_path / "long_out.mkv", settings=EncoderSettings(model=str(tiny), effort=0), verify=False)
    stream = info(tmp_path / "long_out.mkv").stream
    assert stream is not None and stream.model_embedded == expected


def test_leftovers_of_picture_sequences_do_not_stand_in_the_way(source: Path, tmp_path: Path) -> None:
    pattern = tmp_path / "out_%02d.tiff"
    leftover = tmp_path / ".out_-02d.tiff.part"
    leftover.mkdir()
    (leftover / "out_01.tiff").write_bytes(b"half")
    pynlvc.transcode(source, pattern, verify=False)
    assert len(folder_names(tmp_path)) == FRAMES and not leftover.exists()


def test_a_target_that_cannot_be_written(source: Path, settings: EncoderSettings, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/out.mkv")  # nobody can create files there
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
        target = folder / "out.mkv"
    with pytest.raises(NlvcError, match="cannot write"):
        pynlvc.transcode(source, target, settings=settings)


def test_samples_of_a_concealed_frame_are_the_frame_before(coded: Path, tmp_path: Path) -> None:
    position, _ = packets_of(coded)[5]
    bad = flipped(coded, tmp_path / "bad.mkv", position + 6)  # the header: the whole frame is lost
    with pynlvc.open(bad, settings=CONCEAL) as frames:
        shown = list(frames)
    for mine, before in zip(pynlvc.frame_planes(shown[5]), pynlvc.frame_planes(shown[4]), strict=True):
        np.testing.assert_array_equal(mine, before)
    assert [frame.time for frame in shown] == sorted(frame.time for frame in shown)
