"""Functions with known minima, from 2 to 200 parameters; a new landscape is one entry of `LANDSCAPES`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``f(rows) -> values, gradients``: shapes (rows, params), (rows,) and (rows, params)."""


@dataclass(frozen=True)
class Landscape:
    """Something to minimize.

    Attributes:
        title: As in the table.
        n_params: Number of parameters.
        make: Makes ``f``; called once.
        start: Starting point from a seed, shape (params,).
        minimum: Lowest value, or a function that finds it.
        target: Distance to the minimum that counts as reached.
        sigma: Standard error of each value told; gradients get 1 / sqrt(2) of it, as from a shift rule.
        geometry: Makes that of the states whose energy this is; None where there are no states.
    """

    title: str
    n_params: int
    make: Callable[[], Evaluate]
    start: Callable[[int], np.ndarray]
    minimum: float | Callable[[Evaluate], float]
    target: float = 1e-4
    sigma: float = 0.0
    geometry: "Callable[[], Geometry] | None" = None


@dataclass(frozen=True)
class Geometry:
    """Of states with parameters.

    Attributes:
        metric: The Fubini-Study metric, (params,) -> (params, params).
        fidelities: Of pairs, (pairs, 2, params) -> (pairs,).
    """

    metric: Callable[[np.ndarray], np.ndarray]
    fidelities: Callable[[np.ndarray], np.ndarray]


def rotations(n: int) -> Geometry:
    """That of n qubits, each turned by one angle."""
    return Geometry(
        lambda row: np.eye(n) / 4.0, lambda pairs: np.prod(np.cos((pairs[:, 0] - pairs[:, 1]) / 2.0) ** 2, axis=1)
    )


def _around(n: int, centre: float = 0.0, width: float = 1.0) -> Callable[[int], np.ndarray]:
    return lambda seed: centre + width * np.random.default_rng((seed, 77)).uniform(-1.0, 1.0, n)


def quadratic(n: int, condition: float, *, rotated: bool, sigma: float = 0.0, target: float = 1e-4) -> Landscape:
    """x.A.x / 2 with eigenvalues from 1 down to 1 / condition."""

    def make() -> Evaluate:
        spectrum = np.logspace(0.0, -np.log10(condition), n)
        basis = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0] if rotated else np.eye(n)
        matrix = basis * spectrum @ basis.T

        def f(rows):
            slopes = rows @ matrix
            return 0.5 * (rows * slopes).sum(axis=1), slopes

        return f

    kind = f"{'rotated' if rotated else 'convex'} quadratic, condition {condition:g}"
    return Landscape(kind + ", noisy" * (sigma > 0), n, make, _around(n, width=3.0), 0.0, target, sigma)


def rosenbrock(n: int) -> Landscape:
    """The curved valley, sum 100 (x' - x^2)^2 + (1 - x)^2."""

    def f(rows):
        x, y = rows[:, :-1], rows[:, 1:]
        gap = y - x**2
        slopes = np.zeros_like(rows)
        slopes[:, :-1] = -400.0 * x * gap - 2.0 * (1.0 - x)
        slopes[:, 1:] += 200.0 * gap
        return (100.0 * gap**2 + (1.0 - x) ** 2).sum(axis=1), slopes

    return Landscape("curved valley (Rosenbrock)", n, lambda: f, _around(n, centre=-0.5, width=0.5), 0.0)


def product_states(n: int, *, sigma: float = 0.0, target: float = 1e-4) -> Landscape:
    """The Ising ring in product states, -sum cos cos' - 1.5 sum sin: one rotation for each spin."""

    def f(rows):
        c, s = np.cos(rows), np.sin(rows)
        neighbours = np.roll(c, 1, axis=1) + np.roll(c, -1, axis=1)
        return -(c * np.roll(c, -1, axis=1)).sum(axis=1) - 1.5 * s.sum(axis=1), s * neighbours - 1.5 * c

    title = "product states of the Ising ring" + ", noisy" * (sigma > 0)
    lowest = -n * (1.0 + 1.5**2 / 4.0)
    return Landscape(title, n, lambda: f, _around(n, width=0.5), lowest, target, sigma, lambda: rotations(n))


def waves(n: int) -> Landscape:
    """A bowl with waves on it, sum x^2 / 4 + 1 - cos 4x: five minima along each parameter, the lowest at 0."""

    def f(rows):
        return (rows**2 / 4.0 + 1.0 - np.cos(4.0 * rows)).sum(axis=1), rows / 2.0 + 4.0 * np.sin(4.0 * rows)

    return Landscape("many minima", n, lambda: f, _around(n, width=3.0), 0.0)


def plateau(n: int, *, sigma: float = 0.0, target: float = 1e-4) -> Landscape:
    """A global cost, 1 - prod cos^2(x / 2), flat but for a dip that shrinks exponentially with n.

    References:
        Cerezo, Sone, Volkoff, Cincio, Coles, Nat. Commun. 12, 1791 (2021).
    """

    def f(rows):
        product = np.prod(np.cos(rows / 2.0) ** 2, axis=1)
        return 1.0 - product, product[:, None] * np.tan(rows / 2.0)

    title = "barren plateau (global cost)" + ", noisy" * (sigma > 0)
    return Landscape(title, n, lambda: f, _around(n, width=2.5), 0.0, target, sigma, lambda: rotations(n))


def circuit(title: str, n_params: int, build: Callable[[], tuple], width: float) -> Landscape:
    """A real VQE on our statevector engine; its minimum is the lowest that 64 starts of L-BFGS find."""

    @cache
    def make() -> Evaluate:
        import backends

        problem, ansatz = build()
        assert ansatz.num_parameters == n_params
        return backends.get("statevector").value_and_grad(ansatz, problem.hamiltonian)

    def lowest(f: Evaluate) -> float:
        from hybrid.optimizers import Told, get

        optimizer = get("multistart", starts=64)
        state = optimizer.init(np.zeros(n_params), accuracy=1e-8, seed=0)
        for _ in range(1500):
            if optimizer.converged(state) or optimizer.stalled(state):
                break
            points = optimizer.ask(state)
            values, slopes = f(points.rows)
            state = optimizer.tell(state, Told(values, np.zeros_like(values), slopes if points.gradient else None))
        return float(f(optimizer.best(state)[None])[0][0])

    def geometry() -> Geometry:
        import backends
        from backends.gradients.fidelity import fidelities

        engine, ansatz = backends.get("statevector"), build()[1]
        compare = fidelities(engine, ansatz)
        return Geometry(engine.metric(ansatz), lambda pairs: compare(pairs, 0))

    return Landscape(title, n_params, make, _around(n_params, width=width), lowest, geometry=geometry)


def _tfim():
    from circuits import hamiltonian_variational, tfim

    problem = tfim(6)
    return problem, hamiltonian_variational(problem, layers=3)


def _heisenberg():
    from circuits import hardware_efficient, heisenberg

    return heisenberg(4), hardware_efficient(4, layers=2)


LANDSCAPES = (
    quadratic(2, 100.0, rotated=False),
    quadratic(20, 100.0, rotated=False),
    quadratic(200, 100.0, rotated=False),
    quadratic(10, 1e4, rotated=True),
    quadratic(50, 1e3, rotated=True),
    rosenbrock(2),
    rosenbrock(10),
    product_states(10),
    product_states(100),
    waves(4),
    plateau(6),
    plateau(12),
    plateau(12, sigma=0.02, target=0.05),
    product_states(10, sigma=0.02, target=0.05),
    quadratic(20, 30.0, rotated=True, sigma=0.02, target=0.05),
    circuit("VQE, Ising chain of 6, Hamiltonian-variational", 6, _tfim, 0.1),
    circuit("VQE, Heisenberg chain of 4, hardware-efficient", 16, _heisenberg, 1.0),
)

QUICK = tuple(landscape for landscape in LANDSCAPES if landscape.n_params <= 10)
