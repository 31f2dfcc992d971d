"""Tables in terminals of any width: no word, no name of a device, and no number with its unit is broken."""

import pytest
from rich.console import Console

from hybrid.terminal.rows import put, put_facts, put_text

ROWS = [
    {"device": "ibm:fake_marrakesh", "error": "212.5 ± 1.6 mHa", "limit": "two-qubit error, then coherence", "time": t}
    for t in ("41.9 ms", "1.25 min")
]
WHOLE = ("ibm:fake_marrakesh", "212.5 ± 1.6 mHa", "two-qubit", "coherence", "41.9 ms", "1.25 min")


def printed(width, what, *args, **options):
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as found:
        what(console, *args, **options)
    return found.get().splitlines()


@pytest.mark.parametrize("width", [30, 40, 52, 60, 66, 70, 80, 100, 200])
def test_what_belongs_together_stays_on_one_line(width):
    lines = printed(width, put, ROWS)
    assert all(any(word in line for line in lines) for word in WHOLE)
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [30, 40, 60, 120])
def test_facts_and_sentences_break_between_words_alone(width):
    text = "all of ibm:fake_marrakesh took 41.9 ms in 16 GiB at 12.5 GB/s, an error of 212.5 ± 1.6 mHa, 73 % of it"
    for what, given in ((put_text, text), (put_facts, [("what limits it", text), ("time", "1.25 min")])):
        lines = printed(width, what, given)
        assert max(map(len, lines)) <= width
        for word in ("ibm:fake_marrakesh", "41.9 ms", "16 GiB", "12.5 GB/s,", "212.5 ± 1.6 mHa,", "73 %"):
            assert any(word in line for line in lines), word
        assert " ".join(" ".join(lines).split()).count(text) == 1


def test_headings_break_like_cells_and_a_bare_number_stands_with_its_name():
    rows = [{"two-qubit error": error, "limit": "readout"} for error in ("0.004", "70 ns")]
    assert [line.split() for line in printed(24, put, rows)[:2]] == [["two-qubit", "┃"], ["error", "┃", "limit"]]
    lines = " ".join(" ".join(printed(18, put, rows)).split())
    assert lines == "two-qubit error 0.004 limit: readout two-qubit error 70 ns limit: readout"
