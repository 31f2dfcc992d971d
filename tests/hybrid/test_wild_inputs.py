"""Wild inputs on the command line: exit code 2 (or 4), one sentence, no traceback, little memory, nothing written.

All run in children of one process that has loaded everything, so that each is quick and its memory is known. They are
parts of one test: that process is started once, whatever the number of workers of xdist.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid
from circuits import hardware_efficient, tfim

ROOT = Path(__file__).parents[2]

CHAIN = '[problem]\nkind = "tfim"\nn = 3\n'
LAYERS = '[ansatz]\nkind = "hardware_efficient"\nlayers = 1\n'
H2 = '[problem]\nkind = "molecule"\ngeometry = "H 0 0 0; H 0 0 0.7"\n'
REFERENCE = '[backend]\nname = "reference"\n'
SMALL = CHAIN + LAYERS + REFERENCE
TERMS = '[problem]\nkind = "pauli_terms"\npath = "t.txt"\n' + LAYERS + REFERENCE
GRAPH = '[problem]\nkind = "maxcut"\npath = "g.txt"\n[ansatz]\nkind = "qaoa"\nlayers = 1\n' + REFERENCE
FROM_FILE = CHAIN + '[ansatz]\nkind = "file"\npath = "c.qasm"\n' + REFERENCE
HUGE = "1" + "0" * 400


def nested(depth):
    return ".".join(["a"] * depth)


# text of the study, other files, and words of the message
WILD = {
    "huge number of sites": (CHAIN.replace("3", HUGE) + LAYERS, {}, "n"),
    "huge layers": (CHAIN + LAYERS.replace("1", HUGE), {}, "layers"),
    "huge seed": (SMALL + f"[run]\nseed = {HUGE}\n", {}, "seed"),
    "huge shots": (SMALL + f"shots = {HUGE}\n", {}, "shots"),
    "huge steps": (SMALL + f"[optimizer]\nmax_steps = {HUGE}\n", {}, "max_steps"),
    "huge charge": (H2 + f"charge = {HUGE}\n" + LAYERS, {}, "charge"),
    "huge active space": (H2 + f"active_space = [{HUGE}, 2]\n" + LAYERS, {}, "active_space"),
    "huge swept number": (SMALL + f'[run]\nseed = "{{s}}"\n[sweep]\ns = [{HUGE}]\n', {}, "seed"),
    "more digits than Python reads": (CHAIN.replace("3", "9" * 5000) + LAYERS, {}, "TOML"),
    "huge edge": (CHAIN + f"edges = [[0, {HUGE}]]\n" + LAYERS, {}, "edge"),
    "huge setting": (SMALL + f"[optimizer]\nmemory = {HUGE}\n", {}, "memory"),
    "huge population": (SMALL + f'[optimizer]\nkind = "cma-es"\npopulation = {HUGE}\n', {}, "population"),
    "huge bond dimension": (
        CHAIN + LAYERS + f'[backend]\nname = "aer"\nmethod = "matrix_product_state"\nmax_bond_dimension = {HUGE}\n',
        {},
        "max_bond_dimension",
    ),
    "couplings that overflow": (SMALL.replace("n = 3\n", "n = 3\ncoupling = 1e308\nfield = 1e308\n"), {}, "large"),
    "terms that overflow": (TERMS, {"t.txt": "1e308 ZZ\n1e308 ZZ\n"}, "t.txt"),
    "weights that overflow": (GRAPH, {"g.txt": "0 1 1e308\n1 2 1e308\n"}, "large"),
    "accuracy below what floats hold": (SMALL + "[optimizer]\naccuracy = 1e-400\n", {}, "accuracy"),
    "key of 20000 parts": (SMALL + f"[run]\n{nested(20_000)} = 1\n", {}, "nest"),
    "key of 20000 parts in a value": (SMALL + f"[run]\na = {{ {nested(20_000)} = 1 }}\n", {}, "nest"),
    "section of 20000 parts": (SMALL + f"[{nested(20_000)}]\n", {}, "nest"),
    "lists nested 5000 deep": (SMALL + "[run]\nname = " + "[" * 5000 + "]" * 5000 + "\n", {}, "nest"),
    "name of 100000 letters": (SMALL + f'[run]\nname = "{"a" * 100_000}"\n', {}, "name"),
    "NUL in a path": (TERMS.replace("t.txt", "t\\u0000.txt"), {}, "path"),
    "line break in a path": (TERMS.replace("t.txt", "t\\n.txt"), {}, "no such file"),
    "path that is a folder": (TERMS.replace("t.txt", "."), {}, "no such file"),
    "path that never ends": (TERMS.replace("t.txt", "/dev/zero"), {}, "/dev/zero"),
    "path that nobody writes to": (TERMS.replace("t.txt", "pipe"), {"pipe": None}, "pipe"),
    "empty study": ("", {}, "[problem]"),
    "study that is no text": (b"\xff\xfe\x00\x01" * 100, {}, "UTF-8"),
    "study of NULs": (b"\0" * 1000, {}, "TOML"),
    "study of 3 MB": ("# " + "x" * 3_000_000, {}, "1 MiB"),
    "empty terms": (TERMS, {"t.txt": ""}, "no terms"),
    "terms that are no text": (TERMS, {"t.txt": b"\xff\xfe\x00"}, "t.txt"),
    "terms on the ten-thousandth qubit": (TERMS, {"t.txt": "1 Z9999\n" * 30_000}, "qubits"),
    "terms on the millionth qubit": (TERMS, {"t.txt": "1 Z999999\n"}, "999999"),
    "terms of a hundred thousand letters": (TERMS, {"t.txt": "1 " + "X" * 100_000 + "\n"}, "qubits"),
    "graph of a million nodes": (GRAPH, {"g.txt": "".join(f"{k} {k + 1}\n" for k in range(1_000_000))}, "g.txt"),
    "graph with a huge label": (GRAPH, {"g.txt": f"0 {HUGE}\n"}, "g.txt"),
    "graph of one node": (GRAPH, {"g.txt": "0 0\n"}, "itself"),
    "graph of words": (GRAPH, {"g.txt": "a b\n"}, "g.txt"),
    "circuit that is no program": (FROM_FILE, {"c.qasm": "#" * 1000}, "c.qasm"),
    "circuit of a million qubits": (FROM_FILE, {"c.qasm": "OPENQASM 3.0;\nqubit[1000000] q;\n"}, "c.qasm"),
    "circuit that includes another": (FROM_FILE, {"c.qasm": 'OPENQASM 2.0;\ninclude "/etc/passwd";\n'}, "include"),
    "circuit with a loop": (
        FROM_FILE,
        {"c.qasm": 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\nfor int i in [0:9] { h q[0]; }\n'},
        "for_loop",
    ),
    "circuit with a reset in its middle": (
        FROM_FILE,
        {"c.qasm": 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\nh q[0];\nreset q[0];\nh q[0];\n'},
        "reset",
    ),
    "atoms in one place": (H2.replace("0.7", "0") + LAYERS, {}, "apart"),
    "atom at infinity": (H2.replace("0.7", "inf") + LAYERS, {}, "finite"),
    "atoms without number": (
        H2.replace("H 0 0 0; H 0 0 0.7", "; ".join(["H 0 0 0.7"] * 2000)) + LAYERS,
        {},
        "2000 atoms",
    ),
    "basis that is none": (H2 + 'basis = "../../etc/passwd"\n' + LAYERS, {}, "basis"),
    "noise that is none": (CHAIN + LAYERS + '[backend]\nname = "aer"\nnoise = "fake_atlantis"\n', {}, "fake_atlantis"),
    "device that is none": (CHAIN + LAYERS + '[backend]\nname = "ibm:fake_atlantis"\n', {}, "fake_atlantis"),
    "device of nobody": (CHAIN + LAYERS + '[backend]\nname = "ibm:"\n', {}, "ibm"),
    "sweep over nothing": (SMALL + '[run]\nseed = "{s}"\n[sweep]\ns = []\n', {}, "sweep"),
    "sweep of 10^9 points": (
        SMALL + '[run]\nseed = "{s}{t}{u}"\n[sweep]\n' + "".join(f"{v} = {list(range(1000))}\n" for v in "stu"),
        {},
        "points",
    ),
    "sweep with a name that is a path": (SMALL + '[run]\nseed = "{s}"\n[sweep]\n"../s" = [1]\n', {}, "sweep"),
    "sixty qubits": (
        CHAIN.replace("3", "60") + LAYERS.replace("1", "40") + '[backend]\nname = "statevector"\n',
        {},
        "60",
    ),
    "thirty qubits on few bytes": (CHAIN.replace("3", "40") + LAYERS + '[backend]\nname = "lightning"\n', {}, "bytes"),
    "twenty thousand parameters for CMA-ES": (
        CHAIN.replace("3", "10")
        + LAYERS.replace("1", "1000")
        + '[optimizer]\nkind = "cma-es"\n[backend]\nname = "statevector"\n',
        {},
        "cma-es",
    ),
}
assert len(WILD) >= 55

RECORDS = {
    "a list for a spec": ("spec.json", "[]"),
    "a number for a workload": ("spec.json", {"workload": 3}),
    "a string for the angles": ("spec.json", {"workload": {"theta": "abc"}}),
    "a list for an accuracy": ("spec.json", {"workload": {"accuracy": []}}),
    "a huge format": ("spec.json", {"format": 10**400}),
    "deep nesting in a spec": ("spec.json", '{"format": 2, "a": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "a spec that is no text": ("spec.json", b"\xff\xfe"),
    "a string for an energy": ("result.json", {"energy": "low"}),
    "a list for a status": ("result.json", {"status": []}),
    "a number for the seconds": ("result.json", {"seconds": 3}),
    "an empty result": ("result.json", ""),
    "terms that are numbers": ("hamiltonian.json", {"terms": 7}),
    "labels of other lengths": ("hamiltonian.json", {"terms": [["Z", 1.0]]}),
    "a Hamiltonian on no qubits": ("hamiltonian.json", {"n_qubits": 0}),
    "a circuit that is none": ("circuit.qpy", b"QISKIT" + b"\0" * 200),
    "a journal that is none": ("journal.sqlite", b"x" * 5000),
}

PROGRAM = """
import json, os, resource, signal, sys, time
import hybrid.cli.app, hybrid.studies.run, hybrid.verification.verification
import backends.statevector.engine, qiskit_aer, pennylane, pyscf

def call(folder, arguments):
    os.chdir(folder)
    signal.alarm(90)
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, 6 << 30))
    sys.argv = ["hybrid", *arguments]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    out, err = os.open("../out", flags), os.open("../err", flags)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    try:
        hybrid.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stderr.flush()
    os._exit(code or 0)

told = {}
for name, (folder, arguments) in json.loads(sys.argv[1]).items():
    start, child = time.monotonic(), os.fork()
    if not child:
        try:
            call(folder, arguments)
        finally:
            os._exit(99)
    _, status, usage = os.wait4(child, 0)
    parent = os.path.dirname(folder)
    told[name] = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - start,
        "megabytes": usage.ru_maxrss // 1024,
        "out": open(parent + "/out", errors="replace").read(),
        "err": open(parent + "/err", errors="replace").read(),
    }
print(json.dumps(told))
"""


def call_all(calls):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(calls)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def check_message(told, words):
    assert "Traceback" not in told["err"], told["err"]
    assert told["code"] in (2, 4), told
    assert told["err"].startswith("hybrid: ")
    assert told["err"].rstrip().count("\n") <= 2, told["err"]
    assert len(told["err"]) < 1500, "a sentence"
    assert words.lower() in told["err"].lower()
    assert told["out"] == ""
    assert told["megabytes"] < 2000
    assert told["seconds"] < 60  # twenty on a machine of its own


@pytest.mark.slow
def test_wild_studies_are_refused_in_one_sentence(tmp_path, subtests):
    calls = {}
    for number, (name, (text, files, _)) in enumerate(WILD.items()):
        folder = tmp_path / str(number) / "here"
        folder.mkdir(parents=True)
        for file, content in {"x.toml": text, **files}.items():
            if content is None:
                os.mkfifo(folder / file)
            elif isinstance(content, bytes):
                (folder / file).write_bytes(content)
            else:
                (folder / file).write_text(content)
        calls[name] = (str(folder), ["run", "x.toml", "--folder", "run", "--json"])
    told = call_all(calls)
    for name, (_, _, words) in WILD.items():
        with subtests.test(name):
            check_message(told[name], words)
            assert not Path(calls[name][0], "run").exists()


def test_wild_records_are_refused_in_one_sentence(tmp_path, subtests):
    run = tmp_path / "run"
    hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", max_steps=3, folder=run)
    calls = {}
    for number, (name, (file, content)) in enumerate(RECORDS.items()):
        folder = tmp_path / str(number) / "here"
        shutil.copytree(run, folder / "run")
        place = folder / "run" / file
        if isinstance(content, dict):
            content = json.dumps(_merged(json.loads(place.read_text()), content))
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        command = "verify" if file != "result.json" else "show"
        calls[name] = (str(folder), [command, "run"])
    told = call_all(calls)
    words = {"a huge format": "format", "a circuit that is none": "circuit.qpy"}
    for name in RECORDS:
        with subtests.test(name):
            if name == "a journal that is none":  # everything else can be checked, and the verdict says it
                assert told[name]["code"] == 3
                assert "corrupt" in told[name]["out"]
            else:
                check_message(told[name], words.get(name, "damaged"))


def _merged(old, new):
    return {
        **old,
        **{
            k: _merged(old[k], v) if isinstance(v, dict) and isinstance(old.get(k), dict) else v for k, v in new.items()
        },
    }
