"""The same of folders of stages: algorithms, co-designs and benchmarks, tampered with at random and made honestly.

A tampering changes a bit of any file at any depth, a value of a JSON file or of a line, lines and stages by removing,
copying and swapping them, a row of the journal of a stage or of the chain of the stages, or puts in what another record
of the kind holds. Honest records are killed by SIGKILL at random moments and gone on with, moved, copied, packed, or
made by a version without a chain.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tampering
from qiskit.quantum_info import SparsePauliOp
from record import write
from tampering import Tampering

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import Refused
from hybrid.runs.evidence import examine
from hybrid.runs.files import digest_of
from hybrid.runs.kinds import kind_of

UNCHAINED = ("lock", "verification.json", "budget.sqlite")
"""Files that are no part of a record."""

CHAIN = "stages.sqlite"


def qaoa(folder: Path, seed: int) -> None:
    hybrid.qaoa(maxcut([(0, 1), (1, 2), (2, 0)]), layers=2, seed=seed, folder=folder, **HERE)


def vqd(folder: Path, seed: int) -> None:
    hybrid.vqd(hardware_efficient(2, layers=1), tfim(2), levels=2, starts=1, seed=seed, folder=folder, **HERE)


def adapt(folder: Path, seed: int) -> None:
    hybrid.adapt(tfim(2), pool=POOL, max_operators=2, seed=seed, folder=folder, **HERE)


def classifier(folder: Path, seed: int) -> None:
    hybrid.classifier("iris", max_steps=3, seed=seed, folder=folder, **HERE)


def evolution(folder: Path, seed: int) -> None:
    circuit = hardware_efficient(2, layers=1)
    hybrid.real_time_evolution(circuit, tfim(2), time=0.2, steps=4, seed=seed, folder=folder, **HERE)


def codesign(folder: Path, seed: int) -> None:
    device = hybrid.Device(2, "line", two_qubit_error=0.01, readout_error=0.001)
    vary = {"two_qubit_error": [0.01, 0.02, 0.03]}
    circuit = hardware_efficient(2, layers=1)
    hybrid.codesign(
        circuit, tfim(2), device=device, vary=vary, method="model", seed=seed, folder=folder, progress=False
    )


def benchmark(folder: Path, seed: int) -> None:
    hybrid.bench(
        "quick", backends=["statevector"], only=["ghz", "mirror"], shots=40, seed=seed, folder=folder, progress=False
    )


POOL = [SparsePauliOp(["YI"]), SparsePauliOp(["YZ"]), SparsePauliOp(["IY"])]

HERE: dict[str, Any] = {"backend": "statevector", "progress": False}

ASKED: tuple[Callable[[Path, int], None], ...] = (qaoa, vqd, adapt, classifier, evolution, codesign, benchmark)


def files(folder: Path) -> list[Path]:
    """All files of a record, at any depth."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.name not in UNCHAINED]


def stages(folder: Path) -> list[Path]:
    """The stages that are done: files, and folders of runs."""
    written = {path for path in files(folder) if len(path.parts) == 1 and path.suffix == ".json"}
    runs = {path.parent for path in files(folder) if path.name == "journal.sqlite"}
    asked = {Path(name) for name in ("algorithm.json", "bench.json", "problem.json", "pool.json", "result.json")}
    return sorted((written - asked) | runs)


def meaning(folder: Path) -> dict[str, Any]:
    """All that a record says, read without chains."""
    said: dict[str, Any] = {}
    for path in files(folder):
        file = folder / path
        if path.suffix == ".sqlite":
            said[str(path)] = tampering.tables(file)
        elif path.suffix == ".json":
            said[str(path)] = tampering.content(file)
        else:
            said[str(path)] = digest_of(file)
    return said


# --- tamperings ------------------------------------------------------------------------------------------------------


def bit(record: Path, other: Path, rng: random.Random) -> Tampering:
    path = rng.choice(files(record))
    content = bytearray((record / path).read_bytes())
    at = rng.randrange(len(content) * 8)
    content[at // 8] ^= 1 << at % 8
    (record / path).write_bytes(content)
    return Tampering("a bit of a file", f"bit {at} of {path}", _names(path))


def edited(record: Path, other: Path, rng: random.Random) -> Tampering:
    path = rng.choice([path for path in files(record) if path.suffix == ".json"])
    content = json.loads((record / path).read_text())
    tampering.edit(content, rng)
    (record / path).write_text(json.dumps(content, indent=1) + "\n")
    return Tampering("a JSON file edited", str(path), _names(path))


def lines(record: Path, other: Path, rng: random.Random) -> Tampering:
    """Lines of a file that grows, removed, copied, swapped, or edited; a file where there is none."""
    found = [path for path in files(record) if path.suffix == ".jsonl"]
    if not found:
        return lost(record, other, rng)
    file = record / rng.choice(found)
    whole = file.read_text().splitlines()
    at, how = rng.randrange(len(whole)), rng.choice(("removed", "copied", "swapped", "edited"))
    if how == "removed":
        del whole[at]
    elif how == "copied":
        whole.insert(rng.randrange(len(whole) + 1), whole[at])
    elif how == "swapped":
        second = rng.randrange(len(whole))
        whole[at], whole[second] = whole[second], whole[at]
    else:
        content = json.loads(whole[at])
        tampering.edit(content, rng)
        whole[at] = json.dumps(content)
    file.write_text("".join(line + "\n" for line in whole))
    return Tampering(f"a line {how}", f"line {at + 1} of {file.name}", (f"{file.name}, line",))


def swapped(record: Path, other: Path, rng: random.Random) -> Tampering:
    """Two stages of one form swapped; one removed where there are no two."""
    found = stages(record)
    pairs = [(a, b) for a in found for b in found if a != b and a.suffix == b.suffix]
    if not pairs:
        return lost(record, other, rng)
    first, second = rng.choice(pairs)
    for old, new in ((first, Path("between")), (second, first), (Path("between"), second)):
        (record / old).rename(record / new)
    return Tampering("stages swapped", f"{first} and {second}", (str(first), str(second)))


def copied(record: Path, other: Path, rng: random.Random) -> Tampering:
    """A stage in place of another one of its form, or of one that is not there."""
    found = stages(record)
    runs = [path for path in found if not path.suffix]
    if not runs:
        return lines(record, other, rng)
    first, number = rng.choice(runs), rng.choice(runs)
    second = Path(f"{first}-again") if first == number else number
    shutil.rmtree(record / second, ignore_errors=True)
    shutil.copytree(record / first, record / second)
    return Tampering("a stage copied", f"{first} to {second}", (str(second),))


def lost(record: Path, other: Path, rng: random.Random) -> Tampering:
    path = rng.choice([*files(record), *stages(record)])
    if (record / path).is_dir():
        shutil.rmtree(record / path)
    else:
        (record / path).unlink()
    return Tampering("a file or stage removed", str(path), _names(path))


def foreign(record: Path, other: Path, rng: random.Random) -> Tampering:
    """A file or a stage of another record of the kind."""
    path = rng.choice([path for path in (*files(record), *stages(record)) if (other / path).exists()])
    if (record / path).is_dir():
        shutil.rmtree(record / path)
        shutil.copytree(other / path, record / path)
    else:
        shutil.copy(other / path, record / path)
    return Tampering("of another record", str(path), ("",) if path.name == CHAIN else _names(path))


def rows(record: Path, other: Path, rng: random.Random) -> Tampering:
    """A row of the journal of a stage, changed, removed or copied; a link of the stages where there is none."""
    runs = [path for path in stages(record) if (record / path).is_dir()]
    if not runs:
        return links(record, other, rng)
    run = rng.choice(runs)
    done = rng.choice((tampering.changed, tampering.removed, tampering.inserted))(record / run, other, rng)
    return Tampering("a row of a stage", f"{run}: {done.what}", (f"{run}: ",))


def links(record: Path, other: Path, rng: random.Random) -> Tampering:
    """A link of the chain of the stages, changed, removed or swapped."""
    database = sqlite3.connect(record / CHAIN)
    numbers = [row for (row,) in database.execute("SELECT row FROM chain")]
    first, second = rng.sample(numbers, 2)
    how = rng.choice(("changed", "removed", "swapped"))
    if how == "removed":
        database.execute("DELETE FROM chain WHERE row = ?", (first,))
    elif how == "changed":
        column = rng.choice(("digest", "head"))
        database.execute(f"UPDATE chain SET {column} = ? WHERE row = ?", (rng.randbytes(32), first))
    else:
        for old, new in ((first, -1), (second, first), (-1, second)):
            database.execute("UPDATE chain SET row = ? WHERE row = ?", (new, old))
    database.commit()
    database.close()
    return Tampering(f"a link {how}", f"row {first}", ("chain, row", "result.json: "))


KINDS = (bit, bit, bit, edited, edited, lines, lines, swapped, copied, lost, foreign, foreign, rows, links)


def _names(path: Path) -> tuple[str, ...]:
    """What a finding must hold to have named a file: itself, or a row of what lies in it."""
    inside = ("chain, row", "chain: missing", "journal, row") if path.name == CHAIN else ()
    return (path.parts[0], *inside)


def _finding(record: Path) -> str:
    found = examine(record)
    return "; ".join((*found.faults, *found.open))


def tamper(home: Path, n: int, seed: int, asked: tuple[Callable[[Path, int], None], ...] = ASKED) -> dict[str, Any]:
    """Tamper with records, one change each, and count what is found."""
    rng = random.Random(seed)
    made: list[tuple[Path, Path]] = []
    for ask in asked:
        pair = home / f"{ask.__name__}-1", home / f"{ask.__name__}-2"
        for k, folder in enumerate(pair):
            ask(folder, k)
            found = examine(folder)
            assert found.sealed, found.open
            assert not found.faults, found.faults
        made.append(pair)
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    missed = []
    for k in range(n):
        base, other = rng.sample(made[k % len(made)], 2)
        record = Path(shutil.copytree(base, home / "tampered"))
        done = rng.choice(KINDS)(record, other, rng)
        text = _finding(record)
        count = counts[done.kind]
        count["all"] += 1
        if meaning(record) == meaning(base):
            count["meaning kept"] += 1
        else:
            count["meaning changed"] += 1
            named = bool(text) and any(name in text for name in done.names)
            count["named"] += named
            if not named:
                missed.append({"number": k, "of": base.name, **done._asdict(), "finding": text})
        shutil.rmtree(record)
    total = sum(counts.values(), collections.Counter())
    return {"total": dict(total), "by_kind": {kind: dict(count) for kind, count in counts.items()}, "missed": missed}


# --- honest records --------------------------------------------------------------------------------------------------


def killed(folder: Path, ask: Callable[[Path, int], None], rng: random.Random) -> Path:
    """One whose process gets SIGKILL, once or twice, and which is gone on with or not."""
    for _ in range(rng.randint(1, 2)):
        child = os.fork()
        if not child:
            try:
                ask(folder, 1)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0.0, 0.6))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if kind_of(folder) is not None:
            tampering.not_accused(examine(folder))
    if rng.random() < 0.7 or kind_of(folder) is None:
        ask(folder, 1)
    return folder


def again(folder: Path, ask: Callable[[Path, int], None], rng: random.Random) -> Path:
    """One that is asked for again after its end, and whose result was removed and is made again."""
    ask(folder, 1)
    (folder / "result.json").unlink()
    tampering.not_accused(examine(folder))
    ask(folder, 1)
    ask(folder, 1)
    return folder


def moved(folder: Path, ask: Callable[[Path, int], None], rng: random.Random) -> Path:
    ask(folder.with_name("before"), 1)
    return folder.with_name("before").rename(folder)


def packed(folder: Path, ask: Callable[[Path, int], None], rng: random.Random) -> Path:
    before, archive = moved(folder.with_name("packed"), ask, rng), folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(before, folder.name)
    with tarfile.open(archive) as file:
        file.extractall(folder.parent, filter="data")
    return folder


def older(folder: Path, ask: Callable[[Path, int], None], rng: random.Random) -> Path:
    """As a version without a chain of stages left it; gone on with."""
    ask(folder, 1)
    for name, key, version in (("algorithm.json", "format", 2), ("bench.json", "version", 1)):
        if (folder / name).exists():
            content = json.loads((folder / name).read_text()) | {key: version}
            (folder / name).write_text(json.dumps(content, indent=1) + "\n")
            _bind_anew(folder, name)
    (folder / CHAIN).unlink()
    assert not examine(folder).chained, "it would be called proven"
    ask(folder, 1)
    return folder


def _bind_anew(folder: Path, head: str) -> None:
    """The journals of stages that are no runs are bound to what was asked, and chained from there."""
    for file in folder.glob("*.sqlite"):
        with sqlite3.connect(file) as database:
            database.execute("DROP TABLE chain")
            database.execute("DELETE FROM journal WHERE key = 'chained'")
            database.execute("UPDATE journal SET value = ? WHERE key = 'bound'", (digest_of(folder / head),))
        database.close()


WAYS = (killed, killed, killed, again, moved, packed, older)


def honest(home: Path, n: int, seed: int, asked: tuple[Callable[[Path, int], None], ...] = ASKED) -> dict[str, Any]:
    """Make honest records, and count those that are accused."""
    rng = random.Random(seed)
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    accused = []
    for k in range(n):
        way, ask = WAYS[k % len(WAYS)], asked[(k // len(WAYS)) % len(asked)]
        place = home / f"honest-{k}"
        place.mkdir()
        counts[way.__name__]["all"] += 1
        try:
            found = examine(way(place / "record", ask, rng))
            tampering.not_accused(found)
            counts[way.__name__]["sealed"] += found.sealed
            counts[way.__name__]["unchained"] += not found.chained
        except (AssertionError, Refused) as err:
            accused.append({"number": k, "way": way.__name__, "of": ask.__name__, "finding": str(err)})
        shutil.rmtree(place)
    return {"all": n, "accused": accused, "by_way": {way: dict(count) for way, count in counts.items()}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tamperings", type=int, default=400)
    parser.add_argument("--honest", type=int, default=98)
    arguments = parser.parse_args()
    os.environ["HYBRID_DATA"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as place:
        numbers = {
            "tampered": tamper(Path(place), arguments.tamperings, arguments.seed),
            "honest": honest(Path(place), arguments.honest, arguments.seed),
        }
    write("tampering_stages", numbers)
