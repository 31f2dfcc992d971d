"""Processes that can be killed, forked from one that has loaded everything and computed nothing: they begin at once.

As a program it reads calls from standard input, one JSON object a line, and runs each in a process of its own: it
writes a line with the process's id when that has begun, and one with its exit status when it has ended.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def minimize(place: str, vendor: str, **options: Any):
    """Minimize on the device of a vendor's folder, or go on with it."""
    import backends
    import hybrid
    from circuits import hardware_efficient, tfim

    chosen = {"optimizer": "spsa", "accuracy": 0.1, "max_steps": 2, "shots": 100} | options
    how = {name: chosen.pop(name) for name in ("searched", "retrieved", "idempotent") if name in chosen}
    device = backends.get(f"filed:{vendor}", **how)
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


class Workers:
    """Starts processes that do one call each."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}", "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.process = 0

    def begin(self, call: str, *arguments: Any, output: Any = "/dev/null", **options: Any) -> int:
        """Start a call of this module's functions; returns the process's id."""
        assert self._server.stdin is not None
        asked = {"call": call, "arguments": [str(a) for a in arguments], "options": options, "output": str(output)}
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


def _do(asked: dict[str, Any]) -> int:
    with open(asked["output"], "a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
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

    filed.register("filed")
    for line in sys.stdin:
        process = os.fork()
        if not process:
            os._exit(_do(json.loads(line)))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
