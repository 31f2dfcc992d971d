"""How a run with statistical errors ends, and where its error comes from."""

import numpy as np
import pytest

import backends
import hybrid
from circuits import hardware_efficient, tfim
from hybrid.loop.conclusion import best_seen, conclude
from hybrid.loop.optimize import Ending
from hybrid.optimizers.optimizer import Told
from hybrid.runs.error_budget import ErrorBudget, error_budget
from hybrid.runs.evaluation import Evaluation
from hybrid.workload.workload import workload


def ended(truth, luck=0.0):
    """A conclusion among the optimizer's answer 0, a point 1 on the way and the start 2; at first all are too low."""
    work = workload(hardware_efficient(1, layers=1), tfim(1), theta=[2.0] * 2)
    asked = []

    def answer(points, step):
        asked.append(points.rows[:, 0].tolist())
        first = len(asked) == 1
        values = np.array([truth[int(row)] for row in points.rows[:, 0]]) - (luck if first else 0.0)
        return Told(values, np.full(len(values), 0.01), None)

    ending = Ending(np.zeros(2), 5, "max_steps")
    return conclude(work, ending, answer, sampled=True, exact=None, seen=np.ones(2)), asked


@pytest.mark.parametrize(
    ("truth", "chosen", "said"),
    [
        ([-3.0, -2.0, -1.0], 0, ""),
        ([-2.0, -3.0, -1.0], 1, "above the best point on the way"),
        ([-1.0, -2.0, -3.0], 2, "above the start"),
    ],
)
def test_the_best_point_is_given_evaluated_afresh(truth, chosen, said):
    conclusion, asked = ended(truth, luck=0.1)
    assert asked == [[0.0, 1.0, 2.0], [float(chosen)]]
    assert conclusion.theta.tolist() == [chosen] * 2
    assert conclusion.energy == truth[chosen]  # not the lucky value that it was chosen by
    assert said in conclusion.message
    assert ("evaluated afresh" in conclusion.message) == (chosen == 2)


def test_the_best_seen_is_the_lowest_of_all_rows():
    rows = np.array([[1.0], [2.0]])
    told = lambda *values: Told(np.array(values), np.zeros(2), None)  # noqa: E731
    evaluations = [Evaluation(k, k, rows + k, told(*v), 0.0) for k, v in enumerate([(3, 1), (2, 0.5), (4, 4)])]
    assert best_seen(evaluations, np.zeros(1)).tolist() == [3.0]
    assert best_seen([], np.zeros(1)).tolist() == [0.0]


KNOWN = {"energy": -2.0, "standard_error": 0.1, "bias": 0.0, "exact": -3.0, "unit": "hartree"}


def test_an_error_is_divided_among_its_causes():
    budget = error_budget(**KNOWN, validated=-2.6, reachable=-2.9, noisy=True)
    sizes = {share.cause: share.size for share in budget.shares}
    assert sizes == pytest.approx({"ansatz": 0.1, "optimizer": 0.3, "noise": 0.6, "statistics": 0.0})
    assert budget.total == pytest.approx(1.0)
    assert [share.interval for share in budget.shares] == pytest.approx([0, 0, 0.196, 0.196])
    assert ErrorBudget.of_dict(budget.to_dict()) == budget
    assert "+0.6 ± 0.2 hartree (95 %)" in str(budget)
    assert "<td>+0.6 ± 0.2 hartree (95 %)</td>" in budget._repr_html_()


def test_what_cannot_be_told_apart_is_said_to_be():
    budget = error_budget(**KNOWN, validated=-2.6, reachable=None, noisy=True)
    assert budget.shares[0].cause == "ansatz and optimizer"
    assert "not told apart" in budget.shares[0].note
    assert budget.total == pytest.approx(1.0)
    assert error_budget(**(KNOWN | {"exact": None}), validated=-2.6, reachable=None, noisy=True) is None
    assert error_budget(**KNOWN, validated=None, reachable=None, noisy=True) is None


def test_without_noise_the_rest_is_statistics():
    budget = error_budget(**KNOWN, validated=-2.1, reachable=-2.9, noisy=False)
    sizes = {share.cause: share.size for share in budget.shares}
    assert sizes == pytest.approx({"ansatz": 0.1, "optimizer": 0.8, "statistics": 0.1})


def test_a_run_on_aer_with_mitigation_ends_with_its_budget_and_comes_again(tmp_path):
    circuit, problem = hardware_efficient(2, layers=1), tfim(2)
    result = hybrid.minimize(
        circuit,
        problem,
        backend=backends.get("aer", noise="ibm:fake_manila"),
        mitigation=["readout", {"zne": {"factors": (1, 3)}}],
        optimizer="spsa",
        shots=200,
        max_steps=3,
        folder=tmp_path / "run",
    )
    budget = result.error_budget
    assert budget is not None
    assert budget.total == pytest.approx(result.energy - result.exact_energy)
    assert [share.cause for share in budget.shares] == ["ansatz", "optimizer", "noise", "statistics"]
    assert budget.shares[0].size >= -1e-9
    assert budget.shares[1].size >= 0
    assert result.to_dict()["error_budget"] == budget.to_dict()
    assert "by optimizer" in str(result)
    again = hybrid.resume(tmp_path / "run")
    assert (again.energy, again.standard_error, str(again.error_budget)) == (
        result.energy,
        result.standard_error,
        str(budget),
    )
