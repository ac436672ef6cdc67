"""Stages of a pipeline side by side: one thread for each, a bounded queue between them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Runs an iterator in a thread of its own, at most `depth` items ahead of whoever iterates over this object.

    The order is kept, and an exception of the iterator is raised here after the items before it. Used as a context
    manager: on leaving, however that happens, the thread ends after the item that it is working on, and the iterator
    is closed.
    """

    def __init__(self, items: Iterator[Item], *, depth: int) -> None:
        self._items = items
        self._depth = depth
        self._ready: deque[Item] = deque()
        self._error: BaseException | None = None
        self._ended = False  # no more items will come
        self._stopped = False  # nobody wants more
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="pynlvc-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._ready.clear()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                while not self._ready and not self._ended:
                    self._changed.wait()
                if not self._ready:
                    break
                item = self._ready.popleft()
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while self._wanted():
                try:
                    item = next(self._items)
                except StopIteration:
                    break
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
        except BaseException as error:
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _wanted(self) -> bool:
        """Waits for room; False when nobody wants more."""
        with self._changed:
            while len(self._ready) >= self._depth and not self._stopped:
                self._changed.wait()
            return not self._stopped
