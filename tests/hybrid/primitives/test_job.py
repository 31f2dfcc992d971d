import pickle
import threading
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest
from qiskit.primitives import BasePrimitiveJob, PrimitiveJob
from qiskit.providers import JobStatus

from hybrid.primitives.job import Job
from hybrid.primitives.turns import answers, check


def test_runs_in_the_background_and_can_be_stopped_while_it_runs():
    started = threading.Event()

    def compute(given_up):
        started.set()
        assert given_up.wait(60)
        check(given_up)

    job = Job(compute)
    assert started.wait(60)
    assert isinstance(job, BasePrimitiveJob)
    assert isinstance(job, PrimitiveJob)
    assert (job.status(), job.running(), job.in_final_state()) == (JobStatus.RUNNING, True, False)
    assert job.cancel()
    with pytest.raises(CancelledError):
        job.result()
    assert (job.status(), job.cancelled(), job.done()) == (JobStatus.CANCELLED, True, False)
    assert job.in_final_state()


def test_what_a_provider_has_taken_holds_up_no_cancellation():
    class Elsewhere:
        def capabilities(self):
            return SimpleNamespace(place="provider")

    sent, over = threading.Event(), threading.Event()

    def never():
        sent.set()
        over.wait(60)

    job = Job(lambda given_up: answers([(Elsewhere(), never)], given_up))
    assert sent.wait(60)
    job.cancel()
    with pytest.raises(CancelledError):
        job.result()
    over.set()


def test_ended_one_keeps_its_result_and_cannot_be_stopped():
    job = Job(lambda given_up: 42)
    assert job.result() == job.result() == 42
    assert not job.cancel()
    assert (job.status(), job.done()) == (JobStatus.DONE, True)
    assert len({job.job_id(), Job(lambda given_up: 42).job_id()}) == 2


def test_is_pickled_with_its_result():
    job = Job(lambda given_up: "values")
    again = pickle.loads(pickle.dumps(job))
    assert (again.result(), again.job_id(), again.status()) == ("values", job.job_id(), JobStatus.DONE)
