"""The forecast of a whole piece of work: evaluations, times circuits, times shots."""

import math
from collections.abc import Callable
from dataclasses import replace

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from backends.cost import Work
from backends.forecast.circuit import CircuitSize, size_of
from backends.forecast.forecast import Forecast
from backends.forecast.prices import Price, price_of
from backends.gradients.shift_rule import n_shifted
from backends.measurement.circuits import measure
from backends.measurement.groups import Measurements, basis_change, measurements
from backends.measurement.targets import target_of, translated, transpiled
from backends.providers.hardware import Charge, Elsewhere, Hardware, JobRequest
from circuits.errors import FailedJob, ProviderUnreachable, Refused

SHOTS = 4096
"""Of each circuit where the work asks for no number and no device says its own default."""

Transpiled = Callable[[QuantumCircuit], tuple[QuantumCircuit, tuple[int, ...]]]
"""From a circuit to the one that a device runs, and where each qubit ends up."""


def forecast(hardware: Hardware, work: Work, transpile: Transpiled, *, circuits: int, shots: int) -> Forecast | None:
    """What the work would take on a device, or on the device that a snapshot was taken of; nothing is run.

    Args:
        hardware: The device.
        work: Evaluations, rows, observables.
        transpile: How the device transpiles.
        circuits: That are measured for one value.
        shots: Of all of them together.

    Returns:
        The forecast; None for a simulator of no device.

    Raises:
        Refused: if the circuit cannot be brought to the device's gates, or the user's price table is wrong.
    """
    target = target_of(hardware.target)
    elsewhere = hardware if isinstance(hardware, Elsewhere) else None
    plan = measurements(work.observables)
    moved, layout = transpile(work.circuit)
    size = size_of(_measured(moved, layout, plan, hardware), target)
    if elsewhere is None and size.fidelity is None:
        return None
    most = None if elsewhere is None else elsewhere.most_circuits
    price = hardware.price or price_of(hardware.name)
    made = _priced(hardware.name, work, (circuits, shots), size, price, most_circuits=most)
    notes = list(made.notes)
    if elsewhere is None:
        notes.insert(0, "as the real device would take it, with the errors of this snapshot")
    if size.leaves_out:
        notes.append(f"the fidelity leaves out {', '.join(size.leaves_out)}, which the device does not say")
    if size.broken:
        notes.append(
            f"the fidelity is 0, since the device says that {', '.join(size.broken)} always fails; if that "
            f"worked, it would be {size.fidelity_beside:.2g}"
        )
    try:
        queue = None if elsewhere is None else elsewhere.pending()
    except (FailedJob, ProviderUnreachable) as err:
        queue = None
        notes.append(f"the queue is not known: {err}")
    return replace(made, queue=queue, notes=tuple(notes))


def forecast_by_name(device: str, work: Work) -> Forecast | None:
    """What the work would take on a device that nobody is logged in to: size and price, by the price table alone.

    Args:
        device: Its name, such as ``ibm:ibm_fez``.
        work: As for `forecast`.

    Returns:
        The forecast; None where the table does not have the device, and for a snapshot, which is asked itself.

    Raises:
        Refused: if the circuit has more qubits than the device, or the user's price table is wrong.
    """
    price = None if device.partition(":")[2].startswith("fake_") else price_of(device)
    if price is None:
        return None
    n_qubits = work.circuit.num_qubits
    if price.n_qubits is not None and n_qubits > price.n_qubits:
        raise Refused(f"the circuit has {n_qubits} qubits, but {device} has {price.n_qubits}")
    size = None
    if price.all_to_all:
        moved, layout = transpiled(work.circuit, _any_pair(n_qubits), level=1)
        size = size_of(measure(moved, layout))
    made = _priced(device, work, _value(work), size, price, most_circuits=None)
    notes = ["by the price table alone, since the device was not asked", *made.notes]
    notes.append(
        "gates counted in a set of one-qubit rotations and CX between any two qubits"
        if size
        else "depth, two-qubit gates and fidelity need the device's own couplings and calibration"
    )
    return replace(made, notes=tuple(notes))


def forecast_of_shots(device: str, work: Work) -> Forecast:
    """What the work would take on a device of which nothing is known here: its circuits and shots, and no more.

    Args:
        device: Its name.
        work: As for `forecast`.
    """
    made = _priced(device, work, _value(work), None, None, most_circuits=None)
    return replace(made, notes=("circuits and shots alone: the device cannot be asked from here",))


def _value(work: Work) -> tuple[int, int]:
    """Circuits and shots of one value, terms measured in groups."""
    plan = measurements(work.observables)
    shots = plan.shots(work.precision, work.shots, SHOTS) or SHOTS
    return len(plan.groups), shots * len(plan.groups)


def charge(device: str, request: JobRequest, target: Target | None = None) -> Charge | None:
    """What one job costs by the price table; None: its price is not known, which is not the same as nothing.

    Args:
        device: Its name.
        request: What the job runs.
        target: Says how long the circuits last; without it they are taken to last no time.

    Raises:
        Refused: if the user's price table is wrong.
    """
    price = price_of(device)
    if price is None:
        return None
    n_shots = request.shots * len(request.circuits)
    sizes = [size_of(circuit, target) for circuit in request.circuits]
    longest = max((size.seconds or 0.0 for size in sizes), default=0.0)
    qpu_s = price.qpu_s(jobs=1, executions=n_shots, circuit_s=longest)
    money = (price.usd_per_qpu_s or 0.0) * (qpu_s or 0.0)
    for size in sizes:
        usd = price.usd(
            circuits=1,
            shots=request.shots,
            qpu_s=0.0 if qpu_s is not None else None,
            one_qubit=size.one_qubit_gates,
            two_qubit=size.two_qubit_gates,
        )
        if usd is None:
            return None
        money += usd
    return Charge(money, qpu_s or 0.0, n_shots)


def _priced(
    device: str,
    work: Work,
    value: tuple[int, int],
    size: CircuitSize | None,
    price: Price | None,
    *,
    most_circuits: int | None,
) -> Forecast:
    """The forecast, from the circuits and shots of one value."""
    values = work.n_evaluations * work.n_rows * (1 + n_shifted(work.circuit) if work.derivative else 1) + work.n_final
    circuits, shots = (values * number for number in value)
    calls = getattr(work, "n_calls", work.n_evaluations)  # each sends at least one job
    at_once = math.ceil(circuits / max(calls, 1))
    jobs = calls * (math.ceil(at_once / most_circuits) if most_circuits else min(at_once, 1))
    seconds = size.seconds if size else None
    made = Forecast(
        device,
        circuits=circuits,
        shots=shots,
        jobs=jobs,
        depth=size.depth if size else None,
        two_qubit_gates=size.two_qubit_gates if size else None,
        circuit_s=seconds,
        fidelity=size.fidelity if size else None,
    )
    if price is None:
        note = f"price not known: no entry of the price table fits {device}; add one to prices.toml"
        return replace(made, notes=(note,))
    qpu_s = price.qpu_s(jobs=jobs, executions=shots, circuit_s=seconds)
    usd = price.usd(
        circuits=circuits,
        shots=shots / max(circuits, 1),
        qpu_s=qpu_s,
        one_qubit=size.one_qubit_gates if size else None,
        two_qubit=size.two_qubit_gates if size else None,
    )
    notes = [price.words if usd is not None else f"price not known: {price.words} does not suffice for it"]
    if qpu_s is not None and seconds is None:
        notes.append("the time on the device leaves out the circuits' own duration, which is not known")
    return replace(made, qpu_s=qpu_s, money_usd=usd, notes=tuple(notes))


def _measured(moved: QuantumCircuit, layout: tuple[int, ...], plan: Measurements, hardware: Hardware) -> QuantumCircuit:
    """The measured circuit of the group that rotates most qubits."""
    full = moved.copy()
    if plan.groups:
        basis = max((group.basis for group in plan.groups), key=lambda basis: sum(letter in "XY" for letter in basis))
        tail = QuantumCircuit(moved.num_qubits)
        tail.compose(basis_change(basis), qubits=layout, inplace=True)
        full.compose(translated(tail, hardware.target), inplace=True)
    return measure(full, layout, hardware.together())


def _any_pair(n_qubits: int) -> Target:
    """Rotations of any qubit, and CX between any two."""
    return Target.from_configuration(basis_gates=["rx", "ry", "rz", "cx"], num_qubits=n_qubits)
