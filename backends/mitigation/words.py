"""The words in which mitigation is asked for, the same in Python and in study files, and their settings.

mitigation = ["readout", "twirling", "zne"]
mitigation = {readout = {}, zne = {factors = [1, 2, 3], extrapolation = "exponential"}}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from circuits.errors import Refused, unknown
from circuits.options import check, options_of

WORDS = 'words or tables of "readout", "twirling", "dd", "zne", "cdr", such as ["readout", "zne"]'
"""What the option must be."""

Extrapolation = Literal["linear", "richardson", "exponential"]


@dataclass(frozen=True)
class Readout:
    """Errors of measurement are measured on each qubit, and their inverse is applied to what was counted.

    Attributes:
        shots: Of each of the two circuits that measure them; those of the other circuits if None.
    """

    shots: Annotated[int | None, "a whole number, at least 1"] = None

    def __post_init__(self):
        _at_least("readout: shots", self.shots, 1)


@dataclass(frozen=True)
class Twirling:
    """Random Pauli gates around each gate on two qubits turn its coherent errors into random ones.

    Attributes:
        randomizations: Circuits with Paulis of their own that share the shots of one.
    """

    randomizations: Annotated[int, "a whole number, at least 2"] = 32

    def __post_init__(self):
        _at_least("twirling: randomizations", self.randomizations, 2)


@dataclass(frozen=True)
class Decoupling:
    """Qubits that wait are turned back and forth.

    Attributes:
        sequence: Gates that fill a wait.
    """

    sequence: Annotated[Literal["XX", "XY4"], '"XX" or "XY4"'] = "XX"


@dataclass(frozen=True)
class ZeroNoise:
    """Noise is amplified by folding gates, and values are extrapolated to none.

    Attributes:
        factors: By how much; ascending from 1.
        extrapolation: The curve: a line, the polynomial through all points, or an exponential decay to the trace.
    """

    factors: Annotated[Sequence[float], "numbers ascending from 1, at least two"] = (1, 3, 5)
    extrapolation: Annotated[Extrapolation, '"linear", "richardson" or "exponential"'] = "linear"

    def __post_init__(self):
        object.__setattr__(self, "factors", tuple(float(factor) for factor in self.factors))
        ascending = all(a < b for a, b in zip(self.factors, self.factors[1:], strict=False))
        if len(self.factors) < 2 or self.factors[0] != 1 or not ascending:
            raise Refused(f"zne: factors must be at least two numbers ascending from 1, not {list(self.factors)}")


@dataclass(frozen=True)
class CliffordData:
    """Circuits near the asked one, whose values are known, tell how noise changes values.

    Attributes:
        training: Number of such circuits.
        kept: Most rotations of a training circuit that stay as they are; all others become Clifford gates.
    """

    training: Annotated[int, "a whole number, at least 4"] = 16
    kept: Annotated[int, "a whole number, at least 0"] = 8

    def __post_init__(self):
        _at_least("cdr: training", self.training, 4)
        _at_least("cdr: kept", self.kept, 0)


@dataclass(frozen=True)
class Mitigation:
    """What is asked for; a part that is None is not.

    Attributes:
        readout: Correct errors of measurement.
        twirling: Randomize gates on two qubits.
        dd: Dynamical decoupling.
        zne: Zero-noise extrapolation.
        cdr: Clifford data regression.
    """

    readout: Readout | None = None
    twirling: Twirling | None = None
    dd: Decoupling | None = None
    zne: ZeroNoise | None = None
    cdr: CliffordData | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The names of what is asked for."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)


MitigationLike = (
    Mitigation | str | Mapping[str, Mapping[str, object]] | Sequence[str | Mapping[str, Mapping[str, object]]]
)
"""A word, a table of words and their settings, or a list of both."""

KINDS: dict[str, Any] = {
    "readout": Readout,
    "twirling": Twirling,
    "dd": Decoupling,
    "zne": ZeroNoise,
    "cdr": CliffordData,
}


def as_mitigation(option: MitigationLike | None) -> Mitigation:
    """Read the option ``mitigation``.

    Args:
        option: A word, a table of words and their settings, or a list of both; None for none.

    Raises:
        Refused: for an unknown word or setting, with the nearest right one; a word that stands twice; and words that
            exclude each other.

    >>> as_mitigation(["readout", {"zne": {"extrapolation": "richardson"}}]).words
    ('readout', 'zne')
    """
    if isinstance(option, Mitigation):
        return option
    found: dict[str, Any] = {}
    for word, settings in _pairs(option):
        if word not in KINDS:
            raise unknown("mitigation", word, KINDS)
        if word in found:
            raise Refused(f"mitigation names '{word}' twice; name it once, with all its settings")
        check(settings, options_of(KINDS[word]), f"mitigation '{word}'")
        found[word] = KINDS[word](**settings)
    if "zne" in found and "cdr" in found:
        raise Refused("mitigation names 'zne' and 'cdr', which both estimate the value without noise; name one of them")
    return Mitigation(**found)


def _pairs(option: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if option is None:
        return []
    if isinstance(option, str):
        return [(option, {})]
    if isinstance(option, Mapping):
        pairs = list(option.items())
        for word, settings in pairs:
            if not (isinstance(word, str) and isinstance(settings, Mapping)):
                raise Refused(f"mitigation must be {WORDS}; the settings of '{word}' are a table, not {settings!r}")
        return pairs
    if isinstance(option, Sequence):
        return [pair for one in option for pair in _pairs(one)]
    raise Refused(f"mitigation must be {WORDS}, not {option!r}")


def _at_least(what: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise Refused(f"{what} must be a whole number, at least {least}, not {value}")
