"""Who takes part: every optimizer of ours by its name, and the rivals; a new rival is one function and one line.

A contestant is a function ``minimize(meter, theta, seed)`` that asks the meter until that ends the run, or returns a
word on why it stopped by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

import numpy as np

from descent.landscapes import Landscape
from descent.meter import Meter
from hybrid import optimizers
from hybrid.optimizers import Told

Minimize = Callable[[Meter, np.ndarray, int], str]


@dataclass(frozen=True)
class Contestant:
    """One algorithm of one library.

    Attributes:
        minimize: Runs it.
        library: Module that it needs.
        package: Distribution whose version belongs to the record.
        most_params: Above, its own arithmetic would take most of the contest's time.
        most_rows: It is made for fewer rows than the budget has, since its own arithmetic takes long for each.
        geometry: Whether it asks for metrics or fidelities of states.
    """

    minimize: Minimize
    library: str
    package: str
    most_params: int = 1000
    most_rows: int = 10**9
    geometry: bool = False

    @property
    def missing(self) -> str:
        """Why it cannot take part, or nothing."""
        return "" if find_spec(self.library) else f"{self.package} is not installed (extras peers and dev)"

    def left_out(self, landscape: Landscape) -> str:
        """Why it is left out of a landscape, or nothing."""
        if landscape.n_params > self.most_params:
            return f"takes milliseconds or more a value above {self.most_params} parameters"
        return "asks for the geometry of states, and there are none" * (self.geometry and landscape.geometry is None)


def ours(kind: str, meter: Meter, theta: np.ndarray, seed: int) -> str:
    """Ask and tell with the defaults, told the target as the accuracy."""
    optimizer = optimizers.get(kind)
    state = optimizer.init(theta, accuracy=meter.landscape.target, seed=seed)
    geometry = meter.landscape.geometry() if optimizer.geometry and meter.landscape.geometry else None
    while not optimizer.converged(state):
        if reason := optimizer.stalled(state):
            return f"stalled: {reason}"
        points = optimizer.ask(state)
        values, errors, slopes = meter(points.rows, gradient=points.gradient)
        told = Told(values, errors, slopes if points.gradient else None)
        if geometry is not None and points.metric:
            told = replace(told, metrics=np.stack([geometry.metric(row) for row in points.rows]))
        if geometry is not None and points.pairs is not None:
            told = replace(told, fidelities=geometry.fidelities(points.pairs))
        state = optimizer.tell(state, told)
        meter.answers(optimizer.best(state))
    return "converged"


def scipys(method: str, meter: Meter, theta: np.ndarray, seed: int) -> str:
    """scipy.optimize.minimize with its own tolerances."""
    from scipy.optimize import minimize

    del seed
    slopes = method in ("L-BFGS-B", "BFGS")
    f = meter.value_and_grad if slopes else meter.value
    return str(minimize(f, theta, method=method, jac=slopes or None, options={"maxiter": 10**9}).message)


def scipy_evolution(meter: Meter, theta: np.ndarray, seed: int) -> str:
    """scipy.optimize.differential_evolution within pi around the start."""
    from scipy.optimize import differential_evolution

    box = list(zip(theta - np.pi, theta + np.pi, strict=True))
    return str(differential_evolution(meter.value, box, x0=theta, rng=seed, maxiter=10**9, polish=False).message)


def scipy_hopping(meter: Meter, theta: np.ndarray, seed: int) -> str:
    """scipy.optimize.basinhopping around L-BFGS-B."""
    from scipy.optimize import basinhopping

    local = {"method": "L-BFGS-B", "jac": True}
    return str(basinhopping(meter.value_and_grad, theta, niter=10**6, minimizer_kwargs=local, rng=seed).message)


def optaxs(rate: float, meter: Meter, theta: np.ndarray, seed: int) -> str:
    """optax.adam at a fixed rate, in double precision; it has no stopping rule."""
    import jax
    import optax

    del seed
    with jax.enable_x64(True):
        adam = optax.adam(rate)
        state, update = adam.init(theta), jax.jit(adam.update)
        while True:
            step, state = update(meter.value_and_grad(theta)[1], state)
            theta = theta + np.asarray(step)


def pycma(meter: Meter, theta: np.ndarray, seed: int) -> str:
    """cma.CMAEvolutionStrategy with its defaults, at our first sigma."""
    import cma

    es = cma.CMAEvolutionStrategy(theta, 0.5, {"seed": seed + 1, "verbose": -9})
    while not es.stop():
        points = es.ask()
        es.tell(points, meter(np.array(points), gradient=False)[0].tolist())
    return str(es.stop())


MOST_PARAMS, MOST_ROWS = {"cobyla": 20, "qn-spsa": 20, "surrogate": 10}, {"surrogate": 150}
"""Of ours that cannot take part in all."""

CONTESTANTS = {
    **{
        kind: Contestant(
            partial(ours, kind),
            "hybrid",
            "hybrid-codesign",
            MOST_PARAMS.get(kind, 1000),
            MOST_ROWS.get(kind, 10**9),
            bool(optimizers.get(kind).geometry),
        )
        for kind in optimizers.names()
    },
    "SciPy L-BFGS-B": Contestant(partial(scipys, "L-BFGS-B"), "scipy", "scipy"),
    "SciPy BFGS": Contestant(partial(scipys, "BFGS"), "scipy", "scipy"),
    "SciPy COBYLA": Contestant(partial(scipys, "COBYLA"), "scipy", "scipy", 20),
    "SciPy Nelder-Mead": Contestant(partial(scipys, "Nelder-Mead"), "scipy", "scipy"),
    "SciPy Powell": Contestant(partial(scipys, "Powell"), "scipy", "scipy"),
    "SciPy differential evolution": Contestant(scipy_evolution, "scipy", "scipy"),
    "SciPy basin hopping": Contestant(scipy_hopping, "scipy", "scipy"),
    "optax Adam": Contestant(partial(optaxs, 0.05), "optax", "optax"),
    "pycma": Contestant(pycma, "cma", "cma"),
}
