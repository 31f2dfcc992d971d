"""A quantum computer as a value: its qubits, gates, errors and times, real or made up."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from backends.devices.checks import check_error, check_gates, check_price, check_times, check_words, numbers, qubits
from backends.devices.topology import Edge, Topology, edges_of
from circuits.errors import Refused, unknown
from circuits.problems.checks import finite

if TYPE_CHECKING:
    from qiskit.providers import BackendV2
    from qiskit.transpiler import Target

    from backends.simulators.noise import Noise

Numbers = float | tuple[float, ...]
"""One number for all, or one for each qubit, or of gates on two qubits for each edge."""

PARAMETERS = (
    "one_qubit_error",
    "two_qubit_error",
    "readout_error",
    "readout_bias",
    "t1",
    "t2",
    "one_qubit_s",
    "two_qubit_s",
    "crosstalk",
    "leakage",
)
"""The noise parameters, by which values can be differentiated."""

CHANGED = " (changed)"
"""Behind the name of a device that has other numbers than the one that it was made from."""

PER_EDGE = ("two_qubit_error", "two_qubit_s", "crosstalk", "leakage")

ERRORS = ("one_qubit_error", "two_qubit_error", "readout_error", "crosstalk", "leakage")
"""The noise parameters that are probabilities."""


@dataclass(frozen=True)
class Device:
    """A device with its noise; ``device.with_(two_qubit_error=0.002)`` is another with a changed number.

    After each gate that takes time or errs stands relaxation for the gate's duration, and so much depolarizing noise
    that the average error of both is the stated one; see `backends.devices.channels`. Qubits that wait keep their
    states, unless `idle` says otherwise; gates disturb each other as `crosstalk` says.

    Attributes:
        n_qubits: How many qubits there are.
        edges: Which pairs take gates on two qubits: a topology by name ("line", "ring", "grid", "heavy-hex",
            "all-to-all"), or the pairs themselves, which is what is kept.
        one_qubit_error: Average error of the gates on one qubit, but for `virtual` ones; one number or one a qubit.
        two_qubit_error: Average error of the gate on two qubits; one number or one an edge.
        readout_error: Probability that a measurement tells the wrong bit, mean of both bits; one or one a qubit.
        readout_bias: Between -1 and 1: it tells 1 for |0> with the probability ``readout_error (1 - readout_bias)``,
            and 0 for |1> with ``readout_error (1 + readout_bias)``.
        t1: Relaxation time, seconds; one or one a qubit.
        t2: Dephasing time, seconds, at most 2 T1, which None stands for.
        one_qubit_s: Duration of the gates on one qubit, but for `virtual` ones; needed where T1 or T2 is finite.
        two_qubit_s: Duration of the gate on two qubits, seconds; one or one an edge.
        readout_s: Duration of a measurement, seconds; its errors are in `readout_error`, and it adds none.
        gates: Native gates by Qiskit's names, one of them on two qubits.
        virtual: Those that only turn the frame of what follows: without duration and error.
        crosstalk: Average error that each gate on two qubits beside it, in the same layer, adds to one; one number or
            one an edge. See `backends.devices.crosstalk` for what is beside, and for leakage.
        leakage: Population that leaves the qubits in a gate on two, taken as coming back at once in the mixed state;
            one number or one an edge.
        idle: Whether qubits relax while they wait for the partner of their next gate on two qubits; each gate begins as
            soon as its qubits are free, and each qubit is measured right after its last gate.
        directed: Whether the gate on two qubits runs from the first qubit of an edge to the second alone.
        repetition_delay_s: Pause between two executions, seconds.
        usd_per_shot: Price of one execution of a circuit, US dollars; None where it is not known.
        usd_per_task: Price of a circuit, however often it is run, US dollars.
        usd_per_qpu_s: Price of a second on the device, US dollars.
        name: For tables.
    """

    n_qubits: int
    edges: Topology | tuple[Edge, ...] = "line"
    one_qubit_error: Numbers = 0.0
    two_qubit_error: Numbers = 0.0
    readout_error: Numbers = 0.0
    t1: Numbers = float("inf")
    t2: Numbers | None = None
    one_qubit_s: Numbers | None = None
    two_qubit_s: Numbers | None = None
    readout_s: Numbers | None = None
    readout_bias: Numbers = 0.0
    gates: tuple[str, ...] = ("rz", "sx", "x", "cz")
    virtual: tuple[str, ...] = ("rz",)
    crosstalk: Numbers = 0.0
    leakage: Numbers = 0.0
    idle: bool = False
    directed: bool = False
    repetition_delay_s: float = 250e-6
    usd_per_shot: float | None = None
    usd_per_task: float | None = None
    usd_per_qpu_s: float | None = None
    name: str = "device"

    def __post_init__(self) -> None:
        n = qubits(self.n_qubits)
        check_words(self)
        gates, virtual = check_gates(self.gates, self.virtual, n)
        put: dict[str, Any] = {"n_qubits": n, "edges": edges_of(self.edges, n, directed=self.directed)}
        put |= {"gates": gates, "virtual": virtual}
        t1 = numbers("t1", self.t1, n)
        put |= {"t1": t1, "t2": _times(t1, 2) if self.t2 is None else numbers("t2", self.t2, n)}
        for name in (*ERRORS, "readout_bias"):
            put[name] = numbers(name, getattr(self, name), len(put["edges"]) if name in PER_EDGE else n)
            check_error(name, put[name])
        for name in ("one_qubit_s", "two_qubit_s", "readout_s"):
            given = getattr(self, name)
            needed = name != "readout_s" and any(np.any(np.isfinite(put[t])) for t in ("t1", "t2"))
            if given is None and needed:
                raise Refused(
                    f"{name} of the device is missing: where T1 or T2 is finite, the duration of the gates decides how "
                    "much a state relaxes during one; give it in seconds"
                )
            put[name] = numbers(name, 0.0 if given is None else given, len(put["edges"]) if name in PER_EDGE else n)
        check_times(put)
        check_price(self)
        for name, value in put.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, source: "str | Device | BackendV2 | Target | Mapping[str, object]", **changes: object) -> "Device":
        """A device from what describes one.

        Args:
            source: The name of a vendor's snapshot such as ``"ibm:fake_torino"`` or of a machine that its service
                describes, such as ``"ibm:ibm_torino"``, a Qiskit Target or BackendV2, a mapping such as a section of a
                TOML file, or a device.
            changes: As for `with_`; durations that a Target does not tell can be given here.

        Raises:
            Refused: if it describes none, or an impossible one.
        """
        from backends.devices.reading import read

        made = read(source, changes)
        return made.with_(**changes) if changes else made

    def with_(self, **changes: object) -> "Device":
        """The same device with other numbers, as in ``device.with_(two_qubit_error=0.002)``.

        Args:
            changes: Names of its numbers, each with the new one.

        Raises:
            Refused: for an unknown name, with the nearest right one, or an impossible device.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            _check_name(name, known)
        real = self.name != type(self).name and not self.name.endswith(CHANGED)
        name = {"name": self.name + CHANGED} if real and changes else {}
        return dataclasses.replace(self, **name | changes)

    def scaled(self, factor: float) -> "Device":
        """A device that is better or worse in all: errors times a factor, T1 and T2 divided by it.

        Args:
            factor: 0 for a perfect device, 1 for the same, above 1 for a worse one.

        Raises:
            Refused: for a negative factor, or one that makes an impossible device.
        """
        if finite(factor, "the factor") < 0:
            raise Refused(f"the factor must be 0 or above, not {factor!r}")
        errors = {name: _times(getattr(self, name), factor) for name in ERRORS}
        times = {name: _times(getattr(self, name), 1 / factor if factor else np.inf) for name in ("t1", "t2")}
        return self.with_(**errors, **times)

    def parameters(self) -> tuple[str, ...]:
        """The names of the noise parameters, by which values can be differentiated."""
        return PARAMETERS

    def values(self) -> dict[str, np.ndarray]:
        """The noise parameters: name to a number, shape (), or to one for each qubit or edge."""
        return {name: np.asarray(getattr(self, name), dtype=float) for name in PARAMETERS}

    def edge_numbers(self) -> dict[Edge, int]:
        """The number of the edge that joins two qubits, in either order; where both orders are edges, each its own."""
        numbered = list(enumerate(cast("tuple[Edge, ...]", self.edges)))
        return {(b, a): k for k, (a, b) in numbered} | {edge: k for k, edge in numbered}

    def per_place(self, name: str) -> np.ndarray:
        """A noise parameter or duration for each qubit, or for each edge if it belongs to gates on two qubits.

        Args:
            name: Of `parameters`, or of a duration.

        Returns:
            Shape (qubits,) or (edges,).
        """
        size = len(self.edges) if name in PER_EDGE else self.n_qubits
        return np.broadcast_to(np.asarray(getattr(self, name), dtype=float), (size,))

    @property
    def two_qubit_gate(self) -> str | None:
        """Name of the gate on two qubits; None where there is one qubit alone."""
        from backends.devices.gates import two_qubit

        return next((name for name in self.gates if two_qubit(name)), None)

    @property
    def is_perfect(self) -> bool:
        """Whether nothing disturbs any state or answer."""
        errors = (np.any(np.asarray(getattr(self, name)) > 0) for name in ERRORS)
        relaxes = np.any(np.isfinite(self.t1)) or np.any(np.isfinite(np.asarray(self.t2, dtype=float)))
        return not any(errors) and not relaxes

    @property
    def has_beside(self) -> bool:
        """Whether gates suffer what depends on the circuit around them: waiting qubits, crosstalk, leakage."""
        return self.idle or any(np.any(self.per_place(name)) for name in ("crosstalk", "leakage"))

    def target(self, kept: Iterable[int] | None = None) -> "Target":
        """The device as Qiskit's transpiler reads it: gates, couplings, errors and durations.

        Args:
            kept: Some of its qubits, the k-th of them as qubit k; None for all.
        """
        from backends.devices.target import target_of

        return target_of(self, tuple(range(self.n_qubits) if kept is None else kept))

    @cached_property
    def noise(self) -> "Noise":
        """Its noise as a model of Aer's, of all of its qubits or of some: ``device.noise.model((0, 1))``."""
        from backends.simulators.noise import noise_of_device

        return noise_of_device(self)

    @cached_property
    def _backend(self) -> "BackendV2":
        from backends.devices.backend import ModelledBackend

        return ModelledBackend(self)

    def fake(self) -> "BackendV2":
        """The device as a Qiskit backend, which runs circuits on Aer with its noise."""
        return self._backend

    def options(self) -> dict[str, object]:
        """All that is not as by default, in plain words and numbers: ``Device.of(device.options())`` is the same."""
        told: dict[str, Any] = {}
        follows: dict[str, Any] = {"t2": _times(self.t1, 2)}  # what None was taken for
        if not np.any(np.isfinite(self.per_place("t2"))):
            follows |= dict.fromkeys(("one_qubit_s", "two_qubit_s", "readout_s"), 0.0)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value not in (field.default, follows.get(field.name, field.default)):
                told[field.name] = _plain(value)
        return told

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  {what:<18}{value}" for what, value in self._rows())])

    def _repr_html_(self) -> str:
        from html import escape

        cells = "".join(f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in self._rows())
        return f"<table><caption>{escape(self._title())}</caption>{cells}</table>"

    def _title(self) -> str:
        gates = ", ".join(self.gates)
        return f"{self.name}: {self.n_qubits} qubit{'s' * (self.n_qubits != 1)}, {len(self.edges)} edges, gates {gates}"

    def _rows(self) -> list[tuple[str, str]]:
        beside = [
            (name, _spread(getattr(self, name))) for name in ("crosstalk", "leakage") if np.any(getattr(self, name))
        ]
        return [
            ("one-qubit gates", f"error {_spread(self.one_qubit_error)}, {_spread(self.one_qubit_s, 1e9)} ns"),
            ("two-qubit gates", f"error {_spread(self.two_qubit_error)}, {_spread(self.two_qubit_s, 1e9)} ns"),
            ("readout", f"error {_spread(self.readout_error)}, {_spread(self.readout_s, 1e9)} ns"),
            ("T1", f"{_spread(self.t1, 1e6)} µs"),
            ("T2", f"{_spread(self.t2, 1e6)} µs"),
            *beside,
        ]


def from_mapping(content: Mapping[str, Any]) -> Device:
    """A device from the keys of a TOML section, which are the attributes of `Device`; ``topology`` means ``edges``.

    ``of`` names a device that the other keys change.

    Raises:
        Refused: for an unknown key, or an impossible device.
    """
    given: dict[str, Any] = dict(content)
    if "topology" in given:
        if "edges" in given:
            raise Refused("topology and edges of the device are two words for one thing; give one of them")
        given["edges"] = given.pop("topology")
    for name, value in given.items():
        given[name] = tuple(value) if isinstance(value, list) else value
    base = given.pop("of", None)
    if base is not None:
        return Device.of(base, **given)
    known = [field.name for field in dataclasses.fields(Device)]
    for name in given:
        _check_name(name, [*known, "topology", "of"])
    if "n_qubits" not in given:
        raise Refused(
            'n_qubits of the device is missing; give it, or another device to change, as in of = "ibm:fake_torino"'
        )
    return Device(**given)


def _check_name(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise unknown("number of a device:", name, known)


def _times(value: Any, factor: float) -> Numbers:
    scaled = np.asarray(value, dtype=float) * factor
    return float(scaled) if scaled.ndim == 0 else tuple(map(float, scaled))


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _spread(value: Any, unit: float = 1.0) -> str:
    """A number, or of several the median with the least and the largest."""
    found = np.atleast_1d(np.asarray(value, dtype=float)) * unit
    if not found.size:
        return "-"
    middle = f"{np.median(found):.3g}"
    return middle if found.min() == found.max() else f"{middle} ({found.min():.3g} to {found.max():.3g})"
