"""Which number of a device limits an application: sentence, budget, fronts, and a record that goes on."""

import math

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid.codesign import codesign as module
from hybrid.codesign.pareto import front
from hybrid.codesign.result import Codesign

PROBLEM = tfim(4)
CIRCUIT = hamiltonian_variational(PROBLEM, layers=4)
DEVICE = hybrid.Device(4, "line", one_qubit_error=1e-5, two_qubit_error=2e-3, readout_error=0.05)


def asked(folder, **options):
    given = {"device": DEVICE, "method": "model", "target": 0.01, "folder": folder, "progress": False}
    return hybrid.codesign(CIRCUIT, PROBLEM, **{**given, **options})


def test_the_bottleneck_moves_from_readout_to_two_qubit_error_as_readout_improves(tmp_path):
    found = asked(tmp_path / "a", vary={"readout_error": [0.05, 0.02, 1e-3, 1e-4]})
    limits = [point.limit for point in found.points]
    assert limits[0] == "readout_error"
    assert limits[-1] == "two_qubit_error"
    assert limits == sorted(limits)  # it moves once
    assert found.sentence().startswith("Readout error limits it: ")
    assert "two-qubit error is next with" in found.sentence()
    errors = [point.error for point in found.points]
    assert errors == sorted(errors, reverse=True)


def test_the_parts_of_the_error_add_up_and_are_told(tmp_path):
    point = asked(tmp_path / "a").points[0]
    assert point.budget().total == pytest.approx(point.noisy - PROBLEM.exact_energy())
    assert point.noise > 0
    assert point.optimum == pytest.approx(point.noiseless)
    assert point.size.two_qubit_gates >= 24
    assert 1.96 * point.size.standard_error == pytest.approx(0.01, rel=1e-2)
    assert point.size.solution_s == pytest.approx(point.size.energies * point.size.energy_s)


def test_a_perfect_device_is_limited_by_nothing_but_the_ansatz(tmp_path):
    perfect = asked(tmp_path / "a", device=hybrid.Device(4, "line"))
    assert perfect.points[0].noise == pytest.approx(0, abs=1e-9)
    short = hamiltonian_variational(PROBLEM, layers=1)
    found = hybrid.codesign(
        short, PROBLEM, device=DEVICE.scaled(0.01), method="model", target=0.01, folder=tmp_path / "b", progress=False
    )
    assert found.points[0].limit == "ansatz"
    assert found.sentence().startswith("The ansatz limits it: ")
    assert "No device reaches" in found.sentence()


def test_topologies_differ_in_gates_and_make_a_front(tmp_path):
    problem = tfim(6, periodic=True)
    found = hybrid.codesign(
        hamiltonian_variational(problem, layers=1),
        problem,
        device=[hybrid.Device(6, "line", two_qubit_error=0.01), "all-to-all"],
        method="model",
        folder=tmp_path / "a",
        progress=False,
    )
    line, every = found.points
    assert every.size.two_qubit_gates == 12 < line.size.two_qubit_gates
    assert every.error < line.error
    assert found.front("two_qubit_gates") == [every]
    assert found.kinds() == ("pareto", "tornado")
    assert {"pareto.pdf", "pareto.svg", "tornado.pdf"} <= {path.name for path in found.save(tmp_path / "figures")}


def test_a_front_is_what_no_other_beats_in_everything():
    rows = np.random.default_rng(0).integers(0, 6, (40, 2))
    kept = front(rows.tolist())
    for k, row in enumerate(rows):
        beaten = np.any(np.all(rows <= row, axis=1) & np.any(rows < row, axis=1))
        assert (k in kept) == (not beaten)


def test_two_varied_numbers_make_a_map(tmp_path):
    found = asked(tmp_path / "a", vary={"two_qubit_error": [1e-3, 2e-3], "readout_error": [0.01, 0.02, 0.05]})
    assert found.kinds() == ("map", "tornado")
    content = found.picture("map")
    assert np.shape(content["values"]) == (2, 3)
    assert content["values"][1][2] == pytest.approx(max(point.error for point in found.points))
    assert found.plot().axes[0].get_xlabel() == "readout error"
    with pytest.raises(hybrid.Refused, match="devices that differ in what they cost"):
        found.plot("pareto")
    assert found.columns()[:2] == ("two-qubit error", "readout error")
    assert [row[:2] for row in found.table()][:2] == [("0.001", "0.01"), ("0.001", "0.02")]
    assert found._repr_html_().count("<table") == 3


def test_what_was_done_before_a_kill_is_not_done_again(tmp_path, monkeypatch):
    looked: list[str] = []
    look = module._Looking.at

    def until_the_third(self, variant, seed):
        looked.append(variant.name)
        if len(looked) == 3:
            raise KeyboardInterrupt
        return look(self, variant, seed)

    vary = {"two_qubit_error": [1e-3, 2e-3, 3e-3, 4e-3]}
    whole = asked(tmp_path / "whole", vary=vary)
    monkeypatch.setattr(module._Looking, "at", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        asked(tmp_path / "a", vary=vary)
    again = asked(tmp_path / "a", vary=vary)
    assert looked == [f"two_qubit_error = 0.00{k}" for k in (1, 2, 3, 3, 4)]
    assert [point.model_dump() for point in again.points] == [point.model_dump() for point in whole.points]
    with pytest.raises(hybrid.Refused, match="other arguments: target differ"):
        asked(tmp_path / "a", vary=vary, target=0.02)


@pytest.mark.slow
def test_angles_optimized_anew_lower_the_energy_and_the_envelope_theorem_holds(tmp_path):
    problem = tfim(2)
    circuit = hamiltonian_variational(problem, layers=1)
    line = hybrid.Device(2, "line", two_qubit_error=0.05, readout_error=0.02, readout_bias=0.5)
    options = {"reoptimize": True, "progress": False}
    step = 1e-3
    at = [0.05 * (1 - step), 0.05, 0.05 * (1 + step)]
    found = hybrid.codesign(
        circuit, problem, device=line, vary={"two_qubit_error": at}, folder=tmp_path / "a", **options
    )
    down, middle, up = found.points
    assert middle.noisy < middle.unadapted - 1e-6
    assert middle.noiseless > middle.optimum
    total = (up.noisy - down.noisy) / (2 * step)  # with angles that follow
    assert middle.of("two_qubit_error").elasticity == pytest.approx(total, rel=1e-3)
    assert any("envelope theorem" in note for note in found.notes())


@pytest.mark.slow
def test_energies_with_mitigation_are_drawn_beside_the_others(tmp_path):
    problem = tfim(2)
    found = hybrid.codesign(
        hamiltonian_variational(problem, layers=1),
        problem,
        device=hybrid.Device(2, "line", readout_error=0.1),
        method="model",
        mitigation=["readout"],
        folder=tmp_path / "a",
        progress=False,
    )
    point = found.points[0]
    assert point.mitigated is not None
    assert abs(point.mitigated.value - point.noiseless) < 5 * point.mitigated.standard_error < point.noise
    assert found.columns()[-1] == "mitigated"


@pytest.mark.slow
def test_the_model_is_near_trajectories_of_twelve_qubits(tmp_path):
    problem = tfim(12, periodic=True)
    point = hybrid.codesign(
        hamiltonian_variational(problem, layers=1),
        problem,
        device=hybrid.Device(12, "line", one_qubit_error=3e-4, two_qubit_error=8e-3, readout_error=0.01),
        method="trajectories",
        shots=2000,
        folder=tmp_path / "a",
        progress=False,
    ).points[0]
    assert point.standard_error > 0
    assert abs(point.model_error) < 3 * point.standard_error + 0.1 * point.noise
    assert point.noise > 10 * point.standard_error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vary": {"two_qubit_eror": [0.1]}}, "did you mean 'two_qubit_error'"),
        ({"vary": {"t2": [1e-3]}, "device": hybrid.Device(4, t1=1e-4, one_qubit_s=1e-8, two_qubit_s=1e-7)}, "2 T1|T1"),
        ({"vary": {"readout_error": [1.5]}}, r"vary \(at readout_error = 1.5\)"),
        ({"vary": {"readout_error": [0.1] * 401}}, "401 devices, more than 400"),
        ({"vary": {"readout_error": {"from": 1e-3, "to": 1e-4, "points": 3}}}, "0 < from < to"),
        ({"vary": {"topology": ["lin"]}}, "did you mean 'line'"),
        ({"device": "al-to-all"}, "did you mean 'all-to-all'"),
        ({"device": "all-to-all"}, "there is neither"),
        ({"device": hybrid.Device(3)}, "has 3 qubits, and the circuit takes 4"),
        ({"method": "densty"}, "did you mean 'density'"),
        ({"target": -1.0}, "target must be a positive number"),
        ({"method": "model", "reoptimize": True}, "reoptimize"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(tmp_path, options, message):
    with pytest.raises(hybrid.Refused, match=message) as refused:
        asked(tmp_path / "a", **options)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("constant", [SparsePauliOp("IIII", 3.0), SparsePauliOp("ZZII", 0.0)])
def test_a_constant_is_refused_before_anything_is_written(tmp_path, constant):
    with pytest.raises(Refused, match="the Hamiltonian is a constant"):
        hybrid.codesign(CIRCUIT, constant, device=DEVICE, folder=tmp_path / "a", progress=False)
    assert not list(tmp_path.iterdir())


def test_shots_on_a_perfect_device_err_by_chance_alone(tmp_path):
    point = asked(tmp_path / "a", device=hybrid.Device(4, "line"), method="trajectories", shots=400).points[0]
    assert abs(point.noise) <= 5 * point.standard_error


def test_a_range_is_even_in_its_logarithm(tmp_path):
    found = asked(tmp_path / "a", vary={"two_qubit_error": {"from": 1e-4, "to": 1e-2, "points": 3}})
    assert [point.values["two_qubit_error"] for point in found.points] == pytest.approx([1e-4, 1e-3, 1e-2])
    assert math.log10(found.points[2].error) > math.log10(found.points[0].error)


def test_it_is_read_back_from_its_folder_and_its_record_checked(tmp_path):
    found = asked(tmp_path / "a", vary={"readout_error": [0.05, 0.02]})
    again = hybrid.load(tmp_path / "a", Codesign)
    assert again.sentence() == found.sentence()
    assert again.points == found.points
    checks = {check.name: check.outcome for check in hybrid.verify(tmp_path / "a").checks}
    assert checks == {
        "status": "passed",
        "chain": "passed",
        "signature": "none",
        "record": "passed",
        "result": "passed",
        "numbers": "unchecked",  # of the devices
        "run angles": "passed",
    }
    stage = tmp_path / "a" / "device-0001.json"
    stage.write_text(stage.read_text().replace('"two_qubit_gates": 24', '"two_qubit_gates": 23'))
    with pytest.raises(Refused, match=r"changed after the codesign had ended"):
        hybrid.load(tmp_path / "a")


@pytest.mark.parametrize("method", ["density", "model"])
@pytest.mark.parametrize(
    ("name", "values"), [("idle", [False, True]), ("crosstalk", [0.0, 0.02]), ("leakage", [0.0, 0.02])]
)
def test_what_is_varied_acts_as_in_a_device_of_its_own(method, name, values, tmp_path):
    problem = tfim(4)
    circuit = hamiltonian_variational(problem, layers=2)  # in which gates of the layers run beside each other
    device = hybrid.Device(4, "all-to-all", two_qubit_error=0.01, t1=2e-6, one_qubit_s=1e-8, two_qubit_s=1e-7)
    varied = hybrid.codesign(
        circuit, problem, device=device, vary={name: values}, method=method, folder=tmp_path / "both", progress=False
    )
    own = device.with_(**{name: values[1]})
    alone = hybrid.codesign(circuit, problem, device=own, method=method, folder=tmp_path / "one", progress=False)
    assert varied.points[1].noisy == pytest.approx(alone.points[0].noisy, abs=1e-9)
    assert varied.points[1].size.success == pytest.approx(alone.points[0].size.success)
    if (method, name) != ("model", "idle"):  # the model leaves out what waiting costs
        assert abs(varied.points[1].noisy - varied.points[0].noisy) > 1e-3


def test_the_number_of_qubits_is_varied_with_a_topology(tmp_path):
    problem = tfim(3)
    circuit = hamiltonian_variational(problem, layers=1)
    options = {"device": hybrid.Device(3, two_qubit_error=0.01), "method": "model", "progress": False}
    vary = {"n_qubits": [3, 5], "topology": ["ring"]}
    found = hybrid.codesign(circuit, problem, vary=vary, folder=tmp_path / "found", **options)
    assert [point.values["n_qubits"] for point in found.points] == [3, 5]
    with pytest.raises(Refused, match="together with a topology"):
        hybrid.codesign(circuit, problem, vary={"n_qubits": [3]}, folder=tmp_path / "none", **options)
