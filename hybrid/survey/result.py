"""What a survey came to."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import Refused
from hybrid.algorithms.summary import Summary
from hybrid.survey.loop import Progress, Status
from hybrid.survey.question import Question
from hybrid.survey.record import content_of, read, surrogate_content
from hybrid.survey.step import Step
from hybrid.survey.surrogate import Surrogate
from hybrid.survey.verdict import Verdict
from hybrid.terminal.words import counted, with_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Survey(Summary):
    """A curve or a surface of energies, learnt from runs.

    Attributes:
        progress: How far it came.
        folder: Where the record lies.
    """

    progress: Progress
    folder: Path

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.progress.question

    @property
    def runs(self) -> tuple[Step, ...]:
        """The runs in their order, each with what was predicted of it."""
        return self.progress.steps

    @property
    def status(self) -> Status:
        """How it ended: "converged" if the promise holds, "not_converged" if it does not, "stopped" by a signal."""
        return self.progress.status

    @property
    def surrogate(self) -> Surrogate:
        """Mean and standard deviation of the energy anywhere: ``survey.surrogate(r=1.3)``.

        Raises:
            Refused: if the survey was stopped before there were two runs.
        """
        if self.progress.surrogate is None:
            raise Refused(f"{self.folder}: the survey was stopped before it had two runs; continue it")
        return self.progress.surrogate

    @property
    def verdict(self) -> Verdict:
        """On what was promised.

        Raises:
            Refused: as for `surrogate`.
        """
        if self.progress.verdict is None:
            raise Refused(f"{self.folder}: the survey was stopped before it had two runs; continue it")
        return self.progress.verdict

    @property
    def unit(self) -> str:
        """Of the energies."""
        return self.runs[0].reading.unit if self.runs else ""

    def title(self) -> str:
        """What was looked at."""
        names = list(dict.fromkeys(step.reading.problem for step in self.runs))
        what = " / ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        over = ", ".join(f"{name} from {low:g} to {high:g}" for name, (low, high) in self.question.ranges.items())
        return f"{what or 'energies'} over {over}"

    def sentence(self) -> str:
        """Whether what was promised holds, in one sentence."""
        runs = counted(len(self.runs), "runs")
        if self.progress.verdict is None:
            return f"stopped after {runs}"
        half = with_unit(f"{self.verdict.half_width:.2g}", self.unit)
        what = "the lowest energy is" if self.question.find == "minimum" else "every energy is"
        if self.status == "converged":
            return f"{what} known to ± {half} (95 %) after {runs}, and the checks agree"
        if self.status == "not_converged":
            return f"the promise does not hold after {runs}: {self.verdict.doubt}"
        return f"{self.status} after {runs}; so far {what} known to ± {half} (95 %)"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        told = [("status", self.status), ("answer", self.sentence())]
        if self.progress.verdict is not None:
            verdict, surrogate = self.verdict, self.surrogate
            at = ", ".join(f"{name} = {value:g}" for name, value in verdict.lowest_at.items())
            checks = [abs(step.z) for step in self.runs if step.proposal.why == "check" and step.z is not None]
            first = surrogate.members[0]
            told += [
                ("lowest", f"{with_unit(f'{verdict.lowest:.6f}', self.unit)} at {at}"),
                ("checks", f"{len(checks)}, at most {max(checks):.1f} standard deviations off" if checks else "none"),
                (
                    "left out",
                    f"each run is {float(np.sqrt(np.mean(surrogate.residuals**2))):.1f} standard deviations off (rms), "
                    f"at most {float(np.abs(surrogate.residuals).max()):.1f}",
                ),
                ("kernel", f"{first.kernel}, {first.weight:.0%} of {counted(len(surrogate.members), 'processes')}"),
            ]
        return [*told, ("record", str(self.folder))]

    def content(self) -> dict[str, object]:
        """As `to_dict`."""
        return self.to_dict()

    def to_dict(self) -> dict[str, object]:
        """JSON-able form: what survey.json holds, the sentence, and the folder."""
        return {"folder": str(self.folder), "sentence": self.sentence(), **content_of(self.progress)}

    def plot(self) -> "Figure":
        """The curve or the surface with its band, the runs, and the half width of the interval.

        Raises:
            Refused: if the survey was stopped before there were two runs.
        """
        from hybrid.report.survey import draw

        self.surrogate  # noqa: B018 - refuses where there is none
        return draw(content_of(self.progress), surrogate_content(self.progress))


def load(folder: str | Path) -> Survey:
    """The survey in a folder, computed from its runs.

    Args:
        folder: Of the survey.

    Raises:
        Refused: if there is none, or one of its files is damaged.
    """
    return Survey(read(Path(folder)), Path(folder))
