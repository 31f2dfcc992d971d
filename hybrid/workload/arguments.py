"""The types of what users give: problems, backends and optimizers, as objects or by name."""

from backends import registry
from circuits import Problem
from circuits.problems.operators import OperatorLike
from hybrid.optimizers.optax import Transformation
from hybrid.optimizers.optimizer import Optimizer

ProblemLike = Problem | OperatorLike
"""A `circuits.Problem`, a Hermitian operator of Qiskit's kinds or PennyLane's, or a Pauli label such as ``"XIZ"``."""

BackendLike = registry.BackendLike
"""What `backends.get` takes, or "auto" where a choice is left."""

OptimizerLike = str | Optimizer | Transformation
"""A name that `hybrid.optimizers.get` knows, ``"scipy:METHOD"``, an `Optimizer` with its settings, or an object of
Optax's such as ``optax.adam(0.1)``."""
