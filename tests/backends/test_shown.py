"""What backends, their jobs and calibrations say of themselves in a terminal and in a notebook."""

import numpy as np
from qiskit import QuantumCircuit

import backends
from backends.base import Origin
from backends.batch import Batch, Expectations
from backends.job import Job
from backends.providers.calibration import Calibration, Gate, Qubit


def test_a_backend_shows_its_options_without_secrets(monkeypatch):
    backend = backends.get("reference")
    backend.origin = Origin("reference", {"shots": 10, "api_key": "a-long-secret-word", "url": "https://me:word@host/"})
    for shown in (repr(backend), backend._repr_html_()):
        assert "shots=10" in shown
        assert "a-long-secret-word" not in shown
        assert "me:word" not in shown


def test_a_backend_that_was_made_by_name_says_how():
    assert repr(backends.get("reference")) == "backends.get('reference')"


def test_capabilities_are_words():
    can = backends.get("reference").capabilities()
    assert "<th>noise</th><td>none</td>" in can._repr_html_()
    assert "stay on this machine" in str(can)


def test_values_are_shown_with_their_errors():
    values = Expectations(np.array([[0.5, -1.0]]), np.array([[0.02, 0.0]]), shots=400)
    assert "<td>0</td><td>0.5 ± 0.02</td><td>-1</td>" in values._repr_html_()
    assert "400 shots" in str(values)


def test_a_finished_job_says_what_it_holds():
    job = backends.get("reference").submit(Batch(QuantumCircuit(1), ["Z", "X"]))
    assert repr(job) == f"Job {job.id}: done, 1 rows of parameters, 2 observables"


def test_showing_a_job_asks_nobody():
    class Elsewhere(Job):
        id = "<far>"

        def status(self):
            raise AssertionError("nobody asked for the status")

        result = cancel = status

    assert "&lt;far&gt;" in Elsewhere()._repr_html_()
    assert "status()" in repr(Elsewhere())


def test_a_calibration_is_shown_by_medians_with_units():
    qubits = {q: Qubit(t1_s=t1 * 1e-6, readout_error=0.01) for q, t1 in enumerate((50.0, 100.0, 300.0))}
    found = Calibration("lake", "2026-01-02", qubits, (Gate("cx", (0, 1), 0.008),))
    rows = dict(found.rows())
    assert rows["T1"] == "100 µs (median; 50 to 300 µs)"
    assert rows["two-qubit error"].startswith("0.008")
    assert "T2" not in rows
    assert repr(found) == "Calibration('lake', 3 qubits, 2026-01-02)"
