"""A device is only compared with itself, also in a run that went on at another one after a failure."""

from typing import Any, cast

from qiskit import QuantumCircuit

from backends.base import Calibrated
from backends.providers.calibration import Calibration, Qubit
from hybrid.runs import calibrations
from hybrid.runs.failovers import Failover
from hybrid.runs.files import digest_of
from hybrid.runs.journal import create, read_chain
from hybrid.workload.spec import BackendSpec


def device(name: str, date: str, t1_s: float) -> Calibration:
    return Calibration(name, date, {0: Qubit(t1_s)}, ())


class Measured(Calibrated):
    def __init__(self, now: Calibration):
        self.now = now

    def calibration(self, circuit):
        return self.now


def resumed(folder, begun: Calibration, now: Calibration) -> str:
    backend: Any = Measured(now)
    if not (folder / "journal.sqlite").exists():
        create(folder / "journal.sqlite", "a run")
    return calibrations.resumed(folder, {"calibration": begun.to_dict()}, backend, QuantumCircuit(1))


def test_after_a_failover_the_next_device_is_compared_with_itself(tmp_path):
    first, second = device("vendor:first", "2030-01-01", 1e-4), device("vendor:second", "2030-01-05", 2e-4)
    assert "from 100 to 50 µs" in resumed(tmp_path, first, device("vendor:first", "2030-01-02", 5e-5))
    assert resumed(tmp_path, second, second) == ""  # not "calibrated anew" since the first one was
    assert "from 200 to 300 µs" in resumed(tmp_path, second, device("vendor:second", "2030-01-06", 3e-4))
    assert resumed(tmp_path, second, device("vendor:second", "2030-01-06", 3e-4)) == ""
    written = read_chain(tmp_path / "journal.sqlite")
    assert written is not None
    assert written.files == {calibrations.FILE: digest_of(tmp_path / calibrations.FILE)}
    came = Failover(
        3,
        "vendor:first",
        "gone",
        "vendor:second",
        cast(BackendSpec, None),
        None,
        {"calibration": second.to_dict()},
        0.0,
    )
    told = calibrations.told(tmp_path, {"calibration": first.to_dict()}, [came])
    assert told["calibrated"] == "2030-01-01"
    assert [change["now"] for one in told["drift"] for change in one["changes"]] == [5e-5, 3e-4]
    assert [change["then"] for one in told["drift"] for change in one["changes"]] == [1e-4, 2e-4]


def test_a_run_that_began_where_nothing_is_measured_tells_the_drift_of_its_next_device(tmp_path):
    second = device("vendor:second", "2030-01-05", 2e-4)
    resumed(tmp_path, second, device("vendor:second", "2030-01-06", 3e-4))
    came = Failover(
        0, "here", "gone", "vendor:second", cast(BackendSpec, None), None, {"calibration": second.to_dict()}, 0.0
    )
    told = calibrations.told(tmp_path, {}, [came])
    assert told["calibrated"] is None
    assert [one["calibrated"] for one in told["drift"]] == ["2030-01-06"]
