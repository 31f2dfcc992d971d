"""Runs at a vendor in which things go wrong at random: what was sent twice, lost, wrong, or spent beyond the budget.

The vendors are stand-ins of the tests: jobs in files, and the services of IBM, IonQ and Amazon Braket over loopback
HTTP. Every run works in processes of its own, which SIGKILL ends before, while and after a job is sent, while it is
waited for and while its result is fetched; submissions lose their answers, connections break or hang, half an answer
comes, the vendor is busy or fails, does not accept the key, jobs fail or are cancelled, the clock is put forward or
back by a day, and another process starts to work on the same folder. Some vendors can be searched by tag; at others a
person looks what became of a job, and says so with `hybrid jobs`.

Each run has just the budget that the same run undisturbed has cost. It is started again until it ends. Then each job
must have been sent once (one that failed or was lost once more, when the person has said so), each result must have
been used, the run must have the bits of the undisturbed one, the budget must hold what was spent, to the cent, and
every error must have named its cure.
"""

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import record
from hardware_vendors import VENDORS, Filed, Vendor, filed, workers

import hybrid
from hybrid.loop import jobs
from hybrid.runs import journal
from hybrid.runs.budget import Budget, spending_of

TRIES = 30
"""Of starting a run again."""

CENT = 0.01

DAY_S = 86400.0

CURES = {
    "BudgetExceeded": "larger budget",
    "LostJob": "--adopt ID.*--resend",
    "FailedJob": "--resend",
    "ProviderUnreachable": "again|resum",
    "ProviderBusy": "again|resum",
    "Refused": "key|aws configure|another process|resume it",
}
"""What the message of an error must hold, as a regular expression."""


@dataclass
class Trial:
    """One run, and what went wrong in it."""

    folder: Path
    rng: random.Random
    started: workers.Workers
    rivals: workers.Workers
    whole: hybrid.Result
    vendor: Vendor
    faults: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    resent: int = 0
    starts: int = 0

    def __post_init__(self) -> None:
        self.place = self.folder / "run"
        self.allowed = spending_of(self.whole.folder).spent.usd
        self.plan: dict[str, list[str]] = {}
        for _ in range(self.rng.randint(2, 6)):
            call = self.rng.choice(list(self.vendor.calls))
            reach = self.vendor.reach[call]
            self.plan.setdefault(call, [""] * reach)[self.rng.randrange(reach)] = self.rng.choice(
                self.vendor.calls[call]
            )
        self.vendor.plan(self.plan)

    def run(self) -> None:
        """Start it until it ends, and look."""
        while self.starts < TRIES:
            self.starts += 1
            said = self.folder / f"said-{self.starts}"
            code = self.ended(said)
            if not code:
                break
            self.react(code, said.read_text())
        self.look()

    def begin(self, started: workers.Workers, said: Path) -> int:
        """Start or go on with it in a process."""
        jump = None
        if self.rng.random() < 0.15:
            jump = self.rng.randrange(100), self.rng.choice([DAY_S, -DAY_S])
            self.faults["clock"] += 1
        options = {"budget": {"usd": self.allowed}, "how": self.vendor.how, "environment": self.vendor.environment}
        return started.begin("minimize", self.place, self.vendor.backend, output=said, jump=jump, **options)

    def ended(self, said: Path) -> int:
        """The exit code; some processes are killed from outside, whatever they do, and some are not alone."""
        process = self.begin(self.started, said)
        self.vendor.serve(process)
        rival = self.rng.random() < 0.1
        if self.rng.random() < 0.25:
            time.sleep(self.rng.uniform(0.5, 4.0))
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                self.faults["kill"] += 1
        elif rival:
            time.sleep(self.rng.uniform(0.0, 1.0))
            self.faults["two processes"] += 1
            other = said.with_name(f"{said.name}-rival")
            self.begin(self.rivals, other)
            if code := self.rivals.ended():
                self.react(code, other.read_text(), alone=False)
        code = self.started.ended()
        self.vendor.serve(None)
        return code

    def react(self, code: int, said: str, *, alone: bool = True) -> None:
        """What a person does whose run has ended in an error."""
        if code < 0:
            return
        found = re.findall(r"^(\w+): (.*)", said, re.MULTILINE)
        name, message = found[-1] if found else ("", "")
        if name not in CURES or not re.search(CURES[name], message):
            self.wrong["no cure"] += 1
            print(said, file=sys.stderr)
        if not alone:  # what it has met the other process meets too, or the next one
            return
        if name == "BudgetExceeded":  # by what was resent: nothing was sent, and more is granted
            self.allowed += self.dearest()
        elif name == "LostJob":
            known = {row.id for row in self.rows() if row.id}
            unknown = [row for row in self.rows() if row.status == "intended"]
            orphans = [job for job in self.vendor.tags() if job not in known]
            self.wrong["could be searched"] += self.vendor.searchable
            self.wrong["ambiguous"] += len(unknown) != 1 or len(orphans) > 1
            if orphans:
                jobs.adopt(self.place, orphans[0])
            else:
                self.resend()
        elif name == "FailedJob":
            self.resend()

    def resend(self) -> None:
        """Say that what is lost or failed may be sent anew."""
        self.resent += len(jobs.resend(self.place))

    def rows(self) -> list:
        """What the journal holds of its jobs."""
        path = self.place / "journal.sqlite"
        return list(journal.read(path).jobs) if path.exists() else []

    def dearest(self) -> float:
        """What its dearest job costs, in US dollars."""
        return max(row.charge.usd for row in self.rows())

    def look(self) -> None:
        """Hold the run against the undisturbed one."""
        left = self.vendor.left()
        for call, words in self.plan.items():
            for word in words[: len(words) - len(left.get(call, []))]:
                self.faults[f"{call} {word}"] += bool(word)
        if not (self.place / "result.json").exists():
            self.wrong["unfinished"] += 1
            return
        rows, spending = self.rows(), spending_of(self.place)
        spent, granted = spending.spent, spending.granted  # as the run left them: going on puts a wrong budget right
        run = hybrid.resume(self.place)
        kept = [row for row in rows if row.status != "given up"]
        taken = self.vendor.tags()
        self.wrong["sent twice"] += len(taken) != len(set(taken.values()))
        self.wrong["jobs unknown"] += taken != {row.id: row.tag for row in rows if row.id}
        self.wrong["other jobs"] += len(kept) != len(journal.read(self.whole.folder / "journal.sqlite").jobs)
        self.wrong["not used"] += sum(row.measured is None for row in kept)
        same = run.history.same_bits(self.whole.history) and run.theta.tobytes() == self.whole.theta.tobytes()
        self.wrong["other bits"] += not (same and run.energy == self.whole.energy)
        cost = sum(row.charge.usd for row in rows)
        self.wrong["over budget"] += spent.usd > self.allowed + CENT / 2
        self.wrong["wrongly charged"] += abs(spent.usd - cost) > CENT / 2
        self.wrong["wrong budget"] += granted != Budget(usd=self.allowed)


def campaign(against: str, n_faults: int, seed: int, folder: Path) -> dict:
    """Let runs at a vendor go wrong until so many faults have happened."""
    filed.register("filed")
    kind: Callable[..., Vendor] = VENDORS[against]
    first = kind(folder / "first")
    os.environ.update(first.environment)
    whole = workers.minimize(str(folder / "whole"), first.backend, how=first.how)
    first.close()
    started, rivals = (workers.Workers(first.modules) for _ in range(2))
    faults, wrong, runs, starts, resent, begun = Counter(), Counter(), 0, 0, 0, time.monotonic()
    while faults.total() < n_faults:
        rng, place = random.Random(f"{seed} {runs}"), folder / str(runs)
        place.mkdir()
        vendor = Filed(place, searched=rng.random() < 0.7) if kind is Filed else kind(place)
        os.environ.update(vendor.environment)
        trial = Trial(place, rng, started, rivals, whole, vendor)
        trial.run()
        vendor.close()
        faults, wrong, runs = faults + trial.faults, wrong + trial.wrong, runs + 1
        starts, resent = starts + trial.starts, resent + trial.resent
        words = f"{against}: {faults.total()} of {n_faults} faults, {runs} runs, {time.monotonic() - begun:.0f} s"
        print(f"{words}, wrong: {dict(wrong)}", file=sys.stderr, flush=True)
    started.close()
    rivals.close()
    counts = {"faults": faults.total(), "runs": runs, "processes": starts, "sent anew on request": resent}
    return counts | {"kinds": dict(sorted(faults.items())), "wrong": dict(wrong), "seed": seed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="at each vendor")
    parser.add_argument("--against", nargs="+", choices=list(VENDORS), default=list(VENDORS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = {}
    for name in options.against:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = campaign(name, options.faults, options.seed, Path(folder))
    record.write("hardware_faults", found)
    if any(one["wrong"] for one in found.values()):
        raise SystemExit("something went wrong that must not")


if __name__ == "__main__":
    main()
