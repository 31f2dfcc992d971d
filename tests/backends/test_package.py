"""The package's face: names, laziness, the registry."""

import subprocess
import sys

import pytest

import backends
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
