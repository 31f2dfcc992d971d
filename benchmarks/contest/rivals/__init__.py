"""Who takes part: one file for each library, and this list.

A contestant is a function ``prepare(case) -> f`` with ``f(theta) -> (value, gradient)``, or ``(value, None)`` where
the task is the energy alone; f returns NumPy arrays, so that it has finished when it returns.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from contest.workloads import KINDS, LAYERED, Workload


@dataclass(frozen=True)
class Contestant:
    """One library in one configuration.

    Attributes:
        place: ``module:function`` in this package.
        library: Module whose import is timed.
        task: What it is asked for: "gradient" is the value with its gradient.
        kinds: Workloads it makes sense for; it is left out of the others without a word.
        precisions: Those it has; where it lacks one, this is stored as the reason.
        packages: Distributions whose versions belong to the record.
        environment: Variables of its process.
        gpu: Whether it computes on a GPU where there is one.
        cpu: Whether it computes on the processor.
        backend: Name and options of the backend behind it, which predicts its memory; None for another library.
        most_qubits: Where another configuration of the library is surely faster above; as with kinds.
    """

    place: str
    library: str
    task: str = "gradient"
    kinds: tuple[str, ...] = tuple(KINDS)
    precisions: tuple[str, ...] = ("double", "single")
    packages: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    gpu: bool = False
    cpu: bool = True
    backend: tuple[str, dict[str, str]] | None = None
    most_qubits: int | None = None

    def prepare(self) -> Callable:
        """The function that makes the contestant ready for a case."""
        module, _, function = self.place.partition(":")
        return getattr(import_module(f"{__name__}.{module}"), function)

    def takes_part(self, workload: Workload, task: str) -> bool:
        """Whether the workload is one for this contestant."""
        small = self.most_qubits is None or workload.n_qubits <= self.most_qubits
        there = self.gpu if workload.device == "gpu" else self.cpu
        return task == self.task and workload.kind in self.kinds and small and there


OURS = {"gradient": "statevector", "energy": "statevector-energy"}

_LIGHTNING = "pennylane_lightning.lightning_qubit"
_ALL_THREADS = {"OMP_NUM_THREADS": str(len(os.sched_getaffinity(0)))}
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}
_SERIAL = 18
"""Up to so many qubits the threads of OpenMP may cost a library more than they save, above all on a busy machine."""

_TENSORCIRCUIT = ("tensorcircuit-ng", "tensornetwork-ng")

CONTESTANTS = {
    "statevector": Contestant("engine:gradient", "backends.statevector.engine", gpu=True),
    "lightning": Contestant("lightning:adjoint", _LIGHTNING),
    "lightning-serial": Contestant("lightning:adjoint", _LIGHTNING, environment=_ONE_THREAD, most_qubits=_SERIAL),
    # Lightning shares the terms of H out among as many threads as the variable says, and does not if it says nothing.
    "lightning-batched": Contestant("lightning:batched", _LIGHTNING, environment=_ALL_THREADS),
    "lightning-native": Contestant("lightning:native", _LIGHTNING, kinds=("uccsd",)),
    "lightning-native-serial": Contestant("lightning:native", _LIGHTNING, kinds=("uccsd",), environment=_ONE_THREAD),
    "lightning-native-batched": Contestant(
        "lightning:native_batched", _LIGHTNING, kinds=("uccsd",), environment=_ALL_THREADS
    ),
    "qulacs": Contestant("qulacs:backprop", "qulacs", precisions=("double",), packages=("qulacs",)),
    "qulacs-serial": Contestant(
        "qulacs:backprop",
        "qulacs",
        precisions=("double",),
        packages=("qulacs",),
        environment=_ONE_THREAD,
        most_qubits=_SERIAL,
    ),
    "tensorcircuit": Contestant("tensorcircuit:unrolled", "tensorcircuit", packages=_TENSORCIRCUIT, gpu=True),
    "tensorcircuit-scan": Contestant(
        "tensorcircuit:scanned", "tensorcircuit", kinds=LAYERED, packages=_TENSORCIRCUIT, gpu=True
    ),
    "pennylane-jax": Contestant("pennylane_jax:backprop", "pennylane", gpu=True),
    "statevector-xla": Contestant(
        "engine:whole", "backends.statevector.engine", gpu=True, cpu=False, backend=("statevector", {"executor": "xla"})
    ),
    "lightning.gpu": Contestant(
        "lightning:on_card",
        "pennylane_lightning.lightning_gpu",
        packages=("pennylane-lightning-gpu",),
        gpu=True,
        cpu=False,
        backend=("lightning.gpu", {}),
    ),
    "aer-gpu": Contestant(
        "aer:on_card",
        "qiskit_aer",
        "energy",
        packages=("qiskit-aer-gpu",),
        gpu=True,
        cpu=False,
        backend=("aer", {"device": "gpu"}),
    ),
    "statevector-energy": Contestant("engine:energy", "backends.statevector.engine", "energy"),
    "aer": Contestant("aer:energy", "qiskit_aer", "energy"),
    "aer-serial": Contestant("aer:energy", "qiskit_aer", "energy", environment=_ONE_THREAD, most_qubits=_SERIAL),
    "qokit": Contestant("qokit:energy", "qokit", "energy", ("qaoa",), ("double",), packages=("qokit",)),
}
"""By name, ours first in each task."""

PACKAGES = tuple(dict.fromkeys(package for c in CONTESTANTS.values() for package in c.packages))
