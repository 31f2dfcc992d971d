"""Bytes and exchanges on paper: what the plan that would be run moves."""

import numpy as np
import pytest

from backends.statevector.circuit.lower import lower
from backends.statevector.sharded.cluster import Rates, fewest_devices, paper_plan
from backends.statevector.sharded.exchange import Exchange, Sweep
from backends.statevector.sharded.shard import planned
from circuits import BudgetExceeded, hardware_efficient, tfim


def test_bytes_on_paper_follow_from_the_plan():
    n, n_devices = 12, 4
    circuit, H = hardware_efficient(n, layers=4), tfim(n).hamiltonian
    paper = paper_plan(circuit, H, n_devices, real=np.float64)
    _, plan = planned(lower(circuit), n_devices, np.dtype(float))
    state = 16 * 2**n // n_devices
    exchanges = [step for step in plan.steps if isinstance(step, Exchange)]
    assert exchanges
    assert not any(isinstance(step, Sweep) for step in plan.steps)
    forward = sum(state * (1 - 1 / 2 ** len(step.digits)) for step in exchanges)
    assert paper.state_bytes == state
    assert paper.n_exchanges == len(exchanges)
    assert sum(paper.block_bytes) == forward
    assert paper.sent_bytes == 3 * forward + 2 * state  # X on each of two global qubits
    assert paper.total_bytes == n_devices * paper.sent_bytes


def test_forty_qubits_are_planned_and_fit():
    rates = Rates(memory_gb=80)
    paper = paper_plan(hardware_efficient(40, layers=4), tfim(40).hamiltonian, rates=rates)
    assert paper.held_bytes <= 80e9 < 2 * paper.held_bytes
    assert paper.n_devices == fewest_devices(40, np.dtype(np.float32), rates)
    assert paper.state_bytes * paper.n_devices == 8 * 2**40


def test_paper_plans_that_do_not_fit_are_refused():
    with pytest.raises(BudgetExceeded, match="GB on each of 64 devices"):
        paper_plan(hardware_efficient(40, layers=1), tfim(40).hamiltonian, 64)
