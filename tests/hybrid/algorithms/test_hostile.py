"""Folders that are not as they were left: each is one clear sentence with the cure, and nothing is lost."""

import errno
import json
import shutil
from pathlib import Path

import pytest

import hybrid
from circuits import hamiltonian_variational, maxcut, tfim
from circuits.errors import RecordFailed, Refused
from hybrid.runs import files, stages
from hybrid.runs.export import document_of
from hybrid.runs.files import reason

ODD = "-a 'b' \"ü\nx"
CHAIN = tfim(3)


def evolve(folder):
    circuit = hamiltonian_variational(CHAIN, layers=2)
    return hybrid.imaginary_time_evolution(circuit, CHAIN, time=0.5, steps=5, theta=[0.1] * 4, folder=folder)


def cut(folder):
    return hybrid.qaoa(maxcut([(0, 1), (1, 2), (2, 0)]), layers=2, samples=20, backend="statevector", folder=folder)


@pytest.mark.parametrize("make", [evolve, cut])
def test_an_odd_name_is_a_name_like_any_other(make, cli, tmp_path):
    found = make(tmp_path / ODD)
    assert str(hybrid.load(found.folder)) == str(found)
    assert cli("show", f"./{ODD}")[0] == 0
    assert hybrid.report(found.folder).exists()
    assert document_of(found.folder).algorithms[0].folder == ODD


def test_a_full_disk_in_the_middle_of_a_trajectory_costs_one_point(tmp_path, monkeypatch):
    whole = evolve(tmp_path / "whole")
    append, number = files.append, 0

    def full(path, line):
        nonlocal number
        number += 1
        if number > 3:
            with path.open("ab") as file:
                file.write(b'{"theta": [0.1')  # as far as there was room
            raise RecordFailed(f"{path} cannot be written: {reason(OSError(errno.ENOSPC, 'full'))}")
        append(path, line)

    monkeypatch.setattr(stages, "append", full)
    with pytest.raises(RecordFailed, match="make room, then resume"):
        evolve(tmp_path / "full")
    assert len(document_of(tmp_path / "full").runs[0].rows) == 3
    assert "Not finished" in hybrid.report(tmp_path / "full").read_text()
    monkeypatch.setattr(stages, "append", append)
    again = evolve(tmp_path / "full")
    assert again.thetas.tobytes() == whole.thetas.tobytes()


def test_a_moved_folder_goes_on_and_a_copy_is_as_good(tmp_path):
    found = cut(tmp_path / "here")
    shutil.copytree(found.folder, tmp_path / "copy")
    moved = found.folder.rename(tmp_path / "there")
    for place in (moved, tmp_path / "copy"):
        (place / "samples.json").unlink()
        (place / "result.json").unlink()
        shutil.rmtree(place / "layers-2")
        assert str(cut(place)).replace(str(place), "") == str(found).replace(str(tmp_path / "here"), "")


@pytest.mark.parametrize("name", ["algorithm.json", "result.json", "exact.json"])
def test_a_damaged_file_is_named(name, tmp_path, cli):
    folder = evolve(tmp_path / "e").folder
    (folder / name).write_text('{"format": 1, ')
    with pytest.raises(Refused, match=rf"{name} is damaged"):
        hybrid.load(folder)
    code, _, err = cli("verify", "e")
    assert code in (2, 3)
    assert "Traceback" not in err


def test_a_sweep_without_points_says_so(tmp_path):
    (tmp_path / "sweep.json").write_text(json.dumps({"points": []}))
    with pytest.raises(Refused, match="no point yet"):
        hybrid.report(tmp_path)
    assert document_of(tmp_path).runs == []


def test_a_failed_point_and_points_of_algorithms_stand_side_by_side(cli, tmp_path):
    found = cut(tmp_path / "p=1")
    failed = {"values": {"p": 2}, "status": "failed", "message": "it broke"}
    done = {"values": {"p": 1}, "status": "converged", "folder": str(found.folder)}
    (tmp_path / "sweep.json").write_text(json.dumps({"points": [done, failed]}))
    content = hybrid.report(tmp_path).read_text()
    assert "it broke" in content
    assert "Best bit string" in content
    document = document_of(tmp_path)
    assert [run.values for run in document.runs] == [{"p": 1, "stage": name} for name in ("layers-1", "layers-2")]
    assert [one.message for one in document.failures] == ["it broke"]
    assert Path("report.html").exists()


def test_a_run_without_an_exact_energy_is_reported_and_exported(tmp_path):
    made = hybrid.minimize(
        hamiltonian_variational(CHAIN, layers=1), CHAIN, backend="reference", exact=False, folder=tmp_path / "run"
    )
    assert "The exact energy is not known" in made.report().read_text()
    assert document_of(made.folder).runs[0].summary.exact_energy is None
