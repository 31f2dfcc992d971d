"""An optimizer as somebody else would write it, in a package of their own."""

import time
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from hybrid.optimizers import Optimizer, Points, Told, checked, require, starting_point


@dataclass(frozen=True, eq=False)
class State:
    theta: np.ndarray
    accuracy: float
    k: int = 0
    slope: float = np.inf


@dataclass(frozen=True)
class GradientWalk(Optimizer[State]):
    """Steps against the gradient, whose lengths are taken in turn from a list."""

    lengths: tuple[float, ...] = (0.05, 0.1)
    norm: Literal["two", "largest"] = "two"
    patience: int = 1
    pause_s: float = 0.0

    kind: ClassVar[str] = "gradient-walk"

    def __post_init__(self):
        require(self, "patience", 1, 100, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> State:
        del seed
        return State(starting_point(theta, accuracy), accuracy)

    def ask(self, state: State) -> Points:
        return Points(state.theta[None], gradient=True)

    def tell(self, state: State, told: Told) -> State:
        told = checked(self.ask(state), told)
        assert told.gradients is not None
        time.sleep(self.pause_s)
        gradient = told.gradients[0]
        slope = float(np.abs(gradient).max() if self.norm == "largest" else np.linalg.norm(gradient))
        theta = state.theta - self.lengths[state.k % len(self.lengths)] * gradient
        return replace(state, theta=theta, k=state.k + 1, slope=slope)

    def best(self, state: State) -> np.ndarray:
        return state.theta

    def converged(self, state: State) -> bool:
        return state.slope**2 < state.accuracy

    def evaluations(self, n_params: int, max_steps: int) -> int:
        return max_steps

    @property
    def uses_gradient(self) -> bool:
        return True
