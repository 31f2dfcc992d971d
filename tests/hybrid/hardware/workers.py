"""Processes that can be killed, forked from one that has loaded everything and computed nothing: they begin at once.

As a program it reads calls from standard input, one JSON object a line, and runs each in a process of its own: it
writes a line with the process's id when that has begun, and one with its exit status when it has ended.
"""

import contextlib
import importlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def minimize(place: str, vendor: str, **options: Any):
    """Minimize on the device of a vendor's folder, or on that of a name with ":", or go on with it.

    ``broken`` names a function of `broken_dispatch`, called before.
    """
    import backends
    import hybrid
    from circuits import hardware_efficient, tfim

    if broken := options.pop("broken", None):
        import broken_dispatch

        getattr(broken_dispatch, broken)()
    chosen = {"optimizer": "spsa", "accuracy": 0.1, "max_steps": 2, "shots": 100} | options
    how = {name: chosen.pop(name) for name in ("searched", "retrieved", "idempotent") if name in chosen}
    device = backends.get(str(vendor) if ":" in str(vendor) else f"filed:{vendor}", **how | chosen.pop("how", {}))
    layers = chosen.pop("layers", 1)
    return hybrid.minimize(hardware_efficient(2, layers=layers), tfim(2), backend=device, folder=place, **chosen)


def command(*words: str) -> None:
    """The command line."""
    from hybrid.cli import main

    sys.argv = ["hybrid", *words]
    main()


def algorithm(name: str, place: str, vendor: str) -> None:
    """One of the algorithms of `test_algorithms`."""
    import algorithms

    getattr(algorithms, name)(place, vendor)


def bench(place: str, vendor: str, **options: Any) -> None:
    """The benchmark suite on the device of a vendor's folder."""
    import hybrid

    hybrid.bench("quick", folder=place, backends=f"filed:{vendor}", **options)


class Workers:
    """Starts processes that do one call each.

    Args:
        modules: To load once for all of them.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}", "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, __file__, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.process = 0

    def begin(
        self,
        call: str,
        *arguments: Any,
        output: Any = "/dev/null",
        environment: Mapping[str, str] | None = None,
        jump: tuple[int, float] | None = None,
        **options: Any,
    ) -> int:
        """Start a call of this module's functions, and return the process's id.

        Args:
            call: Name of the function.
            arguments: Its own.
            output: File for what is printed.
            environment: Variables to add.
            jump: After how many questions to it the clock is put forward, and by how many seconds.
            options: Of the function.
        """
        assert self._server.stdin is not None
        asked = {"call": call, "arguments": [str(a) for a in arguments], "options": options, "output": str(output)}
        asked |= {"environment": dict(environment or {}), "jump": jump}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        self.process = self._line()
        return self.process

    def ended(self) -> int:
        """Wait for the last process begun: its exit code, negative for a signal."""
        return self._line()

    def run(self, call: str, *arguments: Any, **options: Any) -> int:
        """Start a call and wait for its end; returns its exit code, negative for a signal."""
        self.begin(call, *arguments, **options)
        return self.ended()

    def close(self) -> None:
        """End the process that the others come from."""
        self._server.communicate()

    def _line(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


def _jumping(after: int, seconds: float) -> None:
    asked, now = itertools.count(), time.time
    time.time = lambda: now() + (seconds if next(asked) >= after else 0.0)


def _do(asked: dict[str, Any]) -> int:
    with open(asked["output"], "a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(asked["environment"])
    if asked["jump"]:
        _jumping(*asked["jump"])
    code = 0
    try:
        globals()[asked["call"]](*asked["arguments"], **asked["options"])
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException as err:  # noqa: BLE001 - said where the output goes, and by the code
        print(f"{type(err).__name__}: {err}", flush=True)
        code = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    return code


def _serve() -> None:
    import filed
    from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePluginManager

    import backends
    import hybrid.cli.app
    import hybrid.loop.jobs
    import hybrid.loop.minimize
    import hybrid.studies.run  # noqa: F401 - loaded once for all processes, as is what the next lines need

    PassManagerStagePluginManager()
    backends.get("statevector")
    for name in sys.argv[1:]:
        importlib.import_module(name)

    filed.register("filed")
    for line in sys.stdin:
        process = os.fork()
        if not process:
            os._exit(_do(json.loads(line)))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
