"""The face of every optimizer: ask for points, be told what they are worth."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Points:
    """Parameters that an optimizer wants evaluated.

    Attributes:
        rows: Shape (rows, params), float64, radians.
        gradient: Whether each row's gradient is wanted, too.
    """

    rows: np.ndarray
    gradient: bool


@dataclass(frozen=True)
class Told:
    """What the points were worth.

    Attributes:
        values: Shape (rows,).
        standard_errors: Shape (rows,); zeros where values are exact.
        gradients: Shape (rows, params), or None if none were asked for.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    gradients: np.ndarray | None


class Optimizer(ABC):
    """Ask/tell over an immutable state: the same calls in the same order give the same bits.

    An optimizer is a frozen dataclass of its settings. `init`, `ask` and `tell` have no side effects, so a loop can be
    replayed from the values alone. One `tell` ends one step.
    """

    @abstractmethod
    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> Any:
        """The state before the first step.

        Args:
            theta: Starting point, shape (params,), radians.
            accuracy: Wanted accuracy of the minimum, in the objective's unit; stopping rules are scaled by it.
            seed: Root of the optimizer's random numbers.
        """

    @abstractmethod
    def ask(self, state: Any) -> Points:
        """The points that the next `tell` needs."""

    @abstractmethod
    def tell(self, state: Any, told: Told) -> Any:
        """The state after the points asked for were evaluated."""

    @abstractmethod
    def best(self, state: Any) -> np.ndarray:
        """The parameters to answer with if the loop stopped now, shape (params,)."""

    @abstractmethod
    def converged(self, state: Any) -> bool:
        """Whether the minimum is reached within the accuracy, as far as the method can tell."""

    @abstractmethod
    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess, before anything runs, of how many rows will be evaluated; for the plan."""

    @property
    @abstractmethod
    def uses_gradient(self) -> bool:
        """Whether it asks for gradients."""
