"""Running a study file from Python, here or with the workers of an executor."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path

from hybrid.loop import notebook
from hybrid.loop.stop import Stopped
from hybrid.runs.places import fresh
from hybrid.studies.outcome import Outcome
from hybrid.studies.run import run_study
from hybrid.studies.study import read
from hybrid.terminal.progress import Progress


def sweep(
    file: str | Path,
    *,
    folder: str | Path | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    only: Iterable[str] = (),
    should_stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
) -> list[Outcome]:
    """Run the points of a study file that have no result yet, as `hybrid run` does.

    Args:
        file: The study file.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``).
        executor: Any ``concurrent.futures.Executor``, also one of Dask, Parsl, executorlib or Globus Compute, whose
            workers run points at the same time; the bits are those without it, and this process alone writes the
            folder. See docs/executors.md.
        resume: Whether to go on with what the folder holds.
        only: Some points: numbers from 0, ranges such as "3-7", or names; none for all.
        should_stop: Called again and again; when it returns True, what has not begun is cancelled, and what runs is
            waited for.
        progress: Whether a terminal or a notebook shows how far it is.

    Returns:
        What became of each point, in the order of the study: a result, or an error that the others did not mind.

    Raises:
        Refused: if the study is wrong, or the folder holds something else; nothing was run.
        FailedJob: if the executor broke; what has come back is kept, and the same call with ``resume=True`` goes on.
        Stopped: if it was interrupted before it began.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> place = Path(tempfile.mkdtemp())
        >>> study = '''
        ... [problem]
        ... kind = "tfim"
        ... n = 2
        ... field = "{h}"
        ... [ansatz]
        ... kind = "hamiltonian_variational"
        ... layers = 1
        ... [backend]
        ... name = "reference"
        ... [sweep]
        ... h = [0.5, 1.0]
        ... '''
        >>> _ = (place / "study.toml").write_text(study)
        >>> [(one.point.name, one.result.status) for one in sweep(place / "study.toml", folder=place / "curve")]
        [('h=0.5', 'converged'), ('h=1.0', 'converged')]
    """
    study = read(file)
    study = study.only(only) if (only := list(only)) else study
    place = Path(folder) if folder is not None else fresh(study.points()[0].spec.run.name or Path(file).stem)
    with notebook.interrupts() as interrupted, Progress(place.name, len(study.points()), shown=progress) as shown:
        done = 0

        def count(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            shown.update(done, outcome.point.name)

        def stopping() -> bool:
            return should_stop() or interrupted()

        if stopping():
            raise Stopped(f"stopped before {place} was begun")
        return run_study(
            study,
            place,
            resume=resume,
            on_plan=lambda *_: None,
            on_outcome=count,
            should_stop=stopping,
            executor=executor,
        )
