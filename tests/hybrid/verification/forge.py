"""Ways to change the record of a run after the fact: each returns having edited the folder."""

import hashlib
import json
import shutil
import sqlite3
import zlib
from pathlib import Path

import numpy as np
from qiskit import qpy

from circuits import hamiltonian_variational, tfim
from hybrid.runs import chain, journal
from hybrid.runs import folder as folders


def edit(path, change):
    """Change a JSON file by a function of its content."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1) + "\n")


def put(*keys, value):
    """A change that sets a value; a function is applied to the one that is there."""

    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value(content[keys[-1]]) if callable(value) else value

    return change


def result(*keys, value):
    return lambda run, other: edit(run / "result.json", put(*keys, value=value))


def spec(*keys, value):
    return lambda run, other: edit(run / "spec.json", put(*keys, value=value))


def hamiltonian(change):
    return lambda run, other: edit(run / "hamiltonian.json", change)


def swap(*names):
    """Files of another run in the place of these."""

    def change(run, other):
        for name in names:
            shutil.copy(other / name, run / name)

    return change


def remove(*names):
    def change(run, other):
        for name in names:
            (run / name).unlink()

    return change


def flip(name, share):
    """One bit of a file, at a share of its length."""

    def change(run, other):
        content = bytearray((run / name).read_bytes())
        content[int(share * (len(content) - 1))] ^= 4
        (run / name).write_bytes(content)

    return change


def circuit(layers):
    def change(run, other):
        with (run / "circuit.qpy").open("wb") as file:
            qpy.dump(hamiltonian_variational(tfim(3), layers=layers), file)

    return change


def rows(statement, *values, check=False):
    """A statement of SQL in the journal; with ``check``, checksums are made to fit again."""

    def change(run, other):
        database = sqlite3.connect(run / "journal.sqlite")
        database.execute(statement, values)
        if check:
            fit_checksums(database)
        database.commit()
        database.close()

    return change


def fit_checksums(database):
    columns = "theta, energies, standard_errors, gradients, pairs, metrics, fidelities, biases"
    query = f"SELECT number, step, n_rows, n_params, {columns} FROM evaluation"
    for number, step, n, p, *blobs in database.execute(query).fetchall():
        total = zlib.crc32(repr((number, step, n, p)).encode())
        for blob in blobs:
            total = zlib.crc32(blob or b"", total)
        database.execute("UPDATE evaluation SET checksum = ? WHERE number = ?", (total, number))


def last_energy(delta, *, everywhere=False):
    """The final energy changed in the journal, checksum included; with ``everywhere``, in the result and its seal."""

    def change(run, other):
        database = sqlite3.connect(run / "journal.sqlite")
        number, blob = database.execute(
            "SELECT number, energies FROM evaluation ORDER BY number DESC LIMIT 1"
        ).fetchone()
        energy = np.frombuffer(blob, dtype="<f8") + delta
        database.execute("UPDATE evaluation SET energies = ? WHERE number = ?", (energy.tobytes(), number))
        fit_checksums(database)
        database.commit()
        database.close()
        if everywhere:
            edit(run / "result.json", put("energy", value=float(energy[0])))
            reseal(run)

    return change


def renumbered(run, other):
    """An evaluation in the middle taken out, and the gap closed."""
    database = sqlite3.connect(run / "journal.sqlite")
    database.execute("DELETE FROM evaluation WHERE number = 2")
    for (number,) in database.execute("SELECT number FROM evaluation WHERE number > 2 ORDER BY number").fetchall():
        database.execute("UPDATE evaluation SET number = ? WHERE number = ?", (number - 1, number))
    fit_checksums(database)
    database.commit()
    database.close()


def repeated(run, other):
    """The last evaluation once more."""
    database = sqlite3.connect(run / "journal.sqlite")
    *row, _ = database.execute("SELECT *, 0 FROM evaluation ORDER BY number DESC LIMIT 1").fetchone()
    row[0] += 1
    database.execute(f"INSERT INTO evaluation VALUES ({','.join('?' * len(row))})", row)
    fit_checksums(database)
    database.commit()
    database.close()


def bind(run):
    """Bind a journal to whatever lies beside it, as somebody could who knows how."""
    digests = [
        hashlib.sha256((run / name).read_bytes()).hexdigest()
        for name in ("spec.json", "circuit.qpy", "hamiltonian.json")
    ]
    digest = hashlib.sha256(" ".join(digests).encode()).hexdigest()
    database = sqlite3.connect(run / "journal.sqlite")
    database.execute("UPDATE journal SET value = ? WHERE key = 'bound'", (digest,))
    database.commit()
    database.close()


def reseal(run):
    """Chain all rows anew and seal a result, as somebody could who knows how."""
    database = sqlite3.connect(run / "journal.sqlite")
    rechain(run, database)
    database.commit()
    database.close()


def rechain(run, database):
    database.execute("DELETE FROM chain")
    files = [
        chain.Link(chain.FILE, name, hashlib.sha256((run / name).read_bytes()).digest())
        for name in ("spec.json", "circuit.qpy", "hamiltonian.json")
    ]
    rows = [chain.Link(table, *row) for table in chain.TABLES for row in chain._rows(database, table)]
    end = chain.Link(chain.RESULT, "result.json", hashlib.sha256((run / "result.json").read_bytes()).digest())
    chain.end_of(database).add(database, [*files, *rows, end])


def without_chain(run: Path, version: int) -> None:
    """The folder as version 0.2 or a later one would have left it, before records were chained."""
    edit(run / "spec.json", put("format", value=version))
    edit(run / "result.json", lambda content: content.pop("chain"))
    database = sqlite3.connect(run / "journal.sqlite")
    database.execute("DROP TABLE chain")
    database.execute("DELETE FROM journal WHERE key = 'chained'")
    database.execute("CREATE TABLE seal (digest TEXT PRIMARY KEY)")
    database.commit()
    database.close()
    bind(run)
    seal = journal.seal((run / "result.json").read_bytes(), journal.read(run / "journal.sqlite"))
    rows("INSERT INTO seal VALUES (?)", seal)(run, None)


def knowing(*changes):
    """Several changes, and every digest made to fit again."""

    def change(run, other):
        for one in changes:
            one(run, other)
        bind(run)
        reseal(run)

    return change


def as_version_1(run: Path) -> None:
    """The folder as version 0.1 would have left it: without digests."""
    edit(run / "spec.json", put("format", value=1))
    edit(run / "spec.json", lambda content: content.pop("threads"))
    edit(run / "result.json", lambda content: (content.pop("bias"), content.pop("chain")))
    database = sqlite3.connect(run / "journal.sqlite")
    for table in ("journal", "intent", "chain"):
        database.execute(f"DROP TABLE {table}")
    for column in ("pairs", "metrics", "fidelities", "biases"):
        database.execute(f"ALTER TABLE evaluation DROP COLUMN {column}")
    database.commit()
    database.close()


def older(run, other):
    as_version_1(run)


assert folders.JOURNAL == "journal.sqlite"
