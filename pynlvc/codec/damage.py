"""What a decoder that goes on despite damage says about it (docs/bitstream.md §9.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

DamageKind = Literal["damaged", "dependent", "missing"]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Something in a frame that is not as it was encoded, or frames that are not there."""

    kind: DamageKind  # of the packet's own bytes; of what the slice rests on; frames before it or its keyframe
    frame: int  # packets before it
    slice: int | None  # None: the whole frame
    offset: int  # of the slice's payload in the packet, bytes; 0 for the whole frame
    position: int | None = None  # of the packet in the file, bytes; None: unknown
    track: int | None = None  # of the file, as FFmpeg counts them; None: unknown
    what: str  # in words, without frame and position

    def __str__(self) -> str:
        where = "" if self.position is None else f" (at byte {self.position} of the file)"
        return f"frame {self.frame}{where}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What a packet said about its frame."""

    is_keyframe: bool
    number: int  # frames since the keyframe; in a keyframe frames of the stream before it (§9)
    seconds: Fraction | None  # when it is shown by the stream's own times, None: unknown
    duration_seconds: Fraction


def describe_damage(damage: Sequence[Damage]) -> list[str]:
    """A line for everything that is damaged itself, and one for each run of frames that rest on it."""
    lines: list[str] = []
    run: list[int] = []  # first and last frame of the current one

    def end_run() -> None:
        if run:
            frames = f"frame {run[0]} rests" if run[0] == run[1] else f"frames {run[0]} to {run[1]} rest"
            lines.append(f"{frames} on damaged or missing frames, and not all samples are right")
            run.clear()

    for found in damage:
        if found.kind == "dependent" or (found.kind == "missing" and "keyframe" in found.what):
            if run and found.frame <= run[1] + 1:
                run[1] = found.frame
            else:
                end_run()
                run[:] = [found.frame, found.frame]
        else:
            end_run()
            lines.append(str(found))
    end_run()
    return lines
