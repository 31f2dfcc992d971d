"""A state over several devices: the same numbers as on one, wherever the devices are."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backends.statevector.circuit.lower import lower
from backends.statevector.sharded.exchange import Exchange
from backends.statevector.sharded.shard import compile_sharded, planned
from backends.statevector.sharded.shard_plan import shard_plan
from backends.statevector.whole.fuse import Block
from backends.statevector.whole.plan import Apply, C
from circuits import Refused, hardware_efficient, tfim

HERE = Path(__file__).parent
OFF = {"double": 1e-10, "single": 2e-5}  # some thousand roundings of 1e-16 and 6e-8, in sums of 2^n terms


def sharded_run(*command, **variables):
    """The reports of all processes of a run of sharded_run.py."""
    path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"} | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line[8:]) for line in done.stdout.splitlines() if line.startswith("SHARDED ")]


@pytest.fixture(scope="module")
def one_process():
    (report,) = sharded_run(sys.executable, str(HERE / "sharded_run.py"), "devices")
    return report["cases"]


@pytest.mark.slow
def test_virtual_devices_agree_with_the_engine(one_process):
    assert {(case["devices"], case["precision"]) for case in one_process} >= {
        (1, "double"), (2, "double"), (4, "double"), (2, "single"), (4, "single")
    }  # fmt: skip
    for case in one_process:
        assert case["off"] < OFF[case["precision"]], case
        assert any(abs(float.fromhex(x)) > 1e-3 for x in case["gradient"])
    kinds = {kind for case in one_process if case["devices"] == 4 for kind in case["steps"]}
    assert kinds == {"Apply", "Exchange", "Grow", "Sweep", "Turn"}
    assert any(case["partners"] for case in one_process if case["devices"] == 4)
    assert {case["turned"] for case in one_process} == {False, True}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed")
def test_two_processes_read_the_numbers_of_one(one_process):
    command = ["mpiexec", "-n", "2", sys.executable, str(HERE / "sharded_run.py"), "processes"]
    first, second = sorted(sharded_run(*command), key=lambda report: report["rank"])
    assert (first["rank"], second["rank"], first["processes"]) == (0, 1, 2)
    assert first["cases"] == second["cases"]
    assert [case["devices"] for case in first["cases"]] == [4]
    for case in first["cases"]:
        assert case["partners"]
        assert "Exchange" in case["steps"]
        assert case["off"] < OFF["double"]
    alike = [
        case for case in one_process if (case["name"], case["devices"], case["precision"]) == ("mixed", 4, "double")
    ]
    for key in ("value", "gradient"):  # to the last bit
        assert [case[key] for case in alike] == [case[key] for case in first["cases"]]


def test_one_device_engine_reads_its_cache_beside_other_devices(tmp_path):
    (found,) = sharded_run(sys.executable, str(HERE / "sharded_run.py"), "kept", HYBRID_CACHE=str(tmp_path))
    assert list(tmp_path.rglob("compiled/*"))
    assert len(set(found)) == 1


def replayed(circuit, n_devices):
    """Walk through a plan on paper, checking that every step finds what it needs; the plan and the order of blocks."""
    factors = lower(circuit)
    steps, plan = planned(factors, n_devices, np.dtype(float))
    outer, layout, blocks = plan.outer, (C,), []
    for step, found in zip(plan.steps, plan.outers, strict=True):
        assert found == outer
        before = getattr(step, "before", layout)
        assert before == layout
        assert not set(layout) & set(outer)
        if isinstance(step, Apply):
            blocks.append(step.block)
            assert not set(step.place) & set(outer)
        if isinstance(step, Exchange):
            assert sorted(step.front) == sorted(step.before)
            assert set(step.after) - set(step.before) == set(outer) - set(step.outer)
            outer = step.outer
        layout = getattr(step, "after", layout)
    assert outer == plan.last_outer
    assert sorted((*layout, *outer)) == [C, *range(circuit.num_qubits)]
    assert sorted(blocks) == list(range(sum(isinstance(step, Block) for step in steps)))
    return steps, plan


@pytest.mark.parametrize("n_devices", [1, 2, 8, 64])
def test_plans_find_every_window_local(n_devices):
    steps, plan = replayed(hardware_efficient(12, layers=5), n_devices)
    windows = [step.window for step in steps if isinstance(step, Block)]
    done = [step.block for step in plan.steps if isinstance(step, Apply)]
    for k, late in enumerate(done):  # blocks that share a qubit keep their order
        assert all(early < late or not windows[early] & windows[late] for early in done[:k])


def test_one_device_exchanges_nothing():
    _, plan = replayed(hardware_efficient(10, layers=3), 1)
    assert not any(isinstance(step, Exchange) for step in plan.steps)


def test_only_blocks_out_of_reach_wait_for_an_exchange():
    _, plan = replayed(hardware_efficient(20, layers=4), 4)
    assert sum(isinstance(step, Exchange) for step in plan.steps) == 1


@pytest.mark.parametrize("n_devices", [0, 3, 6])
def test_devices_that_are_no_power_of_two_are_refused(n_devices):
    factors = lower(hardware_efficient(4))
    with pytest.raises(Refused, match="power of two"):
        shard_plan([], factors, n_devices, 2)


def test_more_devices_than_leave_a_local_qubit_are_refused():
    with pytest.raises(Refused, match="at most 8"):
        planned(lower(hardware_efficient(4)), 16, np.dtype(float))


def test_one_real_device_needs_no_flags():
    n = 5
    circuit, H = hardware_efficient(n), tfim(n).hamiltonian
    theta = np.linspace(0, 1, circuit.num_parameters)
    program = compile_sharded(circuit, np.dtype(float))
    from qiskit.quantum_info import Statevector

    wanted = Statevector(circuit.assign_parameters(theta)).expectation_value(H).real
    assert program.energies((program.terms(H),))(theta[None])[0, 0] == pytest.approx(wanted, abs=OFF["double"])
