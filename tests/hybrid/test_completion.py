"""What shells complete, asked of the shells themselves; the manual page; and the words before any command."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from hybrid.cli.app import SUMMARY, app
from hybrid.cli.manual import manual
from hybrid.cli.tree import commands

ROOT = Path(__file__).parents[2]


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder with study files, a run, a run noted elsewhere, and a site."""
    monkeypatch.chdir(tmp_path)
    for name in ("curve.toml", "cold.toml", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "runs" / "lih-2026").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "runs.txt").write_text("/far/away/h2-2025\n")
    (tmp_path / "sites.toml").write_text('[lumi]\nkind = "slurm"\n')
    monkeypatch.setenv("HYBRID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    return tmp_path


def script(cli, shell):
    code, out, err = cli("completion", shell)
    assert code == 0, err
    return out


def bash(text, *words):
    """What bash completes the last word to."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"{text}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; compopt() {{ :; }}\n_hybrid\n"
    asked += 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hybrid", "su"], ["submit"]),
        (["hybrid", "--v"], ["--version"]),
        (["hybrid", "submit", "--po"], ["--points", "--points-per-task"]),
        (["hybrid", "submit", "--site", "l"], ["local", "lumi"]),
        (["hybrid", "run", "c"], ["curve.toml", "cold.toml"]),
        (["hybrid", "run", "--backend", "statev"], ["statevector"]),
        (["hybrid", "verify", "l"], ["lih-2026"]),
        (["hybrid", "show", "h"], ["h2-2025"]),
        (["hybrid", "runs", "--status", "stal"], ["stalled"]),
        (["hybrid", "new", "si"], ["site"]),
        (["hybrid", "completion", "z"], ["zsh"]),
    ],
)
def test_bash_completes_commands_options_files_and_runs(cli, there, words, expected):
    assert sorted(bash(script(cli, "bash"), *words)) == sorted(expected)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_options_and_runs(cli, there):
    def fish(line):
        asked = ["fish", "--no-config", "-c", f"source {there / 'c.fish'}; complete -C {line!r}"]
        environment = os.environ | {"HOME": str(there), "XDG_CONFIG_HOME": str(there)}
        done = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment)
        return [row.partition("\t")[0] for row in done.stdout.splitlines()]

    (there / "c.fish").write_text(script(cli, "fish"))
    assert fish("hybrid subm") == ["submit"]
    assert fish("hybrid submit --thr") == ["--throttle"]
    assert fish("hybrid show lih") == ["lih-2026"]
    assert fish("hybrid submit --site lu") == ["lumi"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script(cli, there):
    (there / "c.zsh").write_text(script(cli, "zsh"))
    done = subprocess.run(
        ["zsh", "-f", "-c", f"autoload -Uz compinit; compinit -D; source {there / 'c.zsh'}; print $_comps[hybrid]"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(there)},
    )
    assert (done.stdout.split(), done.stderr) == (["_hybrid"], "")


def test_another_shell_is_refused(cli):
    code, out, err = cli("completion", "bahs")
    assert (code, out) == (2, "")
    assert "did you mean 'bash'" in err


def test_the_manual_page_is_that_of_the_commands():
    page = manual(commands(app), summary=SUMMARY)
    assert (ROOT / "docs" / "hybrid.1").read_text() == page, "the commands have changed: run make man"
    for command in commands(app):
        assert f'.SS "hybrid {command.name}' in page


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_page_without_a_warning():
    done = subprocess.run(
        ["man", "--warnings", "-l", str(ROOT / "docs" / "hybrid.1")],
        capture_output=True,
        text=True,
        env=os.environ | {"MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "--points-per-task N" in done.stdout
    assert "75 stopped" in " ".join(done.stdout.split())


def test_the_version_is_that_of_the_package(cli):
    assert cli("--version")[:2] == (0, f"hybrid {version('hybrid-codesign')}\n")
    said = subprocess.run([sys.executable, "-m", "hybrid", "--version"], capture_output=True, text=True, cwd=ROOT)
    assert said.stdout == f"hybrid {version('hybrid-codesign')}\n"
