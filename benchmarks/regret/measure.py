"""Times and memory of one contestant in a process of its own.

The process is forked from one that has imported what anyone imports, JAX excepted, so that many can be measured in the
time of one import. What the imports take is timed before, in processes that have imported nothing but Qiskit and the
toolkit, and added: the sum is the time of a fresh process without the part that all have in common.
"""

import json
import os
import pickle
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from backends import memory
from backends.machine import cache_folder
from circuits.errors import ToolkitError
from regret.asked import asked
from regret.contestants import Contestant
from regret.workloads import Case, Workload, build, least

SHORT_S = 0.5
"""What takes less is measured again, and the least counts."""

REPEATS = 3

STEADY_S = 0.5
"""Seconds in which later evaluations are timed, where all would take longer."""

LEAST = Workload(-1, "tfim", 2, 1, 1e-3, gradient=False, evaluations=2)
"""What everyone does to find out what it imports."""

LATE = ("jax", "jaxlib")
"""What is imported by those who need it, and counted then: its threads would not survive a fork."""

MEMORY_SHARE = 0.5
"""Of the free memory that one contestant may need."""


class Clock:
    """Seconds since it was made: the lesser of wall time and the CPU time of all threads.

    Neither is less than what a machine needs that does nothing else: wall time is longer for what others compute
    meanwhile, CPU time for what several threads do at once.
    """

    def __init__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        """The lesser of both."""
        return min(self.wall_s(), time.process_time() - self._cpu)

    def wall_s(self) -> float:
        """Wall time alone."""
        return time.perf_counter() - self._wall


def built(workload: Workload) -> Case:
    """The workload's objects, built in a process of its own: what that imports and starts must not be in the others."""
    answer = apart(lambda: pickle.dumps(build(workload)), limit_s=120.0)
    if not isinstance(answer, bytes):
        raise RuntimeError(f"{workload.title} cannot be built: {answer}")
    return pickle.loads(answer)  # from our own fork


def measured(contestant: Contestant, workload: Workload, case: Case, work: Any, limit_s: float) -> dict[str, Any]:
    """The least of some repeats; or why there is no time.

    Returns:
        With "status": "done" with "seconds" of the whole workload, its parts, the "value" and its "error", and
        "memory_bytes"; "over" the limit; "refused" with a "reason"; or "failed" with one.
    """
    best: dict[str, Any] = {}
    for _ in range(REPEATS):
        answer = apart(lambda: json.dumps(_one(contestant, workload, case, work)).encode(), limit_s)
        found = json.loads(answer) if isinstance(answer, bytes) else {"status": answer, "limit_s": limit_s}
        if found["status"] != "done":
            return best or found
        found["repeats"] = best.get("repeats", 0) + 1
        best = best | {"repeats": found["repeats"]} if best and best["seconds"] <= found["seconds"] else found
        if found["spent_s"] > SHORT_S:
            break
    return best


def _one(contestant: Contestant, workload: Workload, case: Case, work: Any) -> dict[str, Any]:
    """Run in the fork; the clock starts before the contestant's library is imported."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    clock = Clock()
    try:
        backend = contestant.make()
        need, free = backend.footprint(work).memory_bytes, memory.free_bytes()
        if need > MEMORY_SHARE * free:
            return {"status": "refused", "reason": f"{need} bytes of memory"}
        run = _optimization if workload.optimizer else _evaluations
        found = run(backend, workload, case, clock)
    except (ToolkitError, ImportError) as err:
        return {"status": "refused", "reason": f"{type(err).__name__}: {err}"[:300]}
    except Exception as err:  # noqa: BLE001 - a contestant that breaks is a row of the table, not the end of it
        return {"status": "failed", "reason": f"{type(err).__name__}: {err}"[:300]}
    spent = clock.wall_s()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    more = {"spent_s": spent, "cpu_s": cpu, "memory_bytes": 1024 * (after.ru_maxrss - before.ru_maxrss)}
    return {"status": "done"} | found | more


def _evaluations(backend: Any, workload: Workload, case: Case, clock: Clock) -> dict[str, Any]:
    """The first evaluation, then others for a second at most; beyond that the time is extrapolated, and said to be."""
    call = _call(backend, workload, case)
    value, error = call(case.theta, 0)
    first = clock.seconds()
    later: list[float] = []
    rng = np.random.default_rng(1)
    while len(later) < workload.evaluations - 1 and (sum(later) < STEADY_S or len(later) < 2):
        theta = case.theta + 0.01 * rng.normal(size=case.theta.size)
        each = Clock()
        call(theta, len(later) + 1)
        later.append(each.seconds())
    rest = workload.evaluations - 1 - len(later)
    seconds = first + sum(later) + rest * (float(np.median(later)) if later else 0.0)
    return {
        "seconds": seconds,
        "first_s": first,
        "later_s": float(np.median(later)) if later else None,
        "timed": 1 + len(later),
        "extrapolated": rest > 0,
        "value": value,
        "error": error,
    }


def _call(backend: Any, workload: Workload, case: Case) -> Callable[[np.ndarray, int], tuple[list[float], float]]:
    """A function of parameters and a seed to the value, the gradient along one direction if asked, and the error."""
    shots = workload.shots
    if workload.gradient and case.theta.size:
        differentiate = backend.value_and_grad(case.circuit, case.observable, shots=shots, seed=0)
        direction = np.random.default_rng(0).normal(size=case.theta.size)
        direction /= np.linalg.norm(direction)

        def gradient(theta: np.ndarray, seed: int) -> tuple[list[float], float]:
            value, slope = differentiate(theta)
            return [float(value), float(np.dot(slope, direction))], 0.0

        return gradient
    evaluate = backend.prepare(case.circuit, case.observable)

    def values(theta: np.ndarray, seed: int) -> tuple[list[float], float]:
        found = evaluate(theta, shots=shots, seed=seed)
        return [float(found.values[0, 0])], float(found.standard_errors[0, 0])

    return values


def _optimization(backend: Any, workload: Workload, case: Case, clock: Clock) -> dict[str, Any]:
    """A whole optimization, with its record."""
    import hybrid

    with tempfile.TemporaryDirectory() as folder:
        result = hybrid.minimize(
            case.circuit,
            case.observable,
            backend=backend,
            optimizer=workload.optimizer,
            theta=case.theta,
            accuracy=workload.accuracy,
            max_steps=workload.max_steps,
            folder=Path(folder) / "run",
        )
        energy, error = float(result.energy), float(result.standard_error or 0.0)
        evaluations = len(result.history)
    seconds = clock.seconds()
    return {
        "seconds": seconds,
        "extrapolated": False,
        "evaluations": evaluations,
        "value": [energy],
        "error": error,
    }


def apart(task: Callable[[], bytes], limit_s: float) -> bytes | str:
    """The bytes that a fork of this process makes, in a session and with a cache of its own; else what became of it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _serve(task, write)
    os.close(write)
    answer, deadline = b"", time.monotonic() + limit_s
    try:
        while True:
            ready, _, _ = select.select([read], [], [], max(deadline - time.monotonic(), 0.0))
            if not ready:
                return "over"
            piece = os.read(read, 2**20)
            if not piece:
                return answer or "failed"
            answer += piece
    finally:
        os.close(read)
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(task: Callable[[], bytes], write: int) -> None:
    """The fork's life: compute, answer, end without what the parent would do at its end."""
    code = 1
    try:
        os.setsid()
        known = [cache_folder() / name for name in ("speeds.json", "probe.json")]
        with tempfile.TemporaryDirectory() as cache:
            for file in filter(Path.exists, known):
                shutil.copy(file, cache)
            os.environ["HYBRID_CACHE"] = cache  # nothing that another contestant compiled is found
            with os.fdopen(write, "wb") as out, open(os.devnull, "wb") as null:
                os.dup2(null.fileno(), 1)
                os.dup2(null.fileno(), 2)
                out.write(task())
        code = 0
    finally:
        os._exit(code)


def ready(everyone: Iterable[Contestant], known: dict[str, Any]) -> dict[str, Any]:
    """Import all that anyone imports for the least workload, so that no fork has to; what that costs is timed before.

    Args:
        everyone: Who will be measured.
        known: What this returned before.

    Returns:
        Library of a contestant to the "load_s" and "load_bytes" of its imports in a fresh process.
    """
    import hybrid
    import hybrid.routing.plan

    hybrid.minimize  # noqa: B018 - lazily imported by its name
    optimization = replace(LEAST, gradient=True, optimizer="lbfgs", max_steps=2)
    _import(_imports(Contestant("reference", "reference", {}), optimization))
    modules = {each.library: _imports(each, LEAST) for each in everyone}
    found = known | {library: _load(names) for library, names in modules.items() if library not in known}
    _import(name for names in modules.values() for name in names if name.partition(".")[0] not in LATE)
    return found


def _imports(contestant: Contestant, workload: Workload) -> list[str]:
    """What a contestant imports for a workload, in its order; a fork finds out."""

    def look() -> bytes:
        before, case = set(sys.modules), least()
        work = asked(workload, case)
        for gradient in (False, True):
            _one(contestant, replace(workload, gradient=gradient), case, work)
        return json.dumps([name for name in sys.modules if name not in before]).encode()

    answer = apart(look, limit_s=120.0)
    return json.loads(answer) if isinstance(answer, bytes) else []


def _import(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):  # what cannot be imported by its name is imported when it is used
            import_module(name)


def _load(names: Sequence[str]) -> dict[str, float]:
    """The least seconds and bytes that the imports take in forks."""

    def look() -> bytes:
        before, clock = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, Clock()
        _import(names)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return json.dumps({"load_s": clock.seconds(), "load_bytes": 1024 * (after - before)}).encode()

    answers = [json.loads(answer) for answer in (apart(look, 120.0) for _ in range(2)) if isinstance(answer, bytes)]
    return min(answers, key=lambda answer: answer["load_s"])
