"""Runs at a vendor in which things go wrong at random: what was sent twice, lost, wrong, or spent beyond the budget.

The vendor is the stand-in of the tests, whose jobs are files: every run works in processes of its own, which SIGKILL
ends before, while and after a job is sent, while it is waited for and while its result is fetched; submissions lose
their answers, connections break, the vendor is busy, jobs fail or are cancelled. Some vendors can be searched by tag;
at others a person looks what became of a job, and says so with `hybrid jobs`.

Each run has just the budget that the same run undisturbed has cost. It is started again until it ends. Then each job
must have been sent once (one that failed or was lost once more, when the person has said so), each result must have
been used, the run must have the bits of the undisturbed one, and the budget must hold what was spent, to the cent.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import record

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "hybrid" / "hardware"))

import filed
import workers

import hybrid
from hybrid.loop import jobs
from hybrid.runs import journal
from hybrid.runs.budget import Budget, purse_of

CALLS = {
    "submit": ["die", "die after", "lose", "drop", "busy", "unreachable"],
    "state": ["die", "busy", "unavailable", "reset"],
    "result": ["die", "reset"],
    "fate": ["fail", "cancel"],
}

REACH = {"submit": 18, "state": 50, "result": 18, "fate": 18}
"""How many calls of each kind a run makes, about."""

TRIES = 30
"""Of starting a run again."""

CENT = 0.01


@dataclass
class Trial:
    """One run, and what went wrong in it."""

    folder: Path
    rng: random.Random
    started: workers.Workers
    whole: hybrid.Result
    searched: bool
    faults: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    resent: int = 0
    starts: int = 0

    def __post_init__(self) -> None:
        self.vendor = filed.Vendor(self.folder / "vendor")
        self.place = self.folder / "run"
        self.allowed = purse_of(self.whole.folder).spent.usd
        plan: dict[str, list[str]] = {}
        for _ in range(self.rng.randint(2, 6)):
            call = self.rng.choice(list(CALLS))
            words = plan.setdefault(call, [""] * REACH[call])
            words[self.rng.randrange(REACH[call])] = self.rng.choice(CALLS[call])
        self.plan = plan
        self.vendor.plan(**plan)

    def run(self) -> None:
        """Start it until it ends, and look."""
        while self.starts < TRIES:
            self.starts += 1
            said = self.folder / f"said-{self.starts}"
            self.started.begin("minimize", self.place, self.vendor.folder, output=said, **self.options())
            if code := self.ended():
                self.react(code, said.read_text())
            else:
                break
        self.look()

    def options(self) -> dict:
        """What it is started with."""
        return {"budget": {"usd": self.allowed}, "searched": self.searched}

    def ended(self) -> int:
        """The exit code; some processes are killed from outside, whatever they do."""
        if self.rng.random() < 0.3:
            process = self.started.process
            time.sleep(self.rng.uniform(0.5, 4.0))
            try:
                os.kill(process, signal.SIGKILL)
                self.faults["kill"] += 1
            except ProcessLookupError:
                pass
        return self.started.ended()

    def react(self, code: int, said: str) -> None:
        """What a person does whose run has ended in an error."""
        if code < 0:
            return
        if "BudgetExceeded" in said:  # by what was resent: nothing was sent, and more is granted
            self.allowed += self.dearest()
        elif "LostJob" in said:
            known = {row.id for row in self.rows() if row.id}
            unknown = [row for row in self.rows() if row.status == "intended"]
            orphans = [name for name in self.vendor.jobs() if name not in known]
            if len(unknown) != 1 or len(orphans) > 1:
                self.wrong["ambiguous"] += 1
            if orphans:
                jobs.adopt(self.place, orphans[0])
            else:
                self.resend()
        elif "FailedJob" in said:
            self.resend()
        else:
            self.wrong["error"] += 1
            print(said, file=sys.stderr)

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
        left = self.vendor._read("faults.json")
        for call, words in self.plan.items():
            for word in words[: len(words) - len(left.get(call, []))]:
                self.faults[f"{call} {word}"] += bool(word)
        if not (self.place / "result.json").exists():
            self.wrong["unfinished"] += 1
            return
        rows, run = self.rows(), hybrid.resume(self.place)
        kept = [row for row in rows if row.status != "given up"]
        sent = {row.id for row in rows if row.id}
        self.wrong["sent twice"] += len(self.vendor.jobs()) != len(sent)
        self.wrong["tag twice"] += len(rows) - len({row.tag for row in rows})
        self.wrong["other jobs"] += len(kept) != len(journal.read(self.whole.folder / "journal.sqlite").jobs)
        self.wrong["not used"] += sum(row.measured is None for row in kept)
        same = run.history.same_bits(self.whole.history) and run.theta.tobytes() == self.whole.theta.tobytes()
        self.wrong["other bits"] += not (same and run.energy == self.whole.energy)
        purse = purse_of(self.place)
        cost = sum(row.charge.usd for row in rows)
        self.wrong["over budget"] += purse.spent.usd > self.allowed + CENT / 2
        self.wrong["wrongly charged"] += abs(purse.spent.usd - cost) > CENT / 2
        self.wrong["wrong budget"] += purse.granted != Budget(usd=self.allowed)


def campaign(n_faults: int, seed: int, folder: Path) -> dict:
    filed.register("filed")
    started = workers.Workers()
    whole = workers.minimize(folder / "whole", folder / "vendor")
    faults, wrong, runs, starts, resent = Counter(), Counter(), 0, 0, 0
    while faults.total() < n_faults:
        rng = random.Random(f"{seed} {runs}")
        trial = Trial(folder / str(runs), rng, started, whole, searched=rng.random() < 0.7)
        trial.run()
        faults, wrong, runs = faults + trial.faults, wrong + trial.wrong, runs + 1
        starts, resent = starts + trial.starts, resent + trial.resent
        print(f"{faults.total()} of {n_faults} faults, {runs} runs, wrong: {dict(wrong)}", file=sys.stderr, flush=True)
    started.close()
    counts = {"faults": faults.total(), "runs": runs, "processes": starts, "sent anew on request": resent}
    return counts | {"kinds": dict(sorted(faults.items())), "wrong": dict(wrong), "seed": seed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(options.faults, options.seed, Path(folder))
    record.write("hardware_faults", found)
    if found["wrong"]:
        raise SystemExit("faults were found")


if __name__ == "__main__":
    main()
