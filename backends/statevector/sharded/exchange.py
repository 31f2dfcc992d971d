"""Global qubits, which tell devices apart, and the steps in which they change places with local ones.

Of n qubits, g are global: their bits are the number of the device among 2^g, the first of them the highest bit. A
block needs all its qubits to be local, so a global one must be exchanged for a local one before: one all-to-all,
in which every device hands on all of its state but 2^-s for s qubits. What has an X mask with global bits needs no
exchange but the state of one partner, device xor mask.

References:
    De Raedt et al., "Massively parallel quantum computer simulator, eleven years later", arXiv:1805.04708.
    Häner and Steiger, "0.5 petabyte simulation of a 45-qubit quantum circuit", arXiv:1704.01127.
"""

from dataclasses import dataclass

from backends.statevector.whole.plan import Apply, Grow, Layout, Turn
from circuits.errors import Refused


@dataclass(frozen=True)
class Exchange:
    """Global qubits become local, as many local ones global.

    Attributes:
        before: Layout that is found, all local qubits stored.
        front: The same with the local qubits that leave in front.
        after: Layout after the all-to-all: the qubits that came in stand where the others left.
        digits: Which bits of the device's number are exchanged, in the same order.
        outer: Global qubits from now on, the highest bit of the device's number first.
    """

    before: Layout
    front: Layout
    after: Layout
    digits: tuple[int, ...]
    outer: Layout


@dataclass(frozen=True)
class Sweep:
    """Apply wide factors one by one.

    Attributes:
        start: Of the factors among all wide ones.
        stop: One past the last.
        before: Layout that is found, all local qubits stored.
        after: The same with C in front.
        partners: For each factor the global bits of its X mask: what the partner's number differs in.
    """

    start: int
    stop: int
    before: Layout
    after: Layout
    partners: tuple[int, ...]


@dataclass(frozen=True)
class ShardPlan:
    """All steps from |0...0>, the same on every device.

    Attributes:
        n_qubits: Width of the circuit.
        outer: Global qubits at the start.
        steps: In the order of their application.
        outers: Global qubits before each step.
        order: The fused step that each step stands for, None for growing and exchanging.
        last: Layout after the last step, C in front, all local qubits.
        width: Qubits of the widest block.
    """

    n_qubits: int
    outer: Layout
    steps: tuple[Apply | Sweep | Turn | Grow | Exchange, ...]
    outers: tuple[Layout, ...]
    order: tuple[int | None, ...]
    last: Layout
    width: int

    @property
    def last_outer(self) -> Layout:
        """Global qubits after the last step."""
        ends = [step.outer for step in self.steps if isinstance(step, Exchange)]
        return ends[-1] if ends else self.outer

    @property
    def n_devices(self) -> int:
        """2^g."""
        return 2 ** len(self.outer)


def global_qubits(n_devices: int, n_qubits: int) -> int:
    """The g of 2^g devices.

    Raises:
        Refused: for a number that is no power of two, or that leaves no qubit local.
    """
    if n_devices < 1 or n_devices & (n_devices - 1):
        near = 2 ** (max(n_devices, 1).bit_length() - 1)
        raise Refused(f"devices: a state is divided over a power of two of them, not {n_devices}; {near} would do")
    g = n_devices.bit_length() - 1
    if g >= n_qubits:
        most = 2 ** max(n_qubits - 1, 0)
        raise Refused(f"devices: {n_qubits} qubits can be divided over at most {most} of them, not {n_devices}")
    return g


def exchanged_amplitudes(plan: ShardPlan) -> float:
    """Amplitudes that one device sends on the way forward."""
    return sum(sent_amplitudes(step) for step in plan.steps)


def sent_amplitudes(step) -> float:
    """Amplitudes that one device sends in one step; the way back takes twice as many, for psi and for lambda."""
    if isinstance(step, Exchange):
        return 2.0 ** (len(step.before) - 1) * (1 - 2.0 ** -len(step.digits))
    if isinstance(step, Sweep):
        return 2.0 ** (len(step.before) - 1) * sum(partner != 0 for partner in step.partners)
    return 0.0


def digits_of(mask: int, outer: Layout) -> int:
    """The bits of a mask over qubits that are global, as bits of the device's number."""
    return sum(1 << d for d, q in enumerate(reversed(outer)) if mask >> q & 1)
