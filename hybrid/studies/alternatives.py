"""A study file once for each of several backends or optimizers: a sweep over a section's name."""

from collections.abc import Sequence
from pathlib import Path

from circuits.errors import Refused
from hybrid.studies.study import Study, check, parse

SECTIONS = {"backend": "name", "optimizer": "kind"}
"""Name of a sweep variable, which is that of a section, to the key whose value it gives."""


def read_alternatives(
    path: str | Path, *, backends: Sequence[str] = (), optimizers: Sequence[str] = (), base: str | Path | None = None
) -> Study:
    """Read and check a study file for every backend with every optimizer that is given instead of its own.

    Args:
        path: A TOML file.
        backends: Names; none for the file's own.
        optimizers: Kinds; none for the file's own.
        base: The folder that paths in the file are relative to; by default the file's own.

    Returns:
        A study whose last sweep variables are "backend" and "optimizer", as far as they are given.

    Raises:
        Refused: as `hybrid.studies.read`; if nothing is given, or the file sweeps a variable of that name itself.
    """
    path = Path(path)
    given = {"backend": list(backends), "optimizer": list(optimizers)}
    chosen = {name: values for name, values in given.items() if values}
    if not chosen:
        raise Refused(f"{path}: nothing to compare; give --backends statevector,lightning or --optimizers lbfgs,adam")
    data = dict(parse(path))
    if "algorithm" in data:
        raise Refused(
            f"{path}: [algorithm]: only single minimizations can be laid side by side; write [sweep] backend = [...] "
            'and [backend] name = "{backend}" instead, and run that'
        )
    sweep = data.get("sweep", {})
    for name, values in chosen.items():
        section = data.get(name, {})
        if isinstance(sweep, dict) and name in sweep:
            raise Refused(f"{path}: [sweep] {name}: is swept by --{name}s already; leave one of them out")
        if isinstance(section, dict):
            data[name] = {**section, SECTIONS[name]: "{" + name + "}"}
        if isinstance(sweep, dict):
            sweep = {**sweep, name: values}
    return check(data | {"sweep": sweep}, path=path, base=base)
