"""Runs that are killed at random moments and resumed: what was lost, computed twice, or came out wrong, counted.

Every optimizer minimizes a small problem in a process of its own, which SIGKILL ends again and again. After each kill
the journal is read: an evaluation that it holds must be there to the end, with the moment at which it was finished. At
the end the run must have the bits of one that was left alone. Kills go round all optimizers until there were enough.

Counted are kills, those that hit a run before its end, those before which new evaluations had come into the journal,
runs that were brought to their end, and evaluations lost, computed again, or wrong.
"""

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import record

import hybrid
from hybrid import optimizers

PAUSE_S = 0.1
"""Between the steps of a run that is to be killed, so that there is a middle."""

LONGEST_S = 4.0
"""Between the moment at which there is a journal and the kill, at most; a process needs about one to begin."""

LATE = 0.85
"""Share of the kills that wait until new evaluations are in the journal; the others come whenever they come."""


def work(folder: str, optimizer: str, pause_s: str) -> None:
    """Begin the run or continue it, in this process."""
    from circuits import hamiltonian_variational, tfim

    def pause() -> bool:
        time.sleep(float(pause_s))
        return False

    if (Path(folder) / "spec.json").exists():
        hybrid.resume(folder, should_stop=pause)
        return
    problem = tfim(3)
    circuit = hamiltonian_variational(problem, layers=2)
    hybrid.minimize(
        circuit, problem, optimizer=optimizer, backend="statevector", max_steps=60, folder=folder, should_stop=pause
    )


def begin(folder: Path, optimizer: str, pause_s: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, __file__, "--worker", str(folder), optimizer, str(pause_s)])


def finished(folder: Path) -> dict[int, tuple]:
    """What the journal holds: number -> checksum and the moment of each evaluation."""
    path = folder / "journal.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as database:
        try:
            rows = database.execute("SELECT number, checksum, finished_at FROM evaluation").fetchall()
        except sqlite3.OperationalError:  # killed before the table was made
            return {}
    return {number: (checksum, moment) for number, checksum, moment in rows}


@dataclass
class Campaign:
    """One optimizer's run, and what became of it."""

    optimizer: str
    folder: Path
    rng: random.Random
    kills: int = 0
    hit: int = 0
    grown: int = 0
    lost: int = 0
    repeated: int = 0
    wrong: int = 0
    runs: int = 0
    held: dict[int, tuple] = field(default_factory=dict)

    def kill(self) -> None:
        """Start or continue the run, and kill it."""
        process = begin(self.folder / "killed", self.optimizer, PAUSE_S)
        while process.poll() is None and not (self.folder / "killed" / "journal.sqlite").exists():
            time.sleep(0.005)
        if self.rng.random() < LATE:
            while process.poll() is None and len(finished(self.folder / "killed")) <= len(self.held):
                time.sleep(0.02)
            time.sleep(self.rng.uniform(0, LONGEST_S / 4))
        else:
            time.sleep(self.rng.uniform(0, LONGEST_S))
        process.kill()
        self.kills += 1
        self.hit += process.wait() != 0
        self.look()
        if process.returncode == 0:
            self.count()

    def look(self) -> None:
        """Hold the journal against what it held before."""
        now = finished(self.folder / "killed")
        self.grown += len(now) > len(self.held)
        self.lost += sum(number not in now for number in self.held)
        self.repeated += sum(number in now and now[number] != told for number, told in self.held.items())
        self.held = now

    def count(self) -> None:
        """Let the run end, hold it against the one that was left alone, and make room for another."""
        killed, whole = self.folder / "killed", self.folder / "whole"
        for folder in (killed, whole):
            if not (folder / "result.json").exists():
                subprocess.run([sys.executable, __file__, "--worker", str(folder), self.optimizer, "0"], check=True)
        self.look()
        one, other = hybrid.resume(killed), hybrid.resume(whole)
        same = one.history.same_bits(other.history) and one.theta.tobytes() == other.theta.tobytes()
        self.wrong += not (same and (one.energy, one.status) == (other.energy, other.status))
        self.runs += 1
        self.held = {}
        shutil.rmtree(killed)

    def counts(self) -> dict[str, int]:
        """The numbers."""
        return {name: getattr(self, name) for name in ("kills", "hit", "grown", "runs", "lost", "repeated", "wrong")}


def campaign(kills: int, seed: int, folder: Path) -> dict[str, dict[str, int]]:
    every = [Campaign(name, folder / name, random.Random(f"{seed} {name}")) for name in optimizers.names()]
    for one in every:
        one.folder.mkdir()
    done = 0
    while done < kills:
        for one in every[: kills - done]:
            one.kill()
            done += 1
            print(f"{done} of {kills}: {one.optimizer} {one.counts()}", file=sys.stderr, flush=True)
    for one in every:
        if (one.folder / "killed").exists():
            one.count()
    return {one.optimizer: one.counts() for one in every}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(options.kills, options.seed, Path(folder))
    total = {key: sum(counts[key] for counts in found.values()) for key in next(iter(found.values()))}
    record.write("faults", {"total": total, "optimizers": found, "seed": options.seed})
    if total["lost"] or total["repeated"] or total["wrong"]:
        raise SystemExit("faults were found")


if __name__ == "__main__":
    main()
