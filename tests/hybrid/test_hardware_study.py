"""One study of H2 on hardware: only the backend's name differs from vendor to vendor."""

import base64
import importlib.util
import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pennylane as qml
import pytest
from qiskit import qpy
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import DensityMatrix, Pauli
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

import backends
import hybrid
from backends import Batch
from backends.measurement.circuits import measured_circuits
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes, all_bits, from_counts
from backends.providers.dispatch import Direct, Patience
from hybrid.studies import build, read

ROOT = Path(__file__).parents[2]
ONE, TWO, READOUT = 0.001, 0.01, 0.02

MANY = 200_000
"""Shots, of each of which the standard error is a fourteenth of the study's."""


@pytest.fixture(scope="module")
def study():
    """Problem, circuit and arguments, as the study file says."""
    return build(read(ROOT / "examples" / "h2_hardware.toml").points()[0])


@pytest.fixture(scope="module")
def ionq_service():
    path = ROOT / "tests" / "backends" / "providers" / "ionq_service.py"
    spec = importlib.util.spec_from_file_location("ionq_service", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        service = module.Service(ONE, TWO)
        patch.setenv("IONQ_API_KEY", module.KEY)
        patch.setenv("IONQ_API_URL", service.url)
        patch.setenv("no_proxy", "127.0.0.1")
        yield service
        service.close()


def default_mixed():
    """Depolarizing noise on each qubit of a gate, and bits told wrong, as PennyLane writes them."""
    one, two = (
        qml.noise.op_in(["RX", "RY", "RZ", "PhaseShift", "Hadamard", "S", "SX", "X", "T"]),
        qml.noise.op_eq("CNOT"),
    )
    model = qml.NoiseModel(
        {
            one: qml.noise.partial_wires(qml.DepolarizingChannel, ONE),
            two: qml.noise.partial_wires(qml.DepolarizingChannel, TWO),
        },
        meas_map={qml.noise.meas_eq(qml.counts): qml.noise.partial_wires(qml.BitFlip, READOUT)},
    )
    return qml.add_noise(qml.device("default.mixed", wires=4), model)


def ionq():
    backend = backends.get("ionq:simulator", noise_model="aria-1")
    return backend.through(Direct(Patience(first_s=0.01, most_s=0.05)))


def braket():
    pytest.importorskip("braket.devices")
    pytest.importorskip("qiskit_braket_provider")
    return backends.get("braket:local-noise")


def depolarized(rho, error, on):
    words = ["".join(word) for word in np.array(np.meshgrid(*[list("IXYZ")] * len(on))).reshape(len(on), -1).T][1:]
    mixed = sum(rho.evolve(Pauli(word), on).data for word in words) / len(words)
    return DensityMatrix((1 - error) * rho.data + error * mixed)


def of_both(rho, on):
    return depolarized(rho, TWO, on)


def of_each(rho, on):
    for qubit in on:
        rho = depolarized(rho, TWO, [qubit])
    return rho


def density_matrix(measured, after_two, readout):
    """Outcomes of a measured circuit with depolarizing noise after gates, by density matrices of Qiskit's."""
    rho, bits, n = DensityMatrix.from_int(0, 2**measured.num_qubits), {}, measured.num_clbits
    for one in measured.data:
        on = [measured.find_bit(qubit).index for qubit in one.qubits]
        if one.operation.name == "measure":
            bits[measured.find_bit(one.clbits[0]).index] = on[0]
        elif one.operation.name != "barrier":
            rho = rho.evolve(one.operation, on)
            rho = after_two(rho, on) if len(on) == 2 else depolarized(rho, ONE, on)
    told = np.array([[1 - readout, readout], [readout, 1 - readout]])
    p = rho.probabilities([bits[bit] for bit in range(n)]).reshape((2,) * n)
    for axis in range(n):
        p = np.moveaxis(np.tensordot(told, p, axes=(1, axis)), 0, axis)
    return Outcomes(all_bits(2**n), np.rint(1e12 * p.reshape(-1)).astype(np.int64))


def aers(model):
    """Outcomes by Aer's density matrix with Aer's noise model of a device, in so many shots that theirs is no error."""

    def outcomes(circuits):
        noise = NoiseModel.from_backend(model)
        simulator = AerSimulator(noise_model=noise, method="density_matrix", seed_simulator=1)
        result = simulator.run(list(circuits), shots=MANY).result()
        return [from_counts(result.get_counts(k)) for k in range(len(circuits))]

    return outcomes


THERE = """
import base64, io, json, sys
from iqm.qiskit_iqm import IQMFakeAdonis
from qiskit import qpy
circuits = qpy.load(io.BytesIO(base64.b64decode(sys.stdin.read())))
result = IQMFakeAdonis().run(circuits, shots=int(sys.argv[1])).result()
print(json.dumps([dict(result.get_counts(k)) for k in range(len(circuits))]))
"""


def iqms(circuits):
    """Outcomes by IQM's own model of Adonis, in its own environment, in so many shots that theirs is no error."""
    from backends.providers.worker.environment import needed
    from backends.providers.worker.recipes import recipe

    python = needed(recipe("iqm")).python
    file = io.BytesIO()
    qpy.dump(list(circuits), file, version=qpy.common.QPY_COMPATIBILITY_VERSION)
    asked = base64.b64encode(file.getvalue()).decode()
    told = subprocess.run(
        [python, "-I", "-c", THERE, str(MANY)], input=asked, capture_output=True, text=True, check=True
    )
    return [from_counts(counts) for counts in json.loads(told.stdout.splitlines()[-1])]


def own(after_two, readout):
    """Outcomes with the noise that is defined here."""
    return lambda circuits: [density_matrix(circuit, after_two, readout) for circuit in circuits]


def exact(device, outcomes, circuit, H, theta):
    """<H> with the device's noise, of the circuits that it measures.

    Args:
        device: A `Device`.
        outcomes: Gives those of measured circuits.
        circuit: Ansatz.
        H: Observable.
        theta: Parameters, radians.
    """
    moved, layout = device._transpiled(circuit)
    program = measured_circuits(
        moved, layout, measurements((H,)), device.hardware.target, parameters=tuple(circuit.parameters)
    )
    values, _ = program.estimate(outcomes(program.measured(np.array([theta]))), 1)
    return float(values[0, 0])


GENERIC = GenericBackendV2(5, seed=1)


def manila(circuits):
    return aers(pytest.importorskip("qiskit_ibm_runtime.fake_provider").FakeManilaV2())(circuits)


DEVICES = {
    "braket:local-noise": (braket, own(of_both, READOUT)),
    "ionq stand-in": (ionq, own(of_both, 0.0)),
    "default.mixed": (lambda: backends.get(default_mixed()), own(of_each, READOUT)),
    "ibm:fake_manila": (lambda: backends.get("ibm:fake_manila"), manila),
    "GenericBackendV2": (lambda: backends.get(GENERIC), aers(GENERIC)),
    "iqm:fake_adonis": (lambda: backends.get("iqm:fake_adonis"), iqms),
}
"""Each with how it is made, and how its noise is computed without it."""

KNOWN = ["braket:local-noise", "ionq stand-in", "default.mixed"]


@pytest.mark.parametrize("name", KNOWN)
def test_values_are_those_of_a_density_matrix_with_the_same_noise(name, study, ionq_service):
    (problem, circuit, _), (make, outcomes) = study, DEVICES[name]
    device, theta = make(), np.full(circuit.num_parameters, 0.15)
    result = device.submit(Batch(circuit, problem.hamiltonian, theta, shots=20_000, seed=3)).result()
    expected = exact(device, outcomes, circuit, problem.hamiltonian, theta)
    (value,), (error,) = result.values[0], result.standard_errors[0]
    assert abs(value - expected) < 3 * error
    ideal = backends.get("statevector").submit(Batch(circuit, problem.hamiltonian, theta)).result().values[0, 0]
    assert abs(expected - ideal) > 5 * error  # the noise is there, and more than the statistics


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name != "iqm:fake_adonis" else pytest.param(name, marks=pytest.mark.vendor) for name in DEVICES]
)
def test_the_study_runs_to_its_end_and_tells_the_truth_on_every_device(name, study, ionq_service, tmp_path, request):
    if name.startswith("iqm:"):
        request.getfixturevalue("environments")("iqm")
    (problem, circuit, arguments), (make, outcomes) = study, DEVICES[name]
    device = make()
    run = hybrid.minimize(circuit, problem, **arguments | {"backend": device}, folder=tmp_path / "run")
    assert run.status in ("converged", "max_steps")
    start, end = (
        exact(device, outcomes, circuit, problem.hamiltonian, theta) for theta in (run.history.theta[0], run.theta)
    )
    assert abs(run.energy - end) < 3 * run.standard_error
    assert end < start - 0.5  # hartree: more than the noise of any of them could feign
