"""QN-SPSA: natural gradients from two values and four fidelities, whatever the number of parameters."""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from hybrid.optimizers.natural_gradient import natural
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.simultaneous import Simultaneous, State
from hybrid.optimizers.streams import stream

REACH = 0.5
"""Longest shift of all parameters together at which fidelities are asked for, radians: 1 - F is a parabola there."""


@dataclass(frozen=True, eq=False)
class _State(State):
    metric: np.ndarray = field(kw_only=True)
    samples: int = 1


@dataclass(frozen=True)
class QNSPSA(Simultaneous[_State]):
    """SPSA in the geometry of the states: theta <- theta - a_k (|G| + regularization)^-1 g.

    The gradient g = [f(theta + c D) - f(theta - c D)] / (2 c) D comes from two rows with random signs D, as in `SPSA`,
    and each sample of the metric from four fidelities F = |<psi(theta)|psi(theta + shift)>|^2 with two more signs:

        dF = F(e D1 + e D2) - F(e D1) - F(-e D1 + e D2) + F(-e D1),
        sample = -1/2 dF / (2 e^2) (D1 D2^T + D2 D1^T) / 2.

    G is the mean of all samples so far and of the identity, which stands for one; |G| has the absolute values of its
    eigenvalues. The gain a_k = a / (k + stability)^0.602, its calibration, the perturbation c, the stopping rule and
    the answer are those of `SPSA`; the first tell also takes `calibration` samples of the metric. The shift e is
    `perturbation` or, where that is less, 0.5 over the square root of the number of parameters.

    Args:
        first_step: Longest first step, radians.
        perturbation: Largest shift c of each parameter, radians.
        calibration: Gradients, of two rows each, and samples of the metric from which the first step is made.
        resamplings: Samples of the metric taken in each later step.
        regularization: Added to the eigenvalues of |G|. What G calls almost null is mostly noise: with 0.01, long
            steps there ruined runs on circuits with 16 parameters.
        stability: Steps over which the gain hardly falls.

    References:
        Gacon, Zoufal, Carleo, Woerner, Quantum 5, 567 (2021).
    """

    resamplings: int = 1
    regularization: float = 0.1

    kind: ClassVar[str] = "qn-spsa"

    def __post_init__(self):
        super().__post_init__()
        require(self, "resamplings", 1, 10_000, whole=True)
        require(self, "regularization", 1e-12)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        return _State(accuracy, seed, theta, float(self.perturbation), (theta,), metric=np.eye(theta.size))

    def ask(self, state: _State) -> Points:
        """Rows as `SPSA` asks for, and four pairs for each sample of the metric."""
        theta, (signs, metric_signs) = state.theta, self._signs(state)
        one, two = self._reach(theta.size) * metric_signs
        shifted = theta + np.stack((one + two, one, two - one, -one), axis=1).reshape(4 * len(one), theta.size)
        pairs = np.stack((np.broadcast_to(theta, shifted.shape), shifted), axis=1)
        return Points(self._rows(state, signs), gradient=False, pairs=pairs)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after the calibration, or one more step; see `Optimizer.tell`."""
        told, (signs, _) = checked(self.ask(state), told), self._signs(state)
        assert told.fidelities is not None
        state = self._measured(state, told.fidelities.reshape(-1, 4))
        directions = natural(state.metric, signs, self.regularization)
        if state.k == 0:
            return self._calibrated(state, told, signs, directions)
        return self._stepped(state, told, directions[0], state.accuracy / 2.0)

    def comparisons(self, n_params: int, max_steps: int) -> int:
        """Five states for the four fidelities of each sample of the metric."""
        del n_params
        return 5 * (self.calibration + self.resamplings * (max_steps - 1))

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """Eight matrices: the mean metric, a new one made of samples, eigenvectors, and what LAPACK works in."""
        n_pairs = 4 * max(self.calibration, self.resamplings)
        return super().memory_bytes(n_params, max_steps) + rows_bytes(8 * n_params + 6 * n_pairs, n_params)

    @property
    def geometry(self) -> Literal["", "metric", "fidelities"]:
        """Fidelities."""
        return "fidelities"

    def _signs(self, state: _State) -> tuple[np.ndarray, np.ndarray]:
        """The random signs of step k: for gradients, shape (rows / 2, params), and metrics, (2, samples, params)."""
        gradients, metrics = (1, self.resamplings) if state.k else (self.calibration, self.calibration)
        generator = stream(state.seed, state.k)
        signs = 2.0 * generator.integers(0, 2, size=(gradients + 2 * metrics, state.theta.size)) - 1.0
        return signs[:gradients], signs[gradients:].reshape(2, metrics, state.theta.size)

    def _reach(self, n_params: int) -> float:
        """The shift e."""
        return min(self.perturbation, REACH / math.sqrt(max(n_params, 1)))

    def _measured(self, state: _State, F: np.ndarray) -> _State:
        """The mean metric with new samples, of fidelities of shape (samples, 4)."""
        _, (one, two) = self._signs(state)
        weights = -(F[:, 0] - F[:, 1] - F[:, 2] + F[:, 3]) / (4.0 * self._reach(state.theta.size) ** 2)
        half = (weights[:, None] * one).T @ two / 2.0
        samples = state.samples + len(F)
        return replace(state, metric=(state.samples * state.metric + half + half.T) / samples, samples=samples)
