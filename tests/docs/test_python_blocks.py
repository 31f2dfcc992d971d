"""The Python on the pages runs as it stands, in its order, in a folder with the examples of the checkout."""

import shutil
from pathlib import Path

import matplotlib
import pytest
from guides import GUIDES, ROOT, blocks

TESTED_ELSEWHERE = {"adding_a_provider.md", "primitives.md"}
"""By tests/hybrid/test_other_provider.py and tests/hybrid/primitives/test_documentation.py."""

QUICK = {"pauli_propagation.md"}
"""Pages whose blocks take a second; those of the others take ten or more, with what they import."""

GIVEN = {
    "forecast_and_policy.md": """
import pathlib
import backends
pathlib.Path("policy.toml").write_text('[[approval]]\\nlabels = ["internal"]\\nvendors = ["ibm"]\\n'
    'approved_by = "A. Person"\\nuntil = 2999-12-31\\n')
pathlib.Path("run").mkdir()
run_folder = pathlib.Path("run")
backend = backends.get("ibm:fake_manila")
""",
    "providers.md": """
import pennylane as qml
noise_model = qml.NoiseModel({qml.noise.op_eq(qml.X): qml.noise.partial_wires(qml.DepolarizingChannel, 0.01)})
""",
    "sharding.md": """
from circuits import hardware_efficient, tfim
circuit, H = hardware_efficient(4), tfim(4).hamiltonian
rows = [[0.1] * circuit.num_parameters]
""",
}
"""What a page takes as given."""

LEFT_OUT = {"sharding.md": "jax.distributed"}
"""Blocks that need several processes, by a word of theirs."""


def _pages(*, quick: bool):
    pages = [page for page in GUIDES if page.name not in TESTED_ELSEWHERE and blocks(page, "python")]
    return pytest.mark.parametrize("page", [p for p in pages if (p.name in QUICK) == quick], ids=lambda page: page.name)


def _run(page: Path, folder: Path, monkeypatch):
    shutil.copytree(ROOT / "examples", folder / "examples")
    monkeypatch.chdir(folder)
    if page.name == "forecast_and_policy.md":
        monkeypatch.setenv("HYBRID_POLICY", "policy.toml")
    matplotlib.use("agg")
    names = {"__name__": "__main__"}
    exec(GIVEN.get(page.name, ""), names)
    for block in blocks(page, "python"):
        if LEFT_OUT.get(page.name, "\0") not in block.text:
            exec(compile(block.text, str(block), "exec"), names)
    return names


@_pages(quick=True)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    assert _run(page, tmp_path, monkeypatch)


@pytest.mark.slow
@_pages(quick=False)
def test_python_of_a_page_with_heavy_libraries_runs(page, tmp_path, monkeypatch):
    assert _run(page, tmp_path, monkeypatch)


def test_every_block_is_python():
    for page in GUIDES:
        for block in blocks(page, "python"):
            if ">>>" not in block.text:
                compile(block.text, str(block), "exec")
