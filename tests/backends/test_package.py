"""The package's face: names, laziness, the registry."""

import os
import subprocess
import sys

import pytest

import backends
from backends import registry
from backends.providers.family import Family
from backends.statevector import native
from circuits.errors import Refused


def test_all_is_sorted_and_honest():
    assert backends.__all__ == sorted(backends.__all__)
    for name in backends.__all__:
        assert getattr(backends, name) is not None


def test_importing_it_loads_nothing_heavy():
    program = "import sys, backends; print([m for m in ('qiskit', 'jax', 'pennylane', 'numpy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_making_one_backend_loads_no_other():
    program = (
        "import sys, backends; backends.get('reference').capabilities(); "
        "print([m for m in ('jax', 'pennylane', 'qiskit_aer', 'qiskit_ibm_runtime') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_those_that_auto_may_take_are_no_devices_and_do_not_forbid_it():
    for name in registry.BUILT_IN:
        made = registry.load(name)
        assert (name in registry.AUTOMATIC) == (not isinstance(made, Family) and made.automatic)


SMALL_RUN = """
import sys, circuits, hybrid
result = hybrid.minimize(circuits.hardware_efficient(2, layers=1), circuits.tfim(2), folder=sys.argv[1])
assert result.backend == "statevector", result.backend
print(result.energy, [m for m in ("jax", "pennylane", "scipy.sparse", "scipy.optimize") if m in sys.modules])
"""


@pytest.mark.skipif(not native.available(), reason="without kernels, JAX computes")
def test_a_small_run_imports_no_library_that_takes_longer_than_the_run(tmp_path):
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SMALL_RUN, str(tmp_path / "run")]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    energy, _, imported = out.strip().splitlines()[-1].partition(" ")
    assert float(energy) == pytest.approx(-(5**0.5), abs=1e-4)  # of two sites, -sqrt(J^2 + 4 h^2)
    assert imported == "[]"


def test_names():
    assert {"aer", "ibm", "lightning", "reference", "statevector"} <= set(backends.names())


def test_unknown_names_get_the_nearest_right_one():
    with pytest.raises(Refused, match="did you mean 'lightning'"):
        backends.get("lightening")
    with pytest.raises(Refused, match="did you mean 'precision'"):
        backends.get("lightning", precison="single")
    with pytest.raises(Refused, match="FAMILY:DEVICE"):
        backends.get("ibm")


def test_a_backend_is_handed_through():
    reference = backends.get("reference")
    assert backends.get(reference) is reference
    with pytest.raises(Refused, match="no effect"):
        backends.get(reference, precision="double")
