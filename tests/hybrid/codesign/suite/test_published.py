"""What others published or computed: exact density matrices by Aer alone, and three generations of IBM's devices."""

import numpy as np
import pytest
from qiskit import transpile

import backends
import hybrid
from hybrid.codesign.suite.benchmark import Answer, Size
from hybrid.codesign.suite.measure import Account, measure
from hybrid.codesign.suite.registry import application

SHOTS = 4000


def manila():
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    return FakeManilaV2()


def noisy(circuit, device):
    """The density matrix before the measurement, and the confusion of each qubit that is read, by Qiskit alone."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel

    compiled = transpile(circuit, device, optimization_level=1, seed_transpiler=1)
    assert circuit.num_qubits <= 5
    places = compiled.layout.final_index_layout()
    compiled.save_density_matrix(places)
    simulator = AerSimulator(method="density_matrix", noise_model=NoiseModel.from_backend(device))
    return simulator.run(compiled).result().data()["density_matrix"], places


def probabilities(circuit, device):
    """Of the bit strings that the noisy device answers, its errors of reading included, qubit 0 the least bit."""
    rho, places = noisy(circuit, device)
    p = np.asarray(rho.probabilities()).reshape((2,) * circuit.num_qubits)
    for qubit, place in enumerate(places):
        properties = device.properties()
        one_for_zero = properties.qubit_property(place)["prob_meas1_prep0"][0]
        zero_for_one = properties.qubit_property(place)["prob_meas0_prep1"][0]
        confusion = np.array([[1 - one_for_zero, zero_for_one], [one_for_zero, 1 - zero_for_one]])
        axis = circuit.num_qubits - 1 - qubit
        p = np.moveaxis(np.tensordot(confusion, p, axes=(1, axis)), 0, axis)
    return p.reshape(-1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n"), [("ghz", 4), ("qft", 3)])
def test_scores_on_a_snapshot_are_those_of_its_exact_density_matrix(name, n):
    device, benchmark, size = manila(), application(name), Size(n)
    tasks = benchmark.circuits(size, shots=SHOTS, seed=3)
    exact = []
    for task in tasks:
        p = probabilities(task.circuit, device)
        exact.append({f"{k:0{n}b}": round(10**9 * value) for k, value in enumerate(p)})
    wanted = benchmark.score(size, tasks, [Answer(counts) for counts in exact])
    ours = backends.get("ibm:fake_manila", optimization_level=1)
    found = measure(benchmark, size, ours, shots=SHOTS, seed=3, account=Account())
    assert abs(found.value - wanted.value) < 4 * found.standard_error
    assert found.value < 0.95  # the noise is seen


@pytest.mark.slow
def test_three_generations_of_devices_are_in_their_order(tmp_path):
    """Falcon, Eagle and Heron: polarization rises and the error per layered gate falls from each to the next.

    McKay et al., arXiv:2311.05933, publish the order of Eagle and Heron; IBM's announcements that of Falcon before.
    """
    names = [f"ibm:fake_{name} optimization_level=1" for name in ("manila", "kyiv", "marrakesh")]
    found = hybrid.bench(
        "quick", backends=names, only=("mirror", "layer-fidelity"), folder=tmp_path / "b", progress=False
    )
    scores = {}
    for unit in found.units:
        scores.setdefault((unit.application, unit.size), []).append(unit.score)
    for (name, size), (falcon, eagle, heron) in scores.items():
        sign = -1 if name == "layer-fidelity" else 1
        for older, newer in ((falcon, eagle), (eagle, heron)):
            away = sign * (newer.value - older.value) / np.hypot(newer.standard_error, older.standard_error)
            assert away > (0 if size == "2x2" else 2), (name, size)
    assert len(scores) == 3
