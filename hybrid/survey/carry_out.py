"""A survey in a folder: what was run before is read, and what follows is run and written."""

from collections.abc import Callable, Sequence
from pathlib import Path

from circuits.errors import Refused
from hybrid.runs import index
from hybrid.runs.lock import Lock
from hybrid.survey.loop import Progress, explore
from hybrid.survey.proposals import Proposal
from hybrid.survey.question import Question
from hybrid.survey.record import begin, history_in, write
from hybrid.survey.result import Survey
from hybrid.survey.step import Reading, Step


def carry_out(
    question: Question,
    folder: Path,
    run: Callable[[Proposal, Sequence[Step]], Reading | None],
    on_step: Callable[[Step, Progress], None] = lambda step, progress: None,
) -> Survey:
    """Make the runs of a survey that its folder does not hold yet, and keep what is learnt from each.

    Args:
        question: Of the survey.
        folder: Where the record goes; free, or of this survey.
        run: As for `explore`.
        on_step: Called after each run, those included that were made before.

    Raises:
        Refused: if the folder cannot be written, or holds another survey.
        ToolkitError: if a run fails; those before it are kept.
    """

    def learnt(step: Step, progress: Progress) -> None:
        write(folder, progress)
        on_step(step, progress)

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Refused(f"the folder {folder} cannot be written: {err.strerror}") from err
    with Lock(folder):
        begin(folder, question)
        index.add(folder)
        progress = explore(question, run, history=history_in(folder), on_step=learnt)
        write(folder, progress)
    return Survey(progress, folder)
