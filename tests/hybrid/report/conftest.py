from pathlib import Path

import pytest

import hybrid
from circuits import Problem, hardware_efficient, tfim
from hybrid.runs.files import write_json
from hybrid.studies.run import run_study
from hybrid.studies.study import read
from hybrid.verification.checks import CHECKS
from hybrid.verification.verification import FILE, Check, Verification

HOSTILE = "<script>alert('x')</script> \"&amp; ’´ 𝛙 " + "long" * 60

STUDY = """
[problem]
kind = "tfim"
n = 3
field = {field}
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "lbfgs"
accuracy = 1e-6
[backend]
name = "reference"
[run]
seed = 3
"""


def run(folder: Path, text: str) -> Path:
    """The folder of a study that has been run."""
    file = folder / "study.toml"
    file.write_text(text)
    place = folder / "place"
    quiet = {"on_plan": lambda *_: None, "on_outcome": lambda _: None}
    run_study(read(file), place, resume=False, should_stop=lambda: False, **quiet)
    return place


@pytest.fixture(scope="session")
def studied(tmp_path_factory):
    """A run that a study file asked for, and that was verified."""
    place = run(tmp_path_factory.mktemp("studied"), STUDY.format(field=0.8))
    checks = tuple(Check(name, "passed", f"what {name} has found") for name in CHECKS)
    write_json(place / FILE, Verification(place, checks).to_dict())  # as hybrid.verify does, without its engines
    return place


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """A sweep, with the name of a table's column for its variable."""
    text = STUDY.format(field='"{step}"') + "[sweep]\nstep = [0.5, 1.0, 0.25]\n"
    return run(tmp_path_factory.mktemp("swept"), text)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """A run in Python of a problem whose name and unit are not meant well, with counted values."""
    problem = Problem(tfim(2).hamiltonian, name=HOSTILE, unit="<b>J", source={"kind": "</style><script>"})
    folder = tmp_path_factory.mktemp("hostile") / "<i>&'\"ψ"
    return hybrid.minimize(
        hardware_efficient(2, layers=1),
        problem,
        backend="reference",
        optimizer="spsa",
        shots=50,
        accuracy=0.5,
        max_steps=4,
        folder=folder,
    ).folder
