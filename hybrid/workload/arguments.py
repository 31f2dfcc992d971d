"""The types of what users give: problems, backends and optimizers, as objects or by name."""

from qiskit.providers import BackendV2

from backends.base import Backend
from circuits import Problem
from circuits.problems.operators import OperatorLike
from hybrid.optimizers.optax import Transformation
from hybrid.optimizers.optimizer import Optimizer

ProblemLike = Problem | OperatorLike
"""A `circuits.Problem`, a Hermitian operator of Qiskit's kinds or PennyLane's, or a Pauli label such as ``"XIZ"``."""

BackendLike = str | Backend | BackendV2
"""A name that `backends.get` knows, or "auto" where a choice is left; a `Backend`; or a device object of Qiskit's."""

OptimizerLike = str | Optimizer | Transformation
"""A name that `hybrid.optimizers.get` knows, ``"scipy:METHOD"``, an `Optimizer` with its settings, or an object of
Optax's such as ``optax.adam(0.1)``."""
