"""Optimizers: one algorithm per file, all with the same face, told values and asked for points."""

from typing import TYPE_CHECKING, Any

from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import Optimizer, Points, Told, checked, require, starting_point
from hybrid.optimizers.registry import BUILT_IN, find, get, names

if TYPE_CHECKING:
    from hybrid.optimizers.adam import Adam
    from hybrid.optimizers.basinhopping import BasinHopping
    from hybrid.optimizers.cmaes import CMAES
    from hybrid.optimizers.differential import DifferentialEvolution
    from hybrid.optimizers.lbfgs import LBFGS
    from hybrid.optimizers.multistart import Multistart
    from hybrid.optimizers.natural_gradient import NaturalGradient
    from hybrid.optimizers.qnspsa import QNSPSA
    from hybrid.optimizers.rotosolve import Rotosolve
    from hybrid.optimizers.scipy import COBYLA, NelderMead
    from hybrid.optimizers.spsa import SPSA
    from hybrid.optimizers.surrogate import Surrogate

__all__ = [
    "CMAES",
    "COBYLA",
    "LBFGS",
    "QNSPSA",
    "SPSA",
    "Adam",
    "BasinHopping",
    "DifferentialEvolution",
    "Multistart",
    "NaturalGradient",
    "NelderMead",
    "Optimizer",
    "Points",
    "Rotosolve",
    "Surrogate",
    "Told",
    "checked",
    "get",
    "names",
    "one_thread",
    "require",
    "starting_point",
]


def __getattr__(name: str) -> Any:
    for kind, path in BUILT_IN.items():
        if path.endswith(f":{name}"):
            return find(kind)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
