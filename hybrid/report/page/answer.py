"""What came out, with all that is to be said against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hybrid.report.page.checks import Verified
from hybrid.report.page.html import Html, facts, section, table, tag
from hybrid.runs.account import Account
from hybrid.runs.error_budget import ErrorBudget
from hybrid.runs.result import StoredResult
from hybrid.terminal.words import measured

NORMAL = 1.96
"""Standard errors on either side that hold 95 of 100 values of a normal distribution."""

ENDS = {
    "converged": "The optimizer converged, as far as it can tell.",
    "max_steps": "The optimizer had taken all the steps that it was allowed.",
    "stalled": "The optimizer saw no way on.",
    "stopped": "Not finished: the run was stopped by a signal, and can be continued.",
    "below_exact": "Not to be trusted: the energy lies below the exact one.",
    "unfinished": "Not finished: the run is under way, or was ended without a word.",
}


@dataclass(frozen=True)
class Caveat:
    """Something that is to be said against an answer.

    Attributes:
        weight: "wrong" where the answer cannot be used as it is, "doubt" where it must be read with care, "note" else.
        words: In a sentence.
    """

    weight: Literal["wrong", "doubt", "note"]
    words: str


def answer(run: Account, verified: Verified) -> Html:
    """The energy with its interval, how it was reached, and the caveats."""
    result = run.result
    if result is None or result.energy is None:
        return section("Answer", tag("p", ENDS[run.entry["status"]], class_="status"), listed(caveats(run, verified)))
    return section(
        "Answer",
        tag("p", measured(result.energy, result.standard_error or 0.0, result.unit), class_="energy"),
        tag("p", " ".join([ENDS[result.status], *sentences(result.message)]), class_="status"),
        facts(_numbers(run, result)),
        listed(caveats(run, verified)),
    )


def sentences(message: str) -> list[str]:
    """A message as sentences, none where there is no message."""
    return [message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")] if message else []


def _numbers(run: Account, result: StoredResult) -> Iterator[tuple[str, str | None]]:
    assert result.energy is not None
    width, unit, stated = result.standard_error or 0.0, result.unit, result.uncertainty
    if stated is not None:
        yield f"{100 * stated.confidence:.0f} % interval", stated.state.text(unit)
        yield "Ground state", stated.ground.text(unit)
    elif width:
        low, high = result.energy - NORMAL * width, result.energy + NORMAL * width
        digits = measured(low, width, "", plain=True).strip(), measured(high, width, "", plain=True).strip()
        yield "95 % interval", f"{digits[0]} to {digits[1]} {unit}, of the shots alone"
    else:
        exact = "the values are exact up to rounding" if not result.bias else "the values have a bias, but no scatter"
        yield "Interval", f"none: {exact}"
    if result.exact_energy is not None:
        yield "Exact energy", measured(result.exact_energy, width, unit, plain=True)
        error = result.energy - result.exact_energy
        yield "Distance", f"{error:+.2e}" + (f" ± {width:.0e}" if width else "") + f" {unit}"
    if result.bias:
        yield "Bias", f"about {result.bias:.1e} {unit}, as estimated, of truncation or mitigation"
    if result.validated is not None:
        exactly = measured(result.validated, width, unit, plain=True)
        yield "Without noise", f"{exactly} at these parameters, on a simulator"
    if result.rounding is not None:
        yield "Rounding", f"{result.rounding:+.1e} {unit} from the energy in double precision"


def caveats(run: Account, verified: Verified) -> list[Caveat]:
    """All that is to be said against an answer."""
    return [*_of_result(run), *_of_record(run), *of_checks(verified)]


def _of_result(run: Account) -> Iterator[Caveat]:
    result, accuracy, unit = run.result, run.record.spec.workload.accuracy, run.unit
    if result is None or result.energy is None:
        yield Caveat("wrong", "There is no answer yet.")
        return
    if result.status == "below_exact":
        yield Caveat("wrong", "The energy lies below the exact one by more than its errors explain.")
    elif result.status != "converged":
        yield Caveat("doubt", f"Not converged (status {result.status}): the energy is the best that was found so far.")
    width = result.standard_error or 0.0
    if result.exact_energy is None:
        yield Caveat("note", "The exact energy is not known, so the distance from it is not either.")
    elif (error := result.energy - result.exact_energy) > accuracy + NORMAL * width + result.bias:
        times = error / accuracy
        many = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
        reason = ""
        if result.status == "converged" and result.validated is None:
            reason = ": converged means that the optimizer is at rest, not that the ansatz reaches the exact state"
        above = f"The energy is {error:.2g} {unit} above the exact one, {many} times the accuracy that was asked for"
        yield Caveat("doubt", f"{above}{reason}.")
    if width > accuracy:
        yield Caveat("doubt", f"The standard error of {width:.2g} {unit} is larger than the accuracy of {accuracy:g}.")
    if result.bias:
        yield Caveat("doubt", f"The energy has a systematic error of about {result.bias:.1e} {unit}, as estimated.")
    if result.validated is not None and abs(result.energy - result.validated) > NORMAL * width + accuracy:
        apart = result.validated - result.energy
        yield Caveat("doubt", f"Without noise, the energy at the same parameters is {apart:+.2g} {unit} away.")


def _of_record(run: Account) -> Iterator[Caveat]:
    if run.content.unanswered is not None:
        yield Caveat("wrong", f"Evaluation {run.content.unanswered} was sent to a vendor and its answer never arrived.")
    if (n := len(run.content.failovers)) > 0:
        yield Caveat("note", f"The run went on at another backend {'once' if n == 1 else f'{n} times'}; see below.")
    if run.entry["drift"]:
        yield Caveat("note", "The device was calibrated anew during the run; see below.")


def of_checks(verified: Verified, what: str = "run") -> Iterator[Caveat]:
    """What a verification says against an answer.

    Args:
        verified: The verification.
        what: Is verified: a "run" or an "algorithm".
    """
    if verified.verdict is None:
        yield Caveat("note", f"Not verified: nobody has checked the {what} by other means (hybrid verify).")
    elif verified.verdict == "failed":
        failed = ", ".join(check["name"] for check in verified.checks if check["outcome"] == "failed")
        yield Caveat("doubt", f"Verification failed: {failed}.")
    elif verified.verdict == "incomplete":
        left = ", ".join(check["name"] for check in verified.checks if check["outcome"] == "unchecked")
        yield Caveat("note", f"Verification is incomplete: {left} could not be checked.")
    if verified.stale:
        yield Caveat("doubt", f"The verification is older than the result: verify the {what} again.")


def listed(found: Sequence[Caveat]) -> Html:
    """Caveats as a list, the weightiest first."""
    order = ("wrong", "doubt", "note")
    found = sorted(found, key=lambda caveat: order.index(caveat.weight))
    if not found:
        return tag("p", "Nothing in the record speaks against it.", class_="status")
    names = {"wrong": "Unusable", "doubt": "Caution", "note": "Note"}
    items = [tag("li", tag("b", names[one.weight]), " ", one.words, class_=one.weight) for one in found]
    return tag("ul", items, class_="caveats")


def uncertainty(run: Account) -> Html | None:
    """The intervals of the final state's energy and of the ground state's, and their parts; None where none is stated.

    Args:
        run: The run.
    """
    stated = None if run.result is None else run.result.uncertainty
    if stated is None:
        return None
    columns = ("Cause", "Width", "Kind", "How it is known")
    return section(
        "Uncertainty",
        table(columns, stated.cells(), caption="Parts of the uncertainty", folds=True),
        tag("ul", [tag("li", f"{risk[:1].upper()}{risk[1:]}.") for risk in stated.risks]) if stated.risks else "",
    )


def error_budget(run: Account) -> Html | None:
    """How the distance from the exact energy divides among its causes; None where nobody knows."""
    result = run.result
    if result is None or result.energy is None or result.exact_energy is None:
        return None
    if result.error_budget is None:
        if result.standard_error or result.bias or result.rounding is not None:
            return None
        distance = f"{result.energy - result.exact_energy:+.2e} {result.unit}"
        said = f"The values are exact, so the whole distance of {distance} is that of ansatz and optimizer together."
        return section("Error budget", tag("p", said))
    budget = ErrorBudget.of_dict(result.error_budget)
    total = ("total", f"{budget.total:+.2g} {budget.unit}", "above the exact energy")
    columns, rows = ("Cause", "Size", "How it is known"), [*budget.rows(), total]
    return section("Error budget", table(columns, rows, caption="Error budget", folds=True))
