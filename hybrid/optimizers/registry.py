"""From a name to an optimizer, its settings and their types; other packages' optimizers, too.

A package adds one with an entry point of the group ``hybrid.optimizers``::

    [project.entry-points."hybrid.optimizers"]
    gradient-walk = "walks.gradient:GradientWalk"

The class subclasses `hybrid.optimizers.Optimizer`, is a frozen dataclass of its settings, and says the same name as its
``kind``. Study files, plans, the command line, and runs that are continued find it by that name.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from circuits.errors import Refused, shown, unknown
from hybrid.optimizers.optimizer import Optimizer

if TYPE_CHECKING:
    from hybrid.optimizers.optax import Transformation

BUILT_IN = {
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
"""Name to ``module:class`` in this package; a new optimizer is one file and one line here."""

LIBRARIES = {"optax": "optax:Optax", "scipy": "minimizers:Minimizer"}
"""The same for what stands for another library's optimizers: `get` takes these as they are called there."""

GROUP = "hybrid.optimizers"

WORDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "mapping_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "tuple_type": "a list",
}
"""What pydantic's errors ask for, in plain words."""


def names() -> list[str]:
    """All names that `get` knows, built in and registered by other packages."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def get(kind: "str | Optimizer | Transformation", **options: Any) -> Optimizer:
    """An optimizer by name.

    Args:
        kind: One of `names`, or an `Optimizer`, which is returned as it is. ``nelder_mead`` is ``nelder-mead``.
            ``"scipy:BFGS"`` is that method of ``scipy.optimize.minimize``; an object of Optax's is taken, too.
        options: The optimizer's own settings, such as ``learning_rate=0.1``, of the types that its fields have.

    Returns:
        The optimizer, immutable.

    Raises:
        Refused: for an unknown name or setting, with the nearest right word, or a setting of another type or out of
            its range.

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
        from hybrid.optimizers.optax import from_optax, is_transformation

        if not is_transformation(kind):
            raise Refused(
                f'optimizer must be one of {", ".join(names())}, "scipy:METHOD", an Optimizer or an object of '
                f"Optax's, not {shown(kind)}" + ("; call it, with its settings" if callable(kind) else "")
            )
        if options:
            raise Refused(f"options {sorted(options)} have no effect on an object of Optax's: give them to Optax")
        return from_optax(kind)
    library, colon, word = kind.partition(":")
    if colon and _plain(library) == "scipy":
        return get("scipy", method=word, **options)
    method = find(kind)
    return method(**{name: checked(method, name, value) for name, value in options.items()})


def find(kind: str) -> type[Optimizer]:
    """The class behind a name.

    Args:
        kind: One of `names`, in any case, with ``_`` or ``-``.

    Returns:
        A dataclass whose fields are the settings.

    Raises:
        Refused: for an unknown name, or an entry point behind which there is no such class.
    """
    name = _plain(kind)
    name = "scipy" if name.startswith("scipy:") else name
    if path := (BUILT_IN | LIBRARIES).get(name):
        module, _, attribute = path.partition(":")
        return getattr(import_module(f"hybrid.optimizers.{module}"), attribute)
    points = [point for point in entry_points(group=GROUP) if _plain(point.name) == name]
    if not points:
        from hybrid.optimizers.minimizers import GRADIENT, VALUES

        for method in (*GRADIENT, *VALUES):
            if method.lower() == name:
                raise Refused(f"unknown optimizer {shown(kind)}; SciPy's is 'scipy:{method}'")
        raise unknown("optimizer", kind, names())
    if len({point.value for point in points}) > 1:
        raise Refused(f"optimizer '{kind}' is registered by several packages: {', '.join(map(_origin, points))}")
    return _loaded(points[0])


def settings(method: type[Optimizer]) -> Mapping[str, Any]:
    """The names of an optimizer's settings, in their order, and their types.

    Args:
        method: Its class, as of `find`.

    Returns:
        The type, with its annotations, for each name.

    Raises:
        Refused: if a type cannot be read.
    """
    try:
        types = get_type_hints(method, include_extras=True)
    except NameError as err:
        raise Refused(f"optimizer {method.kind}: the type of a setting cannot be read: {err}") from err
    return {field.name: types[field.name] for field in dataclasses.fields(method) if field.init}  # pyright: ignore


def checked(method: type[Optimizer], setting: str, value: Any) -> Any:
    """The value of one setting, if it has that setting's type; a list will do for a tuple, as files have no other.

    Args:
        method: The optimizer's class, as of `find`.
        setting: The name of the setting.
        value: What it is to be.

    Returns:
        The value, of the setting's type.

    Raises:
        Refused: if there is no such setting, or the value has another type.
    """
    from pydantic import ValidationError
    from pydantic_core import to_json

    types = settings(method)
    if setting not in types:
        raise unknown(f"option of optimizer {method.kind}:", setting, list(types))
    adapter = _adapter(types[setting])
    try:
        if isinstance(value, list):
            return adapter.validate_json(to_json([value], inf_nan_mode="constants", fallback=repr))[0]
        return adapter.validate_python((value,))[0]
    except ValidationError as err:
        literal = get_origin(types[setting]) is Literal
        if literal and isinstance(value, str):
            raise unknown(f"{setting} of optimizer {method.kind}:", value, get_args(types[setting])) from err
        wanted = [WORDS.get(e["type"], e["msg"].removeprefix("Input should be ")) for e in err.errors()]
        must = " or ".join(dict.fromkeys(wanted))
        raise Refused(f"optimizer {method.kind}: {setting} must be {must}, not {value!r}") from err


@cache
def _adapter(kind: Any) -> Any:
    """Checks a tuple of one value of a type, so that types with rules of their own keep them."""
    from pydantic import ConfigDict, TypeAdapter

    strict = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
    return TypeAdapter(tuple[kind], config=strict)  # pyright: ignore[reportInvalidTypeForm]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _origin(point: EntryPoint) -> str:
    return f"{point.value} ({point.dist.name if point.dist else 'unknown package'})"


def _loaded(point: EntryPoint) -> type[Optimizer]:
    """The class behind an entry point of another package."""
    try:
        method = point.load()
    except (ImportError, AttributeError) as err:
        raise Refused(f"optimizer '{point.name}' cannot be loaded from {_origin(point)}: {err}") from err
    if not (isinstance(method, type) and issubclass(method, Optimizer) and dataclasses.is_dataclass(method)):
        raise Refused(
            f"optimizer '{point.name}': {_origin(point)} must be a dataclass and subclass hybrid.optimizers.Optimizer"
        )
    if getattr(method, "kind", None) != point.name:
        raise Refused(
            f"optimizer '{point.name}': the kind of {_origin(point)} must be that name, by which its runs are continued"
        )
    return method
