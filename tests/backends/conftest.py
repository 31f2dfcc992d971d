"""Every backend by a short name: a new one is tested by adding a line."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

import backends
from circuits.errors import Refused


def usable(makers):
    """Those that this machine has a card and packages for."""
    found = {}
    for name, make in makers.items():
        try:
            make()
        except Refused:
            continue
        found[name] = make
    return found


ON_CARDS = usable(
    {
        "lightning.gpu": lambda: backends.get("lightning.gpu"),
        "aer-gpu": lambda: backends.get("aer", device="gpu"),
    }
)
EXACT = {
    "reference": lambda: backends.get("reference"),
    "statevector": lambda: backends.get("statevector"),
    "lightning": lambda: backends.get("lightning"),
    "aer": lambda: backends.get("aer"),
    "aer-density-matrix": lambda: backends.get("aer", method="density_matrix"),
    "aer-mps": lambda: backends.get("aer", method="matrix_product_state"),
    **ON_CARDS,
}
WITHOUT_SAMPLES = {
    "pauli": lambda: backends.get("pauli", threshold=0),
}
SINGLE = {
    "statevector-single": lambda: backends.get("statevector", precision="single"),
    "lightning-single": lambda: backends.get("lightning", precision="single"),
    "aer-single": lambda: backends.get("aer", precision="single"),
}
NOISY = {
    "ibm:fake_manila": lambda: backends.get("ibm:fake_manila"),
    "generic": lambda: backends.get(generic()),
    "aer-noisy": lambda: backends.get("aer", noise_model="fake_manila"),
}
MODELLED = {
    "density": lambda: backends.get("density", device={"n_qubits": 5, "two_qubit_error": 0.01, "readout_error": 0.02}),
}
EVERY = EXACT | SINGLE | NOISY | MODELLED


def generic():
    from qiskit.providers.fake_provider import GenericBackendV2

    return GenericBackendV2(5, seed=7)


@pytest.fixture(params=EVERY)
def backend(request):
    return EVERY[request.param]()


@pytest.fixture(params=EXACT | WITHOUT_SAMPLES)
def exact(request):
    return (EXACT | WITHOUT_SAMPLES)[request.param]()


@pytest.fixture(params=EXACT | SINGLE | WITHOUT_SAMPLES)
def noiseless(request):
    return (EXACT | SINGLE | WITHOUT_SAMPLES)[request.param]()


@pytest.fixture(params=NOISY)
def noisy(request):
    return NOISY[request.param]()


@pytest.fixture(scope="session")
def exact_backends():
    return {name: make() for name, make in (EXACT | WITHOUT_SAMPLES).items()}


@pytest.fixture
def reference():
    return backends.get("reference")


@pytest.fixture
def shared():
    """Three qubits; parameters shared, scaled, multiplied; rotations, controlled rotations, evolutions."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(3, global_phase=0.3)
    circuit.h(0)
    circuit.ry(0.4, 1)
    circuit.rx(a, 0)
    circuit.crx(2 * a - b / 3, 0, 1)
    circuit.cx(1, 2)
    circuit.u(a, b, 0.2, 2)
    circuit.rzz(a * b, 0, 2)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XY", "YX"], [0.5, -0.3]), time=b), [2, 0])
    circuit.cp(b, 1, 0)
    return circuit


@pytest.fixture
def hamiltonian():
    return SparsePauliOp(["ZZI", "XXX", "IIY", "ZIX", "III"], [1.0, 0.5, -0.3, 0.7, 0.25])


@pytest.fixture
def uccsd_like():
    """Four qubits, two electrons: a double excitation of eight commuting strings and two singles of two."""
    theta = ParameterVector("t", 3)
    circuit = QuantumCircuit(4)
    circuit.x([0, 2])
    for k, (low, high) in enumerate(((0, 1), (2, 3))):
        labels = ["".join("Y" if q == low else "X" if q == high else "I" for q in reversed(range(4)))]
        labels += ["".join("X" if q == low else "Y" if q == high else "I" for q in reversed(range(4)))]
        circuit.append(PauliEvolutionGate(SparsePauliOp(labels, [0.5, -0.5]), time=theta[k]), range(4))
    words = ["XXXY", "XXYX", "XYXX", "YXXX", "YYYX", "YYXY", "YXYY", "XYYY"]
    signs = np.array([-1, 1, -1, 1, 1, -1, 1, -1]) / 8
    circuit.append(PauliEvolutionGate(SparsePauliOp(words, signs), time=theta[2]), range(4))
    return circuit
