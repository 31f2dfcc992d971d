"""Which way is taken, and when backends are measured first."""

import math

from backends.cost import Cost
from hybrid.routing.measuring import to_measure
from hybrid.routing.order import NEAR, order


def _cost(seconds: float, spread: float = 1.5) -> Cost:
    return Cost(seconds, 0.0, 0, spread=spread)


def test_the_order_of_the_candidates_decides_between_near_ties():
    assert order([_cost(NEAR * 0.99), _cost(1.0), _cost(5.0)]) == [0, 1, 2]
    assert order([_cost(NEAR * 1.01), _cost(1.0), _cost(5.0)]) == [1, 0, 2]


def test_what_is_not_known_comes_last():
    assert order([_cost(math.nan), _cost(3.0), _cost(9.0)]) == [1, 2, 0]
    assert order([_cost(math.nan)]) == [0]
    assert order([]) == []


def test_a_clear_choice_needs_no_measurement():
    assert to_measure([_cost(1000.0), _cost(2300.0)])[0] == []


def test_a_short_run_is_not_worth_a_measurement():
    assert to_measure([_cost(5.0), _cost(6.0)])[0] == []
    assert to_measure([_cost(5.0), _cost(math.nan, math.inf)])[0] == []


def test_long_runs_are_worth_one_where_either_could_be_the_faster():
    places, saved_s = to_measure([_cost(1000.0), _cost(1200.0), _cost(9000.0)])
    assert places == [0, 1]
    assert saved_s == 1000 - 1200 / 1.5


def test_a_backend_that_nothing_is_known_of_is_measured_before_a_long_run():
    assert to_measure([_cost(1000.0), _cost(math.nan, math.inf)])[0] == [0, 1]


def test_one_backend_is_no_choice():
    assert to_measure([_cost(math.nan, math.inf)])[0] == []
