"""How many evaluations a workload is expected to take, what it is told beside, and what finished runs teach."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

import hybrid
from backends import kept
from circuits import hardware_efficient, qaoa, tfim
from circuits.problems.graphs import maxcut
from hybrid.optimizers import get, names
from hybrid.routing import learned
from hybrid.routing.plan import plan, rank
from hybrid.runs.prediction import predicted
from hybrid.workload.coefficients import EXACT, NOISY
from hybrid.workload.expected import deviation, expected, rows_of
from hybrid.workload.workload import workload


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Nothing learned before, and nothing that lasts."""
    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path / "learned")
    return tmp_path / "learned" / "evaluations.json"


def ansatz(n=3, layers=1):
    return hardware_efficient(n, layers=layers), tfim(n)


def test_every_optimizer_was_measured():
    assert set(names()) >= set(EXACT)
    assert {"adam", "cma-es", "lbfgs", "natural-gradient", "rotosolve", "spsa"} <= set(EXACT) & set(NOISY)


@pytest.mark.parametrize("kind", names())
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_intervals_hold_their_middle_and_end_with_the_steps(kind, sigma):
    for n_params in (1, 8, 100):
        before = 0
        for max_steps in (1, 3, 30, 1000, 10**6):
            found = expected(get(kind), n_params, accuracy=1e-3, max_steps=max_steps, sigma=sigma)
            assert 1 <= found.low <= found.rows <= found.high <= found.most
            assert found.most == rows_of(get(kind), n_params, max_steps)
            assert found.rows >= before
            before = found.rows
        assert found.low < found.rows < found.high


def test_adam_is_not_expected_to_end_after_hundreds_of_steps_where_it_takes_thousands():
    work = workload(*ansatz(4, 2), optimizer="adam", accuracy=1e-8, max_steps=100_000)
    assert work.expected().rows > 300
    assert work.expected().high > 1000
    assert work.n_evaluations == work.expected().rows


def test_the_rows_of_many_steps_are_those_that_a_run_asks_for():
    """Counted by a run that may not end: an accuracy far below rounding."""
    for kind in ("adam", "cma-es", "rotosolve", "spsa"):
        optimizer, rows = get(kind), 0
        state = optimizer.init(np.full(6, 0.3), accuracy=1e-14, seed=1)
        for _ in range(40):
            points = optimizer.ask(state)
            rows += len(points.rows)
            values = -np.cos(points.rows).sum(axis=1)
            told = hybrid.optimizers.Told(
                values, np.zeros(len(values)), np.sin(points.rows) if points.gradient else None
            )
            state = optimizer.tell(state, told)
        assert rows_of(optimizer, 6, 40) == pytest.approx(rows, rel=0.35)


def test_shots_leave_what_the_coefficients_allow():
    assert deviation(tfim(3).hamiltonian, None) == 0
    assert deviation(tfim(3).hamiltonian, 500) == pytest.approx(math.sqrt(5 / 500))  # two bonds and three fields of 1


def test_a_plan_says_evaluations_phases_and_time_with_intervals():
    made = plan(*ansatz(), backend="statevector", accuracy=1e-6)
    text = " ".join(str(made).split())
    assert "evaluations (" in text
    assert "lbfgs on 6 parameters to 1e-06" in text
    way = made.to_dict()["ways"][0]
    rows, seconds = way["prediction"]["evaluations"], way["prediction"]["seconds"]
    assert rows["low"] < rows["expected"] < rows["high"]
    assert seconds["low"] < seconds["expected"] < seconds["high"]
    phases = {phase["phase"]: phase["seconds"] for phase in way["phases"]}
    assert list(phases) == ["exact energy", "compile", "evaluate", "optimize", "conclude", "record"]
    assert seconds["expected"] == pytest.approx(sum(phases.values()))
    json.dumps(made.to_dict(), allow_nan=False)


def test_phases_are_those_that_really_run():
    def phases(circuit, problem, **options):
        (way,) = plan(circuit, problem, backend="statevector", **options).ways
        return {phase.name for phase in way.outlook.phases}

    assert "geometry" in phases(*ansatz(), optimizer="natural-gradient")
    assert {"validate", "error budget"} <= phases(*ansatz(), optimizer="spsa", shots=100)
    ring = maxcut([(k, (k + 1) % 14) for k in range(14)])
    assert "validate" in phases(qaoa(ring), ring, optimizer="spsa", shots=100)
    assert "error budget" not in phases(qaoa(ring), ring, optimizer="spsa", shots=100)
    slow = replace(tfim(3), solve=lambda: 0.0, solve_seconds=1e6)
    assert "exact energy" not in phases(hardware_efficient(3), slow)


def test_the_shots_that_an_accuracy_takes_are_said():
    few = plan(*ansatz(), backend="statevector", optimizer="spsa", shots=100, accuracy=0.01)
    (way,) = few.ways
    need = math.ceil(100 * (way.cost.standard_error / 0.01) ** 2)
    assert f"{need:,} would do" in " ".join(few.notes())
    assert f"{need:,} shots a circuit would do" in way.reason
    enough = plan(*ansatz(), backend="statevector", optimizer="spsa", shots=need, accuracy=0.01)
    assert enough.chosen.cost.standard_error <= 0.01
    assert "exceeds" not in enough.chosen.reason
    assert f"the accuracy of 0.01 takes {need:,}" in " ".join(enough.notes())


def test_shots_that_nobody_may_ask_for_are_not_advised():
    made = plan(*ansatz(), backend="statevector", optimizer="spsa", shots=100, accuracy=1e-9)
    (way,) = made.ways
    for text in (" ".join(made.notes()), way.reason):
        assert "not even 1,000,000,000 shots a circuit" in text
        assert f"an accuracy no finer than {way.cost.standard_error:.1e}" in text
        assert max(map(int, re.findall(r"\d+", text.replace(",", "")))) <= 10**9


def test_a_plan_fits_a_narrow_terminal():
    from rich.console import Console

    made = plan(*ansatz(), backend="statevector", optimizer="spsa", shots=100, accuracy=0.01)
    for width in (40, 80, 100):
        console = Console(width=width, color_system=None)
        with console.capture() as capture:
            console.print(made)
        assert max(map(len, capture.get().splitlines())) <= width
        assert "would do" in " ".join(capture.get().split())


def test_a_run_keeps_its_prediction_beside_what_happened(tmp_path, cli):
    result = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "r")
    rows, seconds = result.prediction.evaluations, result.prediction.seconds
    assert rows.happened == result.evaluations
    assert 0 < seconds.happened <= result.seconds["total"]
    assert "predicted" in str(result)
    _, out, _ = cli("show", tmp_path / "r", "--json")
    assert json.loads(out)["prediction"]["evaluations"]["happened"] == result.evaluations
    _, out, _ = cli("show", tmp_path / "r")
    assert f"took {result.evaluations:,}" in " ".join(out.replace("│", " ").split())
    assert hybrid.resume(tmp_path / "r").prediction == result.prediction
    assert hybrid.verify(tmp_path / "r").passed


def test_a_run_that_goes_on_counts_what_was_done_before(tmp_path):
    calls = iter(range(100))
    work = {"backend": "statevector", "folder": tmp_path / "r"}
    first = hybrid.minimize(*ansatz(), should_stop=lambda: next(calls) > 4, **work)
    assert first.status == "stopped"
    assert first.prediction.evaluations.happened == first.evaluations
    second = hybrid.resume(tmp_path / "r")
    assert second.prediction.evaluations.happened == second.evaluations > first.evaluations


def test_a_record_without_a_prediction_is_read():
    assert predicted({}) is None
    assert predicted({"ways": [{"backend": "statevector"}]}) is None


def way_seconds(made):
    return [str(way.cost.seconds) for way in made.ways]


def test_runs_correct_what_is_said_but_not_what_is_chosen():
    work = workload(*ansatz(), accuracy=1e-6)
    first = rank(work, ["statevector", "reference"])
    for _ in range(3):
        learned.learn("lbfgs, exact, 4 to 15 parameters", expected=10, happened=30)
    second = rank(work, ["statevector", "reference"])
    ratio = second.chosen.outlook.prediction.evaluations.expected / first.chosen.outlook.prediction.evaluations.expected
    assert 2 < ratio <= 3.1
    assert "times the usual number" in " ".join(second.notes())
    assert second.chosen.name == first.chosen.name
    assert way_seconds(second) == way_seconds(first)


def test_what_was_learned_is_bounded_and_robust():
    name = learned.size_class("adam", 20, sampled=True)
    learned.learn(name, expected=1, happened=10**6)
    assert learned.factor(name) == 1.0  # one run alone teaches nothing
    for happened in (10**6, 10**6, 2, 2, 2, 2):
        learned.learn(name, expected=1, happened=happened)
    assert learned.factor(name) == pytest.approx(2)  # odd ones do not move the median
    for _ in range(9):
        learned.learn(name, expected=1, happened=10**6)
    assert learned.factor(name) == learned.BOUND
    assert learned.factor(learned.size_class("adam", 20, sampled=False)) == 1.0


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_file_is_told_and_begun_anew(cache, content):
    cache.parent.mkdir()
    cache.write_text(content)
    with pytest.warns(UserWarning, match="damaged"):
        assert learned.factor("adam") == 1.0
    learned.learn("adam", expected=1, happened=2)
    assert list(json.loads(cache.read_text())) == ["adam"]


@pytest.mark.parametrize("content", ['{"adam": 3}', '{"adam": [1e400, 1e400, 1e400]}', '{"adam": [null, "x", []]}'])
def test_a_damaged_entry_is_left_out(cache, content):
    cache.parent.mkdir()
    cache.write_text(content)
    assert learned.factor("adam") == 1.0
    learned.learn("adam", expected=1, happened=2)
    assert json.loads(cache.read_text())["adam"] == [math.log(2)]


def test_a_folder_that_cannot_be_written_does_not_end_a_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path / "file" / "below")
    result = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "r")
    assert result.status == "converged"
    assert "cannot be kept" in capsys.readouterr().err


def test_what_was_learned_changes_no_bit_of_a_run(tmp_path, cache):
    one = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "a")
    assert len(json.loads(cache.read_text())["lbfgs, exact, 4 to 15 parameters"]) == 1
    for _ in range(5):
        learned.learn("lbfgs, exact, 4 to 15 parameters", expected=1, happened=50)
    other = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "b")
    assert one.history.same_bits(other.history)
    assert one.energy == other.energy


def test_a_stopped_run_teaches_nothing(tmp_path, cache):
    hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "r", should_stop=lambda: True)
    hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "s", max_steps=2)
    assert not cache.exists()


def test_a_run_from_the_end_of_another_teaches_nothing_of_evaluations(tmp_path, cache):
    first = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "first")
    before = cache.read_bytes()
    again = hybrid.minimize(*ansatz(), backend="statevector", folder=tmp_path / "again", theta=f"run:{first.folder}")
    assert again.status == "converged"
    assert again.evaluations < first.evaluations
    assert cache.read_bytes() == before


def test_a_plan_compares_the_times_that_it_shows():
    made = plan(*ansatz())
    first, second = made.ways[:2]
    ratio = second.outlook.prediction.seconds.expected / first.outlook.prediction.seconds.expected
    told = next(re.finditer(rf"takes ([\d.,]+) times as long as {re.escape(first.name)}", second.reason))
    assert float(told[1].replace(",", "")) == pytest.approx(ratio, rel=0.051)
