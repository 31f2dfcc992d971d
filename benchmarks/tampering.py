"""How many of 500 random tamperings of records are found and named, and how many of 200 honest records are accused.

A tampering changes one bit of any file, changes, removes, inserts or swaps rows of any table of the journal, checksums
made to fit or not, moves the clock, edits a value of a JSON file, removes a file, or puts that of another run in its
place. Whether it changed what the record means is decided without the chain: by the parsed files and the rows of all
tables, before and after. Honest records are those of runs that were killed by SIGKILL at random moments, stopped and
resumed, moved, copied, packed and unpacked, vacuumed, looked at while they ran, or made by earlier versions.
"""

import argparse
import collections
import hashlib
import json
import math
import os
import random
import shutil
import signal
import sqlite3
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import record

import hybrid
from backends.providers.hardware import Charge
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs import journal
from hybrid.runs.evidence import Evidence, examine
from hybrid.runs.failovers import Failover
from hybrid.runs.files import digest_of, to_json
from hybrid.runs.jobs import JobRow, Place
from hybrid.workload.spec import BackendSpec

TAMPERINGS, HONEST = 500, 200
JOURNAL = "journal.sqlite"
FILES = ("spec.json", "circuit.qpy", "hamiltonian.json", "result.json", JOURNAL)
KEYS = {
    "evaluation": ("number",),
    "job": ("stage", "evaluation", "part", "attempt"),
    "intent": ("number",),
    "failover": ("place",),
    "journal": ("key",),
    "chain": ("row",),
}


class Tampering(NamedTuple):
    """What was done: its kind, a description, and words of which the finding must hold one to have named it."""

    kind: str
    what: str
    names: tuple[str, ...]


# --- records ---------------------------------------------------------------------------------------------------------


def minimized(folder: Path, seed: int, **options: Any) -> Path:
    """A run of a second or less: exact, or with shots."""
    drawn = {"optimizer": "spsa", "shots": 64, "accuracy": 0.2, "max_steps": 8} if seed % 2 else {}
    circuit = hardware_efficient(2 + seed % 2, layers=1)
    arguments: dict[str, Any] = {"backend": "reference", "seed": seed, "folder": folder} | drawn | options
    hybrid.minimize(circuit, tfim(circuit.num_qubits), progress=False, **arguments)
    return folder


def with_jobs(folder: Path, rng: random.Random) -> Path:
    """The record with what a run at a vendor leaves beside its evaluations: jobs, an intent and a failover.

    They are written by the same calls as a loop's, after the run, and the result is written once more.
    """
    path = folder / JOURNAL
    with journal.Journal(path, journal.read(path).run_digest) as opened:
        for evaluation in range(4):
            for status in ("intended", "queued", "done")[: rng.randint(1, 3)]:
                opened.write_job(_job(evaluation, status, rng))
        opened.fail_over(Failover(2, "vendor:one", "the fridge was warm", "aer", BackendSpec(name="aer")))
        opened.intend(rng.randint(1000, 2000))
        content = to_json(json.loads((folder / "result.json").read_bytes()) | {"chain": opened.chain})
        opened.seal(content)
        (folder / "result.json").write_bytes(content)
    return folder


def _job(evaluation: int, status: Any, rng: random.Random) -> JobRow:
    charge = Charge(rng.random(), rng.random(), 100)
    measured = zlib.compress(rng.randbytes(40)) if status == "done" else None
    where, request = Place("", evaluation, 0), hashlib.sha256(rng.randbytes(8)).hexdigest()
    return JobRow(
        where, 0, request, f"tag-{evaluation}", "vendor:one", 1, 100, charge, status, 1.7e9, measured=measured
    )


def meaning(folder: Path) -> dict[str, Any]:
    """All that a record says, read without the chain: parsed files, and the rows of all tables."""
    said: dict[str, Any] = {}
    for name in FILES:
        file = folder / name
        if not file.is_file():
            said[name] = None
        elif name == JOURNAL:
            said[name] = tables(file)
        elif name.endswith(".json"):
            said[name] = content(file)
        else:
            said[name] = digest_of(file)
    return said


def content(file: Path) -> str:
    """What a JSON file says."""
    try:
        return repr(json.loads(file.read_bytes()))
    except ValueError:
        return "unreadable"


def tables(file: Path) -> Any:
    """What the tables of a database say."""
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        database.execute("PRAGMA quick_check").fetchall()
        return {name: sorted(map(repr, database.execute(f"SELECT * FROM {name}").fetchall())) for name in names}
    except (sqlite3.Error, UnicodeDecodeError):
        return "unreadable"
    finally:
        database.close()


# --- tamperings ------------------------------------------------------------------------------------------------------


def bit(run: Path, other: Path, rng: random.Random) -> Tampering:
    name = rng.choice(FILES)
    content = bytearray((run / name).read_bytes())
    at = rng.randrange(len(content) * 8)
    content[at // 8] ^= 1 << at % 8
    (run / name).write_bytes(content)
    names = (name, *(f"{table}, row" for table in KEYS), "chain: missing")
    return Tampering("a bit of a file", f"bit {at} of {name}", names if name == JOURNAL else (name,))


def _database(run: Path) -> sqlite3.Connection:
    return sqlite3.connect(run / JOURNAL)


def _a_row(database: sqlite3.Connection, rng: random.Random) -> tuple[str, sqlite3.Row]:
    table = rng.choice([table for table in KEYS if database.execute(f"SELECT 1 FROM {table}").fetchone()])
    database.row_factory = sqlite3.Row
    return table, rng.choice(database.execute(f"SELECT * FROM {table}").fetchall())


def _where(table: str) -> str:
    return " AND ".join(f"{key} = ?" for key in KEYS[table])


def _name(table: str, row: sqlite3.Row) -> str:
    if table == "job":
        return f"job, row {row['evaluation']}.{row['part']}"
    return f"{table}, row {row[KEYS[table][0]]}"


def changed(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table, row = _a_row(database, rng)
    columns = [name for name in row.keys() if name not in KEYS[table]]  # noqa: SIM118 - a Row is no mapping
    column = rng.choice(columns)
    value = _other(row[column], rng)
    database.execute(
        f"UPDATE {table} SET {column} = ? WHERE {_where(table)}", (value, *(row[key] for key in KEYS[table]))
    )
    if rng.random() < 0.7:
        _fit_checksums(database)
    _close(database)
    names = (_name(table, row), f"evaluation {row['number']} " if table == "evaluation" else _name(table, row))
    return Tampering("a value of a row", f"{column} of {_name(table, row)}", names)


def _other(value: Any, rng: random.Random) -> Any:
    """A value that is a little, or wholly, another."""
    if isinstance(value, float):
        return value * (1 + 1e-13) + 1e-12 if rng.random() < 0.5 else rng.random()
    if isinstance(value, int):
        return value + rng.choice((-1, 1))
    if isinstance(value, bytes) and value:
        at = rng.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << rng.randrange(8))]) + value[at + 1 :]
    if isinstance(value, str):
        return value + "x"
    return b"\0" * 8


def removed(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table, row = _a_row(database, rng)
    database.execute(f"DELETE FROM {table} WHERE {_where(table)}", [row[key] for key in KEYS[table]])
    _close(database)
    names = (_name(table, row), "result.json: it rests", "rows ", "row ")
    return Tampering("a row removed", _name(table, row), names if table == "chain" else names[:1])


def inserted(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table, row = _a_row(database, rng)
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row is no mapping
    key = KEYS[table][-1]
    values[key] = "another" if table == "journal" else values[key] + 100_000
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    _fit_checksums(database)
    _close(database)
    return Tampering("a row inserted", f"a copy of {_name(table, row)}", (f"{table}, row", "chain, rows"))


def swapped(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table = rng.choice(("evaluation", "job", "chain"))
    key = {"evaluation": "number", "job": "evaluation", "chain": "row"}[table]
    first, second = rng.sample([value for (value,) in database.execute(f"SELECT {key} FROM {table}")], 2)
    for old, new in ((first, -1), (second, first), (-1, second)):
        database.execute(f"UPDATE {table} SET {key} = ? WHERE {key} = ?", (new, old))
    if rng.random() < 0.7:
        _fit_checksums(database)
    _close(database)
    return Tampering(
        "rows swapped", f"{table} {first} and {second}", (f"{table}, row {first}", f"{table}, row {second}")
    )


def clock(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table, column = rng.choice((("evaluation", "finished_at"), ("job", "intended_at"), ("failover", "happened_at")))
    database.execute(f"UPDATE {table} SET {column} = {column} - ?", (rng.choice((3600.0, 86400.0, 1e-3)),))
    _close(database)
    return Tampering("another clock", f"{column} of {table}", (f"{table}, row",))


def cut(run: Path, other: Path, rng: random.Random) -> Tampering:
    """The end of the journal gone, links and all."""
    database = _database(run)
    (last,) = database.execute("SELECT max(row) FROM chain").fetchone()
    keep = rng.randint(6, last - 1)
    rows = database.execute("SELECT kind, key FROM chain WHERE row > ?", (keep,)).fetchall()
    for kind, key in rows:
        if kind == "evaluation":
            database.execute("DELETE FROM evaluation WHERE number = ?", (key,))
        if kind == "intent":
            database.execute("DELETE FROM intent WHERE number = ?", (key,))
        if kind == "failover":
            database.execute("DELETE FROM failover")
        if kind == "job":
            database.execute("DELETE FROM job WHERE evaluation = ?", (json.loads(key)[1],))
    database.execute("DELETE FROM chain WHERE row > ?", (keep,))
    _close(database)
    names = ("result.json", "job, row")
    return Tampering("the end cut off", f"{last - keep} rows of the chain and what they stand for", names)


def dropped(run: Path, other: Path, rng: random.Random) -> Tampering:
    database = _database(run)
    table = rng.choice([table for table in KEYS if database.execute(f"SELECT 1 FROM {table}").fetchone()])
    database.execute(f"DROP TABLE {table}")
    _close(database)
    return Tampering("a table dropped", table, (f"{table}, row", f"{table}: missing"))


def edited(run: Path, other: Path, rng: random.Random) -> Tampering:
    name = rng.choice(("spec.json", "hamiltonian.json", "result.json"))
    content = json.loads((run / name).read_text())
    path = edit(content, rng)
    (run / name).write_text(json.dumps(content, indent=1) + "\n")
    return Tampering("a JSON file edited", f"{path} of {name}", (name,))


def edit(content: Any, rng: random.Random) -> str:
    """Edit a value of a JSON object, and say which."""
    path = rng.choice(list(_leaves(content)))
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _edited(inner[path[-1]], rng)
    return "/".join(map(str, path))


def _leaves(content: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(content, dict | list) and content:
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _leaves(value, (*path, key))
    else:
        yield path


def _edited(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return math.nextafter(value, math.inf) if rng.random() < 0.5 else -value + 1.0
    return value + 1 if isinstance(value, int) else f"{value} " if isinstance(value, str) else "something"


def lost(run: Path, other: Path, rng: random.Random) -> Tampering:
    name = rng.choice(FILES)
    (run / name).unlink()
    return Tampering("a file removed", name, (name,))


def exchanged(run: Path, other: Path, rng: random.Random) -> Tampering:
    names = rng.sample(FILES, rng.randint(1, 2))
    for name in names:
        shutil.copy(other / name, run / name)
    return Tampering("files of another run", ", ".join(names), tuple(names))


KINDS = (bit, bit, changed, changed, removed, inserted, swapped, clock, cut, dropped, edited, edited, lost, exchanged)


def _fit_checksums(database: sqlite3.Connection) -> None:
    columns = "theta, energies, standard_errors, gradients, pairs, metrics, fidelities, biases"
    query = f"SELECT number, step, n_rows, n_params, {columns} FROM evaluation"
    database.row_factory = None
    for number, step, n, p, *blobs in database.execute(query).fetchall():
        total = zlib.crc32(repr((number, step, n, p)).encode())
        for blob in blobs:
            total = zlib.crc32(blob if isinstance(blob, bytes) else b"", total)
        database.execute("UPDATE evaluation SET checksum = ? WHERE number = ?", (total, number))


def _close(database: sqlite3.Connection) -> None:
    database.commit()
    database.close()


def tamper(home: Path, n: int, seed: int) -> dict[str, Any]:
    """Tamper with records, one change each, and count what is found."""
    rng = random.Random(seed)
    runs = [with_jobs(minimized(home / f"base-{k}", k), rng) for k in range(4)]
    assert all(not examine(run).faults and examine(run).sealed for run in runs)
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    missed = []
    for k in range(n):
        base, other = rng.sample(runs, 2)
        run = Path(shutil.copytree(base, home / "tampered"))
        done = rng.choice(KINDS)(run, other, rng)
        text = _finding(run)
        count = counts[done.kind]
        count["all"] += 1
        if meaning(run) == meaning(base):
            count["meaning kept"] += 1
        else:
            count["meaning changed"] += 1
            count["found"] += bool(text)
            named = any(name in text for name in done.names)
            count["named"] += named
            if not named:
                missed.append({"number": k, **done._asdict(), "finding": text})
        shutil.rmtree(run)
    total = sum(counts.values(), collections.Counter())
    return {"total": dict(total), "by_kind": {kind: dict(count) for kind, count in counts.items()}, "missed": missed}


def _finding(run: Path) -> str:
    """What the chain says against a record; empty if nothing."""
    found = examine(run)
    checked = ""
    if (run / JOURNAL).is_file() and not found.faults:  # a checksum is no part of the chain: it follows from the rest
        try:
            journal.read(run / JOURNAL)
        except Refused as err:
            checked = str(err)
    return "; ".join((*found.faults, *found.open, checked))


# --- honest records --------------------------------------------------------------------------------------------------


def killed(folder: Path, rng: random.Random) -> Path:
    """A run whose process gets SIGKILL at a random moment, and which is resumed or not."""
    child = os.fork()
    if not child:
        try:
            minimized(folder, rng.randrange(100), should_stop=lambda: bool(time.sleep(0.01)))
        finally:
            os._exit(0)
    deadline = time.monotonic() + 60
    while not (folder / "spec.json").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.25))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if rng.random() < 0.7:
        not_accused(examine(folder))
        hybrid.resume(folder)
    return folder


def stopped(folder: Path, rng: random.Random) -> Path:
    asked = iter([False] * rng.randint(1, 6) + [True] * 999)
    minimized(folder, rng.randrange(100), should_stop=lambda: next(asked))
    if rng.random() < 0.8:
        hybrid.resume(folder)
        hybrid.resume(folder)
    return folder


def moved(folder: Path, rng: random.Random) -> Path:
    return minimized(folder.with_name("before"), rng.randrange(100)).rename(folder)


def copied(folder: Path, rng: random.Random) -> Path:
    shutil.copytree(minimized(folder.with_name("before"), rng.randrange(100)), folder)
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    return folder


def packed(folder: Path, rng: random.Random) -> Path:
    before, archive = minimized(folder.with_name("before"), rng.randrange(100)), folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(before, folder.name)
    with tarfile.open(archive) as file:
        file.extractall(folder.parent, filter="data")
    return folder


def vacuumed(folder: Path, rng: random.Random) -> Path:
    database = sqlite3.connect(minimized(folder, rng.randrange(100)) / JOURNAL)
    for statement in rng.sample(
        ("VACUUM", "REINDEX", "ANALYZE", "PRAGMA page_size = 8192", "PRAGMA user_version = 3"), 3
    ):
        database.execute(statement)
    database.execute("VACUUM")
    database.close()
    return folder


def noted(folder: Path, rng: random.Random) -> Path:
    """What became known of jobs after the run's end."""
    with_jobs(minimized(folder, rng.randrange(100)), rng)
    with journal.Journal(folder / JOURNAL, journal.read(folder / JOURNAL).run_digest) as opened:
        opened.write_job(_job(rng.randrange(4), "done", rng))
    return folder


def older(folder: Path, rng: random.Random) -> Path:
    """As earlier versions left it: without a chain, in format 3 or 2."""
    minimized(folder, 0 if rng.random() < 0.5 else 2)
    version = rng.choice((2, 3))
    for name, change in (("spec.json", {"format": version}), ("result.json", {"chain": None})):
        content = json.loads((folder / name).read_text()) | change
        (folder / name).write_text(json.dumps({k: v for k, v in content.items() if k != "chain"}, indent=1) + "\n")
    digests = " ".join(digest_of(folder / name) for name in FILES[:3])
    database = _database(folder)
    database.execute("DROP TABLE chain")
    database.execute("DELETE FROM journal WHERE key = 'chained'")
    database.execute("CREATE TABLE seal (digest TEXT PRIMARY KEY)")
    bound = hashlib.sha256(digests.encode()).hexdigest()
    database.execute("UPDATE journal SET value = ? WHERE key = 'bound'", (bound,))
    _close(database)
    seal = journal.seal((folder / "result.json").read_bytes(), journal.read(folder / JOURNAL))
    database = _database(folder)
    database.execute("INSERT INTO seal VALUES (?)", (seal,))
    _close(database)
    found = examine(folder)
    assert not found.chained, "it would be called proven"
    hybrid.resume(folder)
    return folder


WAYS: tuple[Callable[[Path, random.Random], Path], ...] = (
    *(killed, killed, killed, killed, stopped, stopped, moved, copied, packed, vacuumed, vacuumed, noted, older, older),
)


def not_accused(found: Evidence) -> None:
    assert not found.faults, found.faults


def honest(home: Path, n: int, seed: int) -> dict[str, Any]:
    """Make honest records, and count those that are accused."""
    rng = random.Random(seed)
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    accused = []
    for k in range(n):
        way = WAYS[k % len(WAYS)]
        place = home / f"honest-{k}"
        place.mkdir()
        counts[way.__name__]["all"] += 1
        try:
            found = examine(way(place / "run", rng))
            not_accused(found)
            counts[way.__name__]["sealed"] += found.sealed
            counts[way.__name__]["unchained"] += not found.chained
        except (AssertionError, Refused) as err:
            accused.append({"number": k, "way": way.__name__, "finding": str(err)})
        shutil.rmtree(place)
    return {"all": n, "accused": accused, "by_way": {way: dict(count) for way, count in counts.items()}}


def cost(home: Path, seconds: float = 4.0) -> dict[str, float]:
    """Seconds of processor time for one evaluation of 40 parameters in the journal, with its chain and without."""
    times: dict[str, list[float]] = {"chained": [], "without": []}
    import numpy as np

    from hybrid.optimizers.optimizer import Told
    from hybrid.runs.evaluation import Evaluation

    theta = np.random.default_rng(0).normal(size=(1, 40))
    told = Told(np.zeros(1), np.zeros(1), theta)
    end, k = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for name in times:
            path = home / f"{name}-{k}.sqlite"
            journal.create(path, "cost")
            if name == "without":
                database = sqlite3.connect(path)
                database.execute("DROP TABLE chain")
                database.execute("DELETE FROM journal WHERE key = 'chained'")
                _close(database)
            with journal.Journal(path, "cost") as opened:
                start = time.process_time()
                for number in range(400):
                    opened.append(Evaluation(number, number, theta, told, 1e-3))
                times[name].append((time.process_time() - start) / 400)
            path.unlink()
        k += 1
    return {f"{name}_s": min(values) for name, values in times.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.environ["HYBRID_DATA"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        numbers = {
            "honest": honest(home, HONEST, arguments.seed),
            "tampered": tamper(home, TAMPERINGS, arguments.seed),
            "journal, one evaluation of 40 parameters": cost(home),
        }
    record.write("tampering", numbers)
