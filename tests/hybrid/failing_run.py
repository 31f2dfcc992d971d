"""The command line, or a run, with one more backend, "fading", that fails for good below an energy."""

import os
import sys
import time

import backends.registry
from backends.border import too_large
from backends.cost import Cost
from backends.simulators.reference import Reference
from circuits.errors import FailedJob, ProviderUnreachable
from hybrid.cli import main

ERRORS = {
    "failed": lambda: FailedJob("the ion was lost"),
    "foreign": lambda: ZeroDivisionError("division by zero"),
    "gone": lambda: ProviderUnreachable("nobody answers"),
    "memory": lambda: too_large("the card", "CUDA out of memory", 0),
}


START = (2.6, 0.3, 1.2, 2.0)
"""Angles, in radians, from which an optimizer needs some evaluations to get below an energy of -2.5."""


class Fading(Reference):
    """Fails, whenever a value lies below $FADING_BELOW, as $FADING says, on the rank $FADING_RANK alone if that is set.

    What it does is decided by the parameters alone, so that a run that is killed and resumed fails at the same place.
    """

    def capabilities(self):
        from dataclasses import replace

        return replace(super().capabilities(), name="fading")

    def predict(self, work):
        return Cost(1.0, 0.0, 0)  # it would fail while it is measured

    def prepare(self, circuit, observables):
        evaluate = super().prepare(circuit, observables)

        def fade(*arguments, **options):
            told = evaluate(*arguments, **options)
            here = os.environ.get("FADING_RANK", os.environ.get("PMI_RANK")) == os.environ.get("PMI_RANK")
            if here and told.values.min() < float(os.environ.get("FADING_BELOW", "-2.5")):
                raise ERRORS[os.environ.get("FADING", "failed")]()
            return told

        return fade


def descend(folder: str, pause_s: str) -> None:
    """Minimize from "fading" on, slowly, so that the process can be killed in between; or go on with it."""
    import hybrid
    from circuits import hamiltonian_variational, tfim

    def pause() -> bool:
        time.sleep(float(pause_s))
        return False

    problem = tfim(3)
    circuit = hamiltonian_variational(problem, layers=2)
    options = {"optimizer": "cobyla", "backend": "fading", "max_steps": 30, "failover": ["reference"]}
    hybrid.minimize(circuit, problem, theta=START, folder=folder, should_stop=pause, **options)


backends.registry.BUILT_IN["fading"] = f"{__name__}:Fading"

if __name__ == "__main__":
    if sys.argv[1] == "descend":
        descend(*sys.argv[2:])
    else:
        main()
