"""Dynamical decoupling: qubits that wait are turned back and forth, so that slow noise averages out.

References:
    Viola, Knill and Lloyd, Phys. Rev. Lett. 82, 2417 (1999).
"""

from qiskit import QuantumCircuit
from qiskit.circuit.library import XGate, YGate
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import ALAPScheduleAnalysis, PadDynamicalDecoupling

from backends.measurement.targets import target_of
from backends.mitigation.words import Decoupling
from circuits.errors import Refused

SEQUENCES = {"XX": (XGate, XGate), "XY4": (XGate, YGate, XGate, YGate)}


def decoupling(settings: Decoupling, target: BackendV2 | Target, name: str) -> PassManager:
    """What fills the waits of measured circuits on a target.

    Args:
        settings: Which gates.
        target: Which knows how long its gates take.
        name: Of the device, for messages.

    Raises:
        Refused: if it does not, or lacks a gate of the sequence.
    """
    gates = target_of(target)
    if gates.dt is None or not any(one and one.duration for one in (gates.get("measure") or {}).values()):
        raise Refused(f"mitigation 'dd' needs to know how long gates take, and {name} does not say; leave 'dd' out")
    sequence = [gate() for gate in SEQUENCES[settings.sequence]]
    for gate in [*sequence, "delay"]:
        word = gate if isinstance(gate, str) else gate.name
        if word not in gates.operation_names:
            raise Refused(f"mitigation 'dd' with {settings.sequence} needs '{word}', which {name} does not have")
    return PassManager([ALAPScheduleAnalysis(target=gates), PadDynamicalDecoupling(target=gates, dd_sequence=sequence)])


def decoupled(circuit: QuantumCircuit, manager: PassManager, name: str) -> QuantumCircuit:
    """A measured circuit whose waits are filled.

    Raises:
        Refused: if a gate's duration is not known; the pass's reason is passed on.
    """
    try:
        return manager.run(circuit)
    except QiskitError as err:
        raise Refused(f"mitigation 'dd' cannot schedule a circuit of {name}: {err.message}; leave 'dd' out") from err
