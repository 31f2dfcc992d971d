import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import Parameter
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
        ("", "holds no program"),
        ("// h q;\n/* x q; */", "holds no program"),
        ("Dear Sir,\n\nplease find enclosed", ":3: OpenQASM 3 does not allow 'find' here"),
        ('include "qelib1.inc";\nqreg q[1];', "starts with 'OPENQASM 2.0;'"),
        ("OPENQASM 4.0;\nqubit q;", "versions 2 and 3"),
        ("OPENQASM 2.0;\nqreg q[1];\nh q[0];", "include .qelib1.inc."),
        ("OPENQASM 3.0;\nqubit q;\nh q;", "include .stdgates.inc."),
        (3, "takes OpenQASM text"),
        ("no_such_file.qasm", "OpenQASM file .* cannot be read: No such file"),
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


def test_a_program_without_version_is_openqasm_3():
    """As the examples of the OpenQASM project are."""
    text = '/* Bell\n */\ninclude "stdgates.inc"; // no version\nqubit[2] q;\nh q[0];\nctrl @ x q[0], q[1];\n'
    assert from_qasm(text)[0].count_ops() == from_qasm("OPENQASM 3.1;\n" + text)[0].count_ops()
    assert from_qasm("\ufeff" + HEAD[2] + "h q;")[0].size() == 3


COMMENTED = {
    "a gate": "// the gate swap exchanges the halves\nswap q[0], q[1];",
    "an include": '// include "mine.inc" is gone\nswap q[0], q[1];',
    "a register": "// qreg r[99999999]; and bit[99999999] b;\nswap q[0], q[1];",
    "a brace": "// {{{{ ((((\nswap q[0], q[1];",
    "quotes": "// it's \"one\nswap q[0], q[1]; // don't",
}


@BOTH
@pytest.mark.parametrize("comment", COMMENTED)
def test_comments_mean_nothing(version, comment):
    assert from_qasm(HEAD[version] + COMMENTED[comment])[0].count_ops() == {"swap": 1}
    if version == 3:
        words, _, gates = COMMENTED[comment].removeprefix("//").partition("\n")
        assert from_qasm(HEAD[3] + f"/*{words}\n*/ {gates}")[0].count_ops() == {"swap": 1}


@pytest.mark.parametrize(
    ("version", "body", "words"),
    [
        (2, "c3sx q[0], q[1], q[2], q[0];", "unknown gate 'c3sx'; did you mean 'c3sqrtx'?"),
        (2, "cnot q[0], q[1];", "did you mean 'cx'"),
        (2, "swp q[0], q[1];", "did you mean 'swap'"),
        (2, "mesure q[0];", "did you mean 'measure'"),
        (2, "// gate foo\nfooo q[0];", "unknown gate 'fooo'; define it"),
        (2, "gate foo a { x a; }\nfooo q[0];", "did you mean 'foo'"),
        (3, "rzz(0.1) q[0], q[1];", "'rzz' is not in \"stdgates.inc\" of OpenQASM 3; define it"),
        (3, "sxdg q[0];", "'sxdg' is not in"),
        (3, "Swap q[0], q[1];", r"did you mean 'swap' \(upper and lower case differ\)"),
        (3, "cxx q[0], q[1];", "did you mean 'cx'"),
        (3, "gate g(s, t) x { ry(s * t) x; }", ":4: this arithmetic .* in 'gate g"),
        (3, "input float w;\ngate g(t) x { ry(t) x; }\npow(2) @ g(w) q[0];", ":6: .*a parameter stands where a number"),
        (3, "const int n = 3;", "ConstantDeclaration is not supported, in 'const int n = 3;'"),
        (3, "def f(qubit r) { h r; } // f", "SubroutineDefinition is not supported, in 'def f"),
    ],
)
def test_hints_name_what_helps(version, body, words):
    with pytest.raises(Refused, match=words) as refusal:
        from_qasm(HEAD[version] + body)
    assert "uuid" not in str(refusal.value)


@pytest.mark.parametrize("angle", [Parameter("a") ** 2, Parameter("a").sin(), abs(Parameter("a")), 1 / Parameter("a")])
def test_openqasm_that_could_not_be_read_is_not_written(angle, tmp_path):
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    try:
        save_circuit(circuit, tmp_path / "circuit.qasm")
    except Refused as refusal:
        assert "could not be read back" in str(refusal)  # noqa: PT017
        assert not list(tmp_path.iterdir())
    else:
        read = load_circuit(tmp_path / "circuit.qasm").assign_parameters([0.7])
        assert np.allclose(Operator(read).data, Operator(circuit.assign_parameters([0.7])).data)
