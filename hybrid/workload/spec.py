"""The written form of a workload and its backend: JSON-able values, read back strictly and to the last bit."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.base import Backend
from circuits import Problem
from circuits.errors import Refused
from circuits.secrets import is_hidden, is_reference, is_secret, kept
from hybrid import optimizers
from hybrid.workload.arguments import BackendLike, OptimizerLike
from hybrid.workload.workload import Workload, workload


class RecordModel(BaseModel):
    """A part of a record that is kept as JSON: known keys must have the right type, unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class ProblemSpec(RecordModel):
    """A problem as a record holds it, without its Hamiltonian, which has a file of its own.

    Attributes:
        name: Of the problem.
        unit: Of its energies.
        source: The arguments that make it again; see `circuits.Problem`.
        exact_energy: Its lowest energy, in the unit; None where that was not computed.
    """

    name: str
    unit: str
    source: dict[str, Any]
    exact_energy: FiniteFloat | None = None


class WorkloadSpec(RecordModel):
    """A workload as a record holds it, without circuit and problem.

    Attributes:
        optimizer: Kind and settings, for `hybrid.optimizers.get`.
        theta: Starting point, radians; its length is the number of parameters.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        max_steps: Most steps of the optimizer.
        seed: Root of every random number of the run.
        shots: Shots for each measured circuit, or None.
        label: Classification of the data.
    """

    optimizer: dict[str, Any]
    theta: list[FiniteFloat]
    accuracy: PositiveFloat
    max_steps: PositiveInt
    seed: NonNegativeInt
    shots: PositiveInt | None
    label: str


class BackendSpec(RecordModel):
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
        """What tables and messages call it."""
        return self.name or self.object or "?"

    @property
    def question(self) -> tuple[Any, ...]:
        """What must be the same for a run to go on: all but where its secrets come from."""
        secret = {*self.withheld, *(name for name, value in self.options.items() if is_reference(value))}
        options = {name: value for name, value in self.options.items() if name not in secret}
        return self.name, self.object, options, secret

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, without empty fields."""
        return self.model_dump(exclude_defaults=True) | ({} if self.name is None else {"options": self.options})


def workload_spec(work: Workload) -> WorkloadSpec:
    """The written form of a workload, from which `workload_of` makes it again to the last bit."""
    return WorkloadSpec(
        optimizer=work.optimizer.describe(),
        theta=work.theta.tolist(),
        accuracy=work.accuracy,
        max_steps=work.max_steps,
        seed=work.seed,
        shots=work.shots,
        label=work.label,
    )


def workload_of(
    spec: WorkloadSpec, circuit: QuantumCircuit, problem: Problem, *, optimizer: OptimizerLike | None = None
) -> Workload:
    """The workload that a record describes, to the last bit.

    Args:
        spec: Its written form.
        circuit: The ansatz.
        problem: What is minimized, on the circuit's qubits.
        optimizer: The one that the record names, where a record cannot hold it.

    Raises:
        Refused: if the spec names no optimizer, another one is given, or the parts do not fit each other.
    """
    try:
        named = optimizers.get(**spec.optimizer)
    except TypeError as err:
        raise Refused(f"{spec.optimizer!r} describes no optimizer: {err}") from err
    given = named if optimizer is None else optimizers.get(optimizer)
    if given.describe() != named.describe():
        raise Refused(
            f"the run was started with the optimizer {named.describe()}, and {given.describe()} is another: give the "
            "same one"
        )
    return workload(
        circuit,
        problem,
        optimizer=given,
        theta=spec.theta,
        accuracy=spec.accuracy,
        max_steps=spec.max_steps,
        seed=spec.seed,
        shots=spec.shots,
        label=spec.label,
    )


def problem_of(spec: ProblemSpec, hamiltonian: SparsePauliOp) -> Problem:
    """The problem that a record describes, without what no record holds: reference state, layers, structure.

    Args:
        spec: Its written form.
        hamiltonian: Of the problem.
    """
    return Problem(name=spec.name, hamiltonian=hamiltonian, unit=spec.unit, source=spec.source)


def backend_spec(backend: Backend) -> BackendSpec:
    """How a record names a backend.

    Args:
        backend: One that `backends.get` made from a name, or an object around another library's device.

    Returns:
        Name and options. A secret that stands in a variable of the environment is a reference to it; of any other only
        the option's name is kept. A backend with an option that is neither that nor a string, a number, a truth value,
        None, or lists and tables of these, is described like an object without a name.
    """
    origin = backend.origin
    if origin is None:
        return BackendSpec(object=backend.capabilities().name)
    safe = {name: kept(name, value) for name, value in origin.options.items()}
    secret = sorted(name for name, value in safe.items() if is_hidden(value))
    options = {name: value for name, value in safe.items() if name not in secret}
    if not all(_is_plain(value) or is_reference(value) for value in options.values()):
        return BackendSpec(object=backend.capabilities().name)
    options = {name: _listed(value) for name, value in options.items()}
    return BackendSpec(name=origin.name, options=options, withheld=secret)


def _is_plain(value: Any) -> bool:
    """Whether JSON holds it, and no part of it may be secret."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        named = all(isinstance(key, str) and not is_secret(key, one) for key, one in value.items())
        return named and all(map(_is_plain, value.values()))
    return isinstance(value, str | int | float | bool | None)


def _listed(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    if isinstance(value, list | tuple):
        return [_listed(one) for one in value]
    return {key: _listed(one) for key, one in value.items()} if isinstance(value, Mapping) else value


def requested_backend(backend: BackendLike) -> str | dict[str, Any]:
    """How a request names a backend, as a JSON-able value: "auto", or the form of its `BackendSpec`.

    Raises:
        Refused: for an unknown name.
    """
    return "auto" if isinstance(backend, str) and backend == "auto" else backend_spec(backends.get(backend)).to_dict()


def backend_of(spec: BackendSpec, backend: BackendLike | None = None, *, call: str = "hybrid.resume") -> Backend:
    """The backend that a record names, or the one given in its place.

    Args:
        spec: Its written form.
        backend: Needed where the record does not hold all of it: a backend object, or secret options.
        call: The function that takes such a backend, for the refusal.

    Raises:
        Refused: if the record does not hold all of it and none is given, or another one is given.
    """
    if backend is not None:
        given = backends.get(backend)
        if backend_spec(given).question != spec.question:
            raise Refused(f"the run was started on {spec.title} {spec.options}, and {backend!r} is another backend")
        return given
    if spec.name is None:
        raise Refused(
            f"the run was started on a backend object ({spec.title}), which its folder cannot hold: "
            f"give it again, {call}(folder, backend=...)"
        )
    if spec.withheld:
        raise Refused(
            f"the run was started with secret options of {spec.name} ({', '.join(spec.withheld)}), which its folder "
            f"does not hold: give the backend again, {call}(folder, backend=...)"
        )
    return backends.get(spec.name, **spec.options)
