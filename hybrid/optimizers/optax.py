"""Objects of Optax's as optimizers: ``optax.adam(0.1)`` and any other chain of gradient transformations.

Such an object is made of functions, which no record can hold. What is written is a summary in words and a digest of the
functions, their code and all numbers in them: a run that is continued must be given the object again, and another one
is refused.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import CellType, FunctionType
from typing import Any, ClassVar, Protocol

import numpy as np

from circuits.errors import Refused
from hybrid.optimizers.gap import Pair, is_down
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, rows_bytes, starting_point
from hybrid.optimizers.trend import settled

PAIRS = 10
"""Steps and changes of the gradient that are kept to tell how far the minimum is."""

PATIENCE = 20
"""Values over which the energy must have come to rest."""

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Transformation(Protocol):
    """What Optax calls a ``GradientTransformation``."""

    @property
    def init(self) -> Callable[..., Any]:
        """From parameters to a state."""
        ...

    @property
    def update(self) -> Callable[..., Any]:
        """From gradient, state and parameters to the step and the new state."""
        ...


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    theta: np.ndarray
    inner: Any
    best: np.ndarray
    value: float = np.inf
    last: tuple[np.ndarray, np.ndarray] | None = None
    values: tuple[float, ...] = ()
    pairs: tuple[Pair, ...] = ()
    done: bool = False
    end: str = ""


@dataclass(frozen=True)
class Optax(Optimizer[_State]):
    """Steps that an object of Optax's takes, one gradient each; made by `from_optax`.

    Optax has no stopping rule. Exact values have converged when they are at rest over 20 steps, and the smallest
    curvature of the last steps promises less than a tenth of the accuracy; those with standard errors when they fell by
    less than the accuracy over the second half of the run, and the last step costs less at unit curvature.

    Args:
        summary: Of the object's functions and numbers, in words.
        digest: SHA-256 of them; the object must have the same to continue a run.

    References:
        DeepMind et al., The DeepMind JAX Ecosystem (2020), http://github.com/google-deepmind.
    """

    summary: str = ""
    digest: str = ""
    transformation: Any = field(default=None, init=False, compare=False, repr=False)

    kind: ClassVar[str] = "optax"

    def __post_init__(self):
        if not self.digest:
            raise Refused(
                'an object of Optax\'s cannot be written in a file or made by a name: take "adam", or, in Python, '
                "optimizer=optax.adam(0.1)"
            )

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`. The seed is not needed.

        Raises:
            Refused: if this was read from a record, which does not hold the object.
        """
        del seed
        theta = starting_point(theta, accuracy)
        import jax

        with jax.enable_x64(True):
            return _State(accuracy, theta, self._made().init(theta), theta)

    def ask(self, state: _State) -> Points:
        """One row, with its gradient."""
        return Points(state.theta[None, :], gradient=True)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after one update; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        assert told.gradients is not None
        theta, gradient = state.theta, told.gradients[0].copy()
        value, error = float(told.values[0]), float(told.standard_errors[0])
        if error > 0.0:
            state = replace(state, best=theta, value=value)  # the last point: lowest ones are lucky
        elif value < state.value:
            state = replace(state, best=theta, value=value)
        pairs, length = state.pairs, np.inf
        if state.last is not None:
            step = theta - state.last[0]
            pairs, length = (*pairs, (step, gradient - state.last[1]))[-PAIRS:], float(step @ step)
        state = replace(state, values=(*state.values, value), pairs=pairs, last=(theta, gradient))
        if _at_rest(state, gradient, error, length):
            return replace(state, done=True)
        if state.done or state.end:
            return state
        step, inner = self._step(gradient, state.inner, theta, value)
        if not np.isfinite(theta + step).all():
            return replace(state, end=f"the step of {self.summary} is not finite")
        return replace(state, theta=theta + step, inner=inner)

    def best(self, state: _State) -> np.ndarray:
        """The point of the lowest exact value; the last one where values have standard errors."""
        return state.best

    def converged(self, state: _State) -> bool:
        """Whether the values are at rest and little is left below them."""
        return state.done

    def stalled(self, state: _State) -> str:
        """Why it cannot go on: a step that is not finite."""
        return state.end

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """All steps."""
        del n_params
        return min(max_steps, 300)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """The last steps, gradients and their changes, and what XLA holds."""
        del max_steps
        return rows_bytes(3 * FEW + 2 * PAIRS, n_params)

    @property
    def uses_gradient(self) -> bool:
        """Yes."""
        return True

    @property
    def missing(self) -> str:
        """The object, where this was read from a record."""
        if self.transformation is not None:
            return ""
        return (
            f"the run was started with an object of Optax's ({self.summary}), which its folder cannot hold: give it "
            "again, as in hybrid.resume(folder, optimizer=optax.adam(0.1))"
        )

    def _made(self) -> Any:
        if self.missing:
            raise Refused(self.missing)
        return self.transformation

    def _step(self, gradient: np.ndarray, inner: Any, theta: np.ndarray, value: float) -> tuple[np.ndarray, Any]:
        import jax

        try:
            with jax.enable_x64(True):
                step, inner = _compiled(self._made())(gradient, inner, theta, value=value, grad=gradient)
                return np.asarray(step, dtype=np.float64), inner
        except TypeError as err:
            raise Refused(
                f"{self.summary} of Optax's cannot be told values and gradients ({err}); line searches need the "
                'function itself: take "lbfgs", or write the loop yourself with backends.get("statevector").function'
            ) from err


@lru_cache(maxsize=16)
def _compiled(transformation: Any) -> Callable[..., Any]:
    import jax
    import optax

    return jax.jit(optax.with_extra_args_support(transformation).update)


def is_transformation(thing: Any) -> bool:
    """Whether it has what Optax's objects have: functions ``init`` and ``update``, and nothing that asks or tells."""
    return all(callable(getattr(thing, name, None)) for name in ("init", "update"))


def from_optax(transformation: Transformation) -> Optax:
    """An optimizer that takes the steps of an object of Optax's.

    Args:
        transformation: Such as ``optax.adam(0.1)``; it may use gradients, parameters and values.

    Returns:
        The optimizer, with the object's summary and digest for the record.

    >>> import optax
    >>> made = from_optax(optax.sgd(0.1))
    >>> made == from_optax(optax.sgd(0.1)), made == from_optax(optax.sgd(0.2))
    (True, False)
    """
    parts = list(_parts(transformation.update, set()))
    words = [f"{name}({', '.join(f'{k}={v}' for k, v in numbers)})" for name, numbers, _ in parts if numbers]
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    made = Optax(", ".join(dict.fromkeys(words)) or "a transformation", digest)
    object.__setattr__(made, "transformation", transformation)
    return made


def _parts(thing: Any, seen: set[int]) -> Iterator[tuple[str, tuple[tuple[str, Any], ...], str]]:
    """Name, numbers and everything else, as text without addresses, of a function and those that it refers to."""
    thing = getattr(thing, "__wrapped__", thing)
    if isinstance(thing, FunctionType):
        if id(thing) in seen:
            return
        seen.add(id(thing))
        cells = zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True)
        held = {name: _content(cell) for name, cell in cells}
        held |= thing.__kwdefaults__ or {}
        numbers = tuple((key, value) for key, value in sorted(held.items()) if isinstance(value, int | float | str))
        code = hashlib.sha256(thing.__code__.co_code).hexdigest()
        others = {key: value for key, value in sorted(held.items()) if not isinstance(value, int | float | str)}
        defaults = thing.__defaults__ or ()
        plain = [_text(value) for value in (*others.values(), *defaults)]
        yield thing.__qualname__.partition(".<locals>")[0], numbers, f"{code} {plain}"
        for value in (*others.values(), *defaults):
            yield from _parts(value, seen)
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _parts(value, seen)
    elif isinstance(thing, tuple | list):
        for value in thing:
            yield from _parts(value, seen)
    elif hasattr(thing, "func") and hasattr(thing, "keywords"):  # functools.partial
        yield from _parts((thing.func, thing.args, thing.keywords), seen)


def _content(cell: CellType) -> Any:
    """What a function refers to; None for a name that has no value yet, or no more."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _text(value: Any) -> str:
    """What a value says of itself; of arrays all numbers."""
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        return f"{array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
    return ADDRESS.sub("", repr(value))


def _at_rest(state: _State, gradient: np.ndarray, error: float, length: float) -> bool:
    """Whether the values have come to rest, and little is left below them."""
    accuracy = state.accuracy
    if not gradient.size:
        return True
    if error > 0.0:
        return length / 2.0 < accuracy and settled(state.values, error, accuracy, PATIENCE)
    return is_down(gradient, state.pairs, state.values, PATIENCE, accuracy)
