"""Optimizers: one algorithm per file, all with the same face, told values and asked for points."""

import dataclasses
from importlib import import_module
from typing import TYPE_CHECKING, Any

from circuits.errors import Refused, unknown
from hybrid.optimizers.optimizer import Optimizer, Points, Told

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
    "get",
    "names",
]

KNOWN = {
    "adam": "adam:Adam",
    "basin-hopping": "basinhopping:BasinHopping",
    "cma-es": "cmaes:CMAES",
    "cobyla": "scipy:COBYLA",
    "differential-evolution": "differential:DifferentialEvolution",
    "lbfgs": "lbfgs:LBFGS",
    "multistart": "multistart:Multistart",
    "natural-gradient": "natural_gradient:NaturalGradient",
    "nelder-mead": "scipy:NelderMead",
    "qn-spsa": "qnspsa:QNSPSA",
    "rotosolve": "rotosolve:Rotosolve",
    "spsa": "spsa:SPSA",
    "surrogate": "surrogate:Surrogate",
}
"""Name to ``module:class``; a new optimizer is one file and one line here."""


def names() -> list[str]:
    """All names that `get` knows."""
    return sorted(KNOWN)


def get(kind: str | Optimizer, **options: Any) -> Optimizer:
    """An optimizer by name.

    Args:
        kind: One of `names`, or an `Optimizer`, which is returned as it is. ``nelder_mead`` is ``nelder-mead``.
        options: The optimizer's own settings, such as ``learning_rate=0.1``.

    Raises:
        Refused: for an unknown name or setting, with the nearest right word, or a setting out of its range.

    >>> get("lbfgs", memory=5)
    LBFGS(memory=5)
    >>> get(**get("adam").describe()) == get("adam")
    True
    """
    if isinstance(kind, Optimizer):
        if options:
            raise Refused(f"options {sorted(options)} have no effect on an optimizer that is made already")
        return kind
    if not isinstance(kind, str):
        raise Refused(f"optimizer must be one of {', '.join(names())}, or an Optimizer, not {kind!r}")
    name = kind.lower().replace("_", "-")
    if name not in KNOWN:
        raise unknown("optimizer", kind, KNOWN)
    optimizer = _load(KNOWN[name])
    settings = [field.name for field in dataclasses.fields(optimizer)]
    for option in options:
        if option not in settings:
            raise unknown(f"option of optimizer {name}:", option, settings)
    return optimizer(**options)


def _load(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __getattr__(name: str) -> Any:
    for path in KNOWN.values():
        if path.endswith(f":{name}"):
            return _load(path)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
