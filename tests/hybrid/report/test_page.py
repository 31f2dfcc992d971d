"""The page on runs: whole, safe, and made of the record alone."""

import json
import re
import shutil
import tomllib
from html.parser import HTMLParser

import numpy as np
import pytest

import hybrid
from circuits.errors import Refused
from hybrid.report.page import toml
from hybrid.report.page.html import VOID
from hybrid.runs.detects import DETECTS
from hybrid.verification.checks import CHECKS


class Page(HTMLParser):
    """A page that has been read; it must close what it opens."""

    def __init__(self, content: str):
        super().__init__()
        self.names, self.texts, self.attributes = [], {}, []
        self._open = []
        self.feed(content)
        assert not self._open

    def handle_starttag(self, name, attributes):
        self.names.append(name)
        self.attributes += attributes
        if name not in VOID:
            self._open.append(name)

    def handle_endtag(self, name):
        assert self._open.pop() == name

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def text(self, name: str) -> str:
        return " ".join(self.texts.get(name, ()))


def page(folder, tmp_path) -> Page:
    path = hybrid.report(folder, tmp_path / "page.html")
    return Page(path.read_text())


def test_the_page_says_what_was_asked_and_what_came_out(studied, tmp_path):
    result, found = hybrid.load(studied), page(studied, tmp_path)
    assert found.text("h1") == result.problem
    assert f"{result.energy:.10f} {result.unit}" in found.text("p")
    headings = found.texts["h2"]
    for title in (
        "Answer",
        "Question",
        "Convergence",
        "Plan and outcome",
        "Verification",
        "Circuit",
        "How to repeat it",
    ):
        assert title in headings
    cells = found.text("td")
    assert str(result.evaluations) in cells
    for name in CHECKS:
        assert f"what {name} has found" in cells
    assert set(CHECKS) <= set(DETECTS)
    labels = [value for key, value in found.attributes if key == "aria-label"]
    assert any(f"{result.evaluations} evaluations" in label for label in labels)
    assert f"distance from the exact energy ({result.unit})" in found.text("text")


def test_nothing_comes_from_elsewhere_and_nothing_runs(studied, swept, hostile, tmp_path):
    for folder in (studied, swept, hostile):
        path = hybrid.report(folder, tmp_path / "page.html")
        content, found = path.read_text(), Page(path.read_text())
        assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(found.names)
        assert not {"src", "href", "srcset", "action", "style"} & {key for key, _ in found.attributes}
        assert not [key for key, _ in found.attributes if key.startswith("on")]
        assert "url(" not in content
        assert "@import" not in content
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


def test_names_that_are_not_meant_well_are_text(hostile, tmp_path):
    found, name = page(hostile, tmp_path), hybrid.load(hostile).problem
    assert "<script>" in name
    assert found.text("h1") == name
    assert "script" not in found.names
    assert "i" not in found.names
    assert any("</style><script>" in text for text in found.texts["dd"])
    assert any("<b>J" in text for text in found.texts["text"])


def test_counted_energies_are_drawn_with_their_errors_beside_what_is_not_known(hostile, tmp_path):
    content = hybrid.report(hostile, tmp_path / "page.html").read_text()
    assert content.count('class="bar"') >= len(hybrid.load(hostile).history)
    found = Page(content)
    assert "95 % interval" in found.texts["dt"]


def test_the_study_on_the_page_makes_the_same_run_again(studied, tmp_path, cli):
    content = next(text for text in page(studied, tmp_path).texts["pre"] if text.startswith("[problem]"))
    (tmp_path / "again.toml").write_text(content)
    assert cli("run", "again.toml", "--folder", "again", "--no-plot")[0] == 0
    first, again = hybrid.load(studied), hybrid.load(tmp_path / "again")
    assert first.history.same_bits(again.history)


def test_the_script_on_the_page_makes_the_same_run_again(hostile, tmp_path, monkeypatch):
    script = next(text for text in page(hostile, tmp_path).texts["pre"] if text.startswith("import json"))
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "script", "exec"), {})
    assert hybrid.load(hostile).history.same_bits(hybrid.load(tmp_path / "again").history)


def test_a_sweep_has_its_table_its_picture_and_each_of_its_points(swept, tmp_path):
    found = page(swept, tmp_path)
    points = json.loads((swept / "sweep.json").read_text())["points"]
    assert len(points) == found.names.count("details") - content_folds(found)
    cells = " ".join([*found.texts["td"], *found.texts["th"]])
    for point in points:
        assert f"{point['energy']:.10f}" in cells
        assert f"{point['values']['step']:g}" in cells
        assert f"step = {point['values']['step']:g}: converged" in found.texts["summary"]
    assert "Energy over step" in found.texts["h2"]


def test_a_folder_of_runs_is_told_by_their_names(studied, tmp_path):
    for name in ("one", "another"):
        shutil.copytree(studied, tmp_path / "runs" / name)
    found = page(tmp_path / "runs", tmp_path)
    assert found.text("h1") == "TFIM, 3 sites"
    assert [text for text in found.texts["summary"] if text.startswith("run = ")] == [
        "run = another: converged",
        "run = one: converged",
    ]


def content_folds(found: Page) -> int:
    return sum("=" not in text for text in found.texts["summary"])


def test_several_folders_are_compared(studied, swept, tmp_path):
    found = page([studied, swept], tmp_path)
    assert "Comparison" in found.texts["h2"]
    assert "best so far" in found.text("text")
    assert found.text("h1").startswith("Comparison of TFIM")


def test_benchmarks_are_compared_among_themselves_beside_runs(studied, cli, tmp_path):
    asked = {"only": "qft", "backends": "statevector", "shots": 50, "progress": False}
    for seed in (0, 1):
        hybrid.bench("quick", folder=tmp_path / f"bench{seed}", seed=seed, **asked)
    hybrid.bench("quick", folder=tmp_path / "other", **asked | {"only": "ghz"})
    first, second, other = (tmp_path / name for name in ("bench0", "bench1", "other"))
    found = page([first, studied, second], tmp_path)
    assert "1 run, 2 benchmarks" in found.texts["p"]
    assert "bench1 against bench0" in found.texts["caption"]
    assert "0 of 1 differences significant" in found.text("p")
    assert "Comparison" not in found.texts["h2"]  # of runs: there is one
    for wrong, words in (([first, other], "in common"), ([studied, studied], "is given twice")):
        code, _, err = cli("report", *wrong, "--output", tmp_path / "refused.html")
        assert (code, words in err) == (2, True)
        assert not (tmp_path / "refused.html").exists()


def test_the_page_is_made_of_the_record_not_of_pictures_that_lie_there(studied, tmp_path):
    before = hybrid.report(studied, tmp_path / "before.html").read_bytes()
    place = tmp_path / "copy"
    shutil.copytree(studied, place)
    (place / "convergence.png").write_bytes(b"another picture")
    after = hybrid.report(place, tmp_path / "after.html").read_bytes()
    assert after.replace(str(place).encode(), b"").replace(b"copy", b"") == before.replace(
        str(studied).encode(), b""
    ).replace(studied.name.encode(), b"")


def test_a_record_that_was_changed_is_refused_and_nothing_is_written(studied, tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(studied, place)
    result = json.loads((place / "result.json").read_text())
    (place / "result.json").write_text(json.dumps(result | {"energy": -9.0}))
    before = sorted(place.iterdir())
    with pytest.raises(Refused, match="changed after the run had ended"):
        hybrid.report(place)
    assert sorted(place.iterdir()) == before


def test_a_run_that_has_not_ended_is_told_as_far_as_it_came(studied, tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(studied, place)
    (place / "result.json").unlink()
    found = page(place, tmp_path)
    assert any("Not finished" in text for text in found.texts["p"])
    assert "Convergence" in found.texts["h2"]


def test_what_did_not_converge_is_said(tmp_path):
    from circuits import hardware_efficient, tfim

    circuit, problem = hardware_efficient(2, layers=1), tfim(2)
    result = hybrid.minimize(circuit, problem, backend="reference", max_steps=1, folder=tmp_path / "run")
    found = Page(result.report().read_text())
    assert "Not converged" in found.text("p")
    assert "Not verified" in found.text("li")
    assert (tmp_path / "run" / "report.html").exists()


def test_the_command_writes_into_the_folder_and_replaces_no_other_file(studied, cli, tmp_path):
    place = tmp_path / "run"
    shutil.copytree(studied, place)
    code, out, _ = cli("report", place, "--json")
    assert code == 0
    assert json.loads(out) == {"path": str(place / "report.html"), "runs": 1}
    assert cli("report", place)[0] == 0
    other = tmp_path / "other.html"
    other.write_text("mine")
    code, _, err = cli("report", place, "--output", other)
    assert code == 2
    assert "--force" in err
    assert other.read_text() == "mine"
    assert cli("report", place, "--output", other, "--force")[0] == 0
    code, _, err = cli("report", tmp_path / "nowhere")
    assert code == 2
    assert "no such folder" in err
    assert cli("report", place, "--output", tmp_path / "missing" / "page.html")[0] == 1


def test_the_page_is_shown_if_that_is_asked_for(studied, cli, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)  # returns None, as where there is no browser
    code, out, err = cli("report", studied, "--output", "page.html", "--open")
    assert code == 0
    assert out == "page.html\n"
    assert shown == [(tmp_path / "page.html").as_uri()]
    assert "no browser" in err


@pytest.mark.parametrize("seed", range(8))
def test_what_is_written_as_toml_is_read_back(seed):
    rng = np.random.default_rng(seed)
    rare = [0x1F600, 0x7F, 9, 10, 13, 34, 92]

    def value(depth: int):
        kinds = [
            int(rng.integers(-1000, 1000)),
            float(rng.normal() * 10.0 ** rng.integers(-12, 12)),
            bool(rng.integers(2)),
            "".join(chr(int(c)) for c in [*rng.integers(1, 0xD7FF, 6), *rng.choice(rare, 4)]),
        ]
        if depth:
            kinds += [[value(depth - 1) for _ in range(3)], {f"key {k}": value(depth - 1) for k in range(2)}]
        return kinds[rng.integers(len(kinds))]

    sections = {"problem": {"kind": value(2), "a": value(2), "b.c": value(2)}, "run": {"seed": value(0)}}
    assert tomllib.loads(toml.document(sections)) == sections


def test_a_number_that_was_missed_is_marked_in_words(studied, tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(studied, place)
    cells = page(place, tmp_path).text("span")
    assert re.search(r"✓ within|✗ missed, (more|less)", cells)
