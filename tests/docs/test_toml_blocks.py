"""The TOML on the pages is TOML, and what it says of a study or a site is understood."""

import tomllib

import pytest
from guides import GUIDES, blocks

from hybrid.sites import kinds
from hybrid.studies.algorithm_sections import ALGORITHMS
from hybrid.studies.problem_and_ansatz import model_of
from hybrid.studies.sections import Spec

BLOCKS = [block for page in GUIDES for block in blocks(page, "toml")]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_sections_of_a_study_are_understood(block):
    data = tomllib.loads(block.text)
    sweeps = "sweep" in data or "survey" in data
    for name, table in data.items():
        if name in ("problem", "ansatz") and not sweeps:
            assert model_of(name, table["kind"]).model_validate(table)
        elif name == "algorithm":
            assert table["kind"] in ALGORITHMS
            if not sweeps:
                assert ALGORITHMS[table["kind"]].model_validate(table)
        elif name in Spec.model_fields and name not in ("problem", "ansatz"):
            # a start "run:FOLDER" is that of a run which a reader has
            known = {key: value for key, value in table.items() if not str(value).startswith("run:")}
            assert Spec.model_fields[name].annotation.model_validate(known)
        elif isinstance(table, dict) and table.get("kind") in kinds.BUILT_IN:
            assert kinds.load(table["kind"]).model_validate(table)
