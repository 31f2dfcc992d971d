"""The Python on the pages runs as it stands, in its order, in a folder with the examples of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guides import GUIDES, ROOT, blocks

TESTED_ELSEWHERE = {"adding_a_provider.md", "adding_a_site.md", "primitives.md"}
"""By test_other_provider.py, sites/test_other_kind.py and primitives/test_documentation.py in tests/hybrid."""

QUICK = {"pauli_propagation.md"}
"""Pages whose blocks take a second; those of the others take ten or more, with what they import."""

GIVEN = {
    "executors.md": """
import pathlib
pathlib.Path("study.toml").write_text('''
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0]
''')
""",
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
    "reports.md": """
import hybrid
import pandas
from circuits import hardware_efficient, tfim
chain = tfim(2)
result = hybrid.minimize(hardware_efficient(2), chain, backend="reference", folder="runs/lih")
hybrid.minimize(hardware_efficient(2), chain, backend="reference", seed=1, folder="runs/other")
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


def _run(page: Path, folder: Path):
    """The blocks of a page as one program, in a process of its own: what it sets of JAX ends with it."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    left_out = LEFT_OUT.get(page.name, "\0")
    texts = [block.text for block in blocks(page, "python") if left_out not in block.text]
    (folder / "page.py").write_text("\n".join([GIVEN.get(page.name, ""), *texts]))
    environment = os.environ | {"MPLBACKEND": "agg"}
    if page.name == "forecast_and_policy.md":
        environment["HYBRID_POLICY"] = "policy.toml"
    ended = subprocess.run(
        [sys.executable, "page.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


@_pages(quick=True)
def test_python_of_a_page_runs(page, tmp_path):
    _run(page, tmp_path)


@pytest.mark.slow
@_pages(quick=False)
def test_python_of_a_page_with_heavy_libraries_runs(page, tmp_path):
    _run(page, tmp_path)


def test_every_block_is_python():
    for page in GUIDES:
        for block in blocks(page, "python"):
            if ">>>" not in block.text:
                compile(block.text, str(block), "exec")
