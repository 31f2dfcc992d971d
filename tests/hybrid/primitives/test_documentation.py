import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "primitives.md"


def test_the_page_about_primitives_says_what_happens():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 5) == (0, True)
