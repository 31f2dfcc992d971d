"""Which simulator of a modelled device suits a circuit."""

from typing import Any

from qiskit import QuantumCircuit

from circuits.errors import Refused


def simulator(device: Any, circuit: QuantumCircuit, *, shots: int | None = None) -> tuple[str, str]:
    """The backend that simulates a circuit on a device, and why it.

    Args:
        device: As for `Device.of`.
        circuit: What is to be run.
        shots: Of each measured circuit, where some are asked for.

    Returns:
        "device", "density" or "trajectories", and the reason.

    Raises:
        Refused: if none of them can.
    """
    from backends.density.program import MAX_QUBITS
    from backends.density.program import prepared as as_pairs
    from backends.devices.device import Device
    from backends.trajectories.engine import MAX_QUBITS as MOST

    made = Device.of(device)
    if shots is not None:
        return "device", "shots are asked for, which are counted as on the device itself"
    if circuit.num_qubits <= MAX_QUBITS:
        try:
            as_pairs(circuit, made, 0)
        except Refused:  # it is brought to more qubits of the device than it has
            if made.n_qubits <= MAX_QUBITS:
                raise
        else:
            return "density", f"up to {MAX_QUBITS} qubits in use, density matrices give exact values"
    if circuit.num_qubits > MOST:
        raise Refused(
            f"{circuit.num_qubits} qubits with the noise of {made.name} are too many for density matrices "
            f"({MAX_QUBITS}) and for trajectories ({MOST}): no simulator here can do them"
        )
    return "trajectories", f"beyond {MAX_QUBITS} qubits in use, trajectories give values with standard errors"
