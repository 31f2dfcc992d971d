from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

import backends
import hybrid
from circuits import hamiltonian_variational, hardware_efficient, molecule, tfim, uccsd
from circuits.errors import Refused


@pytest.fixture(scope="module")
def quench():
    """The ground state of the field alone, on which the coupling is switched on."""
    problem = tfim(4)
    return hamiltonian_variational(problem, layers=4), problem


def exact(problem, state, time, factor):
    """exp(factor H t) |state>, normalized, by a dense exponential."""
    psi = expm(factor * time * problem.hamiltonian.to_matrix()) @ state
    return psi / np.linalg.norm(psi)


def test_real_time_follows_the_exact_state(quench, tmp_path):
    circuit, problem = quench
    start = np.zeros(circuit.num_parameters)
    result = hybrid.real_time_evolution(circuit, problem, time=2.0, theta=start, folder=tmp_path)
    engine = backends.get("statevector")
    first, last = (engine.state(circuit, theta) for theta in (start, result.theta))
    fidelity = abs(np.vdot(exact(problem, first, 2.0, -1j), last)) ** 2
    assert abs(np.vdot(first, last)) ** 2 < 0.8  # it went somewhere
    assert fidelity > 0.999
    assert result.fidelities[-1] == pytest.approx(fidelity, abs=1e-9)
    assert result.drift < 5e-3  # of an energy of 4
    assert np.sqrt(2 - 2 * np.sqrt(fidelity)) < result.distance_bound < 0.05


def test_more_layers_follow_better(quench, tmp_path):
    _, problem = quench
    worst = []
    for layers in (1, 2, 4):
        circuit = hamiltonian_variational(problem, layers=layers)
        start = np.zeros(circuit.num_parameters)
        result = hybrid.real_time_evolution(
            circuit, problem, time=1.0, steps=20, theta=start, folder=tmp_path / str(layers)
        )
        worst.append(1 - np.min(result.fidelities))
    assert worst[0] > 0.01
    assert worst[0] > 5 * worst[1] > 25 * worst[2]


def test_imaginary_time_reaches_the_ground_state(tmp_path):
    problem = tfim(3)
    circuit = hardware_efficient(3, layers=3)
    result = hybrid.imaginary_time_evolution(circuit, problem, time=8.0, steps=40, folder=tmp_path)
    lowest = np.linalg.eigvalsh(problem.hamiltonian.to_matrix())[0]
    assert result.energies[0] > lowest + 1.0
    assert result.energy == pytest.approx(lowest, abs=1e-4)
    assert result.exact_energy == pytest.approx(lowest, abs=1e-9)
    assert np.all(np.diff(result.energies) < 1e-9)
    assert np.min(result.fidelities) > 0.99
    engine = backends.get("statevector")
    first, last = (engine.state(circuit, theta) for theta in (result.thetas[0], result.theta))
    assert abs(np.vdot(exact(problem, first, 8.0, -1.0), last)) ** 2 == pytest.approx(result.fidelities[-1], abs=1e-9)


def test_imaginary_time_of_hydrogen(tmp_path):
    problem = molecule("H 0 0 0; H 0 0 0.735")
    result = hybrid.imaginary_time_evolution(uccsd(problem), problem, time=15.0, steps=10, folder=tmp_path)
    assert result.energy == pytest.approx(problem.exact_energy(), abs=1e-8)
    assert "lowest energy" in str(result)
    assert "warning" not in str(result)
    assert "do not trust" in str(replace(result, exact_energy=result.energy + 0.01))


def test_a_torn_trajectory_is_continued_to_the_same_bits(quench, tmp_path):
    circuit, problem = quench
    start = np.zeros(circuit.num_parameters)

    def ask(folder):
        return hybrid.real_time_evolution(circuit, problem, time=0.5, steps=8, theta=start, folder=folder)

    whole = ask(tmp_path / "whole")
    ask(tmp_path / "torn")
    path = tmp_path / "torn" / "trajectory.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:20])
    continued = ask(tmp_path / "torn")
    assert path.read_bytes() == b"".join(lines)
    assert continued.thetas.tobytes() == whole.thetas.tobytes()
    assert len(whole.thetas) == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": -1.0}, "time"),
        ({"steps": 0}, "steps"),
        ({"regularization": 0.0}, "regularization"),
        ({"backend": "reference"}, "reference: real-time needs a backend that gives tangents; use 'statevector'"),
        ({"theta": [0.1]}, "8 free parameters"),
    ],
)
def test_wrong_input_is_refused(quench, change, words, tmp_path):
    with pytest.raises(Refused, match=words):
        hybrid.real_time_evolution(*quench, **({"time": 1.0, "folder": tmp_path / "run"} | change))
    assert not (tmp_path / "run").exists()
