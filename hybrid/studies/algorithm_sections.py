"""The kinds of algorithms in a study file: which keys each has, what they must be, and which other sections it needs.

A key that is left out is left to the function behind the kind, so a default stands in one place only. Every description
completes the words "must be" in an error message.
"""

import difflib
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from hybrid.studies.fields import LAYERS, Count, InputPath, KindSection, Layers, Words, existing, fault

DATA = ("breast_cancer", "digits", "iris", "wine")
"""Sets of data that come with scikit-learn."""

Share = Annotated[float, Field(gt=0, lt=1)]


def _start(text: str, info: ValidationInfo) -> InputPath:
    folder = text.removeprefix("run:").strip()
    if not text.startswith("run:") or not folder:
        raise ValueError('must be a list of angles in radians, or "run:FOLDER" for those that another QAOA has found')
    try:
        return existing(f"{folder}/result.json", info)
    except ValueError as err:
        raise ValueError(f"no QAOA there that has ended: {err}") from err


def _data(text: str, info: ValidationInfo) -> str:
    if text in DATA:
        return text
    try:
        return existing(text, info)
    except ValueError as err:
        near = difflib.get_close_matches(text, DATA, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it must be {', '.join(DATA)}, or the path of a CSV file"
        raise ValueError(f"{err}; {hint}") from err


def _text_or_list(value: Any) -> str:
    return "text" if isinstance(value, str) else "list"


Angles = Annotated[
    Annotated[str, AfterValidator(_start), Tag("text")]
    | Annotated[tuple[float, ...], Field(strict=False), Tag("list")],
    Discriminator(_text_or_list),
]
Pool = Annotated[
    Annotated[Literal["fermionic", "qubit"], Tag("text")] | Annotated[Words, Tag("list")], Discriminator(_text_or_list)
]


class AlgorithmSection(KindSection):
    """An algorithm of several stages, in place of one minimization."""

    needs: ClassVar[tuple[str, ...]] = ("problem",)
    """Sections that describe what it works on, of "problem" and "ansatz"; it takes no other of the two."""
    takes_theta: ClassVar[bool] = False
    """Whether it starts at the angles of [run] theta."""
    minimizes: ClassVar[bool] = True
    """Whether it takes [optimizer], shots, and other backends to go on at."""


class Qaoa(AlgorithmSection):
    """QAOA, depth by depth."""

    kind: Literal["qaoa"]
    layers: Layers | None = Field(default=None, description=LAYERS)
    samples: Count | None = Field(
        default=None, description="the number of bit strings that are drawn in the end, a whole number from 1"
    )
    start: Angles | None = Field(
        default=None,
        description='a list of angles beta, then gamma, in radians, or "run:FOLDER" for those that another QAOA has '
        "found",
    )


class Vqd(AlgorithmSection):
    """Excited states by variational quantum deflation."""

    needs: ClassVar[tuple[str, ...]] = ("problem", "ansatz")
    takes_theta: ClassVar[bool] = True

    kind: Literal["vqd"]
    levels: Count | None = Field(default=None, description="the number of levels, a whole number from 1")
    penalty: float | None = Field(
        default=None,
        gt=0,
        description="larger than any gap between levels, a positive number in the problem's unit",
    )
    starts: Count | None = Field(
        default=None, description="the number of searches for each level, a whole number from 1"
    )


class Adapt(AlgorithmSection):
    """An ansatz that grows."""

    kind: Literal["adapt"]
    pool: Pool | None = Field(
        default=None, description='"fermionic", "qubit", or a list of Pauli strings, such as ["YXII", "IIXY"]'
    )
    tolerance: float | None = Field(
        default=None, gt=0, description="a positive norm of the pool's gradients, in the problem's unit per radian"
    )
    max_operators: Count | None = Field(default=None, description="the most operators, a whole number from 1")


class Classifier(AlgorithmSection):
    """A classifier of rows of data."""

    needs: ClassVar[tuple[str, ...]] = ()

    kind: Literal["classifier"]
    data: Annotated[str, AfterValidator(_data)] = Field(
        description=f"{', '.join(DATA)}, or the path of a CSV file whose first line names its columns"
    )
    classes: str | None = Field(default=None, description="the name of the column that holds each row's class")
    columns: Words | None = Field(
        default=None, min_length=1, description='a list of the columns that are features, such as ["x", "y"]'
    )
    n_qubits: Count | None = Field(
        default=None, le=30, description="the number of qubits, one for each principal component, from 1 to 30"
    )
    layers: Layers | None = Field(default=None, description=LAYERS)
    batch_size: Count | None = Field(
        default=None, description="the number of rows of data in each step, a whole number from 1"
    )
    held_out: Share | None = Field(
        default=None, description="the share of the rows that measure the accuracy, between 0 and 1"
    )
    split_seed: int | None = Field(
        default=None, ge=0, lt=2**32, description="of the choice of these rows, a whole number from 0"
    )

    @model_validator(mode="after")
    def _columns_of_a_file(self):
        of_file = isinstance(self.data, InputPath)
        if of_file and self.classes is None:
            raise fault("classes", None, "missing; must be the name of the column that holds each row's class")
        for key in () if of_file else ("classes", "columns"):
            if getattr(self, key) is not None:
                raise fault(key, getattr(self, key), f'only a CSV file takes this key, and data is "{self.data}"')
        return self


class Evolution(AlgorithmSection):
    """Time evolution within an ansatz."""

    needs: ClassVar[tuple[str, ...]] = ("problem", "ansatz")
    takes_theta: ClassVar[bool] = True
    minimizes: ClassVar[bool] = False

    kind: Literal["evolution"]
    direction: Literal["real", "imaginary"] = Field(description='"real" for exp(-i H t), or "imaginary" for exp(-H t)')
    time: float = Field(gt=0, description="a positive time, in one over the problem's unit")
    steps: Count | None = Field(
        default=None, description="the number of points of the trajectory, a whole number from 1"
    )
    regularization: Share | None = Field(
        default=None, description="what is added to the metric's diagonal, between 0 and 1"
    )


ALGORITHMS: dict[str, type[AlgorithmSection]] = {
    "adapt": Adapt,
    "classifier": Classifier,
    "evolution": Evolution,
    "qaoa": Qaoa,
    "vqd": Vqd,
}
