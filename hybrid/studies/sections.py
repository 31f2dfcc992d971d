"""The sections of a study file: which keys there are, what they mean, and what they must be.

A key that is left out is left to the function behind the section, so a default stands in one place only. Every
description completes the words "must be" in an error message.
"""

import dataclasses
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from hybrid.studies.fields import (
    LAYERS,
    STRICT,
    Axes,
    Bonds,
    Count,
    Geometry,
    InputFile,
    Layers,
    Pairs,
    Ring,
    Section,
    Sites,
    Strength,
    WeightedPairs,
    Words,
    fault,
)


class Molecule(Section):
    """Electrons of a molecule in a basis of orbitals."""

    kind: Literal["molecule"]
    geometry: Geometry = Field(
        description='atoms and their places in angstrom, such as "H 0 0 0; H 0 0 0.735", or the path of an .xyz file'
    )
    basis: str | None = Field(default=None, description='the name of a basis set, such as "sto-3g"')
    active_space: Annotated[tuple[Count, Count], Field(strict=False)] | None = Field(
        default=None, description="[electrons, orbitals], two whole numbers from 1"
    )
    charge: int | None = Field(default=None, ge=-100, le=100, description="the total charge, a whole number of protons")
    spin: int | None = Field(
        default=None, ge=0, le=100, description="the number of unpaired electrons, a whole number from 0"
    )


class Tfim(Section):
    """Transverse-field Ising model."""

    kind: Literal["tfim"]
    n: Sites
    coupling: Strength = None
    field: Strength = None
    periodic: Ring = None
    edges: Bonds = None


class Heisenberg(Section):
    """Heisenberg model."""

    kind: Literal["heisenberg"]
    n: Sites
    coupling: float | Axes | None = Field(default=None, description="a finite number, or three of them for X, Y and Z")
    field: Strength = None
    periodic: Ring = None
    edges: Bonds = None


class Maxcut(Section):
    """Largest cut of a graph."""

    kind: Literal["maxcut"]
    edges: WeightedPairs | None = Field(
        default=None, description="pairs of nodes, each with a weight if wanted, such as [[0, 1], [1, 2, 0.5]]"
    )
    path: InputFile | None = Field(
        default=None, description='the path of a file with a line "node node [weight]" for each edge'
    )

    @model_validator(mode="after")
    def _one_source(self):
        if (self.edges is None) == (self.path is None):
            raise fault("edges", self.edges, "give either edges or path, one of them")
        return self

    def arguments(self) -> dict[str, Any]:
        """Both keys are the one argument of `circuits.maxcut`."""
        return {"edges": self.edges if self.path is None else self.path}


class PauliTerms(Section):
    """A Hamiltonian from a file."""

    kind: Literal["pauli_terms"]
    path: InputFile = Field(description='the path of a file with a line "coefficient PAULIS" for each term')


class Uccsd(Section):
    """Unitary coupled cluster."""

    kind: Literal["uccsd"]


class HardwareEfficient(Section):
    """Rotations and entangling gates."""

    kind: Literal["hardware_efficient"]
    layers: Layers | None = Field(default=None, description=LAYERS)
    rotations: Words | None = Field(default=None, description='a list of rotations, such as ["ry", "rz"]')
    entangler: str | None = Field(default=None, description='a two-qubit gate, such as "cx" or "rzz"')
    topology: str | Pairs | None = Field(default=None, description='"linear", "ring", "all", or pairs of qubits')


class HamiltonianVariational(Section):
    """Layers of the Hamiltonian's own parts."""

    kind: Literal["hamiltonian_variational"]
    layers: Layers = Field(description=LAYERS)


class Qaoa(Section):
    """Quantum approximate optimization."""

    kind: Literal["qaoa"]
    layers: Layers = Field(description=LAYERS)


class CircuitFile(Section):
    """A circuit of the user's own."""

    kind: Literal["file"]
    path: InputFile = Field(description="the path of a circuit in OpenQASM (.qasm) or QPY (.qpy)")


def _backend_name(name: str) -> str:
    from backends.registry import names
    from circuits.errors import unknown

    if name != "auto" and name.partition(":")[0] not in names():
        raise unknown("backend", name, ["auto", *names()])
    return name


def _optimizer_name(kind: str) -> str:
    from circuits.errors import unknown
    from hybrid.optimizers import names

    if kind not in names():
        raise unknown("optimizer", kind, names())
    return kind


class Optimizer(Section):
    """An optimizer's name, when it stops, and settings of its own."""

    model_config = STRICT | {"extra": "allow"}

    kind: Annotated[str, AfterValidator(_optimizer_name)] = Field(
        default="lbfgs", description="the name of an optimizer"
    )
    max_steps: Count = Field(default=200, description="a whole number from 1")
    accuracy: float = Field(default=1e-6, gt=0, description="a positive number, in the problem's unit")

    @property
    def description(self) -> dict[str, Any]:
        """Kind and settings, as `hybrid.optimizers.get` takes them."""
        return {"kind": self.kind, **(self.model_extra or {})}

    @model_validator(mode="after")
    def _own_settings(self):
        from hybrid import optimizers

        if not self.model_extra:
            return self
        method: Any = type(optimizers.get(self.kind))
        types = get_type_hints(method)
        known = [field.name for field in dataclasses.fields(method)]
        for key, value in self.model_extra.items():
            if key not in known:
                raise fault(key, value, "unknown key", known=[*type(self).model_fields, *known])
            try:
                TypeAdapter(types[key], config=ConfigDict(strict=True, allow_inf_nan=False)).validate_python(value)
            except ValidationError as err:
                raise fault(key, value, err.errors()[0]["msg"].replace("Input should be", "must be")) from err
            try:
                optimizers.get(self.kind, **{key: value})
            except ValueError as err:
                raise fault(key, value, str(err)) from err
        return self


class Backend(Section):
    """Where to run, and how."""

    name: Annotated[str, AfterValidator(_backend_name)] = Field(
        default="auto", description='the name of a backend, such as "auto", "statevector" or "ibm:fake_manila"'
    )
    shots: Count | None = Field(default=None, description="the shots for each measured circuit, a whole number from 1")
    precision: Literal["double", "single"] | None = Field(default=None, description='"double" or "single"')
    method: str | None = Field(default=None, description='a method of Aer, such as "matrix_product_state"')
    noise: str | None = Field(default=None, description='a device whose noise Aer imitates, such as "fake_manila"')
    memory: Literal["auto", "keep", "lean"] | None = Field(
        default=None, description='"auto", "keep" or "lean": whether gradients of 17 qubits or more keep states'
    )

    optimization_level: Literal[0, 1, 2, 3] | None = Field(
        default=None, description="0, which runs every gate, or 1 to 3, which shorten circuits before they are run"
    )

    @model_validator(mode="after")
    def _options_of_the_name(self):
        for key, name in (("method", "aer"), ("noise", "aer"), ("memory", "statevector")):
            value = getattr(self, key)
            if value is not None and self.name != name:
                raise fault(key, value, f'only name = "{name}" takes this key, and the name is "{self.name}"')
        if self.optimization_level is not None and self.name.partition(":")[0] not in ("aer", "ibm"):
            words = f'only "aer" and "ibm:..." take this key, and the name is "{self.name}"'
            raise fault("optimization_level", self.optimization_level, words)
        if self.precision is not None and self.name == "auto":
            raise fault(
                "precision", self.precision, 'name a backend to choose its precision; with "auto" accuracy does'
            )
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Options as `backends.get` takes them."""
        options = {"precision": self.precision, "method": self.method, "noise_model": self.noise}
        options |= {"memory": self.memory, "optimization_level": self.optimization_level}
        return {key: value for key, value in options.items() if value is not None}


class Run(Section):
    """What is recorded with the run."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="a whole number from 0")
    label: Literal["open", "internal", "restricted"] = Field(
        default="open", description='"open", "internal" or "restricted": where the data may go'
    )
    warm_start: bool = Field(
        default=False, description="true or false: whether each point of a sweep starts from the one before it"
    )
    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+=-]{0,99}$",
        description="letters, digits and any of _.+=-, without spaces",
    )


AnyProblem = Annotated[Molecule | Tfim | Heisenberg | Maxcut | PauliTerms, Field(discriminator="kind")]
AnyAnsatz = Annotated[
    Uccsd | HardwareEfficient | HamiltonianVariational | Qaoa | CircuitFile, Field(discriminator="kind")
]


class Spec(Section):
    """One workload as a study file describes it, without a sweep."""

    problem: AnyProblem
    ansatz: AnyAnsatz
    optimizer: Optimizer = Field(default=Optimizer())
    backend: Backend = Field(default=Backend())
    run: Run = Field(default=Run())

    @model_validator(mode="after")
    def _fitting_ansatz(self):
        if self.ansatz.kind == "uccsd" and self.problem.kind != "molecule":
            raise fault("ansatz.kind", "uccsd", f'needs a problem of kind "molecule", not "{self.problem.kind}"')
        return self
