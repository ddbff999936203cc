"""Formulas: numbers of a program as functions of the sizes of its arguments."""

import math

import numpy as np
import pytest

from cltensor.graph.formulas import Formula, NotGeneral, Symbols, bytes_rule

SIZES = (3, 8, 13)


def symbols(*values):
    """Symbols of arguments of one dimension each; values: for each argument its size at each capture."""
    return Symbols([[(n,) for n in sizes] for sizes in zip(*values, strict=True)])


@pytest.mark.parametrize("rule", [
    lambda n: 4 * n, lambda n: n + 5, lambda n: n - 2, lambda n: 100 - n, lambda n: n * n, lambda n: 3 * n**3,
    lambda n: 1 / n, lambda n: 2 / n, lambda n: -1 / n, lambda n: 1 / (n - 1), lambda n: float(n), lambda n: math.sqrt(n),
    lambda n: 1 / math.sqrt(2 * n), lambda n: n**-0.5, lambda n: 1 / (4 * n),
])
def test_two_captures_tell_rules_with_one_number(rule):
    found = symbols(SIZES[:2]).fit([rule(n) for n in SIZES[:2]])
    for n in (2, 7, 64, 1000):
        assert found.at((n,)) == rule(n)


@pytest.mark.parametrize("rule", [lambda n: 3 * n - 2, lambda n: 2 * n * n + 7, lambda n: 1 / (3 * n + 1)])
def test_three_captures_tell_rules_with_two_numbers(rule):
    with pytest.raises(NotGeneral, match="no rule"):
        symbols(SIZES[:2]).fit([rule(n) for n in SIZES[:2]])
    found = symbols(SIZES).fit([rule(n) for n in SIZES])
    for n in (2, 7, 64, 1000):
        assert found.at((n,)) == rule(n)


def test_equal_numbers_are_constants():
    s = symbols(SIZES)
    assert s.fit([5, 5, 5]) == 5
    assert s.fit([0.5, 0.5, 0.5]) == 0.5
    assert math.isnan(s.fit([math.nan] * 3))
    assert s.fit(list(SIZES)).at((9,)) == 9


@pytest.mark.parametrize("numbers", [(1, 7, 2), (0.3, 0.7, 0.1), (1, 2.0, 3), (math.inf, 1.0, 2.0), (True, False, True)])
def test_what_follows_no_rule_is_refused(numbers):
    with pytest.raises(NotGeneral, match="no rule"):
        symbols(SIZES).fit(list(numbers))


def test_a_quotient_is_whole_or_nothing():
    found = symbols((8, 16)).fit([2, 4])
    assert found.at((12,)) == 3
    assert found.at((13,)) is None


def test_sizes_that_agree_are_one_symbol():
    s = Symbols([[(3, 7), (3,)], [(5, 7), (5,)]])
    assert s.of([(9, 7), (9,)]) == (9,)
    assert s.of([(9, 7), (8,)]) is None
    assert s.of([(1, 7), (1,)]) is None


def test_rules_that_cannot_be_told_apart_hold_where_they_agree():
    s = symbols((2, 4), (4, 8))
    found = s.fit([8, 16])
    assert isinstance(found, Formula)
    assert found.at((3, 6)) == 12
    assert found.at((3, 5)) is None


def test_products_of_two_sizes():
    found = symbols((2, 5, 5), (3, 3, 7)).fit([24, 60, 140])
    assert found.at((10, 11)) == 440


@pytest.mark.parametrize("make", [
    lambda n: np.arange(n), lambda n: np.arange(n, dtype=np.int32) * 3 + 1, lambda n: np.full(n, 0.3, np.float32),
    lambda n: np.zeros(n, np.uint8), lambda n: np.arange(n, dtype=np.float32), lambda n: np.full(n, 7),
])
def test_progressions_go_on(make):
    rule = bytes_rule([make(n).view(np.uint8) for n in (4, 7)])
    for n in (2, 5, 100):
        np.testing.assert_array_equal(rule(make(n).nbytes), make(n).view(np.uint8))


def test_other_constants_are_known_up_to_the_longest():
    numbers = np.random.default_rng(0).standard_normal(8)
    rule = bytes_rule([numbers[:5].view(np.uint8), numbers.view(np.uint8)])
    np.testing.assert_array_equal(rule(24), numbers[:3].view(np.uint8))
    assert rule(80) is None
    with pytest.raises(NotGeneral, match="other values"):
        bytes_rule([numbers[:5].view(np.uint8), numbers[1:].copy().view(np.uint8)])
