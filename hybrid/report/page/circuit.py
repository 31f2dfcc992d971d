"""The ansatz, drawn where it is small enough to be read."""

from typing import Any

from qiskit import QuantumCircuit

from hybrid.report.page.html import Html, facts, fold, scrolling, section, tag
from hybrid.runs.account import Account

MOST_GATES, MOST_QUBITS = 250, 24
"""Of a circuit that is drawn; larger ones nobody reads, and drawing them takes long."""

FOLD = 110
"""Characters of a drawing's line, before it goes on below."""


def circuit(run: Account) -> Html:
    """Size of the ansatz, its gates by kind, and its drawing."""
    ansatz = run.record.circuit
    counts = ", ".join(f"{n:,} {name}" for name, n in ansatz.count_ops().items())
    pairs = [
        ("Qubits", ansatz.num_qubits),
        ("Parameters", ansatz.num_parameters),
        ("Gates", f"{ansatz.size():,}: {counts}" if counts else "none"),
        ("Depth", f"{ansatz.depth():,}"),
    ]
    return section("Circuit", facts(pairs), _drawing(ansatz))


def _drawing(ansatz: QuantumCircuit) -> Html:
    if ansatz.size() > MOST_GATES or ansatz.num_qubits > MOST_QUBITS:
        limits = f"more than {MOST_GATES} gates or {MOST_QUBITS} qubits"
        return tag("p", f"Not drawn: {limits}. The file circuit.qpy holds it, with every gate.", class_="note")
    drawing: Any = ansatz.draw("text", fold=FOLD)
    box = scrolling(tag("pre", "\n".join(drawing.lines()), class_="circuit"), "Drawing of the circuit")
    return box if ansatz.size() <= MOST_GATES // 4 else fold("Drawing", box)
