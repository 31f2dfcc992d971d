"""What faster parts would make of the time of a run."""

import json
from dataclasses import replace

import pytest

import hybrid
from backends.machine import machine as machine_name
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.codesign.machine.messages import Messages, keep, kept_messages, shared_by
from hybrid.codesign.machine.model import MachineModel
from hybrid.codesign.machine.split import PARTS, Split
from hybrid.codesign.machine.work import Gpu, loop_work
from hybrid.runs.account import account


def model_of(**seconds):
    split = Split("a run", True, dict.fromkeys(PARTS, 0.0) | seconds, waits=4)
    return MachineModel(split, split.seconds, fixed_device_s=1.0)


def test_amdahls_law():
    model = model_of(simulator=8.0, optimizer=1.5, record=0.5)
    assert model.total_s == 10.0
    assert model.bottleneck == "simulator"
    for factor in (2, 10, 1e9):
        assert model.with_(simulator=factor).speedup == pytest.approx(1 / (0.2 + 0.8 / factor))
    assert model.limit_s("simulator") == 2.0
    assert model.with_(simulator=4, optimizer=3).total_s == pytest.approx(2.0 + 0.5 + 0.5)
    assert model.with_(simulator=2).with_(simulator=2).total_s == model.with_(simulator=4).total_s
    said = model.sentence()
    assert "80% of 10 s" in said
    assert "leave 2.8 s" in said
    assert "never less than 2 s" in said
    assert "next comes optimizer" in said


def test_a_device_and_its_queue():
    model = model_of(device=5.0, queue=8.0, communication=1.0, simulator=1.0)
    assert model.with_(repetition_rate=4).seconds["device"] == pytest.approx(1.0 + 4.0 / 4)  # what is fixed stays
    assert model.with_(queue_s=0).total_s == pytest.approx(7.0)
    assert model.with_(queue_s=30).seconds["queue"] == 120.0
    assert model.with_(interconnect=10).seconds["communication"] == pytest.approx(0.1)
    assert model.with_(queue_s=0).bottleneck == "device"


def test_what_makes_no_sense_is_refused():
    model = model_of(simulator=1.0)
    with pytest.raises(Refused, match="simulator must be how many times faster"):
        model.with_(simulator=0)
    with pytest.raises(Refused, match="queue_s must be seconds"):
        model.with_(queue_s=-1)
    with pytest.raises(Refused, match="ranks must be a whole number"):
        model.with_(ranks=0)
    with pytest.raises(Refused, match="is no such run"):
        model.with_(ranks=2)
    split = Split("a run", True, model.seconds)
    with pytest.raises(Refused, match="no job is sent"):
        MachineModel(split, split.seconds).with_(queue_s=1)
    with pytest.raises(Refused, match="latency_s must be a positive number"):
        Messages(0.0, 1.0)


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "population"
    optimizer = optimizers.get("cma-es", population=20)
    circuit = hardware_efficient(11, layers=1)
    return hybrid.minimize(
        circuit, tfim(11), backend="statevector", optimizer=optimizer, max_steps=3, exact=False, folder=place
    )


def test_rows_are_shared_by_ranks_tile_by_tile(many_rows):
    nothing, latency = Messages(1e-12, 1e30), Messages(2.0, 1e30)
    alone = hybrid.machine_model(many_rows, messages=nothing)
    *generations, final = account(many_rows.folder).content.evaluations
    assert [len(one.theta) for one in generations] == [20, 20, 20]  # rows of 11 qubits are tiles of their own
    shared_s = sum(one.seconds for one in generations)
    for ranks, share in ((2, 10 / 20), (3, 7 / 20), (20, 1 / 20), (64, 1 / 20)):
        found = shared_by(many_rows.folder, ranks, nothing)
        assert found.asked == 3
        expected = (share * shared_s + final.seconds) / (shared_s + final.seconds)
        assert found.share == pytest.approx(expected)
        before, after = alone.seconds["simulator"], alone.with_(ranks=ranks).seconds["simulator"]
        assert after == pytest.approx(before * expected)
    assert alone.with_(ranks=1).total_s == pytest.approx(alone.total_s)
    assert shared_by(many_rows.folder, 2, latency).messages_s == pytest.approx(3 * 2.0)
    assert shared_by(many_rows.folder, 5, latency).messages_s == pytest.approx(3 * 3 * 2.0)  # three deep
    # parameters of 20 rows out; of ten rows a value, an error and a bias back, and whether all went well
    n_bytes = 3 * 8 * (20 * len(many_rows.theta) + 10 * 3 + 1)
    assert shared_by(many_rows.folder, 2, nothing).n_bytes == n_bytes


def test_waiting_for_the_slowest_rank_is_no_message(many_rows):
    """Of a run on two ranks with 3 s of communication, 3 questions of half a second were messages."""
    model = hybrid.machine_model(many_rows, messages=Messages(0.5, 1e30))
    split = replace(model.split, ranks=2, seconds={**model.split.seconds, "communication": 3.0})
    two = replace(model, split=split, seconds=split.seconds)
    assert two.with_(interconnect=10).seconds["communication"] == pytest.approx(1.5 + 1.5 / 10)


def test_a_card_takes_as_long_as_its_operations_or_its_bytes(many_rows):
    work, model = loop_work(account(many_rows.folder)), hybrid.machine_model(many_rows)
    slow_memory, slow_registers = Gpu(1e6, 1.0), Gpu(1.0, 1e6)
    assert model.with_(gpu=slow_memory).seconds["simulator"] == pytest.approx(work.state_bytes / 1e9)
    assert model.with_(gpu=slow_registers).seconds["simulator"] == pytest.approx(work.flops / 1e9)
    assert model.with_(gpu=slow_memory, simulator=2).seconds["simulator"] == pytest.approx(work.state_bytes / 2e9)
    with pytest.raises(Refused, match="gb_s of a card must be a positive number"):
        Gpu(1.0, 0.0)
    with pytest.raises(Refused, match="one run"):
        model_of(simulator=1.0).with_(gpu=Gpu(1.0, 1.0))


def test_the_stages_of_an_algorithm_count_together(tmp_path):
    hybrid.vqd(hardware_efficient(2, layers=1), tfim(2), levels=2, backend="statevector", folder=tmp_path / "states")
    stages = sorted(
        path.parent
        for path in (tmp_path / "states").glob("*/spec.json")
        if path.parent.joinpath("result.json").exists()
    )
    apart = [hybrid.machine_model(stage) for stage in stages]
    together = hybrid.machine_model(tmp_path / "states")
    assert len(stages) > 1
    assert together.total_s == pytest.approx(sum(model.total_s for model in apart))
    assert hybrid.machine_model(str(tmp_path / "states")).seconds == together.seconds
    assert f"{len(stages)} runs" in str(together)
    with pytest.raises(Refused, match="no such run"):
        together.with_(ranks=2)
    with pytest.raises(Refused, match="named by its result or its folder"):
        hybrid.machine_model(3)


def test_messages_are_kept_for_this_machine(many_rows, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path))
    assert kept_messages() is None
    with pytest.raises(Refused, match="mpiexec -n 2 hybrid machine"):
        hybrid.machine_model(many_rows).with_(ranks=2)
    keep(Messages(1e-5, 1e9))
    assert kept_messages() == Messages(1e-5, 1e9)
    assert hybrid.machine_model(many_rows).with_(ranks=2).seconds["communication"] > 3e-5
    (tmp_path / "messages.json").write_text(json.dumps({machine_name(): {"latency_s": "?"}}))
    assert kept_messages() is None


def test_it_shows_and_draws_itself(many_rows):
    model = hybrid.machine_model(str(many_rows.folder))
    assert "at no time" in model._repr_html_()
    changed = model.with_(simulator=10, optimizer=2)
    assert "simulator x 10" in str(changed)
    assert "times as fast" in str(changed)
    (axes,) = model.plot().axes
    assert axes.get_xlabel().startswith("times as fast")
    assert axes.get_ylabel() == "time of the whole (s)"
    line = axes.lines[0]
    assert line.get_ydata()[0] == pytest.approx(model.total_s)
    content = model.to_dict()
    assert content["total_s"] == pytest.approx(sum(content["seconds"].values()))
