"""Whatever users name, nothing of it is run, and nothing is added to what is asked for: it works, or it is refused."""

import json
import os
import subprocess
import sys

import pytest

from circuits.errors import Refused
from hybrid.sites.file import read
from hybrid.sites.script import script
from hybrid.sites.site import Batch
from hybrid.sites.words import job_word

NAMES = [
    "; touch PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "| touch PWNED",
    "&touch PWNED&",
    "&& touch PWNED",
    "' ; touch PWNED ; '",
    '" ; touch PWNED ; "',
    "\\'; touch PWNED; \\'",
    "\\",
    ">PWNED",
    "<PWNED",
    "#SBATCH --comment=PWNED",
    "a\tb",
    "a  b",
    "*",
    "?[a-z]",
    "{a,b}",
    "~",
    "!!",
    "-n",
    "--help",
    "$HOME ${IFS} $((1+1)) $'a'",
    "(a)",
    "a=b",
    "%A_%a %%",
    "é 日本",
    "\u202e",
    "é" * 127,
]
"""Names that a folder of this machine may have."""

BROKEN = ["a\ntouch PWNED; #", "a\r\ntouch PWNED", "a\rb", "a\x1b[31m", "a\x7f", "a\x85touch PWNED", "a\u2028b"]
"""Names that end a line somewhere, or cannot be seen."""

STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
"""

RUN = f"""#!{sys.executable} -I
# stands for runs: writes down what it was given
import json, os, sys
with open(os.environ["SEEN"], "w") as file:
    json.dump([sys.argv[1:], os.getcwd(), os.environ.get("VALUE")], file)
"""

MODULE = '() { printf \'%s\\n\' "$#" "$@" >>../modules; }'


def toml(value):
    """A value as TOML has it; its strings are those of JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {toml(item)}" for name, item in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def site(tmp_path):
    """The site of a file with these settings."""

    def write(kind="local", **settings):
        lines = [f"{key} = {toml(value)}" for key, value in settings.items()]
        (tmp_path / "sites.toml").write_text("\n".join([f'[lab]\nkind = "{kind}"', *lines]) + "\n")
        return read(tmp_path / "sites.toml")["lab"]

    return write


@pytest.fixture
def ran(tmp_path):
    """Run the script of point 3 in an empty folder; what its run was given, and which files lie there afterwards."""
    here, run = tmp_path / "here", tmp_path / "run"
    here.mkdir()
    run.write_text(RUN)
    run.chmod(0o755)

    def call(site, folder, base):
        batch = Batch(folder, "name-1", 1, [3])
        batch.folder.mkdir(parents=True)
        batch.script.write_text(script(site, batch, base=base), encoding="utf-8")
        environment = os.environ | {"SEEN": str(tmp_path / "seen"), "BASH_FUNC_module%%": MODULE}
        done = subprocess.run(["bash", batch.script, "3"], cwd=here, env=environment, capture_output=True, text=True)
        said = (batch.folder / "3.log").read_text()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), said
        assert [line[:4] for line in said.splitlines()] == ["--- ", "--- "]
        return [*json.loads((tmp_path / "seen").read_text()), list(here.iterdir())]

    call.python = str(run)
    return call


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_anything_is_one_word_of_the_script(site, ran, tmp_path, name):
    settings = site(python=ran.python, environment={"VALUE": name}, modules=["gcc/12.2", "py+x@3:a=b"], cpus=1)
    folder, base = tmp_path / name / "sweep", tmp_path / name
    words, here, value, left = ran(settings, folder, base)
    head = ["-P", "-m", "hybrid.cli", "run", f"{folder}/batch/study.toml", "--base", str(base), "--folder", str(folder)]
    assert words == [*head, "--resume", "--json", "--no-plot", "--only", "3"]
    assert (here, value, left) == (str(tmp_path / "here"), name, [])
    assert {path.name for path in folder.iterdir()} == {"batch"}
    assert {path.name for path in (folder / "batch").iterdir()} == {"job-1.sh", "3.log", "3.json"}
    assert (tmp_path / "modules").read_text() == "2\nload\ngcc/12.2\n2\nload\npy+x@3:a=b\n"


@pytest.mark.parametrize("name", ["two words", "$(touch PWNED)", "a;b", "a'b", "=", "é"])
def test_a_program_is_one_word_and_a_launcher_words_that_are_not_expanded(site, ran, tmp_path, name):
    program, launcher = tmp_path / f"x{name}", tmp_path / "launch"
    os.link(ran.python, program)
    launcher.write_text('#!/bin/bash\nprintf "%s\\n" "$@" >../launched\nshift 3\nexec "$@"\n')
    launcher.chmod(0o755)
    settings = site(python=str(program), ranks=2, launcher=f'{launcher} --tag="{name}"')
    assert ran(settings, tmp_path / "sweep", tmp_path)[-1] == []
    assert (tmp_path / "launched").read_text().splitlines()[:4] == [f"--tag={name}", "-n", "2", str(program)]


@pytest.mark.parametrize("line", ["set -eu", "point=7; output=/nowhere; run=1; code=1; received=TERM", "note() { :; }"])
def test_no_setup_changes_what_the_script_does_itself(site, ran, tmp_path, line):
    settings = site(python=ran.python, setup=[line], environment={"point": "8"})
    assert ran(settings, tmp_path / "sweep", tmp_path)[0][-1] == "3"


@pytest.mark.parametrize("name", [*NAMES, *BROKEN])
def test_what_stands_for_one_word_of_slurm_stays_one_or_is_refused(site, tmp_path, monkeypatch, name):
    (tmp_path / "batch").mkdir()
    accepted = set()
    for key in ("account", "partition", "qos", "memory", "dependency", "options"):
        commands = []

        def answer(command, commands=commands):
            commands.append(command)
            return "MaxArraySize = 9\n" if command[0] == "scontrol" else "7"

        monkeypatch.setattr("hybrid.sites.slurm._ask", answer)
        try:
            settings = site("slurm", **{key: [f"--comment={name}"] if key == "options" else name})
        except Refused:
            continue
        accepted.add(key)
        assert [job["id"] for job in settings.submit(Batch(tmp_path, "name-1", 1, [3]))] == ["7"]
        option = {"memory": "mem", "options": "comment"}.get(key, key)
        assert [word for word in commands[-1] if word.startswith(f"--{option}=")] == [f"--{option}={name}"]
    assert accepted <= {"options"} or not set(name) & set(" \t\n\"'\\;$`<>#")
    assert ("options" in accepted) == (name in NAMES), "a comment may hold anything that stays one line"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modules", ["-n"]),
        ("modules", ["a b"]),
        ("modules", ["$(touch PWNED)"]),
        ("modules", ["*"]),
        ("python", "-c"),
        ("python", "A=b"),
        ("python", ""),
        ("launcher", ""),
        ("launcher", "srun 'a"),
        ("environment", {"A;touch PWNED": "1"}),
        ("environment", {"é": "1"}),
        ("environment", {"hybrid_point": "1"}),
        *[("setup", [name]) for name in BROKEN],
        *[("launcher", name) for name in BROKEN],
        *[("python", name) for name in BROKEN],
        *[("environment", {"A": name}) for name in BROKEN],
        *[("environment", {name: "1"}) for name in BROKEN],
    ],
)
def test_settings_that_no_script_could_have_are_refused(site, key, value):
    with pytest.raises(Refused, match=rf"\[lab\] {key}") as refused:
        site(**{key: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "option", ["--array=0-9", "--arr=1", "--wrap=touch PWNED", "--account=b", "--output=x", "--sig=9", "--no-requeue"]
)
def test_options_cannot_take_back_what_the_keys_say(site, option):
    assert site("slurm", account="a", options=["--gpus=4", "--comment=a --account=b"])
    with pytest.raises(Refused, match="is the toolkit's to give"):
        site("slurm", account="a", options=[option])


@pytest.mark.parametrize("name", [*BROKEN, "\udce9", "é" * 128, "/".join(["a" * 250] * 17)])
def test_a_folder_that_no_script_can_name_is_refused_before_anything_is_written(name, cli, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    before = sorted(tmp_path.rglob("*"))
    for command in (["submit", "study.toml", "--folder"], ["status"], ["cancel"]):
        code, out, err = cli(*command, name)
        assert (code, out) == (2, "")
        assert "the folder" in err
        assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_slurm_takes_no_backslash_and_says_so_before_anything_is_written(cli, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "sites.toml").write_text('[lab]\nkind = "slurm"\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    code, _, err = cli("submit", "study.toml", "--site", "lab", "--folder", "a\\b")
    assert (code, (tmp_path / "a\\b").exists()) == (2, False)
    assert "backslash" in err


@pytest.mark.parametrize("name", [*NAMES[:-1], *BROKEN, "é" * 125, "a\udce9"])
def test_a_study_file_may_have_any_name(cli, tmp_path, monkeypatch, name):
    """Its name is in no script; the job's and the folder's are words made from it."""
    handed = []

    def take(self, batch):
        handed.append((batch, batch.script.read_text()))
        yield {"host": "here"}

    monkeypatch.setattr("hybrid.sites.local.Local.submit", take)
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path / "runs"))
    (tmp_path / f"{name}.toml").write_text(STUDY)
    code, out, err = cli("submit", "--json", "--", f"{name}.toml")
    assert code == 0, err
    ((batch, text),) = handed
    assert job_word(batch.name) == batch.name
    assert len(batch.name) < 80
    assert json.loads(out)["folder"] == str(batch.run)
    assert batch.run.parent == tmp_path / "runs"
    assert all(line.startswith(("#!", "# One", "# 75")) for line in text.splitlines() if "#" in line)
    assert "PWNED" not in text.replace(str(batch.run), "")
