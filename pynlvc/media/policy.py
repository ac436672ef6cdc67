"""Does a file meet an archive's rules? Conditions over what `info` knows, in the manner of MediaConch.

    policy    = condition *("," condition)
    condition = name [operator value]
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">="

A name without operator asks whether something holds. Spaces around all of these do not matter.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from pynlvc.errors import UsageError
from pynlvc.media.info import TrackInfo

_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item] # of numbers alone, see check
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}
_CONDITION = re.compile(r"\s*([a-z0-9_-]+)\s*(?:(!=|<=|>=|=|<|>)\s*(\S+)\s*)?")

# name: (what it is, how to find it; None where the file has no such thing)
FACTS: dict[str, tuple[str, Callable[[TrackInfo], float | str | bool | None]]] = {
    "codec": ("nlvc or FFmpeg's name", lambda t: t.codec),
    "container": ("FFmpeg's name", lambda t: t.container),
    "width": ("samples", lambda t: t.width),
    "height": ("samples", lambda t: t.height),
    "pix_fmt": ("pixel format", lambda t: t.pix_fmt),
    "frames": ("their number", lambda t: t.frames),
    "keyframes": ("their number", lambda t: t.keyframes),
    "gop": ("frames of the longest GOP; 1: keyframes only", lambda t: t.longest_gop),
    "slices": ("fewest in a frame", lambda t: t.stream.slices[0] if t.stream else None),
    "raw_slices": ("slices stored without the model", lambda t: t.stream.raw_slices if t.stream else None),
    "model": ("name of the model", lambda t: t.stream.model if t.stream else None),
    "delta": ("slope of the sample groups", lambda t: t.stream.delta if t.stream else None),
    "crc": ("every slice and frame has a checksum, and that of every slice is right", lambda t: t.stream is not None),
    "embedded": ("the model is in the file", lambda t: t.stream is not None and t.stream.model_embedded),
    "installed": ("the model is installed here", lambda t: t.stream is not None and t.stream.model_installed),
}


@dataclass(frozen=True)
class Condition:
    """One rule."""

    text: str
    name: str
    symbol: str  # "" for a name alone
    value: str


def parse_policy(text: str) -> tuple[Condition, ...]:
    """Reads a policy; UsageError names the condition that is none."""
    conditions = []
    for part in text.split(","):
        found = _CONDITION.fullmatch(part)
        if found is None or found[1] not in FACTS:
            raise UsageError(f"the policy's condition {part.strip()!r} is none: names are {', '.join(FACTS)}")
        name, symbol, value = found[1], found[2] or "", found[3] or ""
        holds = name in ("crc", "embedded", "installed")
        if holds != (not symbol):
            raise UsageError(
                f"the policy's condition {part.strip()!r}: {name} " + ("stands alone" if holds else "needs a value")
            )
        conditions.append(Condition(part.strip(), name, symbol, value))
    return tuple(conditions)


def check(track: TrackInfo, conditions: tuple[Condition, ...]) -> list[str]:
    """What a file does not meet: a line for each condition; empty when it meets all."""
    failures = []
    for condition in conditions:
        found = FACTS[condition.name][1](track)
        if not condition.symbol:
            if found is not True:
                failures.append(f"{condition.text}: no")
            continue
        if not _holds(found, condition):
            failures.append(f"{condition.text}: it is {'unknown' if found is None else found}")
    return failures


def _holds(found: float | str | bool | None, condition: Condition) -> bool:
    if found is None:
        return False
    if isinstance(found, str):
        if condition.symbol not in ("=", "!="):
            raise UsageError(f"the policy's condition {condition.text!r}: names know = and != only")
        return _OPERATORS[condition.symbol](found, condition.value)
    try:
        return _OPERATORS[condition.symbol](float(found), float(condition.value))
    except ValueError:
        raise UsageError(f"the policy's condition {condition.text!r}: {condition.value!r} is no number") from None
