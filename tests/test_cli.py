"""The command line as a user meets it: output, exit codes, one clear line for every failure, no traceback, no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.clip_files import write_clip
from tests.clips import make_clip, noise_clip
from tests.media_files import folder_names, framemd5_lines, options, run_pynlvc, run_tool, words


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory, small_clip_path: Path, model_path: Path) -> Path:
    """The small clip as NLVC with a keyframe every three frames."""
    target = tmp_path_factory.mktemp("coded") / "out.mkv"
    done = run_pynlvc("transcode", small_clip_path, target, *options(model_path, "--gop", "3", "--no-scene-cuts"))
    assert done.returncode == 0, done.stderr
    return target


def test_transcode_says_what_it_did(coded: Path, small_clip_path: Path, tmp_path: Path) -> None:
    done = run_pynlvc("transcode", coded, tmp_path / "back.mkv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 frames 96x80 yuv420p as ffv1" in done.stdout and "verified" in done.stdout
    assert folder_names(tmp_path) == ["back.mkv"]


def test_verify_is_good_only_for_equal_files(coded: Path, small_clip_path: Path, tmp_path: Path) -> None:
    assert run_pynlvc("verify", coded).returncode == 0
    done = run_pynlvc("verify", coded, "--against", small_clip_path)
    assert done.returncode == 0 and "good: 6 frames of nlvc" in done.stdout
    other = write_clip(tmp_path / "other.mkv", make_clip(96, 80, 7, seed=8))
    done = run_pynlvc("verify", coded, "--against", other)
    assert done.returncode == 1 and "BAD" in done.stdout
    assert "frame 0 differs" in done.stderr and "6 frames where" in done.stderr
    done = run_pynlvc("verify", coded, "--against", other, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and not report["ok"] and len(report["problems"]) >= 2


def test_verify_finds_every_flipped_byte_in_the_video(coded: Path, tmp_path: Path) -> None:
    data = coded.read_bytes()
    with av.open(str(coded)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in places:
        start = data.index(b"NL", position)
        for offset in (3, size // 2, size - 1):
            damaged = bytearray(data)
            damaged[start + offset] ^= 0x10
            path = tmp_path / "damaged.mkv"
            path.write_bytes(damaged)
            done = run_verify_in_process(path)
            assert done, f"the flipped byte {offset} of the packet at {position} was not found"


def run_verify_in_process(path: Path) -> tuple[str, ...]:
    from pynlvc import NlvcError, verify

    try:
        return verify(path).problems
    except NlvcError as error:
        return (str(error),)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_cut_off_files_are_never_taken_for_whole(
    coded: Path, small_clip_path: Path, tmp_path: Path, share: float
) -> None:
    for path, command in ((coded, "verify"), (coded, "transcode"), (small_clip_path, "transcode")):
        cut = tmp_path / "cut.mkv"
        data = path.read_bytes()
        cut.write_bytes(data[: int(len(data) * share)])
        target = [tmp_path / "out.mkv"] if command == "transcode" else []
        done = run_pynlvc(command, cut, *target)
        assert done.returncode == 1, done.stdout
        assert done.stderr.startswith("pynlvc: ") and "Traceback" not in done.stderr
        assert folder_names(tmp_path) == ["cut.mkv"]


def test_info_for_people_and_programs(coded: Path) -> None:
    text = run_pynlvc("info", coded)
    assert text.returncode == 0
    for word in ("nlvc, 96x80 yuv420p", "6 frames", "random (embedded), SHA-256", "2, ", "at most 3 frames apart"):
        assert word in text.stdout
    facts = json.loads(run_pynlvc("info", coded, "--json").stdout)
    with av.open(str(coded)) as container:
        sizes = [(packet.is_keyframe, packet.size) for packet in container.demux(video=0) if packet.size]
    assert (facts["width"], facts["height"], facts["frames"], facts["keyframes"]) == (96, 80, 6, 2)
    assert facts["keyframe_bytes"] == sum(size for key, size in sizes if key)
    assert facts["inter_bytes"] == sum(size for key, size in sizes if not key)
    assert facts["stream"]["model_embedded"] and not facts["stream"]["model_installed"]
    assert len(facts["stream"]["model_hash"]) == 64
    assert facts["stream"]["delta"] == 2


def test_info_describes_other_codecs_too(small_clip_path: Path) -> None:
    facts = json.loads(run_pynlvc("info", small_clip_path, "--json").stdout)
    assert (facts["codec"], facts["pix_fmt"], facts["frames"], facts["stream"]) == ("ffv1", "yuv420p", 6, None)


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_framemd5_prints_what_ffmpeg_prints(tmp_path: Path, model_path: Path, rate: str) -> None:
    source = write_clip(tmp_path / "in.mkv", make_clip(50, 38, 5), rate=Fraction(rate), audio=True)
    run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    run_pynlvc("transcode", tmp_path / "out.mkv", tmp_path / "back.mkv")
    ours = run_pynlvc("framemd5", tmp_path / "out.mkv")
    theirs = run_tool("ffmpeg", "-v", "error", "-i", tmp_path / "back.mkv", *words("-map 0:v:0 -f framemd5 -"))
    assert ours.returncode == 0
    assert framemd5_lines(ours.stdout) == framemd5_lines(theirs)
    assert len(framemd5_lines(ours.stdout)) == 9 + 5


def test_a_missing_model_is_named(tmp_path: Path, small_clip_path: Path, model_path: Path) -> None:
    target = tmp_path / "out.mkv"
    assert run_pynlvc("transcode", small_clip_path, target, "--model", model_path).returncode == 0
    done = run_pynlvc("verify", target)
    facts = json.loads(run_pynlvc("info", target, "--json").stdout)
    assert done.returncode == 1 and facts["stream"]["model_hash"] in done.stderr
    assert run_pynlvc("verify", target, "--model-file", model_path).returncode == 0


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("pynlvc: "), done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("command", ["transcode", "verify", "info", "framemd5"])
def test_files_that_are_no_video_are_refused(command: str, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mkv"
    run_tool(*words("ffmpeg -v error -f lavfi -i sine=d=0.1 -c:a flac"), sound)
    (tmp_path / "empty.mkv").write_bytes(b"")
    (tmp_path / "text.mkv").write_text("this is no video\n" * 50, encoding="utf-8")
    (tmp_path / "noise.mkv").write_bytes(bytes.fromhex("1a45dfa3") + bytes(range(256)) * 20)
    expected = {
        "missing.mkv": "does not exist",
        "": "folder",
        "sound.mkv": "no video track (it holds: audio)",
        "empty.mkv": "is empty",
        "text.mkv": "not a media file",
        "noise.mkv": "noise.mkv",
    }
    before = folder_names(tmp_path)
    for name, phrase in expected.items():
        target = [tmp_path / "out.mkv"] if command == "transcode" else []
        done = run_pynlvc(command, tmp_path / name, *target)
        assert done.returncode == 1
        assert phrase in one_line(done)
    assert folder_names(tmp_path) == before


def test_outputs_that_cannot_be_meant_are_usage_errors(tmp_path: Path, small_clip_path: Path, model_path: Path) -> None:
    source = tmp_path / "in.mkv"
    source.write_bytes(small_clip_path.read_bytes())
    existing = tmp_path / "existing.mkv"
    existing.write_bytes(b"precious")
    expected = {
        source: "same file",
        tmp_path / "." / "in.mkv": "same file",
        existing: "--force",
        tmp_path: "is a folder",
        tmp_path / "nowhere" / "out.mkv": "does not exist",
        tmp_path / "out.mp4": ".mkv, .nut, .mov, .avi",
        tmp_path / "out": ".mkv",
    }
    for target, phrase in expected.items():
        done = run_pynlvc("transcode", source, target, *options(model_path))
        assert done.returncode == 2, target
        assert phrase in one_line(done)
    assert existing.read_bytes() == b"precious"
    assert folder_names(tmp_path) == ["existing.mkv", "in.mkv"]
    assert run_pynlvc("transcode", source, existing, "--force", *options(model_path)).returncode == 0
    assert run_pynlvc("verify", existing, "--against", source).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["nonsense"], "unknown command 'nonsense'"),
        (["transcode", "only-one.mkv"], "required: output"),
        (["transcode", "a.mkv", "b.mkv", "--delta", "7"], "--delta"),
        (["transcode", "a.mkv", "b.mkv", "--gop", "-1"], "gop is -1"),
        (["transcode", "a.mkv", "b.mkv", "--threads", "many"], "--threads"),
        (["verify", "--frobnicate", "a.mkv"], "--frobnicate"),
    ],
)
def test_wrong_arguments_are_usage_errors(arguments: list[str], phrase: str) -> None:
    done = run_pynlvc(*arguments)
    assert done.returncode == 2
    assert phrase in one_line(done)


def test_unsupported_formats_are_named(tmp_path: Path, model_path: Path) -> None:
    source = tmp_path / "in.mkv"
    run_tool(*words("ffmpeg -v error -f lavfi -i testsrc2=s=32x24:d=0.1 -c:v png -pix_fmt pal8"), source)
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1
    line = one_line(done)
    assert "pal8 is not supported" in line and "palette" in line and "grey, YUV and RGB" in line


def test_a_track_without_frames_is_refused(tmp_path: Path, model_path: Path) -> None:
    source = write_clip(tmp_path / "in.avi", make_clip(32, 24, 1))
    data = source.read_bytes()
    source.write_bytes(data[: data.index(b"movi") + 4])  # the header alone
    done = run_pynlvc("transcode", source, tmp_path / "out.mkv", *options(model_path))
    assert done.returncode == 1
    assert "without frames" in one_line(done)
    assert folder_names(tmp_path) == ["in.avi"]


def test_help_and_version() -> None:
    for arguments in (["--help"], ["transcode", "--help"], ["verify", "--help"], ["info", "--help"], ["--version"]):
        done = run_pynlvc(*arguments)
        assert done.returncode == 0 and "pynlvc" in done.stdout and done.stderr == ""
    assert run_pynlvc().returncode == 2


def test_progress_is_shown_on_request_and_silent_in_pipes(
    tmp_path: Path, small_clip_path: Path, model_path: Path
) -> None:
    shown = run_pynlvc("transcode", small_clip_path, tmp_path / "a.mkv", "--progress", *options(model_path))
    for word in ("coding", "6/6", "frames/s", "bpp", "1:", "left", "verifying"):
        assert word in shown.stderr
    silent = run_pynlvc("transcode", small_clip_path, tmp_path / "b.mkv", *options(model_path))
    assert silent.stderr == ""


def test_torch_is_never_imported(tmp_path: Path, small_clip_path: Path, model_path: Path) -> None:
    program = """
import sys
from pynlvc.cli import main
source, target, back, model = sys.argv[1:]
assert main(["transcode", source, target, "--model", model, "--embed-model"]) == 0
assert main(["verify", target, "--against", source]) == 0
assert main(["info", target]) == 0
assert main(["framemd5", target]) == 0
assert main(["transcode", target, back]) == 0
heavy = sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "matplotlib", "constriction"))
assert not heavy, heavy
"""
    arguments = [small_clip_path, tmp_path / "out.mkv", tmp_path / "back.mkv", model_path]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_output_to_a_closed_pipe_ends_quietly(tmp_path: Path, model_path: Path) -> None:
    source = write_clip(tmp_path / "in.mkv", noise_clip(16, 16, 400))
    command = f"{sys.executable} -m pynlvc framemd5 {source} | head -n 3"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("#format") and done.stderr == ""
