"""SciPy's COBYLA and Nelder-Mead, turned inside out to ask and tell."""

import os
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any, ClassVar

import numpy as np

from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import Optimizer, Points, Told, checked, require, starting_point

ROUNDS = 20
"""Restarts before a method that keeps finding lower values is given up."""

Objective = Callable[[np.ndarray], float]


class _Stopped(BaseException):
    """Ends a solver whose answers nobody waits for; no solver catches it."""


class _Solver:
    """SciPy's loop in a thread of its own that stands still between a question and its answer.

    At any time one side only computes. The thread ends with its solver, when this object is forgotten, or with Python.
    """

    def __init__(self, solve: Callable[[Objective], Any]):
        self.position: tuple = ()
        self.process = os.getpid()
        self._questions, self._answers = SimpleQueue(), SimpleQueue()
        weakref.finalize(self, self._answers.put, _Stopped())
        arguments = (solve, self._questions, self._answers)
        threading.Thread(target=_serve, args=arguments, name="scipy-optimizer", daemon=True).start()

    def wait(self) -> tuple[str, Any]:
        """("ask", point), or ("done", what the solver returned)."""
        what, content = self._questions.get()
        if what == "failed":
            raise content
        return what, content

    def send(self, value: float) -> tuple[str, Any]:
        """What comes after the value of the point last asked for."""
        self._answers.put(value)
        return self.wait()


def _serve(solve: Callable[[Objective], Any], questions: SimpleQueue, answers: SimpleQueue) -> None:
    def objective(x: np.ndarray) -> float:
        questions.put(("ask", np.array(x, dtype=np.float64)))
        answer = answers.get()
        if isinstance(answer, _Stopped):
            raise answer
        return answer

    try:
        questions.put(("done", solve(objective)))
    except _Stopped:
        return
    except BaseException as error:  # noqa: BLE001 - raised again where the solver is waited for
        questions.put(("failed", error))


class _Tip:
    """Room for the one solver that stands where the newest state is. Only a cache: it can be empty at any time."""

    solver: _Solver | None = None

    def __reduce__(self):
        return (_Tip, ())


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    theta: np.ndarray
    point: np.ndarray
    told: tuple[tuple[float, float], ...] = ()
    lowest: np.ndarray | None = None
    value: float = np.inf
    found: bool | None = None
    tip: _Tip = field(default_factory=_Tip, repr=False)


class _SciPy(Optimizer):
    """What both methods share: the state is the values told so far; the solver is run again over them where needed."""

    radius: float

    @abstractmethod
    def _round(self, objective: Objective, theta: np.ndarray, tolerance: float, radius: float, exact: bool) -> tuple:
        """One minimization from theta within about the tolerance: the lowest point and value."""

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`. The seed is not needed."""
        del seed
        theta = starting_point(theta, accuracy)
        return _State(accuracy, theta, theta)

    def ask(self, state: _State) -> Points:
        """One row, without its gradient; after the end, the answer again."""
        return Points(state.point[None, :], gradient=False)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after one more value; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        value, error = float(told.values[0]), float(told.standard_errors[0])
        if value < state.value:
            state = replace(state, lowest=state.point, value=value)
        if state.found is not None:
            return state
        history = (*state.told, (value, error))
        what, content = self._advance(state, history)
        if what == "ask":
            return replace(state, told=history, point=content)
        return replace(state, told=history, point=state.lowest, found=content)

    def best(self, state: _State) -> np.ndarray:
        """The point of the lowest value, shape (params,)."""
        return state.theta if state.lowest is None else state.lowest

    def converged(self, state: _State) -> bool:
        """Whether SciPy stopped, a restart gained nothing, and standard errors are far below the accuracy."""
        return state.found is True and self._noise(state) <= state.accuracy / max(10, state.theta.size)

    def stalled(self, state: _State) -> str:
        """That SciPy stopped without having the accuracy."""
        if state.found is None or self.converged(state):
            return ""
        if not state.found:
            return f"{ROUNDS} restarts each still found lower values: this method does not get further here"
        return (
            f"values known to {self._noise(state):.2g} cannot show {self.kind} an accuracy of {state.accuracy:.2g}; "
            "spsa and adam average the noise away"
        )

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    @staticmethod
    def _noise(state: _State) -> float:
        return max(error for _, error in state.told)

    def _advance(self, state: _State, history: tuple) -> tuple[str, Any]:
        """What the solver wants after the history; it is run again unless it stands right before its last value."""
        solver, state.tip.solver = state.tip.solver, None
        pending = history[-1:]
        if solver is None or solver.position is not state.told or solver.process != os.getpid():
            solver, pending = _Solver(self._minimizer(state, history[0][1])), history
            solver.wait()
        what, content = "", None
        for value, _ in pending:
            what, content = solver.send(value)
        if what == "ask":
            solver.position = history
            state.tip.solver = solver
        return what, content

    def _minimizer(self, state: _State, noise: float) -> Callable[[Objective], bool]:
        """Round after round, until one gains nothing: a method without gradients may stop before the minimum."""
        theta, tolerance = state.theta, max(state.accuracy, noise)

        def solve(objective: Objective) -> bool:
            best, lowest, radius = theta, objective(theta), self.radius
            if theta.size == 0:
                return True
            for k in range(ROUNDS):
                point, value = self._round(objective, best, tolerance, radius, noise == 0.0)
                gained = lowest - value
                if gained > 0.0:
                    best, lowest = point, value
                if k > 0 and gained < tolerance / 2.0:
                    return True
                radius = min(self.radius, 10.0 * tolerance**0.5)
            return False

        return solve


@dataclass(frozen=True)
class COBYLA(_SciPy):
    """Powell's linear approximations on a simplex inside a shrinking trust region, as SciPy has it.

    One row per step, no gradient. The final radius of the trust region is a tenth of the square root of the accuracy
    (near a minimum of unit curvature, values change by the square of the distance). SciPy's stop is believed when a
    restart, from where it stopped and with a radius of 10 sqrt(accuracy), gains less than half the accuracy. Standard
    errors larger than the accuracy take its place; unless they are below a tenth of it, and below its params-th part,
    the run ends stalled, not converged.

    Args:
        radius: First radius of the trust region, radians.

    References:
        Powell, in Advances in Optimization and Numerical Analysis, 51 (1994); Zhang, PRIMA, doi:10.5281/zenodo.8052654.
    """

    radius: float = 0.5

    kind: ClassVar[str] = "cobyla"

    def __post_init__(self):
        require(self, "radius", 1e-12)

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows, from trigonometric functions of up to 20 parameters."""
        return min(max_steps, 20 + 20 * n_params)

    def _round(self, objective: Objective, theta: np.ndarray, tolerance: float, radius: float, exact: bool) -> tuple:
        from scipy.optimize import minimize

        options = {"rhobeg": radius, "tol": min(0.1 * tolerance**0.5, radius), "maxiter": 10**9}
        result = minimize(objective, theta, method="COBYLA", options=options)
        return result.x, float(result.fun)


@dataclass(frozen=True)
class NelderMead(_SciPy):
    """The simplex that reflects, expands, contracts and shrinks, as SciPy has it, for a few parameters.

    One row per step, no gradient, coefficients adapted to the number of parameters. A round ends when the simplex's
    values agree to a tenth of the accuracy and its points to the square root of the accuracy. SciPy's stop is believed
    when a fresh simplex, at where it stopped and with edges of 10 sqrt(accuracy), gains less than half the accuracy.
    Standard errors larger than the accuracy take its place; unless they are below a tenth of it, and below its
    params-th part, the run ends stalled, not converged.

    Args:
        radius: Edge of the first simplex, radians.

    References:
        Nelder, Mead, Comput. J. 7, 308 (1965); Gao, Han, Comput. Optim. Appl. 51, 259 (2012) for the coefficients.
    """

    radius: float = 0.5

    kind: ClassVar[str] = "nelder-mead"

    def __post_init__(self):
        require(self, "radius", 1e-12)

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows, from trigonometric functions of up to 10 parameters."""
        return min(max_steps, 100 * n_params + 10)

    def _round(self, objective: Objective, theta: np.ndarray, tolerance: float, radius: float, exact: bool) -> tuple:
        from scipy.optimize import minimize

        simplex = np.vstack([theta, theta + radius * np.eye(theta.size)])
        limits = {
            "maxiter": 10**9,
            "maxfev": 10**9,
            "fatol": tolerance / 10.0 if exact else np.inf,
            "xatol": tolerance**0.5,
        }
        options = {"initial_simplex": simplex, "adaptive": True, **limits}
        result = minimize(objective, theta, method="Nelder-Mead", options=options)
        return result.x, float(result.fun)
