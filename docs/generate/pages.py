"""The parts of the reference that are made from the code: where a page has a line ``<!-- generated: NAME -->``."""

import inspect
import re

from docs.generate import command_line, options, study_file
from docs.generate.public_names import ANSWERS, CALLED, SEAM, found, names

MARK = re.compile(r"^<!-- generated: (.+) -->$", re.MULTILINE)


def fill_in(app, docname, source):
    """Put what is generated in the place of its mark."""
    del app, docname
    source[0] = filled(source[0])


def filled(text: str) -> str:
    """A page with what is generated in the place of its marks."""
    return MARK.sub(lambda mark: generated(*mark[1].split()), text)


def generated(name: str, *arguments: str) -> str:
    """What stands in the place of a mark, in Markdown."""
    return {
        "names": public,
        "answers": lambda: documented(ANSWERS),
        "seam": lambda: documented(SEAM),
        "optimizer-classes": optimizer_classes,
        "commands": command_line.commands,
        "exit-codes": command_line.exit_codes,
        "study": study_file.sections,
        "problems": study_file.problems,
        "ansatzes": study_file.ansatzes,
        "algorithms": study_file.algorithms,
        "sites": study_file.sites,
        "backends": options.backends,
        "devices": options.devices,
        "optimizers": options.optimizers,
    }[name](*arguments)


def public(package: str) -> str:
    """Every name of a package, functions first, then classes, then errors; those of `circuits` stand there alone."""
    things = names(package)
    functions = [name for name, thing in things if not inspect.isclass(thing)]
    errors = [name for name, thing in things if inspect.isclass(thing) and issubclass(thing, Exception)]
    classes = [name for name, thing in things if inspect.isclass(thing) and name not in errors]
    parts = []
    for heading, chosen in (("Functions", functions), ("Classes", classes), ("Errors", errors)):
        if heading == "Errors" and package != "circuits" and chosen:
            said = ", ".join(f"`{name}`" for name in chosen)
            parts += ["## Errors", f"{said}: those of [`circuits`](circuits.md#errors), handed on."]
        elif chosen:
            parts += [f"## {heading}", *(directive(f"{package}.{name}") for name in chosen)]
    return "\n\n".join(parts)


def documented(full_names: tuple[str, ...]) -> str:
    """Classes and functions by their full names."""
    return "\n\n".join(directive(name) for name in full_names)


def optimizer_classes() -> str:
    """The functions of `hybrid.optimizers`, the face of all optimizers with its methods, and each one's settings."""
    things = names("hybrid.optimizers")
    functions = [directive(f"hybrid.optimizers.{name}") for name, thing in things if not inspect.isclass(thing)]
    face = [directive(f"hybrid.optimizers.{name}") for name in ("Optimizer", "Points", "Told")]
    methods = [
        directive(f"hybrid.optimizers.{name}", members=False)
        for name, thing in things
        if inspect.isclass(thing) and name not in ("Optimizer", "Points", "Told")
    ]
    sections = (("Functions", functions), ("The face of all", face), ("Methods", methods))
    return "\n\n".join(f"## {heading}\n\n" + "\n\n".join(parts) for heading, parts in sections)


def directive(full_name: str, *, members: bool = True) -> str:
    """What has Sphinx document one name."""
    full_name = CALLED.get(full_name, full_name)
    thing = found(full_name)
    if not inspect.isclass(thing):
        return _rst(f".. autofunction:: {full_name}")
    if issubclass(thing, Exception):
        return _rst(f".. autoexception:: {full_name}")
    shown = ["   :members:", "   :inherited-members: ABC, tuple, Sequence, Generic"] if members else []
    if full_name.partition(".")[0] != thing.__module__.partition(".")[0]:  # it is indexed where it lives
        shown.append("   :no-index:")
    return _rst(f".. autoclass:: {full_name}", *shown)


def _rst(*lines: str) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```"])
