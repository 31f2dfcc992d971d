"""TensorCircuit-NG with JAX: the state by contraction, H by its matrix-vector product, differentiated and compiled.

"unrolled" builds all gates at once; "scanned" loops over equal layers with `jax.lax.scan`, as its authors advise for
shorter compilation, and keeps only the states between layers where those inside them would not fit in memory.
"""

from collections.abc import Sequence

import numpy as np
import psutil

from backends.angles import compile_angles
from backends.instructions import terms
from contest.rivals.excitations import Turn, steps
from contest.rivals.gates import listed
from contest.rivals.jax_function import configure, value_and_grad
from contest.workloads import Case

SAME = ("h", "x", "cx", "cy", "cz", "swap", "rx", "ry", "rz", "rxx", "ryy", "rzz", "crx", "cry", "crz")
NAMES = {**{name: name for name in SAME}, "cp": "cphase", "p": "phase", "iswap": "iswap"}

Gate = tuple[str, tuple[int, ...], int | None]


def unrolled(case: Case):
    tc, energy_of = _setup(case)
    n = case.circuit.num_qubits
    if case.workload.kind == "uccsd":
        angles = compile_angles(list(case.circuit.parameters), case.circuit.parameters)
        return value_and_grad(lambda theta: energy_of(_uccsd(case, tc, theta)), angles, case)
    gates, angles = listed(case, set(NAMES))
    return value_and_grad(lambda alphas: energy_of(_apply(tc.Circuit(n), gates, alphas)), angles, case)


def scanned(case: Case):
    tc, energy_of = _setup(case)
    import jax

    n, layers = case.circuit.num_qubits, case.workload.depth
    gates, angles = listed(case, set(NAMES))
    head, layer = _split(gates, layers)
    n_first = sum(k is not None for *_, k in head)

    def step(psi, alphas):
        return _apply(tc.Circuit(n, inputs=psi), layer, alphas), None

    states_bytes = len(gates) * 2**n * (16 if case.workload.precision == "double" else 8) * (case.workload.rows or 1)
    if states_bytes > psutil.virtual_memory().total / 4:
        step = jax.checkpoint(step)

    def energy(alphas):
        psi = _apply(tc.Circuit(n), head, alphas[:n_first])
        return energy_of(jax.lax.scan(step, psi, alphas[n_first:].reshape(layers, -1))[0])

    return value_and_grad(energy, angles, case)


def _setup(case: Case):
    """The library, and the energy of a state."""
    configure(case)
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex128" if case.workload.precision == "double" else "complex64")
    letters = [["IXYZ".index(letter) for letter in reversed(label)] for label, _ in terms(case.observable)]
    product = tc.quantum.PauliStringSum2MVP(letters, [value for _, value in terms(case.observable)])
    K = tc.backend
    return tc, lambda psi: K.real(K.sum(K.conj(psi) * product(psi)))


def _apply(circuit, gates: Sequence[Gate], alphas):
    """The state after gates on a circuit; angles are counted from the first of these gates."""
    first = next((k for *_, k in gates if k is not None), 0)
    for name, qubits, k in gates:
        angle = {} if k is None else {"theta": alphas[k - first]}
        getattr(circuit, NAMES[name])(*qubits, **angle)
    return circuit.state()


def _split(gates: list[Gate], layers: int) -> tuple[list[Gate], list[Gate]]:
    """What comes before the layers, and the gates of the first layer."""
    form = [(name, qubits) for name, qubits, _ in gates]
    for size in range(len(gates) // layers, 0, -1):
        start = len(gates) - size * layers
        if form[start:] == form[start : start + size] * layers:
            return gates[:start], gates[start : start + size]
    raise ValueError(f"the circuit has no {layers} equal layers")


def _uccsd(case: Case, tc, theta):
    """The state after the excitations, each a matrix 1 + sin K + (1 - cos) K^2 with K = T - T+ on its own orbitals."""
    import jax.numpy as jnp

    circuit = tc.Circuit(case.circuit.num_qubits)
    for instruction in case.problem.reference_state.data:
        circuit.x(*(case.problem.reference_state.find_bit(q).index for q in instruction.qubits))
    for step in steps(case.problem):
        if not isinstance(step, Turn):
            circuit.cz(*step)
            continue
        m = len(step.created)
        filled = (2**m - 1) << m  # the bits of `created`, which come first
        K = np.zeros((4**m, 4**m))
        K[filled, filled >> m], K[filled >> m, filled] = step.sign, -step.sign
        angle = theta[step.index]
        matrix = np.eye(4**m) + jnp.sin(angle) * K + (1 - jnp.cos(angle)) * (K @ K)
        qubits = step.created + step.annihilated
        circuit.any(*qubits, unitary=matrix.astype(tc.dtypestr).reshape((2,) * (4 * m)))
    return circuit.state()
