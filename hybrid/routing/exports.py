"""Whether records may be handed on as files, and what is withheld of them then: what the policies in force say."""

from collections.abc import Iterable
from pathlib import Path

from hybrid.routing.policy import check_may_go, decide, export_rules, refusal
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import read_spec
from hybrid.runs.crate.words import USUAL, Words, words_here


def check_may_be_exported(folder: Path, form: str) -> list[str]:
    """Refuse to hand on what no policy allows to; decisions on data that are not open are logged.

    Args:
        folder: Of a run, a sweep or an algorithm.
        form: In which it is handed on, as policies name it: "crate", "prov", "csv", "json" or "parquet"; of a
            benchmark "csv", "metriq" or "qedc".

    Returns:
        The labels of its data.

    Raises:
        PolicyViolation: if it is not allowed, or a policy file cannot be understood.
        Refused: if a record is damaged.
        RecordFailed: if the decision cannot be logged.
    """
    found = sorted(_labels(folder))
    check_data_may_be_exported(found, form)
    return found


def check_data_may_be_exported(labels: Iterable[str], form: str) -> None:
    """As `check_may_be_exported`, for what has no folder.

    Args:
        labels: Of the data.
        form: As there.

    Raises:
        PolicyViolation: as there.
        RecordFailed: as there.
    """
    for label in labels:
        if label != "open":
            check_may_go(label, form, kind="export", purpose="export")
        elif not (decision := decide(label, form, kind="export")).allowed:
            raise refusal(label, form, "export", decision)


def words_withheld(*, asked: bool, prices: bool, known: dict[str, str]) -> Words | None:
    """What is withheld of a crate, by who writes it and by the policies in force; None for nothing.

    Args:
        asked: Whether its writer asks for what is usually withheld.
        prices: Whether its writer asks for prices to be withheld, too.
        known: Names to look for, besides those of this machine and its user, each with its kind.

    Raises:
        PolicyViolation: if a policy file cannot be understood.
    """
    rules = export_rules()
    kinds = {*(USUAL if asked or prices else ()), *rules.withhold, *(["price"] if prices else [])}
    if rules.words:
        kinds.add("word")
    if not kinds:
        return None
    return words_here(frozenset(kinds)).with_known({**known, **dict.fromkeys(rules.words, "word")})


def _labels(folder: Path) -> set[str]:
    """Of the data of all runs in a folder; none for a folder that holds no run, which the export itself refuses."""
    if folders.is_run(folder):
        return {folders.read_spec(folder).workload.label}
    found = {str(read_spec(folder).asked.get("label", "restricted"))} if folders.is_algorithm(folder) else set()
    below = sorted(path for path in folder.glob("*") if folders.is_run(path) or folders.is_algorithm(path))
    return found.union(*(_labels(path) for path in below))
