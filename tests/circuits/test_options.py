"""What an option takes, as its type says."""

from typing import Annotated, Any, Literal

import pytest

from circuits.errors import Refused
from circuits.options import check, options_of


def make(*, level: Annotated[Literal[0, 1, 2] | None, "0, 1 or 2"] = None, word: Literal["on", "off"] = "on"):
    """Has two options."""


@pytest.mark.parametrize("value", [True, False, 1.0, 0.0, 3, "1", [1]])
def test_what_only_equals_a_number_is_not_that_number(value):
    with pytest.raises(Refused, match="must be 0, 1 or 2; it is "):
        check({"level": value}, options_of(make), "it")


@pytest.mark.parametrize("options", [{"level": 0}, {"level": 1}, {"level": None}, {"word": "off"}])
def test_words_and_numbers_of_a_literal_are_taken(options):
    check(options, options_of(make), "it")


def test_without_words_of_its_own_the_message_names_the_values():
    def plain(*, level: Literal[0, 1] = 0):
        """Has one option."""

    true: Any = True
    with pytest.raises(Refused, match="must be 0 or 1; it is True"):
        check({"level": true}, options_of(plain), "it")
