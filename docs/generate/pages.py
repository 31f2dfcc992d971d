"""The parts of the reference that are made from the code: where a page has a line ``<!-- generated: NAME -->``."""

import inspect
import re

import command_line
import options
import study_file
from public_names import names

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
        "class": documented_class,
        "commands": command_line.commands,
        "exit-codes": command_line.exit_codes,
        "study": study_file.sections,
        "problems": study_file.problems,
        "ansatzes": study_file.ansatzes,
        "sites": study_file.sites,
        "backends": options.backends,
        "devices": options.devices,
        "optimizers": options.optimizers,
    }[name](*arguments)


def public(package: str) -> str:
    """Every name of a package, functions first, then classes, then errors; those of `circuits` stand there alone."""
    found = names(package)
    functions = [name for name, thing in found if not inspect.isclass(thing)]
    errors = [name for name, thing in found if inspect.isclass(thing) and issubclass(thing, Exception)]
    classes = [name for name, thing in found if inspect.isclass(thing) and name not in errors]
    parts = []
    for heading, chosen in (("Functions", functions), ("Classes", classes), ("Errors", errors)):
        if heading == "Errors" and package != "circuits" and chosen:
            said = ", ".join(f"`{name}`" for name in chosen)
            parts += ["## Errors", f"{said}: those of [`circuits`](circuits.md#errors), handed on."]
        elif chosen:
            parts += [f"## {heading}", *(directive(package, name) for name in chosen)]
    return "\n\n".join(parts)


def directive(package: str, name: str) -> str:
    """What documents one name."""
    found = dict(names(package))[name]
    if not inspect.isclass(found):
        return _rst(f".. autofunction:: {package}.{name}")
    if issubclass(found, Exception):
        return _rst(f".. autoexception:: {package}.{name}")
    return _rst(f".. autoclass:: {package}.{name}", "   :members:", "   :inherited-members: ABC, tuple, Sequence")


def documented_class(name: str) -> str:
    """A class by its full name, with what it does itself."""
    return _rst(f".. autoclass:: {name}", "   :members:")


def _rst(*lines: str) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```"])
