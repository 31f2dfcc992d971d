"""A state over several devices compared with the one-device engine; started by test_shard.py, prints one JSON line.

python sharded_run.py devices    1, 2 and 4 virtual devices of one process
mpiexec -n 2 python sharded_run.py processes    one device in each of two processes, two in each
"""

import functools
import json
import os
import sys

N_VIRTUAL = {"devices": 4, "kept": 2, "processes": 2}


def main(how):
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={N_VIRTUAL[how]}"
    import jax

    if how == "kept":
        sys.stdout.write("SHARDED " + json.dumps(kept()) + "\n")
        return
    if how == "processes":
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(cluster_detection_method="mpi4py")
        groups = [jax.devices()]
    else:
        groups = [jax.devices()[:n] for n in (1, 2, 4)]
    found = [dict(case, devices=len(group)) for group in groups for case in compared(group, how)]
    report = {"rank": jax.process_index(), "processes": jax.process_count(), "cases": found}
    sys.stdout.write("SHARDED " + json.dumps(report) + "\n")  # in one piece: lines of two ranks must not mix


def kept():
    """An energy, three times: freshly compiled, from this process, from the files."""
    from backends.statevector import Statevector
    from backends.statevector.runtime import compiled
    from circuits import hardware_efficient, tfim

    found = []
    for forget in (False, False, True):
        if forget:
            compiled._known.clear()
            compiled._kernels.clear()
        evaluate = Statevector(executor="xla").prepare(hardware_efficient(3, layers=1), tfim(3).hamiltonian)
        found.append(float(evaluate([[0.1] * 6]).values[0, 0]).hex())
    return found


def compared(devices, how):
    """Value, gradient, largest difference to the ordinary engine, and the kinds of steps, for every circuit."""
    import numpy as np

    from backends.statevector.sharded.shard import compile_sharded

    for name, precision in cases(how, len(devices)):
        circuit, H = CIRCUITS[name]()
        theta = np.random.default_rng(1).normal(size=(1, circuit.num_parameters))
        real = np.dtype(np.float64 if precision == "double" else np.float32)
        engine, value, gradient = wanted(name, precision)
        program = compile_sharded(circuit, real, devices)
        terms = (program.terms(H),)
        values, slopes = program.energies_and_slopes(terms)(theta)
        pulled = program.angles.pulled(theta, slopes[:, 0].astype(float))[0]
        off = [abs(values[0, 0] - value), np.max(np.abs(pulled - gradient))]
        if name == "layers" and len(devices) == 4:
            off.append(abs(program.energies(terms)(theta)[0, 0] - value))
            overlap = np.vdot(program.state(theta[0]), engine.state(circuit, theta[0]))
            off.append(abs(abs(overlap) - 1))
        yield {
            "name": name,
            "precision": precision,
            "value": float(values[0, 0]).hex(),
            "gradient": [float(x).hex() for x in pulled],
            "off": float(max(off)),
            "steps": sorted({type(step).__name__ for step in program.plan.steps}),
            "turned": program.factors.turned,
            "partners": any(any(getattr(step, "partners", ())) for step in program.plan.steps),
        }


@functools.cache
def wanted(name, precision):
    """The ordinary engine, its value and gradient."""
    import numpy as np

    from backends.statevector import Statevector

    circuit, H = CIRCUITS[name]()
    theta = np.random.default_rng(1).normal(size=circuit.num_parameters)
    engine = Statevector(precision=precision)
    return engine, *engine.value_and_grad(circuit, H)(theta)


def cases(how, n_devices):
    """(name of the circuit, precision)."""
    if how == "processes":
        return [("mixed", "double")]
    return {
        1: [("mixed", "double")],
        2: [("layers", "double"), ("mixed", "single")],
        4: [("mixed", "double"), ("layers", "double"), ("mixed", "single")],
    }[n_devices]


def mixed(n=6):
    """A chain, excitations, and gates on random qubits."""
    from circuits import hardware_efficient

    circuit = hardware_efficient(n, layers=1).compose(wide(n)).compose(free(n, 8, 7))
    return circuit, strings(n, 1)


def layers(n=8):
    """A diagonal of all pairs between two chains, with rotations about X so that the frame is turned."""
    from qiskit.circuit import Parameter

    from circuits import hardware_efficient, tfim

    chain = hardware_efficient(n, layers=1, rotations=("rx", "rz"))
    circuit, gamma = chain.copy(), Parameter("gamma")
    for i in range(n):
        for j in range(i):
            circuit.rzz((0.3 + 0.1 * i * j) * gamma, i, j)
    circuit.compose(chain, inplace=True)
    return circuit, tfim(n).hamiltonian


def strings(n, seed):
    """Random Pauli strings; some share their X mask, one is the identity."""
    import numpy as np
    from qiskit.quantum_info import SparsePauliOp, random_pauli_list

    rng = np.random.default_rng(seed)
    labels = random_pauli_list(n, 9, seed=seed, phase=False).to_labels()
    swap = str.maketrans("XYZI", "YXIZ")
    labels += [label.translate(swap) for label in labels[:4]] + ["I" * n, "Z" * n]
    return SparsePauliOp(labels, rng.normal(size=len(labels))).simplify()


def wide(n):
    """Like UCCSD: excitations with strings over all qubits between their orbitals, which no block holds."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.quantum_info import SparsePauliOp

    theta = ParameterVector("w", n - 1)
    circuit = QuantumCircuit(n)
    circuit.x([0, 1])
    for k in range(n - 1):
        letters = ["I"] * k + ["Z"] * (n - k)
        pairs = []
        for a, b, sign in (("X", "Y", 0.5), ("Y", "X", -0.5)):
            letters[k], letters[-1] = a, b
            pairs.append(("".join(reversed(letters)), sign))
        circuit.append(PauliEvolutionGate(SparsePauliOp.from_list(pairs), theta[k]), range(n))
    circuit.append(PauliEvolutionGate(SparsePauliOp(["Z" * n, "Z" * (n - 1) + "I"], [0.3, 0.7]), theta[0]), range(n))
    circuit.append(PauliEvolutionGate(SparsePauliOp("X" * n, 0.4), theta[1]), range(n))
    return circuit


def free(n, size, seed):
    """Rotations, controlled and long-range gates, gates on three qubits, wide evolutions, on random qubits."""
    import numpy as np
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.quantum_info import SparsePauliOp, random_pauli_list

    rng = np.random.default_rng(seed)
    theta = ParameterVector("f", 4)
    circuit = QuantumCircuit(n)
    for k in range(size):
        q = [int(place) for place in rng.permutation(n)]
        angle = float(rng.normal()) * theta[k % 4] + float(rng.normal())
        if k % 8 == 7:
            label = random_pauli_list(n, 1, seed=int(rng.integers(1000)), phase=False)
            circuit.append(PauliEvolutionGate(SparsePauliOp(label, [0.7]), time=angle), q)
            continue
        name, n_angles, width = [
            ("ry", 1, 1), ("h", 0, 1), ("u", 3, 1), ("cx", 0, 2), ("crx", 1, 2), ("rzz", 1, 2), ("ccx", 0, 3)
        ][k % 8]  # fmt: skip
        getattr(circuit, name)(*[angle, 0.3, -angle][:n_angles], *q[:width])
    return circuit


CIRCUITS = {"mixed": mixed, "layers": layers}

if __name__ == "__main__":
    main(sys.argv[1])
