"""The kinds of problems and ansatz circuits in a study file: which keys each has, and what they must be.

A key that is left out is left to the function behind the kind, so a default stands in one place only. Every description
completes the words "must be" in an error message. Kinds of other packages say in their function's signature what they
take.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, SerializeAsAny, ValidationInfo, create_model, model_validator
from pydantic_core import PydanticCustomError

from circuits import registry
from circuits.options import MISSING, options_of
from circuits.problems import encodings
from hybrid.studies.algorithm_sections import ALGORITHMS, AlgorithmSection
from hybrid.studies.fields import (
    LAYERS,
    Axes,
    Bonds,
    Count,
    Geometry,
    InputFile,
    KindSection,
    Layers,
    Pairs,
    Ring,
    Sites,
    Strength,
    WeightedPairs,
    Words,
    fault,
)


class Molecule(KindSection):
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
    mapping: encodings.Mapping | None = Field(
        default=None, description='how orbitals become qubits: "jordan_wigner", "parity" or "bravyi_kitaev"'
    )
    taper: bool | None = Field(
        default=None, description="whether qubits that symmetries make superfluous are left out, true or false"
    )


class Tfim(KindSection):
    """Transverse-field Ising model."""

    kind: Literal["tfim"]
    n: Sites
    coupling: Strength = None
    field: Strength = None
    periodic: Ring = None
    edges: Bonds = None


class Heisenberg(KindSection):
    """Heisenberg model."""

    kind: Literal["heisenberg"]
    n: Sites
    coupling: float | Axes | None = Field(default=None, description="a finite number, or three of them for X, Y and Z")
    field: Strength = None
    periodic: Ring = None
    edges: Bonds = None


class Maxcut(KindSection):
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


class PauliTerms(KindSection):
    """A Hamiltonian from a file."""

    kind: Literal["pauli_terms"]
    path: InputFile = Field(description='the path of a file with a line "coefficient PAULIS" for each term')


class Uccsd(KindSection):
    """Unitary coupled cluster."""

    kind: Literal["uccsd"]


class HardwareEfficient(KindSection):
    """Rotations and entangling gates."""

    kind: Literal["hardware_efficient"]
    layers: Layers | None = Field(default=None, description=LAYERS)
    rotations: Words | None = Field(default=None, description='a list of rotations, such as ["ry", "rz"]')
    entangler: str | None = Field(default=None, description='a two-qubit gate, such as "cx" or "rzz"')
    topology: str | Pairs | None = Field(default=None, description='"linear", "ring", "all", or pairs of qubits')


class HamiltonianVariational(KindSection):
    """Layers of the Hamiltonian's own parts."""

    kind: Literal["hamiltonian_variational"]
    layers: Layers = Field(description=LAYERS)


class Qaoa(KindSection):
    """Quantum approximate optimization."""

    kind: Literal["qaoa"]
    layers: Layers = Field(description=LAYERS)


class CircuitFile(KindSection):
    """A circuit of the user's own."""

    kind: Literal["file"]
    path: InputFile = Field(description="the path of a circuit in OpenQASM (.qasm) or QPY (.qpy)")


PROBLEMS: dict[str, type[KindSection]] = {
    "heisenberg": Heisenberg,
    "maxcut": Maxcut,
    "molecule": Molecule,
    "pauli_terms": PauliTerms,
    "tfim": Tfim,
}
ANSATZES: dict[str, type[KindSection]] = {
    "file": CircuitFile,
    "hamiltonian_variational": HamiltonianVariational,
    "hardware_efficient": HardwareEfficient,
    "qaoa": Qaoa,
    "uccsd": Uccsd,
}


def kinds(section: str) -> list[str]:
    """The kinds of problems, ansatz circuits or algorithms that a study may name, those of other packages included.

    Args:
        section: "problem", "ansatz" or "algorithm".

    Returns:
        Names, sorted.
    """
    theirs = registry.names(section) if section != "algorithm" else []
    return sorted({*_ours(section), *theirs})


def model_of(section: str, kind: str) -> type[KindSection]:
    """The model of a kind's table; for a kind of another package it is made from its function's signature.

    Args:
        section: As for `kinds`.
        kind: Its name.

    Raises:
        Refused: for an unknown kind, or one that cannot be loaded.
    """
    ours = _ours(section)
    return ours[kind] if kind in ours else _from_function(section, kind)


def _ours(section: str) -> Mapping[str, type[KindSection]]:
    return {"problem": PROBLEMS, "ansatz": ANSATZES, "algorithm": ALGORITHMS}[section]


@cache
def _from_function(section: str, kind: str) -> type[KindSection]:
    options = options_of(registry.load(section, kind), after=1 if section == "ansatz" else 0)
    fields: dict[str, Any] = {"kind": (Literal[kind], ...)} | {
        name: (
            option.type,
            Field(default=... if option.default is MISSING else option.default, description=option.description or None),
        )
        for name, option in options.items()
    }
    return create_model(f"{section}_{kind}", __base__=KindSection, **fields)


def _of_kind(section: str, table: Any, info: ValidationInfo) -> KindSection | None:
    if isinstance(table, KindSection):
        return table
    if section != "algorithm":
        _check_needed(section, table, info.data.get("algorithm", "unknown"))
        if table is None:
            return None
    if not isinstance(table, dict) or not isinstance(table.get("kind"), str) or table["kind"] not in kinds(section):
        raise ValueError("must be a table with a known kind")
    return model_of(section, table["kind"]).model_validate(table, context=info.context)


def _check_needed(section: str, table: Any, algorithm: Any) -> None:
    """Refuse a section that the algorithm does not take, and that one which it needs is missing."""
    if algorithm is None and table is None:
        raise PydanticCustomError("missing", "missing")
    if not isinstance(algorithm, AlgorithmSection):
        return
    if table is None and section in algorithm.needs:
        raise PydanticCustomError("missing", "missing", {"algorithm": algorithm.kind})
    if table is not None and section not in algorithm.needs:
        made = "brings its own circuit" if section == "ansatz" else "works on data instead"
        message = f"an algorithm of kind {algorithm.kind} {made}; leave the section out"
        raise PydanticCustomError("rule", "{message}", {"message": message})


AnyProblem = Annotated[
    SerializeAsAny[KindSection] | None, PlainValidator(lambda table, info: _of_kind("problem", table, info))
]
AnyAnsatz = Annotated[
    SerializeAsAny[KindSection] | None, PlainValidator(lambda table, info: _of_kind("ansatz", table, info))
]
AnyAlgorithm = Annotated[
    SerializeAsAny[AlgorithmSection], PlainValidator(lambda table, info: _of_kind("algorithm", table, info))
]
