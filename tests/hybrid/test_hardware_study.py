"""One study of H2 on hardware: only the backend's name differs from vendor to vendor."""

import importlib.util
from pathlib import Path

import numpy as np
import pennylane as qml
import pytest
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import DensityMatrix, Pauli

import backends
import hybrid
from backends import Batch
from backends.measurement.circuits import measured_circuits
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes, all_bits
from backends.providers.dispatch import Direct, Patience
from hybrid import optimizers
from hybrid.studies import build, read

ROOT = Path(__file__).parents[2]
ONE, TWO, READOUT = 0.001, 0.01, 0.02


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


def exact(backend, circuit, H, theta, after_two, readout):
    """<H> with the noise by density matrices of Qiskit's, of the circuits that the device measures."""
    plan = measurements((H,))
    moved, layout = backend._transpiled(circuit)
    target = backend.hardware.target
    program = measured_circuits(moved, layout, plan, target, parameters=tuple(circuit.parameters))
    outcomes, n = [], circuit.num_qubits
    told = np.array([[1 - readout, readout], [readout, 1 - readout]])
    for measured in program.measured(np.array([theta])):
        rho, bits = DensityMatrix.from_int(0, 2**n), {}
        for one in measured.data:
            on = [measured.find_bit(qubit).index for qubit in one.qubits]
            if one.operation.name == "measure":
                bits[measured.find_bit(one.clbits[0]).index] = on[0]
            elif one.operation.name != "barrier":
                rho = rho.evolve(one.operation, on)
                rho = after_two(rho, on) if len(on) == 2 else depolarized(rho, ONE, on)
        p = rho.probabilities([bits[bit] for bit in range(n)]).reshape((2,) * n)
        for axis in range(n):
            p = np.moveaxis(np.tensordot(told, p, axes=(1, axis)), 0, axis)
        outcomes.append(Outcomes(all_bits(2**n), np.rint(1e12 * p.reshape(-1)).astype(np.int64)))
    values, _ = program.estimate(outcomes, 1)
    return float(values[0, 0])


KNOWN = {
    "braket:local-noise": (braket, of_both, READOUT),
    "ionq stand-in": (ionq, of_both, 0.0),
    "default.mixed": (lambda: backends.get(default_mixed()), of_each, READOUT),
}


@pytest.mark.parametrize("name", KNOWN)
def test_values_are_those_of_a_density_matrix_with_the_same_noise(name, study, ionq_service):
    make, after_two, readout = KNOWN[name]
    (problem, circuit, _), backend = study, make()
    theta = np.full(circuit.num_parameters, 0.15)
    result = backend.submit(Batch(circuit, problem.hamiltonian, theta, shots=4000, seed=3)).result()
    expected = exact(backend, circuit, problem.hamiltonian, theta, after_two, readout)
    (value,), (error,) = result.values[0], result.standard_errors[0]
    assert abs(value - expected) < 3 * error
    ideal = backends.get("statevector").submit(Batch(circuit, problem.hamiltonian, theta)).result().values[0, 0]
    assert abs(expected - ideal) > 5 * error  # the noise is there, and more than the statistics


@pytest.mark.slow
@pytest.mark.parametrize("name", [*KNOWN, "GenericBackendV2"])
def test_a_short_run_ends_no_worse_than_it_starts(name, study, ionq_service, tmp_path):
    make = KNOWN[name][0] if name in KNOWN else lambda: GenericBackendV2(5, seed=1)
    problem, circuit, arguments = study
    arguments = {**arguments, "backend": make(), "max_steps": 3, "shots": 1000}
    arguments["optimizer"] = optimizers.get("spsa", calibration=2)
    run = hybrid.minimize(circuit, problem, **arguments, folder=tmp_path / "run")
    assert run.status in ("converged", "max_steps")
    both = np.array([run.theta, np.zeros(circuit.num_parameters)])
    answer = backends.get(arguments["backend"]) if name == "GenericBackendV2" else arguments["backend"]
    result = answer.submit(Batch(circuit, problem.hamiltonian, both, shots=4000, seed=5)).result()
    (end, start), errors = result.values[:, 0], result.standard_errors[:, 0]
    assert end < start + 3 * np.hypot(*errors)
