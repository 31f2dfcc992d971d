import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import Refused
from circuits.errors import printable, shown, unknown
from circuits.problems.checks import finite, whole

GATES = ["cx", "h", "rx", "swap"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("swp", "; did you mean 'swap'?"),
        ("SWAP", "; did you mean 'swap' (upper and lower case differ)?"),
        (" swap\n", "; did you mean 'swap' (spaces differ)?"),
        ("S wap", "; did you mean 'swap' (spaces and upper and lower case differ)?"),
        ("toffoli", "'toffoli'. Known: cx, h, rx, swap"),
        ("", "''. Known"),
    ],
)
def test_the_nearest_right_word_is_named(word, hint):
    assert hint in str(unknown("gate", word, GATES))


@given(st.text(max_size=8))
def test_the_typed_word_is_never_suggested(word):
    for known in (GATES, [*GATES, word]):
        assert f"did you mean '{word}'" not in str(unknown("gate", word, known))


class Unprintable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10**6000, "about 10^6000"),
        (-(10**6000), "about -10^6000"),
        ("x" * 10**6, "xxx..."),
        (np.zeros((50, 50)), "array([[0., 0."),
        (Unprintable(), "a Unprintable"),
        ("\udc80", "udc80"),
    ],
    ids=shown,
)
def test_values_are_shown_on_one_short_line(value, words):
    text = shown(value)
    assert words in text
    assert len(text) <= 200
    assert "\n" not in text
    assert printable(text) == text
    text.encode()


@pytest.mark.parametrize("check", [lambda value: whole(value, "n", at_least=1, at_most=10), lambda v: finite(v, "x")])
@pytest.mark.parametrize("value", [10**6000, "7", b"7", True, None, 1j, [1], float("nan"), Unprintable()], ids=shown)
def test_what_is_no_number_in_range_is_refused_in_one_line(check, value):
    with pytest.raises(Refused) as refusal:
        check(value)
    assert len(str(refusal.value)) < 300
    assert "\n" not in str(refusal.value)


def test_a_long_list_of_words_is_told_only_where_none_is_near():
    known = [f"fake_{city}" for city in ("lima", "quito", "oslo", "perth")] + [f"number{k}" for k in range(20)]
    assert str(unknown("device", "fake_quitto", known)) == "unknown device 'fake_quitto'; did you mean 'fake_quito'?"
    assert "number19" in str(unknown("device", "zzz", known))
