"""Input files of a study count by what they hold: not by where they lie, nor by what they are called alone."""

import shutil

import pytest

import hybrid

STUDY = """
[problem]
kind = "pauli_terms"
path = "terms.txt"
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
max_steps = 4
[backend]
name = "reference"
[run]
seed = "{s}"
[sweep]
s = [1, 2]
"""


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "x.toml").write_text(STUDY)
    (folder / "terms.txt").write_text("-1.0 ZZ\n0.5 XI\n")
    return folder / "x.toml"


def energies(folder):
    return {path.name: hybrid.resume(path).energy for path in sorted(folder.glob("s=*"))}


def test_a_changed_input_is_not_mixed_in(study, cli, tmp_path):
    code, *_ = cli("run", study, "--folder", tmp_path / "run", "--no-plot")
    assert code == 3
    shutil.rmtree(tmp_path / "run" / "s=2")
    study.with_name("terms.txt").write_text("+1.0 ZZ\n0.5 XI\n")
    code, _, err = cli("run", study, "--folder", tmp_path / "run", "--resume", "--no-plot")
    assert code == 2
    assert "the content of terms.txt differs" in err
    assert not (tmp_path / "run" / "s=2").exists()


def test_a_study_that_was_moved_with_its_inputs_goes_on(study, cli, tmp_path):
    cli("run", study, "--folder", tmp_path / "whole", "--no-plot")
    cli("run", study, "--folder", tmp_path / "run", "--no-plot")
    shutil.rmtree(tmp_path / "run" / "s=2")
    study.parent.rename(tmp_path / "there")
    code, _, err = cli("run", tmp_path / "there" / "x.toml", "--folder", tmp_path / "run", "--resume", "--no-plot")
    assert code == 3, err
    assert energies(tmp_path / "run") == energies(tmp_path / "whole")


def test_a_file_of_another_name_and_the_same_content_is_another_study(study, cli, tmp_path):
    cli("run", study, "--folder", tmp_path / "run", "--no-plot")
    study.with_name("terms.txt").rename(study.with_name("other.txt"))
    study.write_text(STUDY.replace("terms.txt", "other.txt"))
    code, _, err = cli("run", study, "--folder", tmp_path / "run", "--resume", "--no-plot")
    assert code == 2
    assert "[problem]" in err


def test_a_byte_order_mark_is_not_part_of_the_text(study, cli, tmp_path):
    study.write_text(STUDY, encoding="utf-8-sig")
    assert cli("plan", study)[0] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STUDY + "[problem." + "a." * 5000 + "b]\n", "nested deeper than 16"),
        (STUDY.replace("max_steps = 4", "max_steps = " + "9" * 400), "max_steps"),
        (STUDY.replace("s = [1, 2]", "s = [" + "9" * 400 + "]"), "seed"),
        (STUDY.replace("max_steps = 4", "max_steps = " + "9" * 5000), "not TOML"),
    ],
)
def test_what_is_too_long_or_too_deep_is_refused(study, cli, text, words):
    study.write_text(text)
    code, _, err = cli("run", study)
    assert code == 2
    assert words in err
    assert len(err) < 1000


def test_a_point_whose_folder_could_not_be_named_is_refused_before_any_runs(study, cli, tmp_path):
    long = study.with_name("a" * 240)
    long.write_text("1.0 ZZ\n")
    text = (
        STUDY.replace('"terms.txt"', '"{s}"')
        .replace('seed = "{s}"', "")
        .replace("[1, 2]", f'["terms.txt", "{long.name}"]')
    )
    study.write_text(text)
    code, _, err = cli("run", study, "--folder", tmp_path / "run")
    assert code == 2
    assert "name of 242 bytes" in err
    assert not (tmp_path / "run").exists()
