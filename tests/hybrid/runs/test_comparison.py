"""Runs side by side: labels, numbers from the records, the table at any width, and the picture."""

import io
import warnings

import numpy as np
import pytest
from rich.console import Console

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import Refused
from hybrid.report.side_by_side import Line, side_by_side
from hybrid.runs.export import document_of, export


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    def run(name, **options):
        place = tmp_path_factory.mktemp("runs") / name
        return hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), folder=place, max_steps=30, **options)

    return [
        run("one", backend="reference", optimizer="lbfgs"),
        run("two", backend="statevector", optimizer="lbfgs"),
        run("three", backend="statevector", optimizer="rotosolve"),
    ]


def test_the_numbers_are_those_of_the_runs(results):
    comparison = hybrid.compare(results)
    for run, result in zip(comparison.runs, results, strict=True):
        told = run.to_dict()
        assert told["energy"] == result.energy
        assert (told["steps"], told["evaluations"]) == (result.steps, result.evaluations)
        assert run.seconds == result.seconds["total"]
        seconds = result.prediction.seconds  # None where nobody has measured the backend
        assert run.predicted_s == (None if seconds is None else seconds.expected)
        assert told["money_usd"] == told["shots_sent"] == 0
        assert np.array_equal(run.history.energy, result.history.energy)


def test_labels_say_what_differs_and_no_more(results):
    def labels(*numbers):
        return [run.label for run in hybrid.compare([results[k] for k in numbers]).runs]

    assert labels(0) == ["reference"]
    assert labels(0, 1) == ["reference", "statevector"]
    assert labels(1, 2) == ["lbfgs", "rotosolve"]
    assert labels(0, 1, 2) == ["reference, lbfgs", "statevector, lbfgs", "statevector, rotosolve"]


def test_folders_are_as_good_as_results(results):
    by_folder = hybrid.compare([results[0].folder, str(results[1].folder)])
    assert by_folder.to_dict() == hybrid.compare(results[:2]).to_dict()


@pytest.mark.parametrize("width", [30, 60, 96, 200])
def test_every_energy_is_whole_at_any_width(results, width):
    stream = io.StringIO()
    comparison = hybrid.compare(results)
    Console(file=stream, width=width, markup=False).print(comparison)
    assert stream.getvalue().count(f"{results[0].energy:.8f}"[:10]) >= 2
    assert max(map(len, stream.getvalue().splitlines())) <= width


def test_a_notebook_sees_the_table_and_the_picture(results):
    comparison = hybrid.compare(results)
    assert comparison._repr_html_().count("<tr>") == 4
    picture = comparison.plot()
    assert [line.get_label() for line in picture.axes[0].get_lines()] == [run.label for run in comparison.runs]
    above = picture.axes[1].get_lines()[0].get_ydata()
    assert np.all(np.diff(above) <= 0)  # the best so far never rises


def test_counted_energies_are_drawn_as_they_are(tmp_path):
    run = hybrid.minimize(
        hardware_efficient(2, layers=1),
        tfim(2),
        backend="statevector",
        optimizer="spsa",
        max_steps=5,
        shots=200,
        folder=tmp_path / "run",
    )
    comparison = hybrid.compare([run])
    assert comparison.runs[0].to_dict()["shots_per_circuit"] == 200
    assert comparison.plot().axes[0].get_yscale() == "linear"
    assert "±" in str(comparison)


def test_what_cannot_be_compared_is_refused(results, tmp_path):
    with pytest.raises(Refused, match="no run to compare"):
        hybrid.compare([])
    with pytest.raises(Refused, match="put the one that was given in brackets"):
        hybrid.compare(results[0])
    with pytest.raises(Refused, match="and 3 is neither"):
        hybrid.compare([3])
    with pytest.raises(Refused, match="not 3"):
        hybrid.compare(3)
    with pytest.raises(Refused, match="no such folder"):
        hybrid.compare([tmp_path / "nowhere"])
    with pytest.raises(Refused, match="holds no run"):
        hybrid.compare([tmp_path])


def test_the_legend_of_many_runs_names_the_first_and_the_last():
    lines = [Line(f"run {k}", np.array([1.0, 0.5 + k]), np.zeros(2), np.ones(2)) for k in range(40)]
    picture = side_by_side(lines, exact_energy=0.0, unit="J", title="many")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.savefig(io.BytesIO(), format="png")
    assert [text.get_text() for text in picture.axes[0].get_legend().get_texts()] == ["run 0", "run 39"]


def test_an_algorithm_is_compared_exported_and_reported_on_by_its_runs(tmp_path):
    graph = maxcut([(0, 1), (1, 2), (2, 0)])
    folder = tmp_path / "cut"
    hybrid.qaoa(graph, layers=2, backend="reference", max_steps=3, folder=folder)
    stages = ["layers-1", "layers-2"]
    n_evaluations = sum(len(hybrid.load(folder / stage).history.energy) for stage in stages)
    assert [run.label for run in hybrid.compare([folder]).runs] == stages
    assert [run.entry["folder"] for run in hybrid.compare([folder]).runs] == [str(folder / name) for name in stages]
    written = export(folder, tmp_path / "cut.csv")
    assert (written.runs, written.rows) == (2, n_evaluations)
    assert [run.values for run in document_of(folder).runs] == [{"stage": name} for name in stages]
    page = hybrid.report(folder).read_text()
    assert "QAOA: MaxCut, 3 nodes" in page
    assert "A cut of 2" in page  # of a triangle
    assert all(name in page for name in stages)


def test_a_time_evolution_is_exported_point_by_point(tmp_path):
    circuit = hardware_efficient(2, layers=1)
    found = hybrid.real_time_evolution(circuit, tfim(2), folder=tmp_path / "e", time=0.1, steps=3)
    assert export(tmp_path / "e", tmp_path / "e.csv").rows == 4
    document = document_of(tmp_path / "e")
    assert [row.energy for row in document.runs[0].rows] == found.energies.tolist()
    assert [row.theta for row in document.runs[0].rows] == found.thetas.tolist()
    with pytest.raises(Refused, match="no stage of this real-time is a run"):
        hybrid.compare([tmp_path / "e"])
    (algorithm,) = document.algorithms
    assert algorithm.kind == "real-time"
    assert algorithm.result["fidelities"] == found.fidelities.tolist()
