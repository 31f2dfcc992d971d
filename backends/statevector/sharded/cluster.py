"""What a circuit would cost on many devices, computed from its plan: bytes, exchanges, and a predicted time.

    python -m backends.statevector.sharded.cluster

prints the table for hardware-efficient circuits on an Ising chain. Bytes and exchanges follow from the plan that would
be run; times follow from stated rates and are predictions: nobody has measured them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.frame import real_frame, turned_observable
from backends.statevector.circuit.lower import lower
from backends.statevector.sharded.exchange import Exchange, ShardPlan, Sweep, digits_of, sent_amplitudes
from backends.statevector.sharded.shard import planned
from backends.statevector.whole.plan import Apply, Grow, Turn
from backends.statevector.whole.strings import by_x_mask
from circuits.errors import OutOfMemory

STATES_HELD = 10
"""States of one device that a gradient holds at its peak; XLA for CPU reports 9.1 to 9.5 on 22 qubits."""


@dataclass(frozen=True)
class Rates:
    """What one device is taken to reach, in both directions at once for the link.

    Attributes:
        link_gb_s: 10^9 bytes a device sends in a second, in all-to-alls and to one partner alike.
        gemm_tflop_s: 10^12 real operations a second in products of a small matrix with a wide one.
        memory_gb_s: 10^9 bytes a second read or written.
        exchange_latency_s: Seconds that any transfer takes at least.
        memory_gb: 10^9 bytes of memory.
    """

    link_gb_s: float = 20.0
    gemm_tflop_s: float = 30.0
    memory_gb_s: float = 1500.0
    exchange_latency_s: float = 1e-4
    memory_gb: float = 80.0


@dataclass(frozen=True)
class PaperPlan:
    """One value and gradient on paper.

    Attributes:
        n_qubits: Width.
        n_devices: A power of two.
        n_blocks: Blocks and other steps that compute.
        n_exchanges: All-to-alls on the way forward; the way back takes two for each, for psi and lambda.
        n_partners: Transfers from partners: of wide factors, forward and back, and of the observable.
        state_bytes: Of one device's part of one state.
        held_bytes: Of all states that one device holds at the peak.
        block_bytes: Bytes that one device sends before each block or in each sweep, on the way forward.
        sent_bytes: Bytes that one device sends, forward, observable and back.
        total_bytes: The same of all devices.
        compute_s: Predicted seconds of products and moves.
        exchange_s: Predicted seconds of transfers.
    """

    n_qubits: int
    n_devices: int
    n_blocks: int
    n_exchanges: int
    n_partners: int
    state_bytes: int
    held_bytes: int
    block_bytes: tuple[int, ...]
    sent_bytes: int
    total_bytes: int
    compute_s: float
    exchange_s: float


def paper_plan(
    circuit: QuantumCircuit,
    observable: SparsePauliOp,
    n_devices: int | None = None,
    *,
    real: np.dtype | type = np.float32,
    rates: Rates | None = None,
) -> PaperPlan:
    """Plan a circuit for devices that need not exist.

    Args:
        circuit: Without measurements.
        observable: Hermitian.
        n_devices: A power of two; by default the fewest whose memory suffices.
        real: float32 or float64.
        rates: Of one device.

    Raises:
        OutOfMemory: when one device cannot hold its part.
        Refused: for a number of devices that is no power of two, or more than leave a local qubit.
    """
    rates, real, n = rates or Rates(), np.dtype(real), circuit.num_qubits
    n_devices = n_devices or fewest_devices(n, real, rates)
    state_bytes = 2 * real.itemsize * 2**n // n_devices
    held_bytes = STATES_HELD * state_bytes
    if held_bytes > rates.memory_gb * 1e9:
        raise OutOfMemory(
            f"a gradient of {n} qubits holds {held_bytes / 1e9:.0f} GB on each of {n_devices} devices, "
            f"which have {rates.memory_gb:.0f}; {fewest_devices(n, real, rates)} would do"
        )
    factors = real_frame(lower(circuit))
    observable = turned_observable(observable) if factors.turned else observable
    _, plan = planned(factors, n_devices, real)
    amplitude = 2 * real.itemsize
    masks = [digits_of(x, plan.last_outer) for x in by_x_mask(observable)]
    away = len({mask for mask in masks if mask})
    forward = sum(sent_amplitudes(step) for step in plan.steps) * amplitude
    sent = 3 * forward + away * state_bytes
    n_exchanges = sum(isinstance(step, Exchange) for step in plan.steps)
    n_partners = 3 * sum(bool(p) for step in plan.steps if isinstance(step, Sweep) for p in step.partners) + away
    # the diagonal and each X mask read psi and lambda and write lambda; the overlap reads both
    seconds = sum(_compute_s(step, real.itemsize, rates) for step in plan.steps)
    seconds += (3 * len(masks) + 2) * state_bytes / rates.memory_gb_s / 1e9
    return PaperPlan(
        n_qubits=n,
        n_devices=n_devices,
        n_blocks=sum(not isinstance(step, Exchange | Grow) for step in plan.steps),
        n_exchanges=n_exchanges,
        n_partners=n_partners,
        state_bytes=state_bytes,
        held_bytes=held_bytes,
        block_bytes=block_bytes(plan, amplitude),
        sent_bytes=int(sent),
        total_bytes=int(sent) * n_devices,
        compute_s=seconds,
        exchange_s=sent / rates.link_gb_s / 1e9 + (3 * n_exchanges + n_partners) * rates.exchange_latency_s,
    )


def block_bytes(plan: ShardPlan, amplitude_bytes: int) -> tuple[int, ...]:
    """What one device sends for each block, sweep or turn on the way forward; an exchange counts for what follows."""
    found, pending = [], 0.0
    for step in plan.steps:
        pending += sent_amplitudes(step) * amplitude_bytes
        if not isinstance(step, Exchange | Grow):
            found.append(int(pending))
            pending = 0.0
    return tuple(found)


def fewest_devices(n_qubits: int, real: np.dtype, rates: Rates) -> int:
    """The smallest power of two whose memory holds a gradient."""
    n_devices = 1
    while STATES_HELD * 2 * real.itemsize * 2**n_qubits / n_devices > rates.memory_gb * 1e9:
        n_devices *= 2
    return n_devices


def _compute_s(step, itemsize: int, rates: Rates) -> float:
    """Forward, undone on psi and on lambda, and the cotangent; a move or product reads and writes all of a state."""
    second = rates.memory_gb_s * 1e9
    if isinstance(step, Apply):
        size, grown = 2.0 ** len(step.front), 2.0 ** len(step.after)
        columns = size / 2 ** (step.present if step.real else step.present + 1)
        rows = 2**step.width if step.real else 2 ** (step.width + 1)
        flops = 2.0 * rows * (size / columns) * columns
        product = max((size + grown) * itemsize / second, flops / rates.gemm_tflop_s / 1e12)
        moved = 0.0 if step.before == step.front else 2 * size * itemsize / second
        return 4 * product + 3 * moved
    if isinstance(step, Sweep):  # read the state and the partner's, write; back the same twice, and the slope reads two
        return 11 * len(step.partners) * 2.0 ** len(step.after) * itemsize / second
    if isinstance(step, Turn):  # read and write a state three times, and the slope reads two
        return 8 * 2.0 ** len(step.layout) * itemsize / second
    return 3 * 2 * 2.0 ** len(step.after) * itemsize / second  # moves


def table(plans: Iterable[PaperPlan]) -> str:
    """Rows of a Markdown table."""
    lines = [
        "| qubits | devices | GB each | blocks | exchanges | partners | GB sent by each | TB sent by all "
        "| compute s | exchange s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for p in plans:
        counts = (p.n_qubits, p.n_devices, f"{p.held_bytes / 1e9:.1f}", p.n_blocks, p.n_exchanges, p.n_partners)
        sent = f"{p.sent_bytes / 1e9:.1f}", f"{p.total_bytes / 1e12:.2f}"
        seconds = f"{p.compute_s:.2f}", f"{p.exchange_s:.2f}"
        lines.append("| " + " | ".join(map(str, (*counts, *sent, *seconds))) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of docs/sharding.md."""
    from circuits import hardware_efficient, tfim

    rates = Rates()
    plans = [
        paper_plan(hardware_efficient(n, layers=4), tfim(n).hamiltonian, rates=rates) for n in (30, 34, 36, 38, 40)
    ]
    print(f"Predicted, not measured; one device: {rates}")
    print(table(plans))
    last = plans[-1]
    sent = ", ".join(f"{b / 1e9:.1f} before step {k + 1}" for k, b in enumerate(last.block_bytes) if b)
    print(f"\n{last.n_qubits} qubits: GB that each device sends on the way forward, of {last.n_blocks} steps: {sent}")


if __name__ == "__main__":
    main()
