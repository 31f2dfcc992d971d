"""The command line with one more backend, "brittle", that fails on the rank and in the way that BRITTLE names."""

import os

import backends.registry
from backends.simulators.reference import Reference
from circuits.errors import FailedJob
from hybrid.cli import main

ERRORS = {"FailedJob": FailedJob, "RuntimeError": RuntimeError}


class Brittle(Reference):
    def prepare(self, circuit, observables):
        evaluate = super().prepare(circuit, observables)
        rank, error = os.environ["BRITTLE"].split(":")

        def fail(*arguments, **options):
            if os.environ.get("PMI_RANK", "0") == rank:
                raise ERRORS[error]("the ion was lost")
            return evaluate(*arguments, **options)

        return fail


if __name__ == "__main__":
    backends.registry.BUILT_IN["brittle"] = "__main__:Brittle"
    main()
