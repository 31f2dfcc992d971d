"""A run in a process of its own, slowed down a little so that it can be killed in its middle."""

import time
from pathlib import Path

NOISY = ("cma-es", "qn-spsa", "spsa", "surrogate")
"""Those that are killed while they average noise away."""

ON_REFERENCE = ("cobyla", "differential-evolution", "nelder-mead", "rotosolve")
"""Those that ask for values only and need no fast engine."""


def main(folder: str, optimizer: str, pause_s: str) -> None:
    import hybrid
    from circuits import hamiltonian_variational, tfim

    def pause() -> bool:
        time.sleep(float(pause_s))
        return False

    if (Path(folder) / "spec.json").exists():
        hybrid.resume(folder, should_stop=pause)
    else:
        problem = tfim(3)
        circuit = hamiltonian_variational(problem, layers=2)
        noisy = {"shots": 100, "accuracy": 0.05} if optimizer in NOISY else {}
        hybrid.minimize(
            circuit,
            problem,
            optimizer=optimizer,
            backend="reference" if optimizer in ON_REFERENCE else "statevector",
            max_steps=40,
            folder=folder,
            should_stop=pause,
            **noisy,
        )
