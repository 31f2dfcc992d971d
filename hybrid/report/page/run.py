"""The sections on one run."""

from hybrid.report.page.answer import answer, error_budget, uncertainty
from hybrid.report.page.checks import checks, verified
from hybrid.report.page.circuit import circuit
from hybrid.report.page.convergence import convergence
from hybrid.report.page.device import device
from hybrid.report.page.forecast import forecast
from hybrid.report.page.html import Html, join
from hybrid.report.page.jobs import failovers, jobs
from hybrid.report.page.question import question
from hybrid.report.page.repeat import repeat, versions
from hybrid.report.page.time import where_the_time_went
from hybrid.runs.account import Account


def run_sections(run: Account) -> Html:
    """All that the record of a run says, as sections in the order in which they are read."""
    found = verified(run.path)
    sections = (
        answer(run, found),
        question(run),
        convergence(run),
        uncertainty(run),
        error_budget(run),
        forecast(run),
        where_the_time_went(run),
        checks(run.path, found),
        device(run),
        jobs(run),
        failovers(run),
        circuit(run),
        versions(run),
        repeat(run),
    )
    return join(sections)
