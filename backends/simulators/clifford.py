"""Which circuits a stabilizer simulation can do."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford

from backends.instructions import is_free, is_standard, is_unitary, written_out
from circuits.errors import Refused


def check_clifford(circuit: QuantumCircuit) -> None:
    """Refuse a circuit with a gate that is not Clifford, by name; gates with free parameters are not judged yet.

    References:
        Gottesman, arXiv:quant-ph/9807006; Aaronson and Gottesman, Phys. Rev. A 70, 052328 (2004).
    """
    seen: set[tuple] = set()
    for instruction in written_out(circuit, lambda operation: is_standard(operation) or not is_unitary(operation)).data:
        gate = instruction.operation
        for block in getattr(gate, "blocks", ()):
            check_clifford(block)
        if not is_unitary(gate) or gate.name == "global_phase" or is_free(gate):
            continue
        known = (gate.name, *gate.params) if is_standard(gate) else None
        if known in seen:
            continue
        try:
            Clifford(gate)
        except (QiskitError, ValueError, TypeError) as err:
            angles = f"({', '.join(f'{float(x):.6g}' for x in gate.params)})" if gate.params else ""
            qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
            raise Refused(
                f"gate '{gate.name}{angles}' on qubits {qubits} is not a Clifford gate, so method 'stabilizer' cannot "
                "do it; use method='statevector' or 'matrix_product_state'"
            ) from err
        if known is not None:
            seen.add(known)


def check_rows(circuit: QuantumCircuit, rows: np.ndarray) -> None:
    """Refuse a circuit that has, at any row of parameters, a gate that is not Clifford.

    Args:
        circuit: With parameters or without.
        rows: Shape (rows, params), radians.
    """
    check_clifford(circuit)
    for row in rows if circuit.num_parameters else ():
        check_clifford(circuit.assign_parameters(row))
