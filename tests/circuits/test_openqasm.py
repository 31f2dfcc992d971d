import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.quantum_info import Operator

from circuits import Refused, from_qasm, hardware_efficient, load_circuit, save_circuit, uccsd

HEAD = {
    2: 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\n',
    3: 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\n',
}
BOTH = pytest.mark.parametrize("version", [2, 3])


@BOTH
def test_program_and_file_become_the_same_circuit(version, tmp_path):
    circuit = hardware_efficient(3, layers=1)
    circuit = circuit.assign_parameters(np.linspace(0.1, 1, circuit.num_parameters))
    circuit.ccx(0, 2, 1)
    text = (qasm2 if version == 2 else qasm3).dumps(circuit)
    path = tmp_path / "circuit.qasm"
    path.write_text(text)
    for source in (text, path, str(path)):
        read, observable = from_qasm(source)
        assert observable is None
        # decimal digits of the angles
        assert np.allclose(Operator(read).data, Operator(circuit).data, atol=1e-9)


def test_inputs_become_parameters():
    circuit, _ = from_qasm(
        HEAD[3].replace("qubit", "input float theta;\ninput float phi;\nqubit") + "ry(2*theta+phi) q[0];"
    )
    assert {p.name for p in circuit.parameters} == {"theta", "phi"}
    bound = circuit.assign_parameters({"theta": 0.1, "phi": 0.3})
    assert float(bound.data[0].operation.params[0]) == pytest.approx(0.5)


@BOTH
def test_measurements_are_kept(version):
    measure = "creg c[3];\nmeasure q -> c;" if version == 2 else "bit[3] c;\nc = measure q;"
    assert from_qasm(HEAD[version] + "h q;\n" + measure)[0].count_ops() == {"h": 3, "measure": 3}


@BOTH
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("h q[0];\nrxy(1) q[0];", ":5: unknown gate 'rxy'; did you mean '(rx|ry)'"),
        ("foobar q[0];", ":4: unknown gate 'foobar'; define it"),
        ("h q[7];", ":4: .*out.of.range"),
        ("h r[0];", ":4: .*r"),
        ("h q[0]\nx q[1];", ":5: "),
        ("h(1) q[0];", ":4: "),
        ('include "mine.inc";', ":4: include"),
        ("cx q[0], q[0];", "duplicate"),
    ],
)
def test_mistakes_name_their_line(version, body, words):
    with pytest.raises(Refused, match=words):
        from_qasm(HEAD[version] + body)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must start with its version"),
        ("qreg q[2];", "must start with its version"),
        ("OPENQASM 4.0;\nqubit q;", "versions 2 and 3"),
        ("OPENQASM 2.0;\nqreg q[1];\nh q[0];", "include .qelib1.inc."),
        ("OPENQASM 3.0;\nqubit q;\nh q;", "include .stdgates.inc."),
        (3, "takes OpenQASM text"),
        ("no_such_file.qasm", "no OpenQASM file"),
    ],
)
def test_other_text_is_refused(text, words):
    with pytest.raises(Refused, match=words):
        from_qasm(text)


def ladder(n):
    """n definitions that double: 2^n gates."""
    gates = "gate g0 a { x a; x a; }\n"
    return gates + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}\n" for k in range(1, n)) + f"g{n - 1} q[0];"


TEN_MB = 10_000_000
ATTACKS = {
    "ten MB of brackets": lambda head: head + "rx(" + "(" * TEN_MB,
    "ten MB of balanced brackets": lambda head: (
        head + "rx(" + "(" * (TEN_MB // 2) + "1" + ")" * (TEN_MB // 2) + ") q[0];"
    ),
    "ten MB without a version": lambda head: "(" * TEN_MB,
    "ten MB of braces": lambda head: head + "{" * TEN_MB,
    "nested brackets": lambda head: head + "rx(" + "(" * 5000 + "1" + ")" * 5000 + ") q[0];",
    "nested calls": lambda head: head + "rx(" + "sin(" * 5000 + "1" + ")" * 5000 + ") q[0];",
    "unbalanced": lambda head: head + "rx(" + "[" * 500_000,
    "signs": lambda head: head + "rx(" + "-" * 500_000 + "1) q[0];",
    "signs and spaces": lambda head: head + "rx(" + "- " * 250_000 + "1) q[0];",
    "powers": lambda head: head + "rx(" + "1^" * 250_000 + "1) q[0];",
    "sums": lambda head: head + "rx(" + "1+" * 250_000 + "1) q[0];",
    "modifiers": lambda head: head + "inv @ " * 80_000 + "x q[0];",
    "hidden behind strings": lambda head: head + 'include "//";' + "rx(" + "(" * 500_000,
    "ladder of definitions": lambda head: head + ladder(60),
    "long ladder of definitions": lambda head: head + ladder(4000),
    "gates on a whole register": lambda head: head + "qreg r[90000];\n" + "h r;\n" * 5000,
    "huge register": lambda head: head + "qreg r[1000000000];",
    "many registers": lambda head: head + "".join(f"qreg r{k}[50000];\n" for k in range(1000)),
    "many definitions": lambda head: head + "".join(f"gate g{k} a {{ h a; }}\n" for k in range(20_000)),
    "surrogate": lambda head: head + "\ud800;",
    "null": lambda head: head + "\0;",
}


@BOTH
@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_at_once(version, attack):
    text = ATTACKS[attack](HEAD[version])
    start = time.process_time()
    with pytest.raises(Refused) as refusal:
        from_qasm(text)
    assert len(str(refusal.value)) < 1000
    assert time.process_time() - start < 5  # a second at most on an idle machine; minutes or a crash without limits


def test_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "nested.qasm"
    path.write_text("OPENQASM 3.0;\n" + "(" * TEN_MB)
    with pytest.raises(Refused, match="10000014 bytes"):
        from_qasm(path)


def test_comments_and_ordinary_programs_pass_the_limits():
    brackets = "// " + "(" * 1000 + "\n"
    assert from_qasm(HEAD[2] + brackets + "h q[0];")[0].size() == 1
    assert from_qasm(HEAD[3] + brackets + "/* " + "[" * 1000 + " */ h q[0];")[0].size() == 1
    assert from_qasm(HEAD[2] + "cx q[0],q[1];\n" * 20_000)[0].size() == 20_000
    assert from_qasm(HEAD[2] + ladder(12))[0].size() == 1


TEXT = """gate qreg qubit bit creg h cx rx q r [ ] ( ) { } 0 1 99 , ; @ inv ctrl pow pi -> if for in == measure $0 input
float include " // /* */ é"""
WORDS = [*TEXT.split(), "\n"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([2, 3]),
    st.lists(
        st.sampled_from(WORDS),
        max_size=30,
    ),
)
def test_random_programs_are_read_or_refused(version, words):
    try:
        circuit, _ = from_qasm(HEAD[version] + " ".join(words))
    except Refused:
        return
    assert isinstance(circuit, QuantumCircuit)


def test_circuits_survive_qpy(tmp_path, h2):
    for circuit in (hardware_efficient(3), uccsd(h2)):
        save_circuit(circuit, tmp_path / "circuit.qpy")
        read = load_circuit(tmp_path / "circuit.qpy")
        assert read == circuit
        assert read.metadata == circuit.metadata
        assert list(read.parameters) == list(circuit.parameters)
    assert [path.name for path in tmp_path.iterdir()] == ["circuit.qpy"]


def test_circuits_survive_openqasm(tmp_path):
    circuit = QuantumCircuit(2)
    circuit.rx(0.25, 1)
    circuit.cx(1, 0)
    save_circuit(circuit, tmp_path / "circuit.qasm")
    assert load_circuit(tmp_path / "circuit.qasm") == circuit


def test_damaged_qpy_files_are_refused(tmp_path):
    path = tmp_path / "circuit.qpy"
    save_circuit(hardware_efficient(3), path)
    whole = path.read_bytes()
    for damaged in (b"", b"QISKIT", whole[:-20], whole[: len(whole) // 2], b"x" * 500):
        path.write_bytes(damaged)
        with pytest.raises(Refused, match="damaged"):
            load_circuit(path)


def test_files_of_another_kind_are_refused(tmp_path):
    from qiskit import qpy

    with (tmp_path / "two.qpy").open("wb") as file:
        qpy.dump([QuantumCircuit(1), QuantumCircuit(1)], file)
    with pytest.raises(Refused, match="holds 2 circuits"):
        load_circuit(tmp_path / "two.qpy")
    with pytest.raises(Refused, match=r"\.qasm or \.qpy"):
        load_circuit("circuit.json")
    with pytest.raises(Refused, match="cannot be read"):
        load_circuit(tmp_path / "none.qpy")
    with pytest.raises(Refused, match="cannot be written"):
        save_circuit(QuantumCircuit(1), tmp_path / "no" / "folder.qpy")
