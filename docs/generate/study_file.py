"""The study file and the site file: every key, from the models by which the files are checked."""

import inspect

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from circuits import registry
from docs.generate.tables import default_words, table, type_words
from hybrid.sites import kinds
from hybrid.studies.algorithm_sections import ALGORITHMS
from hybrid.studies.problem_and_ansatz import ANSATZES, PROBLEMS
from hybrid.studies.sections import Spec

HEADER = ["key", "type", "must be", "default"]


def sections() -> str:
    """The sections whose keys do not depend on a kind."""
    parts = []
    for name, field in Spec.model_fields.items():
        if name in ("problem", "ansatz", "algorithm"):
            continue
        model = field.annotation
        parts += [f"## `[{name}]`", inspect.getdoc(model) or "", _keys(model.model_fields, {})]
    return "\n\n".join(parts)


def problems() -> str:
    """The keys of every kind of problem."""
    return _kinds("problem", PROBLEMS)


def ansatzes() -> str:
    """The keys of every kind of ansatz."""
    return _kinds("ansatz", ANSATZES)


def algorithms() -> str:
    """The keys of every kind of algorithm."""
    return _kinds("algorithm", ALGORITHMS)


def sites() -> str:
    """The keys of every kind of site."""
    return "\n\n".join(
        f'## `kind = "{kind}"`\n\n{inspect.getdoc(model) or ""}\n\n{_keys(model.model_fields, {})}'
        for kind, model in ((kind, kinds.load(kind)) for kind in kinds.BUILT_IN)
    )


def _kinds(section: str, models) -> str:
    parts = []
    for kind, model in models.items():
        fields = {key: field for key, field in model.model_fields.items() if key != "kind"}
        parts += [f'### `kind = "{kind}"`', inspect.getdoc(model) or "", _keys(fields, _defaults(section, kind))]
        if not fields:
            parts[-1] = "It has no other keys."
    return "\n\n".join(parts)


def _defaults(section: str, kind: str) -> dict[str, object]:
    """The defaults of the function behind a kind, to which a key that is left out is left."""
    if section == "algorithm" or kind not in registry.names(section):
        return {}
    parameters = inspect.signature(registry.load(section, kind)).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _keys(fields: dict[str, FieldInfo], defaults: dict[str, object]) -> str:
    return table(HEADER, [_row(key, field, defaults) for key, field in fields.items()])


def _row(key: str, field: FieldInfo, defaults: dict[str, object]) -> list[str]:
    default = defaults.get(key) if field.default is None else field.default
    required = field.default is PydanticUndefined and field.default_factory is None
    shown = "required" if required else default_words(default)
    return [f"`{key}`", type_words(field.annotation), field.description or "", shown]
