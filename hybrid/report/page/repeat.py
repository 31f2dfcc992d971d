"""With what it was made, and how to make it again."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.secrets import is_reference
from hybrid.report.page import toml
from hybrid.report.page.html import Html, code, facts, fold, join, section, tag
from hybrid.runs.account import Account

if TYPE_CHECKING:
    from hybrid.workload.spec import BackendSpec


def versions(run: Account) -> Html:
    """Machine and versions."""
    found, result = run.record.spec.provenance, run.result
    ranks, threads = (None if result is None else result.ranks), run.record.spec.threads
    digest = run.record.digest and tag("code", run.record.digest)
    return section("Machine and versions", machine(found, run.path, ranks, threads=threads, digest=digest))


def machine(
    found: Mapping[str, Any], path: Path, ranks: int | None, *, threads: Any = None, digest: Any = None
) -> Html:
    """Machine and versions as facts.

    Args:
        found: Of the record.
        path: Of its folder.
        ranks: Processes that shared the work.
        threads: Of each.
        digest: Of the record.
    """
    packages = found.get("packages") or {}
    named = ", ".join(f"{name} {version}" for name, version in packages.items())
    pairs = [
        ("Begun (UTC)", str(found.get("created_utc", "")).replace("T", " ").removesuffix("Z")),
        ("Machine", found.get("machine")),
        ("System", ", ".join(part for part in (found.get("system"), f"Python {found.get('python', '?')}") if part)),
        ("Kernels", found.get("kernels")),
        ("Processes", ranks),
        ("Threads", threads),
        ("Packages", named),
        ("Record", str(path)),
        ("Digest", digest),
    ]
    return facts(pairs)


def repeat(run: Account) -> Html:
    """The study file and the commands, or a script, that make the run again."""
    study = run.record.spec.notes.get("study")
    made = by_study(run.record.spec.backend, study) if isinstance(study, dict) else _by_script(run)
    checked = code(f"hybrid verify {_quoted(run.path)}\nhybrid show {_quoted(run.path)}")
    return section("How to repeat it", made, tag("p", "To check the record that is there, and to see it:"), checked)


def by_study(backend: "BackendSpec", study: dict[str, Any]) -> Html:
    """The study file and the command that make a run or an algorithm again.

    Args:
        backend: Where it was begun.
        study: Its sections, as the record holds them.
    """
    if backend.name is not None:  # the one that was chosen, not "auto"
        asked = study.get("backend") or {}
        chosen = {key: value for key, value in backend.options.items() if key not in asked and not is_reference(value)}
        study = study | {"backend": {**asked, **chosen, "name": backend.name}}
    files = list(_files(study))
    told = "It needs the same input files, which the record holds only by name and digest: "
    return join(
        [
            tag("p", "Write this into study.toml:"),
            code(toml.document(_with_names(study))),
            tag("p", told, "; ".join(files), ".") if files else None,
            tag("p", "With the versions above, on any number of processes:"),
            code("hybrid run study.toml --folder again"),
        ]
    )


def _files(value: Any) -> Iterator[str]:
    """The input files in a section of a study, with their digests."""
    if isinstance(value, dict):
        if set(value) == {"file", "sha256"}:
            yield f"{value['file']} (SHA-256 {value['sha256']})"
            return
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _files(one)


def _with_names(value: Any) -> Any:
    """A study's record with the names of its input files in their places."""
    if isinstance(value, dict):
        named = set(value) == {"file", "sha256"}
        return value["file"] if named else {key: _with_names(one) for key, one in value.items()}
    return [_with_names(one) for one in value] if isinstance(value, list) else value


def _by_script(run: Account) -> Html:
    script = python(run)
    said = "It was asked in Python. This asks the same of the files of its record:"
    return join([tag("p", said), fold("Script", code(script), open_=len(script) < 4000)])


def python(run: Account) -> str:
    """A script that makes a run again from its record's files."""
    spec = run.record.spec
    work, backend = spec.workload, spec.backend
    if backend.name is None:
        where = f"...,  # the object {backend.object} that it was given: no record holds it"
    else:
        options = "".join(f", {key}={value!r}" for key, value in backend.options.items())
        secret = f"  # and its secret options: {', '.join(backend.withheld)}" if backend.withheld else ""
        where = f"backends.get({backend.name!r}{options}),{secret}"
    optimizer = {key: value for key, value in work.optimizer.items() if key != "kind"}
    settings = "".join(f", {key}={value!r}" for key, value in optimizer.items())
    return "\n".join(
        [
            "import json",
            "from pathlib import Path",
            "",
            "import backends",
            "import hybrid",
            "from circuits import Problem",
            "from hybrid import optimizers",
            "from qiskit.quantum_info import SparsePauliOp",
            "",
            f"record = Path({str(run.path)!r})",
            'asked = json.loads((record / "spec.json").read_text())["workload"]',
            'written = json.loads((record / "hamiltonian.json").read_text())',
            'terms = [(label, value) for label, value in written["terms"]]',
            'hamiltonian = SparsePauliOp.from_list(terms, num_qubits=written["n_qubits"])',
            "problem = Problem(",
            f"    name={spec.problem.name!r}, hamiltonian=hamiltonian, unit={spec.problem.unit!r}, "
            f"source={spec.problem.source!r}",
            ")",
            "again = hybrid.minimize(",
            "    hybrid.load(record).circuit,",
            "    problem,",
            f"    backend={where}",
            f"    optimizer=optimizers.get({work.optimizer.get('kind')!r}{settings}),",
            '    theta=asked["theta"],',
            f"    accuracy={work.accuracy!r}, max_steps={work.max_steps}, seed={work.seed}, shots={work.shots},",
            f'    label={work.label!r}, folder="again",',
            ")",
            "print(again)",
        ]
    )


def _quoted(path: Any) -> str:
    return shlex.quote(str(path))
