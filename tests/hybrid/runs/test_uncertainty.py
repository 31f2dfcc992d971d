"""Intervals of an energy, by their parts."""

import math

import numpy as np
import pytest

from hybrid.runs.uncertainty import Interval, Part, Uncertainty, joined, mean_over


def part(below, above=None, kind="statistical", name="shots"):
    above = below if above is None and below is not None else above
    return Part(name=name, of="state", below=below, above=above, kind=kind, source="a test")


def test_chance_adds_in_quadrature_and_what_is_systematic_to_its_sum():
    parts = [part(0.3), part(0.4), part(0.1, kind="systematic"), part(0.2, 0.0, kind="bound")]
    assert joined(-1.0, parts) == pytest.approx((-1.0 - 0.5 - 0.3, -1.0 + 0.5 + 0.1))


def test_a_part_that_nobody_knows_leaves_no_interval():
    assert joined(-1.0, [part(0.3), part(None, kind="not known")]) is None


def test_the_mean_over_few_seeds_has_students_interval():
    energies = [-1.0, -1.2, -1.1, -0.9]
    found = mean_over(energies)
    half = 3.182446 * np.std(energies, ddof=1) / 2  # the quantile of three degrees of freedom, from a printed table
    assert (found.low, found.high) == pytest.approx((-1.05 - half, -1.05 + half), abs=1e-6)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (Interval(quantity="E", low=-1.23456, high=-1.12344), "-1.235 to -1.123 hartree (95 %), of E"),
        (Interval(quantity="E", low=-1.0, high=-1.0, confidence=1.0), "-1 hartree, known exactly: E"),
        (Interval(quantity="E", low=-1.0, high=-1.0 + 2e-13), "-1.0000000000 ± 1e-13 hartree (95 %), of E"),
        (
            Interval(quantity="E", low=None, high=-1.0, reason="the ansatz is"),
            "no interval for E: the ansatz is; it lies below -1 hartree",
        ),
    ],
)
def test_an_interval_is_told_rounded_outwards(interval, said):
    assert interval.text("hartree") == said


def test_an_end_that_is_not_known_excludes_nothing():
    assert Interval(quantity="E", low=None, high=-1.0).holds(-1e6)
    assert not Interval(quantity="E", low=None, high=-1.0).holds(0.0)


def test_a_statement_survives_being_written():
    unknown = part(None, 0.0, kind="not known", name="ansatz")
    ground = Interval(quantity="the ground state energy", low=None, high=-1.0, reason="the ansatz's is not known")
    state = Interval(quantity="the energy of the final state", low=-1.1, high=-0.9)
    stated = Uncertainty(state=state, ground=ground, parts=(part(0.1), unknown), risks=("one start",), unit="hartree")
    assert Uncertainty.of_dict(stated.to_dict()) == stated
    assert (stated.low, stated.high, stated.confidence) == (-1.1, -0.9, 0.95)
    text, page = str(stated), stated._repr_html_()
    for said in ("no interval for the ground state energy", "± shots", "± ansatz", "not known", "one start"):
        assert said in text
    assert "how it is known" in page
    assert "nan" not in text
    assert not math.isnan(stated.low)
