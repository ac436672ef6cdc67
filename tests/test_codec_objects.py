"""Encoder and Decoder on PyAV's objects: exact samples, exact times, and clear words for wrong use."""

from __future__ import annotations

import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pynlvc import (
    BitstreamError,
    Decoder,
    DecoderSettings,
    Encoder,
    EncoderSettings,
    MissingModelError,
    ModelError,
    NlvcError,
    UsageError,
)
from pynlvc.codec.planes import frame_planes, new_frame
from tests.clip_files import video_frames
from tests.clips import Clip, make_clip

TICK = Fraction(1, 1000)


@pytest.fixture(scope="module")
def settings(model_path: Path) -> EncoderSettings:
    return EncoderSettings(model=str(model_path), embed_model=True, scene_cuts=False)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip(49, 37, 7, seed=5)


def encode(clip: Clip, settings: EncoderSettings, *, time_base: Fraction = Fraction(1, 25)) -> list[av.Packet]:
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=time_base, settings=settings)
    packets = [packet for frame in video_frames(clip) for packet in encoder.encode(frame)]
    return packets + encoder.encode(None)


def assert_equal_samples(frames: list[av.VideoFrame], clip: Clip) -> None:
    assert len(frames) == len(clip.frames)
    for number, (frame, planes) in enumerate(zip(frames, clip.frames, strict=True)):
        assert frame.format.name == clip.pix_fmt
        for index, (mine, theirs) in enumerate(zip(frame_planes(frame), planes, strict=True)):
            np.testing.assert_array_equal(mine, theirs, err_msg=f"frame {number}, plane {index}")


def test_frames_come_back_sample_for_sample(clip: Clip, settings: EncoderSettings) -> None:
    decoder = Decoder()
    frames = [frame for packet in encode(clip, settings) for frame in decoder.decode(packet)]
    assert_equal_samples(frames, clip)
    assert decoder.decode(None) == []


@pytest.mark.parametrize("delta", [0, 1, 2])
@pytest.mark.parametrize("slices", [1, 2])
def test_every_group_slope_and_slice_count_is_exact(clip: Clip, model_path: Path, delta: int, slices: int) -> None:
    chosen = EncoderSettings(model=str(model_path), embed_model=True, delta=delta, slices=slices)
    decoder = Decoder()
    assert_equal_samples([frame for packet in encode(clip, chosen) for frame in decoder.decode(packet)], clip)


def test_packets_have_times_and_key_flags(clip: Clip, model_path: Path) -> None:
    chosen = EncoderSettings(model=str(model_path), embed_model=True, gop=3, scene_cuts=False)
    packets = encode(clip, chosen)
    assert [packet.is_keyframe for packet in packets] == [True, False, False, True, False, False, True]
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets] == list(range(7))
    assert {packet.time_base for packet in packets} == {Fraction(1, 25)}


def test_gop_in_seconds_counts_time_not_frames(clip: Clip, model_path: Path) -> None:
    chosen = EncoderSettings(model=str(model_path), gop_seconds=0.2, scene_cuts=False)
    keys = [packet.is_keyframe for packet in encode(clip, chosen)]  # 25 frames/s: every fifth
    assert keys == [True, False, False, False, False, True, False]


@pytest.mark.parametrize(
    ("time_base", "times"),
    [
        (Fraction(1001, 30000), [(0, 1), (1, 1), (2, 1)]),
        (Fraction(1, 90000), [(-4500, 3003), (-1497, 3003), (1506, 0)]),
        (Fraction(1, 1000), [(40, 40), (97, 1), (5_000_000_000_000, 33)]),
    ],
)
def test_times_come_back_exactly(
    clip: Clip, settings: EncoderSettings, time_base: Fraction, times: list[tuple[int, int]]
) -> None:
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=time_base, settings=settings)
    decoder = Decoder()
    for frame, (pts, duration) in zip(video_frames(clip), times, strict=False):
        frame.pts, frame.duration, frame.time_base = pts, duration, time_base
        (packet,) = encoder.encode(frame)
        assert (packet.pts, packet.duration, packet.time_base) == (pts, duration, time_base)
        (decoded,) = decoder.decode(packet)
        assert (decoded.pts, decoded.duration, decoded.time_base) == (pts, duration, time_base)
        assert decoded.key_frame == packet.is_keyframe


def test_other_time_bases_are_converted_and_missing_times_follow(clip: Clip, settings: EncoderSettings) -> None:
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=TICK, settings=settings)
    frames = list(video_frames(clip))
    frames[0].pts, frames[0].duration = 2, 1  # in units of 1/25 s
    frames[1].pts = None
    packets = [packet for frame in frames[:2] for packet in encoder.encode(frame)]
    assert [(packet.pts, packet.duration) for packet in packets] == [(80, 40), (120, 0)]


def test_the_stream_names_its_model(clip: Clip, model_path: Path) -> None:
    plain = EncoderSettings(model=str(model_path))
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=TICK, settings=plain)
    assert len(encoder.model_hash) == 64 and encoder.model_name
    packets = encode(clip, plain)
    with pytest.raises(MissingModelError, match=encoder.model_hash):
        Decoder().decode(packets[0])
    decoder = Decoder(settings=DecoderSettings(model_files=(model_path,)))
    assert_equal_samples([frame for packet in packets for frame in decoder.decode(packet)], clip)


def test_an_embedded_model_serves_seeking_too(clip: Clip, model_path: Path) -> None:
    chosen = EncoderSettings(model=str(model_path), embed_model=True, gop=2, scene_cuts=False)
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=Fraction(1, 25), settings=chosen)
    packets = [packet for frame in video_frames(clip) for packet in encoder.encode(frame)]
    decoder = Decoder(encoder.extradata)
    decoded = [frame for packet in packets[4:] for frame in decoder.decode(packet)]
    assert [frame.pts for frame in decoded] == [4, 5, 6]


def test_thread_count_does_not_change_the_bytes(clip: Clip, model_path: Path) -> None:
    streams = [
        [bytes(packet) for packet in encode(clip, EncoderSettings(model=str(model_path), slices=2, threads=threads))]
        for threads in (1, 2, 5)
    ]
    assert streams[0] == streams[1] == streams[2]


def test_wrong_frames_are_refused_and_encoding_goes_on(clip: Clip, settings: EncoderSettings) -> None:
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=Fraction(1, 25), settings=settings)
    decoder = Decoder()
    frames = list(video_frames(clip))
    decoded = decoder.decode(encoder.encode(frames[0])[0])
    with pytest.raises(NlvcError, match=r"frame 1 .*50x37.*49x37"):
        encoder.encode(av.VideoFrame(50, 37, clip.pix_fmt))
    with pytest.raises(NlvcError, match=r"frame 1 .*yuv444p.*yuv420p"):
        encoder.encode(av.VideoFrame(49, 37, "yuv444p"))
    with pytest.raises(NlvcError, match=r"frame 1 .*not after the frame before"):
        encoder.encode(frames[0])
    for frame in frames[1:]:
        decoded += decoder.decode(encoder.encode(frame)[0])
    assert_equal_samples(decoded, clip)


def test_bits_above_the_declared_depth_are_an_error(settings: EncoderSettings) -> None:
    planes = [np.zeros((4, 6), np.uint16)]
    planes[0][2, 3] = 1024
    encoder = Encoder(6, 4, "gray10le", time_base=TICK, settings=settings)
    with pytest.raises(NlvcError, match=r"frame 0: .*column 3, row 2 of plane 0 is 1024.*at most 1023"):
        encoder.encode(new_frame(planes, 6, 4, "gray10le"))


def test_damage_is_an_error_until_the_next_keyframe(clip: Clip, model_path: Path) -> None:
    chosen = EncoderSettings(model=str(model_path), embed_model=True, gop=3, scene_cuts=False)
    packets = encode(clip, chosen)
    data = bytearray(bytes(packets[1]))
    data[-1] ^= 0x40
    decoder = Decoder(Encoder(49, 37, "yuv420p", time_base=Fraction(1, 25), settings=chosen).extradata)
    assert len(decoder.decode(packets[0])) == 1
    with pytest.raises(BitstreamError, match="packet 1"):
        decoder.decode(av.Packet(bytes(data)))
    with pytest.raises(BitstreamError, match="packet 2"):
        decoder.decode(packets[2])
    assert [frame.pts for packet in packets[3:] for frame in decoder.decode(packet)] == [3, 4, 5, 6]


@pytest.mark.parametrize("data", [b"x", b"NL", b"NL\x01\x00" + bytes(40), bytes(100)])
def test_packets_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(BitstreamError, match="packet 0"):
        Decoder().decode(av.Packet(data))


def test_extradata_may_be_padded_but_not_damaged(model_path: Path) -> None:
    header = Encoder(4, 4, "gray", time_base=TICK, settings=EncoderSettings(model=str(model_path))).extradata
    Decoder(header)
    Decoder(header + b"\0")
    for damaged in (header + b"\1", header + bytes(2), header[:-1], b"\x05abc", b"\xff" * 20):
        with pytest.raises(BitstreamError, match="header"):
            Decoder(damaged)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"delta": 3}, "delta"),
        ({"gop": -1}, "gop"),
        ({"gop_seconds": 0.0}, "gop_seconds"),
        ({"slices": 9}, "slices"),
        ({"threads": -1}, "threads"),
    ],
)
def test_settings_outside_their_range_are_usage_errors(values: dict[str, float], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        EncoderSettings(**values)  # type: ignore[arg-type]


def test_sizes_time_bases_and_models_are_checked(tmp_path: Path, settings: EncoderSettings) -> None:
    for width, height in ((0, 4), (4, 16385)):
        with pytest.raises(UsageError, match=f"{width}x{height}"):
            Encoder(width, height, "gray", time_base=TICK, settings=settings)
    with pytest.raises(UsageError, match="time base"):
        Encoder(4, 4, "gray", time_base=Fraction(0), settings=settings)
    with pytest.raises(ModelError, match="no model named 'nonsense'"):
        Encoder(4, 4, "gray", time_base=TICK, settings=EncoderSettings(model="nonsense"))
    for content in (b"", b"NLVM", b"NLVM\x00\x02ab\x01", bytes(1000)):
        broken = tmp_path / "broken.nlvm"
        broken.write_bytes(content)
        with pytest.raises(ModelError, match=r"broken\.nlvm"):
            Encoder(4, 4, "gray", time_base=TICK, settings=EncoderSettings(model=str(broken)))


def test_decoders_and_encoders_are_freed(clip: Clip, settings: EncoderSettings) -> None:
    """The native objects are beyond Python's cycle collector: nothing they hold may hold them."""
    encoder = Encoder(clip.width, clip.height, clip.pix_fmt, time_base=Fraction(1, 25), settings=settings)
    decoder = Decoder(encoder.extradata)
    gone = weakref.ref(encoder), weakref.ref(decoder)
    del encoder, decoder
    assert [reference() for reference in gone] == [None, None]
