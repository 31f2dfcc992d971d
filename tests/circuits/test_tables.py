"""Tables that objects show themselves as."""

from html.parser import HTMLParser

import pytest

from circuits import Problem, maxcut, tables, tfim

TAGS = ("p", "b", "style", "table", "tr", "th", "td")


class Reader(HTMLParser):
    """The cells of tables, row by row; fails on a tag that nobody meant."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_a_table_holds_what_it_was_given():
    shown = tables.html([("a", "1 ± 0.1 hartree"), ("b", "<i>2</i>")], title="T & S", columns=("name", "value"))
    assert Reader(shown).rows == [["name", "value"], ["a", "1 ± 0.1 hartree"], ["b", "<i>2</i>"]]
    assert "<p><b>T &amp; S</b></p>" in shown


def test_a_table_sets_no_colour():
    shown = tables.html([("a", "b")], title="t", notes=["n"])
    assert "color" not in shown
    assert "background" not in shown
    assert "#" not in shown


def test_text_of_users_stays_text():
    problem = Problem("ZZ", name="<script>alert(1)</script>", unit="<b>", source={"kind": "</td><td>"})
    shown = problem._repr_html_()
    assert "<script>" not in shown
    assert ["unit", "<b>"] in Reader(shown).rows
    assert ["made from", "</td><td>"] in Reader(shown).rows


@pytest.mark.parametrize(("n_rows", "most", "kept"), [(3, 4, "012"), (4, 4, "0123"), (9, 4, "01…78"), (9, 3, "0…78")])
def test_a_long_table_is_shown_by_its_ends(n_rows, most, kept):
    assert "".join(row[0] for row in tables.ends(n_rows, lambda k: [str(k)], most)) == kept


def test_a_problem_says_what_it_is_and_computes_nothing():
    def endless():
        raise AssertionError("showing a problem must not solve it")

    problem = Problem("ZZ", name="pair", solve=endless, solve_seconds=75.0)
    assert repr(problem) == "Problem('pair', 2 qubits, 1 terms, in 1)"
    assert "about 75 s" in str(problem)
    rows = dict(Reader(tfim(3, coupling=2.0)._repr_html_()).rows)
    assert rows["qubits"] == "3"
    assert rows["terms"] == "5"
    assert rows["H"] == "- 2 IZZ - 2 ZZI - 1 IIX - 1 IXI + …"


def test_a_large_problem_is_shown_in_few_letters():
    ring = maxcut([(k, (k + 1) % 40) for k in range(40)])
    assert len(ring._repr_html_()) < 2000
    assert "IIII" not in str(ring)
