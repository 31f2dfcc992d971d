"""The sections of a study file: which keys there are, what they mean, and what they must be.

A key that is left out is left to the function behind the section, so a default stands in one place only. Every
description completes the words "must be" in an error message.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from circuits.secrets import is_reference, is_secret
from hybrid.studies.algorithm_sections import Classifier
from hybrid.studies.fields import STRICT, Count, InputPath, Section, Words, existing, fault
from hybrid.studies.problem_and_ansatz import PROBLEMS, AnyAlgorithm, AnyAnsatz, AnyProblem, Molecule, Uccsd

CLASSIFIER_OPTIMIZER = "adam"
"""That of `hybrid.classifier`."""

NO_SECRET = (
    "a study file is kept and shown, so it may hold no secret: write "
    '{key} = {{from = "environment", name = "VARIABLE"}}, and set that variable'
)


def _backend_name(name: str) -> str:
    from backends.registry import names
    from circuits.errors import unknown

    family = name.partition(":")[0]
    if name != "auto" and family not in names():
        raise unknown("backend", family, ["auto", *names()])
    return name


def _spare_name(name: str) -> str:
    if name == "auto":
        raise ValueError('name the backends, or write failover = true, by which the plan for "auto" decides')
    return _backend_name(name)


def _optimizer_name(kind: str) -> str:
    from hybrid.optimizers.registry import find

    find(kind)
    return kind


class Optimizer(Section):
    """An optimizer's name, when it stops, and settings of its own."""

    model_config = STRICT | {"extra": "allow"}

    kind: Annotated[str, AfterValidator(_optimizer_name)] = Field(
        default="lbfgs", description="the name of an optimizer"
    )
    max_steps: Count = Field(default=200, description="a whole number from 1")
    accuracy: float = Field(default=1e-6, gt=0, description="a positive number, in the problem's unit")

    @property
    def description(self) -> dict[str, Any]:
        """Kind and settings, as `hybrid.optimizers.get` takes them."""
        return {"kind": self.kind, **(self.model_extra or {})}

    @model_validator(mode="after")
    def _own_settings(self):
        from hybrid.optimizers import registry

        method = registry.find(self.kind)
        known = registry.settings(method)
        for key, value in (self.model_extra or {}).items():
            if key not in known:
                raise fault(key, value, "unknown key", known=[*type(self).model_fields, *known])
            try:
                registry.get(self.kind, **{key: value})
            except ValueError as err:
                raise fault(key, value, str(err)) from err
        return self


class Backend(Section):
    """Where to run, and how: a name, the shots, and whatever options that backend declares."""

    model_config = STRICT | {"extra": "allow"}

    name: Annotated[str, AfterValidator(_backend_name)] = Field(
        default="auto", description='the name of a backend, such as "auto", "statevector" or "ibm:fake_manila"'
    )
    shots: Count | None = Field(default=None, description="the shots for each measured circuit, a whole number from 1")

    @property
    def options(self) -> dict[str, Any]:
        """Options as `backends.get` takes them."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _options_of_the_name(self):
        from backends import registry

        modelled = {"device": registry.options("density")["device"]} if "device" in self.options else {}
        known = modelled if self.name == "auto" else registry.options(self.name)
        for key, value in self.options.items():
            if key in known:
                if is_reference(value):
                    continue
                if is_secret(key, value):
                    raise fault(key, None, NO_SECRET.format(key=key))
                if wrong := known[key].wrong(value):
                    raise fault(key, value, wrong)
                continue
            takers = [name for name in registry.names() if key in registry.options(name)]
            if not takers:
                raise fault(key, value, "unknown key", known=[*type(self).model_fields, *known])
            names = " or ".join(f'"{name}"' for name in takers)
            raise fault(key, value, f'only name = {names} takes this key, and the name is "{self.name}"')
        return self


Names = Annotated[tuple[Annotated[str, AfterValidator(_spare_name)], ...], Field(strict=False, min_length=1)]
"""Of backends at which a run may go on."""


def _start(text: str, info: ValidationInfo) -> InputPath:
    if not text.startswith("run:") or not text.removeprefix("run:").strip():
        raise ValueError('must be a list of angles in radians, or "run:FOLDER" for where another run has ended')
    try:
        return existing(f"{text.removeprefix('run:').strip()}/result.json", info)
    except ValueError as err:
        raise ValueError(f"no run there that has ended: {err}") from err


Start = Annotated[
    Annotated[str, AfterValidator(_start), Tag("run")]
    | Annotated[tuple[float, ...], Field(strict=False), Tag("angles")],
    Discriminator(lambda value: "run" if isinstance(value, str) else "angles"),
]
"""Angles, or the result of the run that has found them."""


class Run(Section):
    """What is recorded with the run."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="a whole number from 0")
    label: Literal["open", "internal", "restricted"] = Field(
        default="open", description='"open", "internal" or "restricted": where the data may go'
    )
    warm_start: bool = Field(
        default=False, description="true or false: whether each point of a sweep starts from the one before it"
    )
    theta: Start | None = Field(
        default=None,
        description='a list of angles in radians, or "run:FOLDER" for where another run has ended',
    )
    failover: bool | Names = Field(
        default=False,
        description="true, false, or a list of names of backends: where the run goes on if its backend fails",
    )
    exact: bool = Field(
        default=True,
        description="true or false: whether the exact energy is computed beside the run where that costs little",
    )
    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+=-]{0,99}$",
        description="letters, digits and any of _.+=-, without spaces",
    )


class Budget(Section):
    """What the whole study may spend at vendors, all points of its sweep and all restarts together."""

    usd: float | None = Field(default=None, ge=0, description="a number of US dollars, 0 or more")
    qpu_s: float | None = Field(default=None, ge=0, description="a number of seconds on the device, 0 or more")
    shots: float | None = Field(default=None, ge=0, description="a number of shots, 0 or more")


class Codesign(Section):
    """What `hybrid codesign` asks of the study's device, and of others; running the study takes no notice of it."""

    target: float | None = Field(default=None, gt=0, description="a positive number, in the problem's unit")
    devices: Words | None = Field(
        default=None, description='a list of devices or topologies, such as ["ibm:fake_torino", "all-to-all"]'
    )
    vary: dict[str, Any] = Field(
        default={}, description="a table of numbers of the device, each with a list of values or {from, to, points}"
    )
    method: Literal["auto", "density", "trajectories", "model"] | None = Field(
        default=None, description='"auto", "density", "trajectories" or "model"'
    )
    reoptimize: bool | None = Field(
        default=None, description="true or false: whether angles are optimized anew under each device's noise"
    )
    mitigation: Any = Field(default=None, description='words such as ["readout", "zne"]')


def _usual_kind(table: Any, info: ValidationInfo) -> Any:
    """An [optimizer] without a kind is the one that its algorithm takes anyway."""
    algorithm = info.data.get("algorithm")
    if not isinstance(table, dict) or "kind" in table or not isinstance(algorithm, Classifier):
        return table
    return {"kind": CLASSIFIER_OPTIMIZER, **table}


class Spec(Section):
    """One workload as a study file describes it, without a sweep."""

    algorithm: AnyAlgorithm | None = None
    problem: AnyProblem = Field(default=None, validate_default=True)
    ansatz: AnyAnsatz = Field(default=None, validate_default=True)
    optimizer: Annotated[Optimizer, BeforeValidator(_usual_kind)] = Field(default=Optimizer())
    backend: Backend = Field(default=Backend())
    run: Run = Field(default=Run())
    budget: Budget = Field(default=Budget())
    codesign: Codesign = Field(default=Codesign())

    @model_validator(mode="after")
    def _fitting_ansatz(self):
        kind = "" if self.problem is None else self.problem.kind
        if isinstance(self.ansatz, Uccsd) and not isinstance(self.problem, Molecule) and kind in PROBLEMS:
            raise fault("ansatz.kind", "uccsd", f'needs a problem of kind "molecule", not "{kind}"')
        return self

    @model_validator(mode="after")
    def _fitting_algorithm(self):
        algorithm = self.algorithm
        if algorithm is None:
            return self
        kind = algorithm.kind
        if self.run.warm_start:
            raise fault("run.warm_start", True, f"an algorithm of kind {kind} starts at each point of a sweep anew")
        if self.run.theta is not None and not algorithm.takes_theta:
            raise fault("run.theta", None, f"an algorithm of kind {kind} chooses its angles itself")
        if not algorithm.minimizes:
            if "optimizer" in self.model_fields_set:
                raise fault("optimizer", None, f"an algorithm of kind {kind} minimizes nothing; leave the section out")
            if self.backend.shots is not None:
                raise fault("backend.shots", self.backend.shots, f"an algorithm of kind {kind} takes no shots")
            if self.run.failover is not False:
                raise fault("run.failover", True, f"only 'statevector' can do an algorithm of kind {kind}")
        return self
