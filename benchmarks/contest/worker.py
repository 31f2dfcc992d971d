"""One contestant in its own process: it reads requests as lines of JSON and answers each with one line."""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from contest.rivals import CONTESTANTS
from contest.workloads import Case, Workload, build

STEP = 0.01
"""Radians between the parameters of one call and the next."""


def serve(name: str) -> None:
    """Answer requests until standard input ends. Whatever else the libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    seat = Seat(name)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(seat, request.pop("do"))(**request)
        except Exception as err:  # noqa: BLE001 - whatever goes wrong is a result, and stored
            answer = {"failed": f"{type(err).__name__}: {err}"[:500]}
        print(json.dumps(answer), file=answers, flush=True)


class _Work:
    """One value, or one with its gradient, as a footprint asks for it."""

    n_rows = n_evaluations = 1
    precision = shots = None

    def __init__(self, case: Case, *, derivative: bool):
        self.circuit, self.observables, self.derivative = case.circuit, (case.observable,), derivative


class Seat:
    """A contestant and its case; each method is a request, and what it returns the answer."""

    def __init__(self, name: str):
        self.contestant = CONTESTANTS[name]
        self.case: Case
        self.f: Callable[..., tuple[Any, Any]]

    def load(self, workload: dict[str, Any]) -> dict[str, Any]:
        """Build the case and import the library; the import is timed."""
        self.case = build(Workload(**workload))
        start = time.perf_counter()
        try:
            import_module(self.contestant.library)
        except ModuleNotFoundError as err:
            missing = self.contestant.library.split(".")[0]
            if err.name != missing:
                raise
            return {"failed": f"{missing} is not installed"}
        seconds = time.perf_counter() - start
        return {"import_s": seconds, "scale": self.case.scale, "params": int(self.case.theta.shape[-1])}

    def first(self) -> dict[str, Any]:
        """Prepare and call once: building, compiling and computing, timed as one."""
        start = time.perf_counter()
        self.f = self.contestant.prepare()(self.case)
        value, gradient = self.f(self.case.theta)
        seconds = time.perf_counter() - start
        gradient = None if gradient is None else np.asarray(gradient).tolist()
        return {"first_s": seconds, "value": np.asarray(value).tolist(), "gradient": gradient}

    def call(self, number: int, times: int, uncounted: int = 0) -> dict[str, Any]:
        """Call several times, each with other parameters; the mean time of one call."""
        for _ in range(uncounted):
            self.f(self.case.theta)
        thetas = [self.case.theta + STEP * (number + k / times) for k in range(times)]
        start = time.perf_counter()
        for theta in thetas:
            self.f(theta)
        return {"seconds": (time.perf_counter() - start) / times}

    def memory(self) -> dict[str, Any]:
        """Bytes predicted by the backend behind it, and the peak that JAX saw on its device; None where not known."""
        predicted = None
        if self.contestant.backend is not None:
            import backends

            name, options = self.contestant.backend
            backend = backends.get(name, precision=self.case.workload.precision, **options)
            cost = backend.footprint(_Work(self.case, derivative=self.contestant.task == "gradient"))
            predicted = cost.memory_bytes if cost.on_card is None else cost.on_card.memory_bytes
        jax = sys.modules.get("jax")
        stats = (jax.local_devices()[0].memory_stats() if jax else None) or {}
        return {"predicted_bytes": predicted, "peak_bytes": stats.get("peak_bytes_in_use")}

    def rates(self) -> dict[str, Any]:
        """What the machine reaches in this process, and what one gradient of the engine takes."""
        from contest.rivals import engine

        return {"machine": engine.rates(self.case.workload.precision), "work": engine.work(self.case)}
