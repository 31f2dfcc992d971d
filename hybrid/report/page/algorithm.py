"""The sections on one algorithm: what it found, in the words of its kind, its stages, and how it came there."""

import shlex
from collections.abc import Iterator, Sequence

from hybrid.report.page.answer import ENDS, Caveat, listed, of_checks, sentences
from hybrid.report.page.checks import checks, verified
from hybrid.report.page.found import FOUND, pictures
from hybrid.report.page.html import Html, below, code, facts, fold, join, section, table, tag
from hybrid.report.page.question import backend, settings
from hybrid.report.page.repeat import by_study, machine
from hybrid.report.page.run import run_sections
from hybrid.runs.account import Account, AlgorithmAccount, Unread
from hybrid.runs.failovers import described
from hybrid.terminal.words import duration, energy

NAMES = {
    "qaoa": "QAOA",
    "vqd": "Excited states by deflation (VQD)",
    "adapt": "ADAPT-VQE",
    "classifier": "Classifier",
    "real-time": "Real time evolution",
    "imaginary-time": "Imaginary time evolution",
}
"""What a reader calls the kinds."""

OWN_ENDS = {
    "finished": "It went to its end.",
    "mixed": "Not to be trusted: a level is a mixture with one below it.",
    "max_operators": "The ansatz has all the operators that it was allowed, and its gradients are not small yet.",
}


def title(found: AlgorithmAccount) -> str:
    """What was done to what."""
    return f"{NAMES.get(found.spec.kind, found.spec.kind)}: {found.entry['problem']}"


def algorithm_sections(found: AlgorithmAccount) -> Html:
    """All that the record of an algorithm says, as sections in the order in which they are read.

    Args:
        found: Its account.
    """
    was = verified(found.path)
    sections = (
        section("Answer", _answer(found), listed([*_caveats(found), *of_checks(was, "algorithm")])),
        _question(found),
        *pictures(found),
        _stages(found),
        _work(found),
        checks(found.path, was, "algorithm"),
        section("Machine and versions", machine(found.spec.provenance, found.path, _ranks(found))),
        _repeat(found),
    )
    return join(sections)


def _ranks(found: AlgorithmAccount) -> int | None:
    return None if found.outcome is None else found.outcome.ranks


def _answer(found: AlgorithmAccount) -> Html:
    outcome = found.outcome
    if outcome is None:
        return tag("p", "Not finished: it is under way, or was stopped, and can be continued.", class_="status")
    head = FOUND[found.spec.kind].head(found) if found.spec.kind in FOUND else ""
    ends = OWN_ENDS.get(outcome.status) or ENDS[outcome.status]
    told = FOUND[found.spec.kind].facts(found) if found.spec.kind in FOUND else iter(())
    return join(
        [
            tag("p", head or energy({**found.entry}), class_="energy"),
            tag("p", " ".join([ends, *sentences(outcome.message)]), class_="status"),
            facts(told),
        ]
    )


def _caveats(found: AlgorithmAccount) -> Iterator[Caveat]:
    outcome = found.outcome
    if outcome is None:
        yield Caveat("wrong", "There is no answer yet.")
        return
    if outcome.status == "below_exact":
        yield Caveat("wrong", "The energy lies below the exact one by more than its errors explain.")
    elif outcome.status == "mixed":
        yield Caveat("wrong", "A mixed level is no level: raise the penalty, or take an ansatz that reaches them.")
    elif outcome.status not in ("converged", "finished"):
        yield Caveat("doubt", f"Not converged (status {outcome.status}): the result is what was found so far.")
    if found.spec.kind in ("qaoa", "vqd", "adapt") and outcome.exact_energy is None:
        yield Caveat("note", "The exact energy is not known, so the distance from it is not either.")
    if outcome.failovers:
        yield Caveat("note", "It went on at another backend; see below.")
    if unread := [one.name for one in found.runs if isinstance(one, Unread)]:
        yield Caveat("wrong", f"Stages cannot be read: {', '.join(unread)}.")


def _question(found: AlgorithmAccount) -> Html:
    asked, study = found.spec.asked, found.spec.notes.get("study") or {}
    own = {key: asked[key] for key in OWN_ARGUMENTS if key in asked}
    optimizer = asked.get("optimizer")
    pairs = [
        ("Algorithm", settings({"kind": NAMES.get(found.spec.kind, found.spec.kind), **own})),
        ("Problem", found.entry["problem"]),
        ("Made from", settings(study["problem"]) if study.get("problem") else None),
        ("Ansatz", settings(study["ansatz"]) if study.get("ansatz") else None),
        ("Optimizer", settings(optimizer) if optimizer else None),
        ("Accuracy", f"{asked['accuracy']:g} {found.unit} of each minimization" if "accuracy" in asked else None),
        ("Most steps", f"{asked['max_steps']:,} of each minimization" if "max_steps" in asked else None),
        ("Shots", f"{asked['shots']:,} of each measured circuit" if asked.get("shots") else None),
        ("Asked of", backend(found.spec.backend.title, found.spec.backend.options)),
        ("Seed", asked.get("seed")),
        ("Data label", asked.get("label")),
        *((name, value if isinstance(value, str) else f"{value:g}") for name, value in found.values.items()),
    ]
    return section("Question", facts(pairs))


OWN_ARGUMENTS = (
    *("layers", "samples", "levels", "penalty", "starts", "tolerance", "max_operators", "batch_size", "held_out"),
    *("time", "steps", "regularization"),
)
"""Arguments of algorithms that a reader wants to see; starting points and digests stay in the record."""


def _stages(found: AlgorithmAccount) -> Html | None:
    """The runs behind it, in a table, and each with all its sections."""
    if not found.runs:
        return None
    columns = ("Stage", "Energy", "Exact", "Distance", "Status", "Evaluations", "Time", "Backend")
    numbers = ("Energy", "Exact", "Distance", "Evaluations", "Time")
    rows = [(_name(run), *cells(run)) for run in found.runs]
    told = table(columns, rows, caption=in_unit([found.unit]), numbers=numbers, seen=True)
    penalized = found.spec.kind == "vqd" and len(found.runs) > 1
    said = "Above level 0, the energies of the searches hold the penalties for overlap with the levels below."
    each = [
        fold(f"{_name(run)}: {run.entry['status']}", below(run_sections(run)))
        if isinstance(run, Account)
        else fold(f"{run.name}: failed", tag("p", f"It cannot be read: {run.reason}"))
        for run in found.runs
    ]
    return section("Stages", tag("p", said, class_="note") if penalized else None, told, each)


def _name(run: Account | Unread) -> str:
    return run.path.name if isinstance(run, Account) else run.name


def in_unit(units: Sequence[str]) -> str:
    """The caption of a table of energies."""
    named = " or ".join(dict.fromkeys(unit for unit in units if unit not in ("", "1")))
    return f"Energies in {named}" if named else "Energies, without a unit"


def cells(point: "Account | AlgorithmAccount | Unread") -> tuple[str, ...]:
    """Energy, exact energy, distance, status, evaluations, time and backend, as text."""
    if isinstance(point, Unread):
        return "–", "–", "–", f"failed: {point.reason}", "–", "–", "–"
    entry, exact = point.entry, point.entry["exact_energy"]
    error = "–" if exact is None or entry["energy"] is None else f"{entry['energy'] - exact:+.2e}"
    seconds = (entry["seconds"] or {}).get("total")
    count = len(point.history) if isinstance(point, Account) else entry["evaluations"]
    return (
        energy({**entry, "unit": ""}).rstrip(),
        "–" if exact is None else f"{exact:.10f}",
        error,
        entry["status"],
        "–" if count is None else f"{count:,}",
        "–" if seconds is None else duration(seconds),
        entry["backend"],
    )


def _work(found: AlgorithmAccount) -> Html | None:
    """What it took, beside what the plan expected."""
    outcome = found.outcome
    if outcome is None:
        return None
    phases = ", ".join(f"{name} {duration(s)}" for name, s in outcome.seconds.items() if name != "total")
    pairs = [
        ("Steps", f"{outcome.steps:,}" if outcome.steps is not None else None),
        ("Evaluations", f"{outcome.evaluations:,}" if outcome.evaluations is not None else None),
        ("Time", f"{duration(outcome.seconds.get('total', 0.0))} ({phases})" if outcome.seconds else None),
        ("Predicted", outcome.prediction.text() if outcome.prediction is not None else None),
        ("Backend", outcome.backend),
        *(("Failover", described(failover)) for failover in found.entry["failovers"]),
    ]
    return section("Plan and outcome", facts(pairs))


def _repeat(found: AlgorithmAccount) -> Html:
    study, path = found.spec.notes.get("study"), shlex.quote(str(found.path))
    if isinstance(study, dict):
        made = by_study(found.spec.backend, study)
    else:
        said = "It was asked in Python; the same call with the arguments above makes it again. Its record is read by:"
        made = join([tag("p", said), code(_call(found))])
    checked = code(f"hybrid verify {path}\nhybrid show {path}")
    return section("How to repeat it", made, tag("p", "To check the record that is there, and to see it:"), checked)


def _call(found: AlgorithmAccount) -> str:
    return f"import hybrid\n\nfound = hybrid.load({str(found.path)!r})\nprint(found)\nfound.plot()"
