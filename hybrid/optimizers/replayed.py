"""Loops of SciPy's, turned inside out to ask and tell."""

import os
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS must be there before `one_thread` limits it

from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import Optimizer, Points, Told, checked, starting_point

Worth = tuple[np.ndarray, ...]
"""Values and their standard errors, each of shape (rows,); then the gradients, (rows, params), where they are asked."""

Objective = Callable[[np.ndarray], Worth]
"""``objective(rows) -> values, standard errors``, and gradients if it `uses_gradient`, for rows (rows, params)."""

Message = np.ndarray | str | BaseException
"""From a loop: the rows it asks for, the words with which it ended, or the error in it."""


class _Stopped(BaseException):
    """Ends a solver whose answers nobody waits for; no solver catches it."""


class _Solver:
    """A loop in a thread of its own that stands still between a question and its answer.

    At any time one side only computes. The thread ends with its solver, when this object is forgotten, or with Python.
    """

    def __init__(self, solve: Callable[[Objective], str]):
        self.position: tuple[Worth, ...] = ()
        self.process = os.getpid()
        self._questions: SimpleQueue[Message] = SimpleQueue()
        self._answers: SimpleQueue[Worth | _Stopped] = SimpleQueue()
        weakref.finalize(self, self._answers.put, _Stopped())
        arguments = (solve, self._questions, self._answers)
        threading.Thread(target=_serve, args=arguments, name="scipy-optimizer", daemon=True).start()

    def wait(self) -> np.ndarray | str:
        """The rows it asks for, or the words with which it ended."""
        message = self._questions.get()
        if isinstance(message, BaseException):
            raise message
        return message

    def send(self, worth: Worth) -> np.ndarray | str:
        """What comes after the values of the rows last asked for."""
        self._answers.put(worth)
        return self.wait()


def _serve(
    solve: Callable[[Objective], str], questions: "SimpleQueue[Message]", answers: "SimpleQueue[Worth | _Stopped]"
) -> None:
    def objective(rows: np.ndarray) -> Worth:
        questions.put(np.array(rows, dtype=np.float64))
        answer = answers.get()
        if isinstance(answer, _Stopped):
            raise answer
        return answer

    try:
        questions.put(solve(objective))
    except _Stopped:
        return
    except BaseException as error:  # noqa: BLE001 - raised again where the solver is waited for
        questions.put(error)


class _Tip:
    """Room for the one solver that stands where the newest state is. Only a cache: it can be empty at any time."""

    solver: _Solver | None = None

    def __reduce__(self):
        return (_Tip, ())


@dataclass(frozen=True, eq=False)
class State:
    """Everything told so far, and what is asked next.

    Attributes:
        rows: Asked for, shape (rows, params).
        lowest: Of all rows told, the one of the lowest value.
        end: How the loop ended: empty for converged, else why not; None while it runs.
    """

    accuracy: float
    seed: int
    theta: np.ndarray
    rows: np.ndarray
    told: tuple[Worth, ...] = ()
    lowest: np.ndarray | None = None
    value: float = np.inf
    end: str | None = None
    tip: _Tip = field(default_factory=_Tip, repr=False)


class Replayed(Optimizer[State]):
    """A loop that calls its objective, as an optimizer that is asked and told.

    The loop stands in a thread between two calls. The state is the values told so far: from an older state, in another
    process or after a kill, the loop is run again over them, which takes no evaluation.
    """

    @abstractmethod
    def _solve(self, objective: Objective, theta: np.ndarray, *, accuracy: float, seed: int) -> str:
        """Minimize from theta, shape (params,), at least one parameter.

        Returns:
            The empty string where the lowest row seen is a minimum to the accuracy; otherwise why the loop ended.
        """

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        state = State(accuracy, seed, theta, theta[None])
        if theta.size == 0:
            return state
        with one_thread():
            rows = self._start(state).wait()
        assert isinstance(rows, np.ndarray)
        return replace(state, rows=rows)

    def ask(self, state: State) -> Points:
        """The rows that the loop wants; after the end, the answer again."""
        return Points(state.rows.copy(), gradient=self.uses_gradient)

    @one_thread()
    def tell(self, state: State, told: Told) -> State:
        """The state after one more call of the objective; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        row = int(np.argmin(told.values))
        if told.values[row] < state.value:
            state = replace(state, lowest=state.rows[row], value=float(told.values[row]))
        if state.end is not None:
            return state
        worth = (told.values.copy(), told.standard_errors.copy())
        if told.gradients is not None:
            worth = (*worth, told.gradients.copy())
        history = (*state.told, worth)
        following = self._advance(state, history) if state.theta.size else ""
        if isinstance(following, str):
            return replace(state, told=history, rows=self.best(state)[None], end=following)
        return replace(state, told=history, rows=following)

    def best(self, state: State) -> np.ndarray:
        """The point of the lowest value, shape (params,)."""
        return state.theta if state.lowest is None else state.lowest

    def converged(self, state: State) -> bool:
        """Whether the loop ended at a minimum, and standard errors are far below the accuracy."""
        return state.end == ""

    def stalled(self, state: State) -> str:
        """Why the loop ended without having the accuracy."""
        return state.end or ""

    @property
    def uses_gradient(self) -> bool:
        """No, unless a method says so."""
        return False

    def _start(self, state: State) -> _Solver:
        theta, accuracy, seed = state.theta, state.accuracy, state.seed
        return _Solver(lambda objective: self._solve(objective, theta.copy(), accuracy=accuracy, seed=seed))

    def _advance(self, state: State, history: tuple[Worth, ...]) -> np.ndarray | str:
        """What the loop wants after the history; it is run again unless it stands right before its last values."""
        solver, state.tip.solver = state.tip.solver, None
        pending, following = history[-1:], ""
        if solver is None or solver.position is not state.told or solver.process != os.getpid():
            solver, pending = self._start(state), history
            solver.wait()
        for worth in pending:
            following = solver.send(worth)
        if not isinstance(following, str):
            solver.position = history
            state.tip.solver = solver
        return following


TOLD = 400
"""Bytes that the values of one call take, with their standard errors, where it was of one row."""


def too_noisy(error: float, kind: str, accuracy: float) -> str:
    """Why values with this standard error end a method that keeps the lowest value it saw.

    Args:
        error: Standard error, in the objective's unit.
        kind: The method's name.
        accuracy: Wanted, in the same unit.

    Returns:
        A reason for `Optimizer.stalled`.
    """
    return (
        f"values known to {error:.2g} cannot show {kind} an accuracy of {accuracy:.2g}; "
        "spsa, adam and cma-es average the noise away"
    )


def shows(error: float, accuracy: float, n_params: int) -> bool:
    """Whether values with this standard error can show such a method the accuracy.

    Args:
        error: Standard error, in the objective's unit.
        accuracy: Wanted, in the same unit.
        n_params: Number of parameters: a simplex or population of more points finds luckier values.

    Returns:
        True if the error is at most the accuracy over ten, or over n_params where these are more.
    """
    return error <= accuracy / max(10, n_params)
