from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

class Observable:
    def __init__(self, x: NDArray[np.uint64], z: NDArray[np.uint64], coefficient: NDArray[np.float64]) -> None: ...

class _Program:
    def __init__(
        self,
        n_qubits: int,
        x: NDArray[np.uint64],
        z: NDArray[np.uint64],
        angle: NDArray[np.int32],
        weight: NDArray[np.float64],
        n_angles: int,
        observables: Sequence[Observable],
        isa: str = "",
    ) -> None: ...
    def energies(self, angles: NDArray[np.float64], workers: int = 0) -> NDArray[np.float64]: ...
    def energies_and_slopes(
        self, angles: NDArray[np.float64], workers: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def counts(self, undone: bool = False) -> tuple[int, int, int, int, int]: ...
    def observed(self) -> tuple[int, int, int, int, int]: ...
    @property
    def n_angles(self) -> int: ...
    @property
    def n_observables(self) -> int: ...
    @property
    def isa(self) -> str: ...
    @property
    def number(self) -> int: ...

class ProgramDouble(_Program):
    def state(self, angles: NDArray[np.float64], workers: int = 0) -> NDArray[np.complex128]: ...
    def slopes(
        self,
        angles: NDArray[np.float64],
        psi: NDArray[np.complex128],
        lambda_: NDArray[np.complex128],
        workers: int = 0,
    ) -> NDArray[np.float64]: ...

class ProgramSingle(_Program):
    def state(self, angles: NDArray[np.float64], workers: int = 0) -> NDArray[np.complex64]: ...
    def slopes(
        self,
        angles: NDArray[np.float64],
        psi: NDArray[np.complex64],
        lambda_: NDArray[np.complex64],
        workers: int = 0,
    ) -> NDArray[np.float64]: ...

class NoisyProgram:
    def __init__(
        self,
        n_qubits: int,
        n_alpha: int,
        n_channels: int,
        n_edges: int,
        ones: NDArray[np.float64],
        ones_angle: NDArray[np.int32],
        twos: NDArray[np.float64],
        twos_angle: NDArray[np.int32],
        chains: NDArray[np.int32],
        bases: NDArray[np.int32],
        segments: NDArray[np.int32],
        blocks: NDArray[np.int32],
        pairs: NDArray[np.int32],
        place: NDArray[np.int32],
        coefficient: NDArray[np.float64],
        owner: NDArray[np.int32],
        n_observables: int,
        every: int,
        isa: str = "",
    ) -> None: ...
    def energies(self, angles: NDArray[np.float64], workers: int = 0) -> NDArray[np.float64]: ...
    def energies_and_slopes(
        self, angles: NDArray[np.float64], workers: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    @property
    def n_angles(self) -> int: ...
    @property
    def n_observables(self) -> int: ...
    @property
    def number(self) -> int: ...

class Propagation:
    @property
    def value(self) -> float: ...
    @property
    def slopes(self) -> list[float]: ...
    @property
    def dropped(self) -> float: ...
    @property
    def dropped_squares(self) -> float: ...
    @property
    def capped(self) -> bool: ...
    @property
    def most_terms(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def visits(self) -> float: ...
    @property
    def too_many_terms(self) -> bool: ...
    @property
    def tape_too_long(self) -> bool: ...

def propagate(
    gate_x: NDArray[np.uint64],
    gate_z: NDArray[np.uint64],
    angle: NDArray[np.float64],
    free: NDArray[np.uint8],
    term_x: NDArray[np.uint64],
    term_z: NDArray[np.uint64],
    coefficient: NDArray[np.float64],
    threshold: float,
    max_weight: int,
    max_terms: int,
    cut: bool,
    derivative: bool,
    tape_bytes: int,
) -> Propagation: ...
def evolve(
    steps: NDArray[np.float64], pairs: NDArray[np.int32], n_qubits: int, isa: str = "", workers: int = 0
) -> NDArray[np.float64]: ...
def pull_back(
    steps: NDArray[np.float64],
    pairs: NDArray[np.int32],
    n_qubits: int,
    slopes: NDArray[np.float64],
    every: int,
    isa: str = "",
    workers: int = 0,
) -> NDArray[np.float64]: ...
def trajectories(
    n_qubits: int,
    events: NDArray[np.int32],
    gates: NDArray[np.complex128],
    at: NDArray[np.int64],
    weight: NDArray[np.float64],
    reset: NDArray[np.float64],
    ends: NDArray[np.int64],
    qubit: NDArray[np.int32],
    factor: NDArray[np.float64],
    seed: int,
    first: int,
    count: int,
    isa: str = "",
    workers: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]: ...
def default_workers() -> int: ...
def instruction_sets() -> list[str]: ...
def peak_flops(single: bool = False, workers: int = 0) -> float: ...
def copy_bytes_per_s(n_bytes: int = 268435456, workers: int = 0) -> float: ...
def handlers() -> dict[str, object]: ...
