"""Sweeps: the grid and the substitution."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from circuits.errors import Refused
from hybrid.studies.study import check
from hybrid.studies.sweep import check_use, fill, grid, placeholders, positions, variables

NAMES = st.sampled_from(["r", "p", "a_1"])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def test_order_is_that_of_the_file():
    points = list(grid({"b": [1, 2], "a": ["x", "y", "z"]}))
    assert points[:4] == [{"b": 1, "a": "x"}, {"b": 1, "a": "y"}, {"b": 1, "a": "z"}, {"b": 2, "a": "x"}]
    assert len(points) == 6
    assert list(grid({})) == [{}]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(NAMES, NUMBERS, min_size=3))
def test_exact_placeholder_keeps_the_number(values):
    filled = fill({name: [{"deep": "{" + name + "}"}] for name in values}, values)
    for name, value in values.items():
        assert filled[name][0]["deep"] is value


@given(NUMBERS, NUMBERS)
def test_numbers_within_text_keep_every_digit(x, y):
    text = fill("H 0 0 {x}; H 0 {x} {y}", {"x": x, "y": y})
    words = text.replace(";", "").split()
    assert [type(x)(words[3]), type(x)(words[6]), type(y)(words[7])] == [x, x, y]


def test_text_without_a_placeholder_stays():
    data = {"a": "plain {} {1} { r }", "b": [1, 2.5, True, None]}
    assert fill(data, {"r": 1}) == data
    assert placeholders(data) == set()


def test_placeholders_are_found_at_any_depth():
    data = {"a": {"b": ["{p}", ["x{q}y{r}"]]}, "c": 3}
    assert placeholders(data) == {"p", "q", "r"}
    check_use(data, {"p": [1], "q": [1], "r": [1]})


def test_strings_may_be_swept():
    text = {
        "problem": {"kind": "tfim", "n": 4},
        "ansatz": {"kind": "{ansatz}", "layers": 1},
        "optimizer": {"kind": "{method}"},
        "sweep": {"ansatz": ["hardware_efficient", "hamiltonian_variational"], "method": ["lbfgs", "adam"]},
    }
    points = check(text, path="x.toml").points()
    assert [(p.spec.ansatz.kind, p.spec.optimizer.kind) for p in points] == [
        ("hardware_efficient", "lbfgs"),
        ("hardware_efficient", "adam"),
        ("hamiltonian_variational", "lbfgs"),
        ("hamiltonian_variational", "adam"),
    ]
    assert points[1].name == "ansatz=hardware_efficient,method=adam"


@pytest.mark.parametrize("values", [[1, "1"], ["a/b", "a_b"], [0.1, 0.1]])
def test_names_of_points_never_collide(values):
    with pytest.raises(ValueError, match="twice"):
        variables({"r": values})


NAMED = [f"r={r},p={p}" for r in (1.2, 1.6) for p in (1, 2)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["2"], [2]),
        (["3", "0-1", "1"], [0, 1, 3]),
        (["r=1.6,p=1", "0"], [0, 2]),
        (["0-3"], [0, 1, 2, 3]),
        ([], []),
    ],
)
def test_points_are_named_by_number_range_or_name(words, found):
    assert positions(words, NAMED) == found


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("4", "points 0 to 3"),
        ("2-4", "points 0 to 3"),
        ("3-1", "points 0 to 3"),
        ("r=1.6,p=3", "did you mean 'r=1.6,p=2'"),
        ("all", "there are 0 .* to 3"),
        ("-1", "unknown point"),
    ],
)
def test_an_unknown_point_is_refused(text, hint):
    with pytest.raises(Refused, match=hint):
        positions([text], NAMED)


CHAINED = {
    "problem": {"kind": "tfim", "n": 3, "field": "{h}"},
    "ansatz": {"kind": "hamiltonian_variational", "layers": "{p}"},
    "run": {"warm_start": True},
    "sweep": {"p": [1, 2], "h": [0.8, 1.0, 1.2]},
}


def test_points_that_start_from_each_other_are_chains_along_the_last_variable():
    study = check(CHAINED, path="x.toml")
    assert study.chains() == [(0, 1, 2), (3, 4, 5)]
    assert check(CHAINED | {"run": {}}, path="x.toml").chains() == [(k,) for k in range(6)]
    with pytest.raises(ValueError, match="warm_start"):
        study.only(["1"])
    with pytest.raises(ValueError, match="no \\[sweep\\]"):
        check(
            {"problem": {"kind": "tfim", "n": 3}, "ansatz": CHAINED["ansatz"] | {"layers": 1}, "run": CHAINED["run"]},
            path="x",
        )


def test_each_point_starts_where_the_one_before_it_ended(tmp_path):
    from hybrid.runs.folder import read_json
    from hybrid.studies.run import run_study

    study = check(CHAINED | {"backend": {"name": "reference"}}, path="x.toml")

    def ignore(*_):
        pass

    outcomes = run_study(
        study, tmp_path / "run", resume=False, on_plan=ignore, on_outcome=ignore, should_stop=lambda: False
    )
    found = [outcome.result.theta.tolist() for outcome in outcomes if outcome.result is not None]
    assert len(found) == 6
    starts = [read_json(tmp_path / "run" / o.point.name / "spec.json")["workload"]["theta"] for o in outcomes]
    for k in (1, 2, 4, 5):
        assert starts[k] == found[k - 1]
    assert starts[3] != found[2][:2]


def test_a_start_of_another_length_is_refused_at_its_point(tmp_path):
    from hybrid.studies.run import run_study

    swapped = CHAINED | {"backend": {"name": "reference"}, "sweep": {"h": [0.8], "p": [1, 2]}}
    outcomes = []
    run_study(
        check(swapped, path="x.toml"),
        tmp_path / "run",
        resume=False,
        on_plan=lambda *_: None,
        on_outcome=outcomes.append,
        should_stop=lambda: False,
    )
    assert outcomes[0].error is None
    assert "4 parameters" in str(outcomes[1].error)
    assert "warm_start" in str(outcomes[1].error)


IMPOSSIBLE = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "file"
path = "{circuit}.qasm"
[optimizer]
kind = "spsa"
accuracy = 0.1
[backend]
name = "aer"
method = "stabilizer"
shots = 10
[sweep]
circuit = ["clifford", "turned"]
"""


def test_what_a_backend_cannot_do_is_refused_before_the_first_point_runs(cli, tmp_path):
    head = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nh q[0];\n'
    (tmp_path / "clifford.qasm").write_text(head)
    (tmp_path / "turned.qasm").write_text(head + "ry(0.3) q[1];\n")
    (tmp_path / "x.toml").write_text(IMPOSSIBLE)
    code, _, err = cli("run", "x.toml", "--folder", "sweep")
    assert code == 2
    assert "circuit = turned" in err
    assert "gate 'ry(0.3)'" in err
    assert not (tmp_path / "sweep").exists()
