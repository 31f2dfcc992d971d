"""The campaign of random faults finds what it looks for where jobs are sent wrongly, and nothing where they are not."""

import random
import sys
from pathlib import Path

import pytest

for package in ("braket.aws", "qiskit_braket_provider", "qiskit_ibm_runtime", "qiskit_ionq"):
    pytest.importorskip(package)
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from hardware_faults import Trial  # noqa: E402
from hardware_vendors import Filed  # noqa: E402

ANSWER_LOST = {"submit": ["", "lose"]}
KILLED_AFTER = {"submit": ["", "die after"]}


class Calm(random.Random):
    """Nothing but what is planned goes wrong: no kill from outside, no other process, no clock."""

    def random(self):
        return 0.99


class Broken:
    """Processes that send jobs in a way of `broken_dispatch`."""

    def __init__(self, workers, way):
        self._workers, self._way = workers, way

    def begin(self, *arguments, **options):
        return self._workers.begin(*arguments, broken=self._way, **options)

    def ended(self):
        return self._workers.ended()


@pytest.mark.parametrize(
    ("way", "faults", "found"),
    [
        (None, ANSWER_LOST, set()),
        (None, KILLED_AFTER, set()),
        ("sends_again_without_looking", ANSWER_LOST, {"sent twice", "jobs unknown"}),
        ("forgets_the_intention", KILLED_AFTER, {"sent twice", "jobs unknown"}),
        ("forgets_what_is_spent", {}, {"wrongly charged"}),
        ("forgets_what_was_measured", {}, {"not used"}),
    ],
)
def test_jobs_that_are_sent_wrongly_are_found(way, faults, found, tmp_path, workers, whole):
    trial = Trial(tmp_path, Calm(1), Broken(workers, way), Broken(workers, way), whole, Filed(tmp_path))
    trial.plan = faults
    trial.vendor.plan(faults)
    trial.run()
    assert {word for word, count in trial.wrong.items() if count} == found
    assert trial.faults.total() == sum(bool(word) for words in faults.values() for word in words)
