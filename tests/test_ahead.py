"""Pipelines: order, bounds, errors and an early end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pynlvc.media.ahead import Ahead


def counting(count: int, seen: list[int]) -> Iterator[int]:
    for i in range(count):
        seen.append(i)
        yield i


@pytest.mark.parametrize("depth", [1, 3])
def test_all_items_come_in_order(depth: int) -> None:
    with Ahead(counting(100, []), depth=depth) as first, Ahead((2 * i for i in first), depth=depth) as second:
        assert list(second) == list(range(0, 200, 2))


def test_no_more_than_the_depth_are_made_ahead() -> None:
    seen: list[int] = []
    with Ahead(counting(100, seen), depth=4) as ahead:
        for number, item in enumerate(ahead):
            time.sleep(0.001)
            assert item == number
            assert len(seen) <= number + 6  # this one, four that wait, and one being made


def test_an_error_comes_after_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    got = []
    with pytest.raises(ValueError, match="broken"), Ahead(failing(), depth=2) as ahead:
        for item in ahead:
            got.append(item)
    assert got == [1]


def test_leaving_early_ends_the_thread_and_closes_the_iterator() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Ahead(endless(), depth=2) as ahead:
        for _ in ahead:
            raise KeyboardInterrupt
    assert closed.is_set()
    assert threading.active_count() == before
