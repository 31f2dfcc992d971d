"""The grid of a study: sweep variables, and where the file uses them."""

import difflib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from circuits.errors import Refused, unknown

Value = int | float | str
PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
MAX_POINTS = 100_000


def variables(table: Any) -> dict[str, list[Value]]:
    """The section [sweep] of a study file, checked.

    Args:
        table: Its content.

    Returns:
        Names of variables to their values, in the order of the file.

    Raises:
        Refused: for anything but names with lists of different finite numbers or strings, or for too large a grid.
    """
    if not isinstance(table, Mapping):
        raise Refused("[sweep]: must be a table of names with lists, such as r = [1.2, 1.6]")
    for name, values in table.items():
        if not PLACEHOLDER.fullmatch("{" + name + "}"):
            raise Refused(
                f'[sweep] "{name}": must be a plain name; write "{{r}}" where the value belongs and r = [...] here'
            )
        if not isinstance(values, list) or not values:
            raise Refused(f"[sweep] {name}: must be a list of numbers or strings, not {shown(values)}")
        for value in values:
            if (
                isinstance(value, bool)
                or not isinstance(value, Value)
                or value in (math.inf, -math.inf)
                or value != value
            ):
                raise Refused(f"[sweep] {name}: holds {shown(value)}, which is neither a finite number nor a string")
        slugs = [slug(value) for value in values]
        twice = sorted({s for s in slugs if slugs.count(s) > 1}) if len(set(slugs)) < len(slugs) else []
        if twice:
            raise Refused(f"[sweep] {name}: {twice[0]} stands there twice")
    if (n_points := math.prod(len(values) for values in table.values())) > MAX_POINTS:
        raise Refused(f"[sweep]: {n_points} points, more than {MAX_POINTS}; split the study")
    return {name: list(values) for name, values in table.items()}


def grid(sweep: Mapping[str, list[Value]]) -> Iterator[dict[str, Value]]:
    """Every combination, the last variable running fastest; one empty combination if there is no variable.

    >>> list(grid({"r": [1, 2], "s": ["a", "b"]}))[1]
    {'r': 1, 's': 'b'}
    """
    for values in itertools.product(*sweep.values()):
        yield dict(zip(sweep, values, strict=True))


def placeholders(data: Any) -> set[str]:
    """The names of all placeholders, such as ``{r}``, in the content of a study file."""
    if isinstance(data, str):
        return set(PLACEHOLDER.findall(data))
    if isinstance(data, Mapping):
        data = data.values()
    return set().union(*map(placeholders, data)) if isinstance(data, Iterable) else set()


def check_use(data: Mapping[str, Any], sweep: Mapping[str, Any], *, section: str = "sweep") -> None:
    """Refuse a placeholder without a variable, and a variable without a placeholder.

    Args:
        data: The file's content without the section of the variables.
        sweep: Names of variables to their values.
        section: Of the variables.

    Raises:
        Refused: if there is one; the message names the nearest variable where one may be misspelt.
    """
    names = placeholders(data)
    for name in sorted(names - set(sweep)):
        if not sweep:
            raise Refused(f'"{{{name}}}" is used, but there is no [sweep]; add one with {name} = [...]')
        raise unknown(f"{section} variable", name, sweep)
    for name in sweep:
        if name not in names:
            raise Refused(f'[{section}] {name}: is used nowhere; write "{{{name}}}" where its value belongs')


def fill(data: Any, values: Mapping[str, Value]) -> Any:
    """Replace the placeholders in the content of a study file by values.

    Args:
        data: Content, or a part of it.
        values: Names of variables to their values.

    Returns:
        A copy; a string that is exactly one placeholder becomes the value itself, whatever its type.

    >>> fill({"geometry": "H 0 0 0; H 0 0 {r}", "layers": "{p}"}, {"r": 0.7, "p": 3})
    {'geometry': 'H 0 0 0; H 0 0 0.7', 'layers': 3}
    """
    if isinstance(data, str):
        whole = PLACEHOLDER.fullmatch(data)
        return values[whole[1]] if whole else PLACEHOLDER.sub(lambda found: str(values[found[1]]), data)
    if isinstance(data, Mapping):
        return {key: fill(value, values) for key, value in data.items()}
    return [fill(value, values) for value in data] if isinstance(data, list) else data


def positions(selection: Iterable[str], names: Sequence[str]) -> list[int]:
    """The numbers of points of a grid that are named in some way.

    Args:
        selection: Numbers from 0, ranges of them such as "3-7", and names of points.
        names: Names of all points, in order.

    Returns:
        Numbers of the points, ascending, each once.

    >>> positions(["2", "0-1", "r=1.6"], ["r=1.2", "r=1.4", "r=1.6", "r=1.8"])
    [0, 1, 2]

    Raises:
        Refused: for anything else; the message names the nearest point where a name may be misspelt.
    """
    where = {name: number for number, name in enumerate(names)}
    chosen: set[int] = set()
    for text in selection:
        span = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, -1)
        if text in where:
            chosen.add(where[text])
        elif span and first <= last < len(names):
            chosen.update(range(first, last + 1))
        elif span:
            raise Refused(f"point {text}: there are points 0 to {len(names) - 1}")
        else:
            near = difflib.get_close_matches(text, names, n=1)
            hint = (
                f"did you mean '{near[0]}'?" if near else f"there are 0 ({names[0]}) to {len(names) - 1} ({names[-1]})"
            )
            raise Refused(f"unknown point '{text}'; {hint}")
    return sorted(chosen)


def slug(value: Value) -> str:
    """A value as a part of a file name.

    >>> slug("ibm:fake_manila"), slug(1.5)
    ('ibm_fake_manila', '1.5')
    """
    return re.sub(r"[^\w.+-]", "_", str(value))


def shown(value: Any) -> str:
    """A value about as the study file has it, for messages; cut to 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
