"""Going on despite damage (docs/bitstream.md §9.2): what is shown and said; nothing wrong is ever called right."""

from __future__ import annotations

import numpy as np
import pytest

from pynlvc import _core
from tests.core_frames import encode_all, make_format, make_frames
from tests.models import random_model

MODEL = random_model(seed=6)
FORM = make_format(40, 96, sx=1, sy=1)
FRAMES = make_frames(FORM, 7, "moving")
CODED = [frame.data for frame in encode_all(FORM, MODEL, FRAMES, slices=3, keyframe_interval=4, scene_cuts=False)]
KEYFRAME = 4  # the second one


def decoder() -> _core.Decoder:
    return _core.Decoder(lambda _hash: MODEL, threads=2)


def conceal(packets: list[bytes]) -> list[_core.DecodedFrame]:
    """All frames; none may be called right that is not."""
    d = decoder()
    frames = [d.conceal(packet) for packet in packets]
    for frame in frames:
        wanted = [f for f in FRAMES if equal(frame, f)]
        assert not frame.exact or wanted
        assert frame.exact or frame.damage
    return frames


def equal(frame: _core.DecodedFrame, wanted: list) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(frame.planes, wanted, strict=True))


def equal_slice(frame: _core.DecodedFrame, wanted: list, slice_number: int) -> bool:
    """Whether the samples of one of three slices are the wanted ones."""
    rows = [slice(*FORM.slice_rows(p, slice_number, 3)) for p in range(3)]
    return all(np.array_equal(a[r], b[r]) for a, b, r in zip(frame.planes, wanted, rows, strict=True))


def damaged_slice(packet: bytes, slice_number: int) -> bytes:
    """One byte in the middle of a slice's payload is wrong."""
    sizes = _core.parse_packet(packet).slice_sizes
    position = len(packet) - sum(sizes[slice_number:]) + sizes[slice_number] // 2
    return packet[:position] + bytes([packet[position] ^ 0x10]) + packet[position + 1 :]


def test_intact_streams_are_right() -> None:
    for t, frame in enumerate(conceal(CODED)):
        assert (frame.exact, frame.timed, frame.damage, frame.pts) == (True, True, [], t)
        assert equal(frame, FRAMES[t])
        assert frame.number == t % KEYFRAME if t != KEYFRAME else frame.number == KEYFRAME


@pytest.mark.parametrize("t", [0, 1, KEYFRAME])
def test_a_damaged_slice_is_named_and_hidden(t: int) -> None:
    bad = damaged_slice(CODED[t], 1)
    frames = conceal([*CODED[:t], bad, *CODED[t + 1 :]])
    own = [d for d in frames[t].damage if d.kind == "damaged"]
    (damage,) = own
    assert damage.slice == 1
    # The vectors stand at the head of the payload, before the damage: the neighbours lack nothing.
    assert len(frames[t].damage) == 1
    sizes = _core.parse_packet(CODED[t]).slice_sizes
    assert damage.offset == len(bad) - sum(sizes[1:])
    assert f"slice 1, byte {damage.offset}" in damage.what
    for other in (0, 2):
        assert equal_slice(frames[t], FRAMES[t], other)
    if t > 0:
        assert equal_slice(frames[t], FRAMES[t - 1], 1)
    else:
        assert {int(v) for v in np.unique(frames[t].planes[0][32:64])} == {128}
    end = KEYFRAME if t < KEYFRAME else len(CODED)
    for later in range(t + 1, end):
        assert not frames[later].exact
        assert {d.kind for d in frames[later].damage} == {"dependent"}
        hidden = {d.slice for d in frames[later].damage}
        assert all(equal_slice(frames[later], FRAMES[later], s) for s in {0, 1, 2} - hidden)
    for later in range(end, len(CODED)):
        assert frames[later].exact
    assert all(frame.timed and frame.pts == number for number, frame in enumerate(frames))


@pytest.mark.parametrize("t", [1, KEYFRAME])
def test_a_damaged_header_repeats_the_frame_before(t: int) -> None:
    bad = bytearray(CODED[t])
    bad[len(bad) - sum(_core.parse_packet(CODED[t]).slice_sizes) - 1] ^= 1
    frames = conceal([*CODED[:t], bytes(bad), *CODED[t + 1 :]])
    assert equal(frames[t], FRAMES[t - 1])
    (damage,) = frames[t].damage
    assert (damage.kind, damage.slice, damage.offset) == ("damaged", -1, 0)
    for later in range(t, KEYFRAME if t < KEYFRAME else len(CODED)):
        assert not (frames[later].exact or frames[later].timed)
    if t == KEYFRAME:
        assert all(d.kind == "missing" for frame in frames[t + 1 :] for d in frame.damage)


@pytest.mark.parametrize("missing", [1, 2])
def test_missing_frames_are_counted(missing: int) -> None:
    frames = conceal([CODED[0], *CODED[1 + missing :]])
    assert frames[1].damage[0].kind == "missing"
    assert f"{missing} frames before this one are missing" in frames[1].damage[0].what
    assert not frames[1].timed
    again = frames[KEYFRAME - missing]
    assert (again.exact, again.timed, again.number, again.pts) == (True, True, KEYFRAME, KEYFRAME)
    d = decoder()
    d.decode(CODED[0])
    with pytest.raises(_core.BitstreamError, match="frames are missing"):
        d.decode(CODED[1 + missing])


def test_missing_copies_of_a_still_are_noticed() -> None:
    """Without its number, a P-frame of a picture that stands still would decode without the one before it."""
    still = [FRAMES[0]] * 5
    packets = [frame.data for frame in encode_all(FORM, MODEL, still, slices=3)]
    d = decoder()
    for packet in packets[:3]:
        d.decode(packet)
    with pytest.raises(_core.BitstreamError, match="missing"):
        d.decode(packets[4])


def test_a_missing_keyframe_leaves_no_wrong_frame() -> None:
    frames = conceal([*CODED[:KEYFRAME], *CODED[KEYFRAME + 1 :]])
    for frame in frames[KEYFRAME:]:
        assert not frame.exact
        assert equal(frame, FRAMES[KEYFRAME - 1])
        assert "keyframe that this frame needs is missing" in frame.damage[0].what


def test_cut_packets_keep_their_first_slices() -> None:
    sizes = _core.parse_packet(CODED[1]).slice_sizes
    head = len(CODED[1]) - sum(sizes)
    for size in (head, head + 1, head + sizes[0], head + sizes[0] + sizes[1] - 1):
        frame = conceal([CODED[0], CODED[1][:size]])[1]
        first_cut = 0 if size < head + sizes[0] else 1
        assert [d.slice for d in frame.damage if d.kind == "damaged"] == list(range(first_cut, 3))
        assert all("cut off" in d.what for d in frame.damage if d.kind == "damaged")
        hidden = {d.slice for d in frame.damage}  # also slices that look across the border at lost vectors
        assert all(equal_slice(frame, FRAMES[1], s) for s in {0, 1, 2} - hidden)


def test_there_is_nothing_to_show_before_the_first_keyframe() -> None:
    d = decoder()
    for packet in (CODED[1], b"", b"NL", CODED[0][:30]):
        with pytest.raises(_core.BitstreamError, match="no frame before it"):
            d.conceal(packet)
    assert d.conceal(CODED[0]).exact


def test_damaged_keyframes_cannot_claim_large_pictures() -> None:
    """A header that is right can name any size; a cut payload must not make a decoder believe it."""
    big = make_format(2048, 2048, layout="grey")
    coded = encode_all(big, MODEL, make_frames(big, 1, "flat"), slices=8)[0].data
    head = len(coded) - sum(_core.parse_packet(coded).slice_sizes)
    with pytest.raises(_core.BitstreamError, match="too little is left"):
        decoder().conceal(coded[: head + 60])


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_yields_a_wrong_frame_called_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    packets = [CODED[0], *CODED[1:]]
    for _ in range(int(rng.integers(1, 4))):
        t = int(rng.integers(1, len(packets)))
        data = bytearray(packets[t])
        kind = rng.integers(0, 4)
        if kind == 0 and data:
            data[int(rng.integers(0, len(data)))] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            del data[int(rng.integers(0, len(data) + 1)) :]
        elif kind == 2:
            at = int(rng.integers(0, len(data) + 1))
            data[at:at] = rng.bytes(3)
        else:
            other = int(rng.integers(0, len(packets)))
            packets[t], packets[other] = packets[other], packets[t]
            continue
        packets[t] = bytes(data)
    if packets[0] == CODED[0]:
        conceal(packets)
