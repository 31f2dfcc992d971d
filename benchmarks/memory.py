"""Predicted memory against the peak of a process of its own, for each way of each backend.

python benchmarks/memory.py                     measure what is not stored yet
python benchmarks/memory.py --again --only aer  measure one backend's rows again
python benchmarks/memory.py --predict           predict again with the code at hand, and show the table
python benchmarks/memory.py --libraries         measure what loading each library takes, for backends/libraries.json
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import record
from footprints.measure import measured, predicted
from footprints.works import LOADING, PIECES, UNSEEN

import backends
from backends.machine import threads
from backends.memory import readable

LIBRARIES = Path(backends.__file__).with_name("libraries.json")

MARGIN = 1.05
"""Of what loading a library takes, over the most that was seen."""

PACKAGES = ("qiskit", "qiskit-aer", "pennylane", "pennylane-lightning", "jax", "scipy")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="names of backends")
    parser.add_argument("--again", action="store_true", help="measure again what is stored")
    parser.add_argument("--predict", action="store_true", help="measure nothing")
    parser.add_argument("--libraries", action="store_true", help="measure what loading takes")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds for one process")
    parser.add_argument("--json", type=Path, default=record.RESULTS / "memory.json", help="where rows are kept")
    return parser.parse_args()


def libraries(limit_s: float) -> None:
    """The most that a library's least works take: found compiled, in a second process, and compiled from its source."""
    found: dict[str, dict[str, int]] = {}
    for library, pieces in LOADING.items():
        found[library] = {}
        for state, bytecode in (("source", False), ("compiled", True)):
            rows = [measured(piece, limit_s, bytecode=bytecode) for piece in pieces for _ in range(1 + bytecode)]
            found[library][state] = round(MARGIN * max(map(beside, rows[bytecode:])))
        print(f"{library or 'none'}: {', '.join(f'{s} {readable(b)}' for s, b in found[library].items())}", flush=True)
    versions = {package: version(package) for package in PACKAGES}
    LIBRARIES.write_text(json.dumps({"bytes": found, "versions": versions}, indent=1) + "\n")


def beside(row: dict[str, Any]) -> float:
    """What a process took beside the states that were predicted."""
    return row["memory_bytes"] - (row["predicted_bytes"] - row["library_bytes"])


def main() -> None:
    options = arguments()
    if options.libraries:
        libraries(options.limit)
        return
    kept: dict[str, Any] = json.loads(options.json.read_text())["numbers"]["rows"] if options.json.exists() else {}
    pieces = (*PIECES, *UNSEEN)
    rows = {piece.title: kept[piece.title] for piece in pieces if piece.title in kept}
    for piece in pieces:
        wanted = piece.backend in (options.only or [piece.backend]) and not options.predict
        if wanted and (options.again or piece.title not in rows):
            unseen = {"fitted": piece not in UNSEEN}
            rows[piece.title] = {"piece": piece.to_dict()} | unseen | measured(piece, options.limit)
            save(options.json, rows)
            print(f"{rows[piece.title]['status']}  {piece.title}", file=sys.stderr, flush=True)
        elif piece.title in rows and rows[piece.title]["status"] == "done":
            rows[piece.title] |= predicted(piece)
    save(options.json, rows)
    show(rows)


def save(path: Path, rows: dict[str, Any]) -> None:
    """With what they were measured on."""
    record.save(path, {"settings": {"threads": threads()}, "rows": rows}, PACKAGES)


def show(rows: dict[str, Any]) -> None:
    """As a table, and the ends of the ratios."""
    print("| way | work | measured | predicted | ratio |\n| --- | --- | --- | --- | --- |")
    ratios = []
    for title, row in rows.items():
        if row["status"] != "done":
            print(f"| | {title} | {row['status']} | | |")
            continue
        ratio = row["predicted_bytes"] / row["memory_bytes"]
        ratios.append(ratio)
        way = " | ".join(row["way"].split(" | ")[:2]).replace(" | ", ", ")
        held, said = readable(row["memory_bytes"]), readable(row["predicted_bytes"])
        print(f"| {way.partition(', ')[2]} | {title} | {held} | {said} | {ratio:.2f} |")
    print(f"{len(ratios)} rows: predicted over measured from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
