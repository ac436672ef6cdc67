"""Frames of several decoders, decoded side by side: those that the transformer codes gain by being many."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynlvc.model.diffusion.frames import Decoded, FrameCoder, FrameToDecode


@dataclass(eq=False)
class _Request:
    coder: FrameCoder
    frame: FrameToDecode
    result: Decoded | None = None
    error: Exception | None = None


class Gathering:
    """Threads with a decoder each. As soon as every one of them waits for a frame, all those are decoded at once.

    Whoever joins must ask or leave before the others can go on. The samples are those that each decoder would find
    alone.
    """

    def __init__(self) -> None:
        self._members = 0
        self._waiting: list[_Request] = []
        self._changed = threading.Condition()
        self._coders: list[tuple[object, FrameCoder]] = []

    def join(self) -> None:
        """One thread more."""
        with self._changed:
            self._members += 1

    def leave(self) -> None:
        """One less: the others do not wait for it any longer."""
        with self._changed:
            self._members -= 1
            self._changed.notify_all()

    def coder(self, key: object, make: Callable[[], FrameCoder]) -> FrameCoder:
        """The coder that all members with equal keys share."""
        with self._changed:
            for known, coder in self._coders:
                if known == key:
                    return coder
            self._coders.append((key, make()))
            return self._coders[-1][1]

    def decode(self, coder: FrameCoder, frame: FrameToDecode) -> Decoded:
        """Waits for the other members, or for one of them to decode this frame with its own."""
        request = _Request(coder, frame)
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()
            while request in self._waiting and len(self._waiting) < self._members:
                self._changed.wait()
            if request in self._waiting:
                self._decode_all()
                self._changed.notify_all()
        if request.error is not None:
            raise request.error
        assert request.result is not None, "it was decoded"
        return request.result

    def _decode_all(self) -> None:
        requests, self._waiting = self._waiting, []
        for coder in {id(request.coder): request.coder for request in requests}.values():
            alike = [request for request in requests if request.coder is coder]
            try:
                results = coder.decode([request.frame for request in alike])
            except Exception as error:
                for request in alike:
                    request.error = error
                continue
            for request, result in zip(alike, results, strict=True):
                request.result = result
