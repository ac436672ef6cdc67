"""The range coder (docs/bitstream.md §7): sizes against theory and constriction, bytes against big integers."""

from __future__ import annotations

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pynlvc import _core

ONE = 1 << 24
START = (1 << 48) - 1


def big_integer_encode(intervals: list[tuple[int, int]]) -> bytes:
    """§7 with one unbounded integer for everything coded so far, in which carries take care of themselves."""
    low, width, words = 0, START, 0
    for lo, hi in intervals:
        unit = width >> 24
        low += unit * lo
        width = width - unit * lo if hi == ONE else unit * (hi - lo)
        while width < 1 << 32:
            low, width, words = low << 16, width << 16, words + 1
    low = (low + (1 << 32) - 1) >> 32
    return low.to_bytes(2 * words + 2, "big").rstrip(b"\0")


def encode(intervals: list[tuple[int, int]]) -> bytes:
    """The library's bytes for a list of intervals."""
    array = np.array(intervals, dtype=np.uint32).reshape(-1, 2)
    return _core.range_encode(np.ascontiguousarray(array[:, 0]), np.ascontiguousarray(array[:, 1]))


def random_tables(rng: np.random.Generator, count: int, symbols: int) -> NDArray[np.uint32]:
    """Cumulative tables [count, symbols + 1] of very different entropies, every symbol at least 1 wide."""
    weights = rng.random((count, symbols)) ** rng.integers(1, 12, (count, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    bounds = np.floor(np.cumsum(weights, axis=1) * (ONE - symbols)).astype(np.int64) + np.arange(1, symbols + 1)
    bounds[:, -1] = ONE
    return np.concatenate([np.zeros((count, 1), np.int64), bounds], axis=1).astype(np.uint32)


def draw(rng: np.random.Generator, tables: NDArray[np.uint32]) -> NDArray[np.int64]:
    """One symbol from each table, by its probabilities."""
    points = rng.integers(0, ONE, len(tables))
    return (tables[:, 1:] <= points[:, None]).sum(axis=1)


def test_size_is_within_a_thousandth_of_the_ideal_and_of_constriction() -> None:
    rng = np.random.default_rng(5)
    tables = random_tables(rng, 60_000, 16)
    symbols = draw(rng, tables)
    rows = np.arange(len(tables))
    low, high = tables[rows, symbols], tables[rows, symbols + 1]
    coded = _core.range_encode(low, high)
    np.testing.assert_array_equal(_core.range_decode(coded, tables), symbols)

    ideal = float(-np.log2((high.astype(np.float64) - low) / ONE).sum()) / 8
    reference = constriction.stream.queue.RangeEncoder()
    probabilities = np.diff(tables.astype(np.float64), axis=1) / ONE
    family = constriction.stream.model.Categorical(perfect=True)
    reference.encode(symbols.astype(np.int32), family, probabilities)
    peer = reference.get_compressed().nbytes
    assert ideal - 1 <= len(coded) <= 1.001 * ideal
    assert abs(len(coded) - peer) <= 0.001 * peer


intervals = st.one_of(
    st.integers(0, ONE - 1).map(lambda lo: (lo, lo + 1)),
    st.integers(1, ONE).map(lambda hi: (0, hi)),
    st.integers(0, ONE - 1).map(lambda lo: (lo, ONE)),
    st.tuples(st.integers(0, ONE), st.integers(0, ONE)).filter(lambda p: p[0] != p[1]).map(lambda p: (min(p), max(p))),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(intervals, max_size=60))
def test_bytes_are_those_of_big_integers(case: list[tuple[int, int]]) -> None:
    coded = encode(case)
    assert coded == big_integer_encode(case)
    tables = np.array([sorted({0, lo, hi, ONE}) + [ONE] * (4 - len({0, lo, hi, ONE})) for lo, hi in case], np.uint32)
    if case:
        decoded = _core.range_decode(coded, tables.reshape(-1, 4))
        found = [(int(t[s]), int(t[s + 1])) for t, s in zip(tables, decoded, strict=True)]
        assert found == case


def test_a_carry_runs_through_many_words() -> None:
    # Intervals that keep a half inside [low, low + width): 7f ff ff ... goes out, until the last symbol lies above it.
    low, width, half = 0, START, 1 << 47
    case: list[tuple[int, int]] = []
    for step in range(12):
        unit = width >> 24
        lo = (half - low) // unit + (1 if step == 11 else 0)
        case.append((lo, lo + 2))
        low, width = low + unit * lo, 2 * unit
        while width < 1 << 32:
            low, width, half = low << 16, width << 16, half << 16
    assert encode(case[:-1]) == big_integer_encode(case[:-1])
    coded = encode(case)
    assert coded == big_integer_encode(case)
    assert coded[:30] == b"\x80" + bytes(29)


@pytest.mark.parametrize("probability", [1, 2, 255, ONE // 2, ONE - 255, ONE - 1])
def test_extreme_probabilities(probability: int) -> None:
    tables = np.tile(np.array([0, probability, ONE], np.uint32), (5000, 1))
    for symbols in (np.zeros(5000, int), np.ones(5000, int), np.arange(5000) % 2):
        coded = _core.range_encode(tables[np.arange(5000), symbols], tables[np.arange(5000), symbols + 1])
        np.testing.assert_array_equal(_core.range_decode(coded, tables), symbols)


def test_nothing_codes_to_nothing() -> None:
    assert encode([]) == b""


def test_arbitrary_bytes_decode_to_valid_symbols() -> None:
    rng = np.random.default_rng(7)
    tables = random_tables(rng, 3000, 9)
    for data in (b"", b"\xff" * 4000, b"\0" * 50, rng.bytes(3000)):
        decoded = _core.range_decode(data, tables)
        assert decoded.min() >= 0 and decoded.max() < 9


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 4), (0, ONE + 1)])
def test_wrong_intervals_are_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="low < high"):
        _core.range_encode(np.array([low], np.uint32), np.array([high], np.uint32))
