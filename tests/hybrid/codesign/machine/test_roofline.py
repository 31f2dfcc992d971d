"""What the machine and the engine reach."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import hybrid
from backends.statevector import native, roofline
from backends.statevector.circuit.lower import lower
from backends.statevector.native.program import NativeProgram, work_of_energy, work_of_slopes
from circuits.errors import Refused
from hybrid.codesign.machine import rates
from hybrid.codesign.machine.kernels import Kernel
from hybrid.codesign.machine.rates import Rate
from hybrid.codesign.machine.repeated import Repeated, repeated
from hybrid.codesign.machine.roofline import Machine

needs_kernels = pytest.mark.skipif(not native.available(), reason="there are no native kernels")


def exactly(number):
    return Repeated(number, number, number, 1)


def kernel(flops, n_bytes, seconds, n_qubits=20):
    return Kernel("made up", n_qubits, "double", 2, flops, n_bytes, exactly(seconds))


MADE_UP = Machine(
    "a machine",
    2,
    (
        Rate("fma", 1, "double", exactly(50e9)),
        Rate("fma", 2, "double", exactly(100e9)),
        Rate("copy", 2, None, exactly(80e9), working_set_bytes=2**20),
        Rate("copy", 2, None, exactly(20e9), working_set_bytes=2**28),
    ),
    (kernel(1e9, 1e9, 0.1, 25), kernel(1e9, 1e9, 0.1, 14), kernel(1e9, 1e7, 0.1, 25)),
    1.0,
)


def test_the_limit_is_the_smaller_of_peak_and_bandwidth():
    beyond, cached, dense = MADE_UP.kernels
    assert MADE_UP.peak("double") == 100e9  # of all cores
    assert MADE_UP.limit(beyond) == pytest.approx(20e9)  # one operation a byte, 512 MiB
    assert MADE_UP.limit(cached) == pytest.approx(80e9)  # 256 KiB
    assert MADE_UP.limit(dense) == pytest.approx(100e9)  # a hundred operations a byte
    assert beyond.flops_per_s == pytest.approx(1e10)
    assert [row[6] for row in MADE_UP.kernel_rows()] == ["50%", "12%", "10%"]


def test_repetitions_are_a_median_and_a_range():
    found = repeated([3.0, 1.0, 2.0, 10.0])
    assert (found.median, found.low, found.high, found.repeats) == (2.5, 1.0, 10.0, 4)
    assert found.spread == pytest.approx(9 / 2.5)


def test_the_roofline_is_drawn_with_units():
    figure = MADE_UP.plot()
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert "flop/byte" in axes.get_xlabel()
    assert "GFLOP/s" in axes.get_ylabel()
    ceiling = axes.lines[0].get_ydata()
    assert max(ceiling) == pytest.approx(100)
    assert "a machine" in MADE_UP._repr_html_()


def counted_by_hand():
    """Three layers of RX and RY on eight qubits, and one string: all rotations in one tile, so in one pass."""
    circuit, theta = QuantumCircuit(8), ParameterVector("t", 24)
    for k in range(24):
        (circuit.rx if (k // 8) % 2 else circuit.ry)(theta[k], k % 8)
    return circuit, SparsePauliOp("Z" * 8)


@needs_kernels
def test_operations_of_a_gradient_are_those_of_the_value_and_of_the_way_back():
    circuit, H = counted_by_hand()
    program = NativeProgram(lower(circuit), np.dtype(np.float64))
    one = program.kernel((H,), undone=True)
    there, back = (work(one, 8, program.real) for work in (work_of_energy, work_of_slopes))
    both = roofline(circuit, H, "double")
    assert {what: there[what] + back[what] for what in both} == both
    assert there["flops"] >= 4 * 24 * 2**8  # each rotation two multiplications and two additions an amplitude
    assert there["flops"] <= 4 * (24 + 3) * 2**8
    assert back["flops"] == 12 * 24 * 2**8
    assert there["bytes"] == 4 * 16 * 2**8  # one pass for the gates and one for the string, to read and to write
    assert back["bytes"] == 4 * 16 * 2**8  # one pass on two states


def test_this_machine_is_measured(monkeypatch):
    monkeypatch.setattr(rates, "BEYOND", 2**22)
    found = hybrid.machine(qubits=[10], repeats=2)
    assert 1e8 < found.peak("double") < 1e14
    assert found.bandwidth(2**20) > 1e8
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["rates"][0]["per_second"]["repeats"] == 2
    if native.available():
        assert {one.precision for one in found.kernels} == {"double", "single"}
        assert len({one.kind for one in found.kernels}) == 6
        assert all(one.flops > 0 and one.bytes >= 2**10 * 16 / 2 for one in found.kernels)
    assert "flop/byte" in str(found) or not found.kernels


def test_without_kernels_limits_are_lower_bounds_and_say_so(monkeypatch):
    monkeypatch.setattr(rates, "BEYOND", 2**22)
    monkeypatch.setattr(native, "available", lambda: False)
    monkeypatch.setattr(native, "why_not", lambda: "the kernels cannot be loaded here")
    found = hybrid.machine(qubits=[10], repeats=1)
    assert not found.kernels
    assert all(rate.lower_bound for rate in found.rates)
    assert "lower bound" in str(found)
    assert "at least as much" in str(found)
    with pytest.raises(Refused, match="engine was timed: the kernels cannot be loaded here"):
        found.plot()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"qubits": [99]}, "qubits must be whole numbers from 8 to 30"),
        ({"qubits": []}, "at least one"),
        ({"repeats": 0}, "repeats must be a whole number from 1"),
        ({"precision": "half"}, "precision must be one of double, single"),
    ],
)
def test_wrong_questions_are_refused(words, said):
    with pytest.raises(Refused, match=said):
        hybrid.machine(**words)


def command(*words, ranks=0, **environment):
    launcher = ["mpiexec", "-n", str(ranks)] if ranks else []
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return subprocess.run(
        [*launcher, sys.executable, "-m", "hybrid", "machine", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path} | environment,
    )


@pytest.mark.slow
def test_the_command_measures_messages_between_two_ranks_and_keeps_them(tmp_path):
    from circuits import hardware_efficient, tfim

    run = hybrid.minimize(
        hardware_efficient(3, layers=1), tfim(3), backend="statevector", folder=tmp_path / "run", max_steps=3
    )
    cache = {"HYBRID_CACHE": str(tmp_path / "cache")}
    refused = command(str(run.folder), "--ranks", "2", **cache)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "mpiexec -n 2 hybrid machine" in refused.stderr
    measured = command("--json", ranks=2, **cache)
    found = json.loads(measured.stdout)
    assert found["ranks"] == 2
    assert 1e-7 < found["latency_s"] < 60
    shown = command(str(run.folder), "--ranks", "2", "--json", **cache)
    content = json.loads(shown.stdout)
    assert content["changes"] == ["2 ranks"]
    assert content["work"]["rows"] == run.evaluations
    nothing = command("--simulator", "2", **cache)
    assert nothing.returncode == 2
    assert "asked of a run or a study" in nothing.stderr
