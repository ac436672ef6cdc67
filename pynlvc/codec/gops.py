"""Several groups of pictures decoded side by side: each begins with a keyframe and needs none of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import av

from pynlvc.codec.decoder import Decoder
from pynlvc.codec.gathering import Gathering
from pynlvc.codec.settings import DecoderSettings


def _gops(packets: Iterable[av.Packet]) -> Iterator[list[av.Packet]]:
    """The packets, cut before each keyframe."""
    gop: list[av.Packet] = []
    for packet in packets:
        if packet.size == 0:
            continue
        if packet.is_keyframe and gop:
            yield gop
            gop = []
        gop.append(packet)
    if gop:
        yield gop


def decode_gops(
    packets: Iterable[av.Packet],
    *,
    gops: int,  # decoded side by side, >= 1; frames of so many wait in memory
    extradata: bytes | None = None,
    settings: DecoderSettings | None = None,
) -> Generator[av.VideoFrame]:
    """The frames of an NLVC stream in their order. For pictures too small to keep all cores busy with their slices, and
    for devices that want many samples at once; the transformer's frames are computed together. Errors are those of
    Decoder, raised after the frames of earlier GOPs."""
    if gops < 1:
        raise ValueError(f"gops is {gops}: it must be at least 1")
    gathering = Gathering()

    def decode(gop: list[av.Packet]) -> list[av.VideoFrame]:
        try:
            decoder = Decoder(extradata, settings=settings, gathering=gathering)
            return [frame for packet in gop for frame in decoder.decode(packet)]
        finally:
            gathering.leave()

    running: deque[Future[list[av.VideoFrame]]] = deque()
    with ThreadPoolExecutor(gops, thread_name_prefix="pynlvc-gop") as pool:
        try:
            for gop in _gops(packets):
                if len(running) == gops:
                    yield from running.popleft().result()
                gathering.join()
                running.append(pool.submit(decode, gop))
            while running:
                yield from running.popleft().result()
        finally:
            for job in running:
                if job.cancel():
                    gathering.leave()
