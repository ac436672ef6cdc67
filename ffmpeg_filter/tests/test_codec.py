"""NLVC as a codec of FFmpeg: containers, other routes, seeking, damage, what is kept beside the samples."""

from __future__ import annotations

import itertools
import random
import re
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import pynlvc
from ffmpeg_filter.tests.builds import Ffmpeg, stock_ffmpeg
from ffmpeg_filter.tests.conftest import Source
from pynlvc.codec.pixel_formats import PIXEL_FORMATS
from tests.clip_files import hashes_of, stock_framemd5, write_clip
from tests.clips import make_clip
from tests.libnlvc import load_library
from tests.media_files import PROJECT, run_tool, words

ENCODE = words("-c:v libnlvc -model fast -effort 0 -c:a copy")
RATE = Fraction(25)
# FFmpeg's own converter may leave bits below the samples of these, which no decoder could give back.
UNCLEAN = {name for name, found in PIXEL_FORMATS.items() if any(c.alone and c.shift for c in found.components)}


def test_help_explains_every_option(ffmpeg: Ffmpeg) -> None:
    library = load_library(ffmpeg.prefix)
    for kind, listing in (("encoder", library.nlvc_encoder_option), ("decoder", library.nlvc_decoder_option)):
        text = ffmpeg.attempt("-h", f"{kind}=libnlvc").stdout
        options = [item.contents for item in itertools.takewhile(bool, map(listing, itertools.count()))]
        # -threads is everybody's option, and analysis is the filter's matter.
        for name in {option.name.decode() for option in options} - {"threads", "analysis"}:
            assert re.search(rf"^ *-{name} +<\w+> +\S+ \w.*", text, flags=re.MULTILINE), name
        assert "Threading capabilities: other" in text


def test_all_pixel_formats_are_offered(ffmpeg: Ffmpeg) -> None:
    text = ffmpeg.attempt("-h", "encoder=libnlvc").stdout
    found = re.search(r"Supported pixel formats: (.*)", text)
    assert found is not None and set(found[1].split()) == known_formats(ffmpeg, "")


def known_formats(ffmpeg: Ffmpeg, flags: str) -> set[str]:
    """Our pixel formats, as far as the FFmpeg under test is new enough to know them; "O": and can convert to them."""
    listing = re.findall(r"^([IOHPB.]{5}) (\w+) ", ffmpeg.attempt("-pix_fmts").stdout, flags=re.MULTILINE)
    return {name for found, name in listing if name in PIXEL_FORMATS and flags in found}


def test_every_pixel_format_comes_back(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    formats = known_formats(ffmpeg, "O")
    assert len(formats - UNCLEAN) > 100
    for pix_fmt in sorted(formats - UNCLEAN):
        picture = ("-f", "lavfi", "-i", f"testsrc2=s=50x34:d=0.08,format={pix_fmt}", "-fps_mode", "passthrough")
        ffmpeg.run(*picture, *words("-c:v libnlvc -model fast -effort 0"), tmp_path / "out.nut")
        expected = hashes_of(ffmpeg.run(*picture, "-f", "framemd5", "-"))
        assert ffmpeg.framemd5(tmp_path / "out.nut") == expected and len(expected) == 2, pix_fmt
        shown = ffmpeg.probe(*words("-show_entries stream=pix_fmt -of csv=p=0"), tmp_path / "out.nut").strip()
        assert shown == pix_fmt


def test_bits_that_would_be_lost_are_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    picture = words("-f lavfi -i testsrc2=s=50x34:d=0.08,format=p010le -c:v libnlvc")
    assert "bits outside the 10 that p010le keeps" in ffmpeg.attempt(*picture, tmp_path / "out.nut").stderr


@pytest.mark.parametrize("suffix", ["mkv", "mov", "avi", "nut"])
def test_containers(ffmpeg: Ffmpeg, source: Source, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out.{suffix}"
    ffmpeg.run("-i", source.path, *ENCODE, target)
    assert ffmpeg.framemd5(target) == source.hashes
    stream = ffmpeg.probe(*words("-select_streams v -show_streams"), target)
    for line in ("codec_name=nlvc", "codec_tag_string=NLVC", f"pix_fmt={source.pix_fmt}"):
        assert line in stream.splitlines()


def test_files_of_both_routes_decode_by_the_other(ffmpeg: Ffmpeg, source: Source, coded: Path, tmp_path: Path) -> None:
    back = tmp_path / "back.nut"
    ours = tmp_path / "ours.mkv"
    pynlvc.transcode(source.path, ours, settings=pynlvc.EncoderSettings(model="fast"))
    assert ffmpeg.framemd5(ours) == source.hashes
    assert pynlvc.verify(coded, against=source.path).ok
    ffmpeg.run("-i", ours, *words("-map 0:v -c:v rawvideo"), back)
    assert stock_framemd5(back, pix_fmt=source.pix_fmt) == source.hashes


def test_both_routes_write_the_same_packets(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.nut", make_clip(96, 64, 6), rate=RATE)
    by_ffmpeg, by_package = tmp_path / "ffmpeg.nut", tmp_path / "package.nut"
    # -enc_time_base -1: in the units of the source, as the package has it
    ffmpeg.run("-i", clip, *words("-enc_time_base -1 -c:v libnlvc -gop 4"), by_ffmpeg)
    pynlvc.transcode(clip, by_package, settings=pynlvc.EncoderSettings(gop=4))
    hashes = [ffmpeg.run("-i", path, *words("-c copy -f md5 -")) for path in (by_ffmpeg, by_package)]
    assert hashes[0] == hashes[1]


def test_a_hundred_seeks_land_on_the_exact_frame(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.nut", make_clip(32, 32, 60, cuts=(17,)), rate=RATE)
    target = tmp_path / "out.mkv"
    ffmpeg.run("-i", clip, *words("-c:v libnlvc -model fast -effort 0 -gop 7"), target)
    hashes = stock_framemd5(clip)
    rng = random.Random(5)
    for _ in range(100):
        frame = rng.randrange(60)
        # a time within the frame before: the first frame at or after it is meant
        seconds = max(Fraction(0), (frame - Fraction(rng.randrange(1, 9), 10)) / RATE)
        found = ffmpeg.framemd5(target, "-frames:v", "1", before=("-ss", f"{float(seconds):.4f}"))
        assert found == [hashes[frame]], f"frame {frame}, {float(seconds)} s"


def test_keyframes_are_indexed(ffmpeg: Ffmpeg, coded_sound: Path, sound: Source) -> None:
    listing = ffmpeg.probe(*words("-select_streams v -show_entries packet=flags -of csv=p=0"), coded_sound)
    keyframes = [line.startswith("K") for line in listing.split()]
    assert keyframes == [number % 3 == 0 for number in range(len(sound.hashes))]
    cues = run_tool("mkvinfo", "--all", coded_sound)
    assert cues.count("Cue point") >= sum(keyframes) - 1


def test_stream_copy_by_all_tools(ffmpeg: Ffmpeg, sound: Source, coded_sound: Path, tmp_path: Path) -> None:
    ours, stock, merged = (tmp_path / f"{name}.mkv" for name in ("ours", "stock", "merged"))
    ffmpeg.run("-i", coded_sound, *words("-map 0 -c copy"), ours)
    stock_ffmpeg("-i", coded_sound, *words("-map 0 -c copy"), stock)
    run_tool("mkvmerge", "-q", "-o", merged, coded_sound)
    for copy in (ours, stock, merged):
        assert ffmpeg.framemd5(copy) == sound.hashes
        assert "codec_type=audio" in ffmpeg.probe("-show_streams", copy)


def test_segments_and_their_concatenation(ffmpeg: Ffmpeg, sound: Source, coded_sound: Path, tmp_path: Path) -> None:
    pieces = words("-map 0 -c copy -f segment -segment_time 0.001 -segment_list")
    ffmpeg.run("-i", coded_sound, *pieces, tmp_path / "list.ffconcat", tmp_path / "piece%02d.mkv")
    files = sorted(tmp_path.glob("piece*.mkv"))
    assert len(files) == -(-len(sound.hashes) // 3), "every piece starts at a keyframe"
    assert [frame for file in files for frame in ffmpeg.framemd5(file)] == sound.hashes
    ffmpeg.run("-i", tmp_path / "list.ffconcat", *words("-map 0 -c copy"), tmp_path / "whole.mkv")
    assert ffmpeg.framemd5(tmp_path / "whole.mkv") == sound.hashes


def test_cutting_at_keyframes_without_coding(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.nut", make_clip(32, 32, 12), rate=RATE)
    ffmpeg.run("-i", clip, *words("-c:v libnlvc -model fast -effort 0 -gop 4"), tmp_path / "out.mkv")
    ffmpeg.run("-ss", "0.161", "-i", tmp_path / "out.mkv", "-c", "copy", tmp_path / "cut.mkv")
    assert ffmpeg.framemd5(tmp_path / "cut.mkv")[-8:] == stock_framemd5(clip)[4:]


@pytest.mark.parametrize("form", ["matroska", "nut"])
def test_pipes(ffmpeg: Ffmpeg, sound: Source, form: str) -> None:
    program = ffmpeg.folder / "ffmpeg"
    encode = f"{program} -v error -i {sound.path} -c:v libnlvc -model fast -effort 0 -c:a copy -f {form} -"
    decode = f"{program} -v error -i - -map 0:v -fps_mode passthrough -f framemd5 -"
    listing = run_tool("sh", "-c", f"{encode} | {decode}")
    assert [line.split()[-1] for line in listing.splitlines() if line[0] != "#"] == sound.hashes


def test_pipes_between_the_package_and_the_stock_ffmpeg(source: Source, coded: Path, tmp_path: Path) -> None:
    package, stock = f"{sys.executable} -m pynlvc", f"ffmpeg -nostdin -v error -i {source.path} -map 0:v"
    decode = f"{package} decode {coded} - | ffmpeg -v error -i - -map 0:v -f framemd5 -pix_fmt {source.pix_fmt} -"
    encode = f"{stock} -c copy -f nut - | {package} transcode - {tmp_path}/out.mkv --model fast"
    run_tool("env", f"PYTHONPATH={PROJECT}", "bash", "-o", "pipefail", "-c", encode)
    assert pynlvc.verify(tmp_path / "out.mkv", against=source.path).ok
    listing = run_tool("env", f"PYTHONPATH={PROJECT}", "bash", "-o", "pipefail", "-c", decode)
    assert hashes_of(listing) == source.hashes


def test_filters_between_decoder_and_encoder(ffmpeg: Ffmpeg, coded_sound: Path, sound: Source, tmp_path: Path) -> None:
    ffmpeg.run("-i", coded_sound, *words("-vf crop=64:48:32:16,hflip"), *ENCODE, tmp_path / "out.mkv")
    expected = ffmpeg.framemd5(sound.path, "-vf", "crop=64:48:32:16,hflip")
    assert ffmpeg.framemd5(tmp_path / "out.mkv") == expected


def test_keyframes_on_request(ffmpeg: Ffmpeg, sound: Source, tmp_path: Path) -> None:
    def keyframes(*options: str) -> list[int]:
        ffmpeg.run(
            "-i",
            sound.path,
            *words("-map 0:v -c:v libnlvc -model fast -effort 0 -scene_cuts 0"),
            *options,
            tmp_path / "out.mkv",
        )
        listing = ffmpeg.probe(*words("-show_entries packet=flags -of csv=p=0"), tmp_path / "out.mkv").split()
        return [number for number, flags in enumerate(listing) if flags.startswith("K")]

    count = len(sound.hashes)
    assert keyframes() == [0]
    assert keyframes("-g", "2") == list(range(0, count, 2))
    assert keyframes("-g", "2", "-gop", "1") == list(range(count))
    assert keyframes("-force_key_frames", "expr:eq(n,4)") == [0, 4]


def test_colour_fields_and_aspect_are_kept(ffmpeg: Ffmpeg, sound: Source, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    look = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=pc:field_mode=bff"
    ffmpeg.run("-i", sound.path, "-vf", look, *ENCODE, *words("-aspect 4:3 -flags +ilme"), target)
    shown = ffmpeg.probe(*words("-select_streams v -show_streams -show_frames"), target).splitlines()
    for line in (
        *("color_primaries=bt709", "color_transfer=bt709", "color_space=bt709", "color_range=pc"),
        *("display_aspect_ratio=4:3", "interlaced_frame=1", "top_field_first=0"),
    ):
        assert line in shown, line


def damaged(ffmpeg: Ffmpeg, coded: Path, target: Path) -> Path:
    """A copy with one byte changed in some packets."""
    ffmpeg.run("-i", coded, *words("-map 0:v -c copy"), target)
    data = bytearray(target.read_bytes())
    listing = ffmpeg.probe(*words("-select_streams v -show_entries packet=pos,size -of csv=p=0"), target)
    places = [tuple(map(int, line.split(",")[:2])) for line in listing.split()]
    size, position = places[4]
    data[position + size - 20] ^= 0x55
    target.write_bytes(bytes(data))
    return target


def test_damage_is_reported_and_ends_at_the_next_keyframe(
    ffmpeg: Ffmpeg, coded_sound: Path, sound: Source, tmp_path: Path
) -> None:
    broken = damaged(ffmpeg, coded_sound, tmp_path / "broken.mkv")
    listing = words("-map 0:v -fps_mode passthrough -f framemd5 -")
    done = ffmpeg.attempt("-i", broken, *listing)
    hashes = [line.split()[-1] for line in done.stdout.splitlines() if line[0] != "#"]
    assert hashes == sound.hashes[:4] + sound.hashes[6:]
    assert "checksum mismatch" in done.stderr and "next keyframe" in done.stderr
    strict = ffmpeg.attempt("-xerror", "-err_detect", "explode", "-i", broken, *listing)
    assert strict.returncode != 0
    shown = ffmpeg.attempt("-flags", "+output_corrupt", "-i", broken, *listing)
    hashes = [line.split()[-1] for line in shown.stdout.splitlines() if line[0] != "#"]
    assert hashes == [*sound.hashes[:4], sound.hashes[3], sound.hashes[3], *sound.hashes[6:]]
    flags = ffmpeg.attempt("-flags", "+output_corrupt", "-i", broken, *words("-vf showinfo -f null -"), level="verbose")
    assert flags.stderr.count("corrupt") >= 2


def test_errors_are_told_in_words(ffmpeg: Ffmpeg, sound: Source, tmp_path: Path) -> None:
    for options, told in (
        ("-model none", "there is no model named 'none' (known: diffusion, fast-1, fast, large, standard-1, standard"),
        ("-model /none.nlvm", "cannot read model /none.nlvm"),
    ):
        done = ffmpeg.attempt("-i", sound.path, *words("-map 0:v -c:v libnlvc " + options), tmp_path / "out.mkv")
        assert done.returncode != 0 and told in done.stderr


def test_a_model_of_its_own_travels_or_is_found(
    ffmpeg: Ffmpeg, sound: Source, model_path: Path, tmp_path: Path
) -> None:
    alone, embedded = tmp_path / "alone.mkv", tmp_path / "embedded.mkv"
    model = ("-map", "0:v", "-c:v", "libnlvc", "-model", str(model_path))
    ffmpeg.run("-i", sound.path, *model, alone)
    ffmpeg.run("-i", sound.path, *model, "-embed_model", "1", embedded)
    assert ffmpeg.framemd5(embedded) == sound.hashes
    assert ffmpeg.framemd5(alone, before=("-model_path", str(model_path.parent))) == sound.hashes
    refused = ffmpeg.attempt("-i", alone, "-f", "null", "-")
    assert "which is not embedded and not known here" in refused.stderr


def test_hdr_goes_both_ways(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """Mastering display and light level of the frames, through the decoder and the encoder."""
    mastering = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    hdr = f"log-level=error:hdr10=1:repeat-headers=1:master-display={mastering}:max-cll=1000,400"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=96x80:r=25:d=0.2", "-pix_fmt", "yuv420p10le")
    colour = words("-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv")
    first, second, source = (tmp_path / name for name in ("first.mkv", "second.mkv", "source.mkv"))
    stock_ffmpeg(*picture, *colour, *words("-c:v libx265 -preset ultrafast -x265-params"), hdr, source)
    pynlvc.transcode(source, first)
    ffmpeg.run("-i", first, *ENCODE, second)
    for coded in (first, second):
        shown = ffmpeg.probe("-show_frames", coded)
        for name, value in (
            ("red_x", "0.68"),
            ("max_luminance", "1000"),
            ("max_content", "1000"),
            ("max_average", "400"),
        ):
            # FFmpeg writes what the container says too as a fraction of its own
            assert [Fraction(found) for found in re.findall(rf"{name}=(\S+)", shown)] == [Fraction(value)] * 5, name
    run_tool(sys.executable, "-m", "pynlvc", "compare", first, second)
