import os
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from circuits import Refused, from_qasm, load_circuit, maxcut, molecule, pauli_terms, save_circuit
from circuits.files import read_text

READERS = {
    "terms.txt": (pauli_terms, "# Füllung\r\n0.5 ZZ\r\n1 XI\r\n"),
    "graph.txt": (maxcut, "0 1 # Füllung\r\n1 2\r\n"),
    "hydrogen.xyz": (molecule, "2\r\nFüllung\r\nH 0 0 0\r\nH 0 0 0.7\r\n"),
    "circuit.qasm": (
        lambda path: from_qasm(path)[0],
        'OPENQASM 2.0; // Füllung\r\ninclude "qelib1.inc";\r\nqreg q[1];\r\nh q[0];\r\n',
    ),
}


def content(read):
    return getattr(read, "hamiltonian", read)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_content(name, encoding, tmp_path):
    reader, text = READERS[name]
    (tmp_path / name).write_bytes(text.encode())
    plain = content(reader(tmp_path / name))
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert content(reader(tmp_path / name)) == plain


def make_folder(path):
    path.mkdir()


def make_endless(path):
    path.symlink_to("/dev/zero")


def make_circle(path):
    path.symlink_to(path)


WILD = {
    "folder": (make_folder, "Is a directory"),
    "named pipe": (os.mkfifo, "it is a pipe or device"),
    "endless device": (make_endless, "it is a pipe or device"),
    "circle of links": (make_circle, "symbolic links"),
    "nothing": (lambda path: None, "No such file"),
    "empty": (lambda path: path.write_bytes(b""), None),
    "NUL bytes": (lambda path: path.write_bytes(bytes(100)), None),
    "Latin-1": (lambda path: path.write_bytes("0.5 ZZ # größer".encode("latin-1")), None),
    "half of UTF-16": (lambda path: path.write_bytes(b"\xff\xfe0"), None),
    "half a gigabyte": (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 29), "536870912 bytes"),
}


@pytest.mark.parametrize("name", [*READERS, "circuit.qpy"])
@pytest.mark.parametrize("wild", WILD)
def test_what_is_no_text_is_refused_in_one_line(name, wild, tmp_path):
    make, words = WILD[wild]
    make(tmp_path / name)
    with pytest.raises(Refused, match=words) as refusal:
        (READERS[name][0] if name in READERS else load_circuit)(tmp_path / name)
    assert str(tmp_path / name) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [*READERS, "circuit.qpy"])
@pytest.mark.parametrize("stem", ["a\0", "\ud800", "x" * 5000])
def test_names_that_no_file_can_have_are_refused(name, stem):
    with pytest.raises(Refused, match="cannot be read") as refusal:
        (READERS[name][0] if name in READERS else load_circuit)(Path(f"{stem}{name}"))
    str(refusal.value).encode()


@pytest.mark.parametrize("stem", ["a\0", "\ud800", "x" * 5000, "no/such/folder/x"])
def test_names_that_no_file_can_have_are_not_written(stem, tmp_path):
    with pytest.raises(Refused, match="cannot be written") as refusal:
        save_circuit(QuantumCircuit(1), f"{tmp_path}/{stem}.qpy")
    str(refusal.value).encode()


@pytest.mark.parametrize("name", READERS)
def test_undecodable_names_are_read(name, tmp_path):
    path = tmp_path / ("caf\udce9" + name)  # a byte E9, as in Latin-1
    reader, text = READERS[name]
    path.write_bytes(text.encode())
    read = reader(path)
    getattr(read, "name", "").encode()


def test_old_line_ends_become_new_ones(tmp_path):
    (tmp_path / "old.txt").write_bytes(b"a\r\nb\rc\n")
    assert read_text(tmp_path / "old.txt", "file", max_bytes=100) == "a\nb\nc\n"
