"""Environments of their own: made, looked at, removed.

An environment is made beside its place and moved there when it is whole, so that an interrupted installation leaves
nothing that could be used by mistake, and what was there before works on until then.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from backends.providers.worker.recipes import Recipe
from circuits.errors import FailedJob, NotInstalled, Refused

VARIABLE = "HYBRID_ENVIRONMENTS"
"""Names the folder of all environments."""

STAMP = "hybrid.json"
"""Written last: what the environment was made from."""

LAST_LINES = 15
"""Of an installer that failed, in the message."""


@dataclass(frozen=True)
class Environment:
    """An environment that is installed.

    Attributes:
        folder: Where it lies.
        packages: What was asked for.
        size_bytes: Of its files.
    """

    folder: Path
    packages: tuple[str, ...]
    size_bytes: int

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def root() -> Path:
    """The folder of all environments: $HYBRID_ENVIRONMENTS, or one in the user's data folder."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_data_path("hybrid-codesign") / "environments")


def installed(recipe: Recipe) -> Environment | None:
    """The environment of a recipe; None where there is none that works: not made, or its Python is gone.

    One that was made from other packages than the recipe has now is none.
    """
    folder = root() / recipe.name
    try:
        made = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        found = Environment(folder, tuple(made["packages"]), int(made["size_bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.packages == recipe.packages and found.python.exists() else None


def needed(recipe: Recipe) -> Environment:
    """The environment of a recipe.

    Raises:
        NotInstalled: if it is not installed, with the command that does it.
    """
    if (found := installed(recipe)) is None:
        raise NotInstalled(
            f"'{recipe.name}' needs {' and '.join(recipe.packages)} in an environment of its own, which is not in "
            f"{root() / recipe.name}: hybrid backends --install {recipe.name}"
        )
    return found


def install(recipe: Recipe, *, told: Callable[[str], None] = lambda line: None) -> Environment:
    """Make the environment of a recipe, or make it anew.

    Args:
        recipe: What shall be in it.
        told: Gets each line of what the installer says.

    Raises:
        Refused: if another process makes it at this moment, or its folder cannot be written.
        FailedJob: if the installation failed; what was there before is as it was.
    """
    place = root() / recipe.name
    with _alone(recipe.name):
        scratch = place.with_name(f".{recipe.name}.partial")
        _sweep(recipe.name)
        try:
            _make(recipe, scratch, told)
            size_bytes = sum(file.lstat().st_size for file in scratch.rglob("*") if not file.is_dir())
            (scratch / STAMP).write_text(json.dumps({"packages": recipe.packages, "size_bytes": size_bytes}))
            _remove(place)
            scratch.rename(place)
        finally:
            _remove(scratch)
    return needed(recipe)


def uninstall(recipe: Recipe) -> bool:
    """Remove the environment of a recipe, half made ones as well; whether there was one.

    Raises:
        Refused: if another process makes it at this moment, or its folder cannot be written.
    """
    place = root() / recipe.name
    if not root().is_dir():
        return False
    with _alone(recipe.name):
        _sweep(recipe.name)
        was_there = place.exists()
        _remove(place)
    return was_there


def _make(recipe: Recipe, folder: Path, told: Callable[[str], None]) -> None:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    without_pip = ["--without-pip"] if uv else []
    python = str(folder / "bin" / "python")
    told(f"installing {' '.join(recipe.packages)}")
    _run([sys.executable, "-m", "venv", *without_pip, str(folder)], recipe, told)
    if uv:
        _run([uv, "pip", "install", "--python", python, *recipe.packages], recipe, told)
    else:
        _run([python, "-m", "pip", "install", "--disable-pip-version-check", *recipe.packages], recipe, told)
    told("trying it")
    _run([python, "-I", "-c", f"import {', '.join(recipe.modules)}"], recipe, told)


def _run(command: Sequence[str], recipe: Recipe, told: Callable[[str], None]) -> None:
    """Run a command to its end, and hand on what it says as it says it."""
    plain = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    lines: list[str] = []
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=plain,
        ) as process:
            try:
                for line in process.stdout or ():
                    lines = [*lines, line.rstrip()][-LAST_LINES:]
                    told(line.rstrip())
            except BaseException:
                process.kill()
                raise
    except OSError as err:
        raise FailedJob(f"{command[0]} cannot be run: {err.strerror}") from err
    if process.returncode:
        said = "\n".join(lines) or f"exit code {process.returncode}"
        raise FailedJob(
            f"the environment of '{recipe.name}' was not made, and what was there before is as it was:\n{said}"
        )


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """While no other process makes or removes an environment."""
    try:
        root().mkdir(parents=True, exist_ok=True)
        lock = (root() / f".{name}.lock").open("w")
    except OSError as err:
        raise Refused(f"{root()} cannot be written ({err.strerror}); ${VARIABLE} can name another folder") from err
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise Refused(f"the environment of '{name}' is being made by another process; wait for it") from err
        yield


def _sweep(name: str) -> None:
    """Remove what installations and removals left that were killed."""
    for left in (*root().glob(f".{name}.partial"), *root().glob(f".{name}.*removed.*")):
        _remove(left)


def _remove(folder: Path) -> None:
    """Remove a folder; its name is gone first, so that nobody finds it half empty."""
    if not folder.exists():
        return
    dying = folder.with_name(f".{folder.name.lstrip('.')}.removed.{os.getpid()}")
    try:
        folder.rename(dying)
        shutil.rmtree(dying)
    except OSError as err:
        raise Refused(f"{folder} cannot be removed: {err.strerror}") from err
