"""What is installed into an environment of its own, for each vendor that needs one."""

from dataclasses import dataclass
from pathlib import Path

from circuits.errors import unknown


@dataclass(frozen=True)
class Recipe:
    """An environment and what runs in it.

    Attributes:
        name: Of the environment, and of the family of devices that it serves.
        packages: What pip is asked for, in ranges that were tried.
        modules: That must be importable once it is installed.
        script: The file that runs in it; see `backends.providers.worker.there`.
        variables: Patterns of names of environment variables that it gets besides those of every process; whatever
            they hold is taken for a credential, and never shown, unless its name says that it is an address or a name.
    """

    name: str
    packages: tuple[str, ...]
    modules: tuple[str, ...]
    script: Path
    variables: tuple[str, ...] = ()


THERE = Path(__file__).parent / "there"

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("iqm", ("iqm-client[qiskit]>=36,<37",), ("iqm.qiskit_iqm",), THERE / "iqm.py", ("IQM_*",)),
        Recipe("aqt", ("qiskit-aqt-provider>=2,<3",), ("qiskit_aqt_provider",), THERE / "aqt.py", ("AQT_*",)),
        Recipe(
            "qrmi",
            ("qrmi[ibm]>=0.26,<0.27",),
            ("qrmi", "qiskit_ibm_runtime"),
            THERE / "qrmi.py",
            ("QRMI_*", "*_QRMI_*", "SLURM_JOB_QPU_*"),
        ),
    )
}
"""Name to recipe."""


def recipe(name: str) -> Recipe:
    """The recipe of an environment.

    Raises:
        Refused: for a name that nobody has, with the nearest right word.
    """
    if name not in RECIPES:
        raise unknown("environment", name, RECIPES)
    return RECIPES[name]
