"""Any method of ``scipy.optimize.minimize`` that gradients, or values alone, will do for."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from circuits.errors import Refused, unknown
from hybrid.optimizers.optimizer import FEW, rows_bytes
from hybrid.optimizers.replayed import TOLD, Objective, Replayed, shows, too_noisy

ENDLESS = 10**9
"""Iterations that no run takes: the steps are counted by the loop."""

GRADIENT: dict[str, dict[str, int]] = {
    "BFGS": {"maxiter": ENDLESS},
    "CG": {"maxiter": ENDLESS},
    "L-BFGS-B": {"maxiter": ENDLESS, "maxfun": ENDLESS},
    "Newton-CG": {"maxiter": ENDLESS},
    "SLSQP": {"maxiter": ENDLESS},
    "TNC": {"maxfun": ENDLESS},
    "trust-constr": {"maxiter": ENDLESS},
}
"""Methods that take gradients, with SciPy's options for their own limits."""

VALUES: dict[str, dict[str, int]] = {
    "COBYLA": {"maxiter": ENDLESS},
    "COBYQA": {"maxiter": ENDLESS, "maxfev": ENDLESS},
    "Nelder-Mead": {"maxiter": ENDLESS, "maxfev": ENDLESS},
    "Powell": {"maxiter": ENDLESS, "maxfev": ENDLESS},
}
"""Methods that take values alone."""

HESSIAN = ("dogleg", "trust-exact", "trust-krylov", "trust-ncg")
"""Methods that cannot do without second derivatives."""


@dataclass(frozen=True)
class Minimizer(Replayed):
    """A method of ``scipy.optimize.minimize``, as SciPy has it, with the wanted accuracy for its ``tol``.

    What ``tol`` means is the method's own affair: of BFGS and CG the largest slope, of Nelder-Mead the size of the
    simplex and the spread of its values. SciPy's word is taken for the end: a method that reports success has
    converged, and one that does not has stalled, with SciPy's message. The toolkit's own ``lbfgs``, ``cobyla`` and
    ``nelder-mead`` look around before they believe that. One call of the function, with its gradient, is a step.
    Standard errors above a tenth of the accuracy, or its params-th part, end the run stalled, too.

    Args:
        method: SciPy's name, in any case.

    References:
        Virtanen et al., SciPy 1.0, Nature Methods 17, 261 (2020).
    """

    method: str = "L-BFGS-B"

    kind: ClassVar[str] = "scipy"

    def __post_init__(self):
        known = {name.lower(): name for name in (*GRADIENT, *VALUES)}
        word = str(self.method).lower().replace("_", "-")
        if word in HESSIAN:
            raise Refused(
                f"SciPy's method {self.method!r} needs second derivatives, which no loop has; L-BFGS-B makes its own"
            )
        if word not in known:
            raise unknown("method of scipy.optimize.minimize", str(self.method), sorted(known.values()))
        object.__setattr__(self, "method", known[word])

    @property
    def uses_gradient(self) -> bool:
        """As the method."""
        return self.method in GRADIENT

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows, from a few circuits."""
        return min(max_steps, 20 + 4 * n_params if self.uses_gradient else 50 + 50 * n_params)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """Matrices of quasi-Newton methods and simplices, and all values and gradients so far."""
        gradients = max_steps if self.uses_gradient else 0
        return rows_bytes(FEW + 10 * n_params + gradients, n_params) + TOLD * max_steps

    def _solve(self, objective: Objective, theta: np.ndarray, *, accuracy: float, seed: int) -> str:
        """One call of SciPy's."""
        from scipy.optimize import minimize

        del seed
        noise = 0.0

        def function(x: np.ndarray) -> Any:
            nonlocal noise
            told, errors, *gradients = objective(x[None])
            noise = max(noise, float(errors.max()))
            return (float(told[0]), gradients[0][0].copy()) if gradients else float(told[0])

        limits = (GRADIENT | VALUES)[self.method]
        found = minimize(
            function, theta, jac=self.uses_gradient or None, method=self.method, tol=accuracy, options=dict(limits)
        )
        if not shows(noise, accuracy, theta.size):
            return too_noisy(noise, f"SciPy's {self.method}", accuracy)
        return "" if found.success else f"SciPy's {self.method} says: {found.message}"
