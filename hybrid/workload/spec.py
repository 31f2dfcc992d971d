"""The written form of a workload and its backend: JSON-able values, read back strictly and to the last bit."""

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt
from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from circuits import Problem
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.workload.workload import Workload, workload

SECRET = re.compile(r"(?i)token|secret|passw(or)?d|api_?key|access_?key|credential|private_?key|\bauth")
"""Names of options whose values are never written down."""


class Words(BaseModel):
    """A part of a record: what it says must be of the right type, what it says beyond is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class ProblemWords(Words):
    """A problem but for its Hamiltonian, which is written apart.

    Attributes:
        name: Of the problem.
        unit: Of its energies.
        source: What makes it again.
        exact_energy: Its lowest energy, or None where that was not computed.
    """

    name: str
    unit: str
    source: dict[str, Any]
    exact_energy: FiniteFloat | None = None


class WorkloadWords(Words):
    """A workload but for circuit and problem; see `Workload`."""

    optimizer: dict[str, Any]
    theta: list[FiniteFloat]
    accuracy: PositiveFloat
    max_steps: PositiveInt
    seed: NonNegativeInt
    shots: PositiveInt | None
    label: str


class BackendWords(Words):
    """A backend by its name and options, or, for an object without a name, what it is.

    Attributes:
        name: For `backends.get`; None for an object.
        options: For `backends.get`.
        withheld: Names of options that were given, but are not written since they may be secret.
        object: What an object is called.
    """

    name: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    withheld: list[str] = Field(default_factory=list)
    object: str | None = None

    @property
    def title(self) -> str:
        """For tables."""
        return self.name or self.object or "?"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, without what is empty."""
        return self.model_dump(exclude_defaults=True) | ({} if self.name is None else {"options": self.options})


def workload_words(work: Workload) -> WorkloadWords:
    """The written form of a workload."""
    return WorkloadWords(
        optimizer=work.optimizer.describe(),
        theta=work.theta.tolist(),
        accuracy=work.accuracy,
        max_steps=work.max_steps,
        seed=work.seed,
        shots=work.shots,
        label=work.label,
    )


def workload_of(words: WorkloadWords, circuit: QuantumCircuit, problem: Problem) -> Workload:
    """The workload again, to the last bit.

    Raises:
        Refused: if the words name no optimizer, or do not fit the circuit.
    """
    try:
        optimizer = optimizers.get(**words.optimizer)
    except TypeError as err:
        raise Refused(f"{words.optimizer!r} describes no optimizer: {err}") from err
    return workload(
        circuit,
        problem,
        optimizer=optimizer,
        theta=words.theta,
        accuracy=words.accuracy,
        max_steps=words.max_steps,
        seed=words.seed,
        shots=words.shots,
        label=words.label,
    )


def problem_of(words: ProblemWords, hamiltonian: Any, solve: Callable[[], float] | None = None) -> Problem:
    """The problem again, as far as a record knows it.

    Args:
        words: Of the problem.
        hamiltonian: A SparsePauliOp.
        solve: A better way to the exact energy than diagonalization, where one is known.
    """
    return Problem(name=words.name, hamiltonian=hamiltonian, unit=words.unit, source=words.source, solve=solve)


def backend_words(backend: Backend) -> BackendWords:
    """How a record names a backend. Secrets are withheld; an option that JSON cannot hold makes it an object."""
    origin = backend.origin
    if origin is None:
        return BackendWords(object=backend.capabilities().name)
    secret = sorted(name for name in origin.options if SECRET.search(name))
    options = {name: value for name, value in origin.options.items() if name not in secret}
    if not all(isinstance(value, str | int | float | bool | None) for value in options.values()):
        return BackendWords(object=backend.capabilities().name)
    return BackendWords(name=origin.name, options=options, withheld=secret)


def backend_of(words: BackendWords, backend: Any = None) -> Backend:
    """The backend that a record names, or the object given in its place.

    Raises:
        Refused: if the record names none that can be made from it, and none is given; or another one is given.
    """
    if backend is not None:
        given = backends.get(backend)
        if backend_words(given) != words:
            raise Refused(f"the run was started on {words.title} {words.options}, and {backend!r} is another backend")
        return given
    if words.name is None:
        raise Refused(
            f"the run was started on a backend object ({words.title}), which its folder cannot hold: "
            "give it again, hybrid.resume(folder, backend=...)"
        )
    if words.withheld:
        raise Refused(
            f"the run was started with secret options of {words.name} ({', '.join(words.withheld)}), which its folder "
            "does not hold: give the backend again, hybrid.resume(folder, backend=...)"
        )
    return backends.get(words.name, **words.options)
