"""The reference names all that there is."""

import doctest
import re

import pytest
from guides import ROOT
from typer.main import get_command

from backends import registry
from docs.generate import docstrings, public_names
from docs.generate.pages import filled
from docs.generate.tables import table, type_words
from hybrid import optimizers
from hybrid.cli.app import app
from hybrid.cli.exit_codes import HELP
from hybrid.studies.algorithm_sections import ALGORITHMS
from hybrid.studies.problem_and_ansatz import ANSATZES, PROBLEMS
from hybrid.studies.sections import Spec

REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def reference():
    return {page.stem: filled(page.read_text()) for page in REFERENCE.glob("*.md")}


def test_every_public_name_is_documented(reference):
    whole = "\n".join(reference.values())
    for package in public_names.PACKAGES:
        for name, found in public_names.names(package):
            full_name = f"{package}.{name}"
            handed_on = isinstance(found, type) and issubclass(found, Exception) and package == "hybrid"
            where = f"`{name}`" if handed_on else f":: {public_names.CALLED.get(full_name, full_name)}\n"
            assert where in whole, full_name


def test_every_command_and_option_is_named(reference):
    for name, command in get_command(app).commands.items():
        assert f"## `hybrid {name}`" in reference["commands"]
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[0] in reference["commands"]


def test_every_exit_code_is_named(reference):
    for code in re.findall(r"(?<=[ ,])\d+(?= )", HELP):
        assert f"| `{code}` |" in reference["exit_codes"]


def test_every_key_of_a_study_is_named_with_its_default(reference):
    page = reference["study_file"]
    for models in (PROBLEMS, ANSATZES, ALGORITHMS):
        for kind, model in models.items():
            assert f'### `kind = "{kind}"`' in page
            for key in model.model_fields:
                assert key == "kind" or f"| `{key}` |" in page
    for name, field in Spec.model_fields.items():
        assert f"## `[{name}]`" in page
        for key in getattr(field.annotation, "model_fields", {}):
            assert f"| `{key}` |" in page
    assert "| `max_steps` | whole number | a whole number from 1 | `200` |" in page
    assert "| `n` | whole number | the number of sites, a whole number from 1 to 1000 | required |" in page


def test_every_option_of_every_backend_is_named(reference):
    for name in registry.BUILT_IN:
        page = reference["backend_options"] + reference["device_options"]
        section = re.search(rf"^## `{re.escape(name)}(:DEVICE)?`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert section, name
        for option in registry.options(name):
            assert f"| `{option}` |" in section[2], f"{name}: {option}"


def test_every_optimizer_is_named(reference):
    for name in optimizers.names():
        assert f"## `{name}`" in reference["optimizer_settings"]
    assert "| `memory` | whole number |  |" not in reference["optimizer_settings"]  # what it is stands beside it


def test_environment_variables_are_those_that_the_code_reads(reference):
    sources = [
        path
        for package in public_names.OURS
        for ending in ("py", "cpp")
        for path in (ROOT / package).rglob(f"*.{ending}")
    ]
    read = {name for path in sources for name in re.findall(r'"(HYBRID_[A-Z_]+)"', path.read_text())}
    said = set(re.findall(r"^\| `(HYBRID_[A-Z_]+)`", reference["environment"], re.MULTILINE))
    assert said - {"HYBRID_REQUIRE_NATIVE"} == read  # that one is read by the build


def test_signs_in_docstrings_are_no_markup():
    assert doctest.testmod(docstrings).failed == 0
    lines = ["A |0> state:", "", ">>> 2 ** 3 | 1", "9", "", "x_ and `y_`::", "", "    a | b", "after_"]
    docstrings.escape(None, "", "", None, None, lines)
    assert lines[0] == "A \\|0> state:"
    assert lines[2] == ">>> 2 ** 3 | 1"
    assert lines[5:] == ["x\\_ and `y_`::", "", "    a | b", "after\\_"]


def test_tables_hold_any_cell():
    assert table(["a"], [["x | y\nz"]]).splitlines()[-1] == "| x \\| y z |"
    assert type_words(tuple[tuple[int, float], ...] | None) == "list of [whole number, number]"
