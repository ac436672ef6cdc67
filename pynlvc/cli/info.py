"""Show what is known about a file's video track: size, format, model, keyframes, slices, bits. Nothing is decoded.

--check POLICY: conditions separated by commas, such as "gop=1, slices>=4, crc". A name with =, !=, <, <=, > or >= and a
value, or alone: crc, embedded, installed. Exit code 0 if the file meets them all, else 1 with one line for each that it
does not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from fractions import Fraction
from pathlib import Path

from pynlvc.cli.progress import duration
from pynlvc.media.info import TrackInfo, info
from pynlvc.media.policy import FACTS, check, parse_policy


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("input", type=Path, help="video file")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    facts = "; ".join(f"{name}: {meaning}" for name, (meaning, _) in FACTS.items())
    parser.add_argument("--check", metavar="POLICY", help=f"conditions that the file must meet. {facts}")


def run(arguments: argparse.Namespace) -> int:
    """Prints the description, or what it lacks."""
    policy = None if arguments.check is None else parse_policy(arguments.check)
    track = info(arguments.input)
    if policy is None or arguments.json:
        print(as_json(track) if arguments.json else as_text(track))
    failures = [] if policy is None else check(track, policy)
    for failure in failures:
        print(f"pynlvc: {track.path}: {failure}", file=sys.stderr)
    if policy is not None and not arguments.json:
        print(f"{track.path}: {'does not meet' if failures else 'meets'} the policy")
    return 1 if failures else 0


def as_json(track: TrackInfo) -> str:
    """All fields and what follows from them; fractions as "numerator/denominator"."""
    derived = {
        "coded_bytes": track.coded_bytes,
        "bits_per_pixel": track.bits_per_pixel,
        "keyframe_bits_per_pixel": track.keyframe_bits_per_pixel,
        "inter_bits_per_pixel": track.inter_bits_per_pixel,
        "ratio": track.ratio,
    }
    return json.dumps(dataclasses.asdict(track) | derived, default=_plain, indent=2)


def _plain(value: object) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)


def as_text(track: TrackInfo) -> str:
    """A line for each group of facts."""
    ratio = track.sample_aspect_ratio
    rate = f"{float(track.frame_rate):.3f} frames/s" if track.frame_rate else "unknown frame rate"
    inter = track.frames - track.keyframes
    lines = [
        ("file", f"{track.path} ({track.container})"),
        ("video", f"{track.codec}, {track.width}x{track.height} {track.pix_fmt}, {rate}"),
        ("aspect", f"samples {_plain(ratio)}" if ratio else "unknown"),
        ("length", f"{track.frames} frames, {duration(track.duration_seconds)} ({track.duration_seconds:.3f} s)"),
        ("size", f"{track.coded_bytes} bytes, {track.bits_per_pixel:.3f} bpp, 1:{track.ratio:.2f} to raw"),
        (
            "keyframes",
            f"{track.keyframes}, {track.keyframe_bits_per_pixel:.3f} bpp, at most {track.longest_gop} frames apart",
        ),
        ("inter", f"{inter} frames, {track.inter_bits_per_pixel:.3f} bpp"),
    ]
    if track.stream is not None:
        stream = track.stream
        place = "embedded" if stream.model_embedded else "installed" if stream.model_installed else "NOT INSTALLED"
        if stream.model_difference is not None:
            base, size = stream.model_difference
            missing = "" if stream.model_installed else ", which is NOT INSTALLED"
            place = f"fitted: {size} bytes of differences to {base[:16]}...{missing}"
        fewest, most = stream.slices
        count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        lines += [
            ("model", f"{stream.model or 'unknown'} ({place}), SHA-256 {stream.model_hash}"),
            (
                "slices",
                f"{count} in a frame, {stream.raw_slices} of {stream.slices_total} stored raw; delta {stream.delta}",
            ),
            ("time base", f"{_plain(stream.time_base)} s"),
        ]
    return "\n".join(f"{name + ':':11}{value}" for name, value in lines)
