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

def default_workers() -> int: ...
def instruction_sets() -> list[str]: ...
def handlers() -> dict[str, object]: ...
