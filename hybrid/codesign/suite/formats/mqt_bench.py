"""Circuits of MQT Bench: the names of its files, and a folder of them as applications of the suite."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import Refused, shown
from hybrid.codesign.suite.circuit_file import CircuitFiles
from hybrid.runs.places import folder_of

LEVELS = ("alg", "indep", "nativegates", "mapped")
"""From the algorithm as it is written to what runs on a device's gates and couplings."""

ENDINGS = (".qasm", ".qpy")

NAME = re.compile(
    r"(?P<benchmark>[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*?)_(?P<level>" + "|".join(LEVELS) + r")(?P<mirror>_mirror)?"
    r"(?:_(?P<target>.+?))??(?:_opt(?P<optimization>[0-3]))?_(?P<n_qubits>[1-9]\d{0,3})"
)


@dataclass(frozen=True)
class Name:
    """What the name of a file says, ``BENCHMARK_LEVEL[_mirror][_TARGET][_optK]_QUBITS``.

    Attributes:
        benchmark: Such as ``"ghz"``.
        level: One of `LEVELS`.
        n_qubits: Of the algorithm; a mapped circuit has as many as its device.
        target: The set of gates or device of the two last levels; older files name the compiler in it, too. None
            where there is none.
        optimization: Level of the compiler's optimization, 0 to 3; None where the name has none.
        mirror: Whether the circuit is followed by its inverse.
    """

    benchmark: str
    level: str
    n_qubits: int
    target: str | None = None
    optimization: int | None = None
    mirror: bool = False

    @property
    def application(self) -> str:
        """The name without the number of qubits: letters, digits and hyphens."""
        return re.sub(r"[^A-Za-z0-9]+", "-", self.family)

    @property
    def family(self) -> str:
        """As the file writes it, without the number of qubits."""
        level = f"{self.level}_mirror" if self.mirror else self.level
        optimization = None if self.optimization is None else f"opt{self.optimization}"
        return "_".join(part for part in (self.benchmark, level, self.target, optimization) if part is not None)

    @classmethod
    def of(cls, stem: str) -> "Name":
        """What a file's name says.

        Args:
            stem: Without the ending.

        Raises:
            Refused: if it is none of MQT Bench's.

        >>> Name.of("bmw_quark_copula_mapped_ibm_falcon_27_opt2_8")  # doctest: +NORMALIZE_WHITESPACE
        Name(benchmark='bmw_quark_copula', level='mapped', n_qubits=8, target='ibm_falcon_27', optimization=2,
             mirror=False)
        """
        found = NAME.fullmatch(stem)
        if found is None:
            raise Refused(
                f"{shown(stem)} is no name of MQT Bench's, NAME_LEVEL[_TARGET][_optK]_QUBITS with a LEVEL of "
                f"{', '.join(LEVELS)}, such as ghz_indep_opt2_5; rename the file so"
            )
        number = found["optimization"]
        return cls(
            found["benchmark"],
            found["level"],
            int(found["n_qubits"]),
            found["target"],
            None if number is None else int(number),
            found["mirror"] is not None,
        )


def applications(folder: str | Path) -> dict[str, CircuitFiles]:
    """The circuits in a folder as applications of the suite, by name; each number of qubits is a size.

    Args:
        folder: Whose files end in .qasm (OpenQASM 2 or 3) or .qpy, with names of MQT Bench's. Others are not looked at.

    Raises:
        Refused: if there is no such folder or no such file in it, for another name, or two files of one circuit.
    """
    folder = folder_of(folder)
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder; name the one that MQT Bench's files are in")
    found: dict[str, dict[int, Path]] = {}
    titles: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in ENDINGS:
            continue
        name = Name.of(file.stem)
        files = found.setdefault(name.application, {})
        if name.n_qubits in files:
            raise Refused(f"{files[name.n_qubits].name} and {file.name} in {folder} are the same circuit; keep one")
        files[name.n_qubits] = file
        titles[name.application] = name.family
    if not found:
        raise Refused(f"{folder} has no file that ends in {' or '.join(ENDINGS)}")
    return {name: circuits(name, titles[name], files) for name, files in found.items()}


def circuits(name: str, title: str, files: Mapping[int, Path]) -> CircuitFiles:
    """An application of circuits in files.

    Args:
        name: For commands and records.
        title: For tables and pictures.
        files: Number of qubits to file.
    """
    return CircuitFiles(name, title, dict(sorted(files.items())))
