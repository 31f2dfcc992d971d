"""Ten published kinds of script, as Qiskit's and PennyLane's users write them, with one line changed to ours.

Each script in `dropin/` runs as it stands, and with its one line about the device or the primitives changed; answers
must agree within the script's tolerance. Contestants take turns, each in a fresh process: ``import_s`` is what the
script's imports take, ``work_s`` everything after them, first-time preparation and compilation included.

``python benchmarks/dropin.py --only pennylane_vqe --repeats 3`` measures a part, in the place of its stored rows.
"""

import argparse
import ast
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).parent / "dropin"

ESTIMATOR = "from qiskit.primitives import StatevectorEstimator as Estimator"
BOTH = "from qiskit.primitives import StatevectorEstimator as Estimator, StatevectorSampler as Sampler"
DEVICE = 'dev = qml.device("default.qubit", wires=n)'

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Imports are timed as users have them: compiled once."""

LINES = {
    ESTIMATOR: {
        "qiskit": ESTIMATOR,
        "aer": "from qiskit_aer.primitives import EstimatorV2 as Estimator",
        "hybrid": "from hybrid import Estimator",
    },
    BOTH: {
        "qiskit": BOTH,
        "aer": "from qiskit_aer.primitives import EstimatorV2 as Estimator, SamplerV2 as Sampler",
        "hybrid": "from hybrid import Estimator, Sampler",
    },
    DEVICE: {
        name: DEVICE.replace("default.qubit", name)
        for name in ("default.qubit", "lightning.qubit", "hybrid.statevector", "hybrid.auto")
    },
}
"""For each published line what stands there for each contestant; the first is the line itself."""


@dataclass(frozen=True)
class Example:
    """A script.

    Attributes:
        line: The one that is changed.
        tolerance: How far answers may be apart: rounding alone, what an optimizer makes of it, or the scatter of shots.
        small: Its sizes for a quick look.
    """

    line: str
    tolerance: float
    small: Mapping[str, Any]


EXAMPLES = {
    "qiskit_vqe": Example(ESTIMATOR, 1e-3, {"n": 4, "evaluations": 8}),
    "qiskit_qaoa": Example(BOTH, 0.2, {"n": 6, "layers": 1, "evaluations": 8}),
    "qiskit_classifier": Example(ESTIMATOR, 1e-6, {"n": 3, "samples": 6, "steps": 2}),
    "qiskit_chemistry": Example(ESTIMATOR, 1e-6, {"lengths": [1.6]}),
    "qiskit_evolution": Example(ESTIMATOR, 1e-8, {"n": 4, "steps": 3}),
    "pennylane_vqe": Example(DEVICE, 1e-6, {"n": 3, "steps": 3}),
    "pennylane_qaoa": Example(DEVICE, 1e-6, {"n": 6, "depth": 1, "steps": 3}),
    "pennylane_classifier": Example(DEVICE, 1e-6, {"n": 2, "samples": 5, "steps": 3}),
    "pennylane_chemistry": Example(DEVICE, 1e-6, {"orbitals": 2, "steps": 3}),
    "pennylane_evolution": Example(DEVICE, 1e-8, {"n": 4, "times": 3}),
}


def source(name: str, contestant: str, *, small: bool = False) -> str:
    """A script with its one line for a contestant, and at its small sizes if wanted."""
    example, text = EXAMPLES[name], (FOLDER / f"{name}.py").read_text()
    changes = {example.line: LINES[example.line][contestant]}
    if small:
        sizes = {line.split(" = ")[0]: line for line in text.splitlines() if " = " in line}
        changes |= {sizes[size]: f"{size} = {value}" for size, value in example.small.items()}
    lines = text.splitlines()
    for published, changed in changes.items():
        assert lines.count(published) == 1, f"{name}: the line '{published}' must be there once"
        lines[lines.index(published)] = changed
    return "\n".join(lines) + "\n"


def contestants(name: str) -> tuple[str, ...]:
    """Who runs a script; the first is the published one."""
    return tuple(LINES[EXAMPLES[name].line])


def play(text: str) -> dict[str, Any]:
    """Run a script here: its answer, and seconds for its imports and for all the rest."""
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in tree.body if node not in imports]
    scope: dict[str, Any] = {"__name__": "__main__"}
    seconds = []
    for nodes in (imports, rest):
        code = compile(ast.Module(nodes, []), "script", "exec")
        start = time.perf_counter()
        exec(code, scope)
        seconds.append(time.perf_counter() - start)
    return {"answer": [float(x) for x in scope["answer"]], "import_s": seconds[0], "work_s": seconds[1]}


def differ(one: list[float], other: list[float]) -> float:
    """The largest difference of two answers."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def measure(name: str, repeats: int, small: bool) -> dict[str, Any]:
    """All contestants in turn, several times."""
    found: dict[str, list[dict[str, Any]]] = {contestant: [] for contestant in contestants(name)}
    for _ in range(repeats):
        for contestant, rows in found.items():
            command = [sys.executable, __file__, "--child", name, contestant, *(["--small"] if small else [])]
            done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
            if done.returncode:
                rows.append({"error": done.stderr.strip().splitlines()[-1]})
            else:
                rows.append(json.loads(done.stdout.splitlines()[-1]))
    reference = found[contestants(name)[0]][0]
    table: dict[str, Any] = {}
    for contestant, rows in found.items():
        errors = [row["error"] for row in rows if "error" in row]
        if errors:
            table[contestant] = {"error": errors[0]}
            continue
        row = {key: [row[key] for row in rows] for key in ("import_s", "work_s")}
        numbers = {f"{key[:-2]}_median_s": median(values) for key, values in row.items()}
        numbers |= {f"{key[:-2]}_min_s": min(values) for key, values in row.items()}
        apart = max(differ(row["answer"], reference["answer"]) for row in rows)
        table[contestant] = numbers | {"answers_differ": apart, "agrees": apart <= EXAMPLES[name].tolerance}
    done = {contestant: row for contestant, row in table.items() if "error" not in row}
    others = {other: row for other, row in done.items() if not other.startswith("hybrid")}
    for mine in done.keys() - others.keys():
        table[mine]["times_slower_than"] = {
            other: table[mine]["work_median_s"] / row["work_median_s"] for other, row in others.items()
        }
    return {"tolerance": EXAMPLES[name].tolerance, "repeats": repeats, "contestants": table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=sorted(EXAMPLES), default=sorted(EXAMPLES), help="these scripts")
    parser.add_argument("--repeats", type=int, default=3, help="processes for each contestant")
    parser.add_argument("--small", action="store_true", help="small sizes; nothing is stored")
    parser.add_argument("--child", nargs=2, metavar=("SCRIPT", "CONTESTANT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        with contextlib.redirect_stdout(sys.stderr):
            row = play(source(*given.child, small=given.small))
        print(json.dumps(row))
        return
    if given.small:
        print(json.dumps({name: measure(name, given.repeats, small=True) for name in given.only}, indent=1))
        return
    import record

    path = record.RESULTS / "dropin.json"
    rows = json.loads(path.read_text())["numbers"] if path.exists() else {}
    for name in given.only:
        rows[name] = measure(name, given.repeats, small=False)
        print(name, json.dumps(rows[name], indent=1), flush=True)
        record.save(path, dict(sorted(rows.items())), packages=("qiskit-aer", "pennylane", "pennylane-lightning"))


if __name__ == "__main__":
    main()
