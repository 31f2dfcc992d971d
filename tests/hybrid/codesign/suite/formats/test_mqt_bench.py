"""Circuits in files with MQT Bench's names."""

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector

from circuits.errors import Refused
from circuits.interop.qpy import save_circuit
from hybrid.codesign.suite.benchmark import Answer, Size
from hybrid.codesign.suite.circuit_file import in_use, outcomes
from hybrid.codesign.suite.formats.mqt_bench import Name, applications


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("ghz_alg_5", Name("ghz", "alg", 5)),
        ("ghz_alg_mirror_5", Name("ghz", "alg", 5, mirror=True)),
        ("vqe_real_amp_indep_opt2_10", Name("vqe_real_amp", "indep", 10, optimization=2)),
        ("dj_indep_qiskit_3", Name("dj", "indep", 3, target="qiskit")),
        ("qft_nativegates_ibm_falcon_opt3_8", Name("qft", "nativegates", 8, "ibm_falcon", 3)),
        ("bv_mapped_ibm_falcon_27_opt0_4", Name("bv", "mapped", 4, "ibm_falcon_27", 0)),
        ("ae_nativegates_clifford+t_opt1_6", Name("ae", "nativegates", 6, "clifford+t", 1)),
        (
            "grover-noancilla_mapped_ibm_washington_qiskit_opt2_7",
            Name("grover-noancilla", "mapped", 7, "ibm_washington_qiskit", 2),
        ),
    ],
)
def test_names(stem, name):
    assert Name.of(stem) == name
    assert f"{name.family}_{name.n_qubits}" == stem


@pytest.mark.parametrize("stem", ["ghz_5", "ghz_alg", "ghz_alg_0", "_alg_3", "ghz_algo_3"])
def test_names_that_are_none(stem):
    with pytest.raises(Refused, match="rename"):
        Name.of(stem)


@pytest.fixture
def ghz():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure_all()
    return circuit


@pytest.fixture
def folder(tmp_path, ghz):
    (tmp_path / "ghz_alg_3.qasm").write_text(qasm3.dumps(ghz))
    (tmp_path / "ghz_indep_qiskit_3.qasm").write_text(qasm2.dumps(ghz))
    wide = QuantumCircuit(40, 3)
    for gate in ("h",):
        getattr(wide, gate)(30)
    wide.cx(30, 12)
    wide.cx(12, 5)
    wide.measure([30, 12, 5], [2, 0, 1])
    save_circuit(wide, tmp_path / "ghz_mapped_ibm_falcon_27_opt2_3.qpy")
    (tmp_path / "readme.txt").write_text("not looked at")
    return tmp_path


def test_files_of_a_folder_are_applications(folder):
    found = applications(folder)
    assert list(found) == ["ghz-alg", "ghz-indep-qiskit", "ghz-mapped-ibm-falcon-27-opt2"]
    for name, one in found.items():
        assert one.name == name
        assert one.sizes["quick"] == (Size(3),)
        (task,) = one.circuits(Size(3), shots=1000, seed=0)
        assert task.circuit.num_qubits == 3
        assert np.flatnonzero(task.facts["exact"] > 1e-9).tolist() == [0, 7]
        perfect = Answer(counts={"000": 500, "111": 500})
        assert one.score(Size(3), [task], [perfect]).value == pytest.approx(1.0)
        half = Answer(counts={"000": 1000})
        found_half = one.score(Size(3), [task], [half])
        assert found_half.value == pytest.approx(0.5)
        assert found_half.details["above_guessing"].value == pytest.approx((0.5 - 0.25) / 0.75)
        with pytest.raises(Refused, match="files of 3 qubits"):
            one.check(Size(4))


def test_exact_outcomes_follow_the_classical_bits():
    circuit = QuantumCircuit(5, 3)
    circuit.x(3)
    circuit.ry(0.7, 1)
    circuit.measure(3, 1)
    circuit.measure(1, 2)
    small = in_use(circuit)
    assert small.num_qubits == 2
    p = outcomes(small, "some circuit")
    one = np.sin(0.35) ** 2
    assert p == pytest.approx([0, 0, 1 - one, 0, 0, 0, one, 0], abs=1e-12)


def test_outcomes_of_a_random_circuit_without_measurements():
    from qiskit.circuit.random import random_circuit

    circuit = random_circuit(4, 6, max_operands=2, seed=3)
    p = outcomes(in_use(circuit), "random")
    used = [k for k, qubit in enumerate(circuit.qubits) if any(qubit in one.qubits for one in circuit.data)]
    assert p == pytest.approx(Statevector(circuit).probabilities(used), abs=1e-10)


def test_what_has_no_exact_outcomes(tmp_path):
    dynamic = QuantumCircuit(2, 2)
    dynamic.h(0)
    dynamic.measure(0, 0)
    dynamic.cx(0, 1)
    with pytest.raises(Refused, match="in its midst"):
        outcomes(in_use(dynamic), "dynamic")
    big = QuantumCircuit(21)
    big.h(range(21))
    with pytest.raises(Refused, match="up to 20"):
        outcomes(in_use(big), "big")
    free = QuantumCircuit(1)
    free.rx(Parameter("a"), 0)
    save_circuit(free, tmp_path / "qnn_alg_1.qpy")
    with pytest.raises(Refused, match="bind them"):
        applications(tmp_path)["qnn-alg"].circuits(Size(1), shots=10, seed=0)


def test_folders_without_circuits(tmp_path, ghz):
    with pytest.raises(Refused, match="no folder"):
        applications(tmp_path / "missing")
    with pytest.raises(Refused, match="no file that ends"):
        applications(tmp_path)
    (tmp_path / "mine.qasm").write_text(qasm3.dumps(ghz))
    with pytest.raises(Refused, match="mine"):
        applications(tmp_path)
    (tmp_path / "mine.qasm").rename(tmp_path / "ghz_alg_3.qasm")
    save_circuit(ghz, tmp_path / "ghz_alg_3.qpy")
    with pytest.raises(Refused, match="the same circuit"):
        applications(tmp_path)
