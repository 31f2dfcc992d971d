import signal
import subprocess

import pytest

from hybrid.sites.local import Local
from hybrid.sites.script import script
from hybrid.sites.site import Batch
from hybrid.sites.slurm import Slurm, ranges

RUN = """#!/bin/bash
# stands for a run: says that it has begun, saves on a signal, ends with the code that it is told
trap 'exit 75' USR1 TERM
echo "$@" >"{folder}/begun"
[ "$KIND" = quick ] || for i in $(seq 600); do sleep 0.1; done
exit 3
"""


@pytest.fixture
def batch(tmp_path):
    (tmp_path / "batch").mkdir()
    (tmp_path / "run").write_text(RUN.format(folder=tmp_path))
    (tmp_path / "run").chmod(0o755)
    return Batch(tmp_path, "tfim-1234", 1, [0, 1, 5])


@pytest.fixture
def start(batch, tmp_path, monkeypatch):
    """Start the script of a site whose Python is the program above."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "scontrol").write_text(f'#!/bin/bash\necho "$@" >>{tmp_path}/asked\n')
    (tools / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    processes = []

    def begin(site, *arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        batch.script.write_text(script(site, batch, base=batch.run / "studies"))
        processes.append(subprocess.Popen(["bash", str(batch.script), *arguments], start_new_session=True))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def local(batch, **settings):
    return Local(kind="local", python=str(batch.run / "run"), **settings)


def slurm(batch, **settings):
    return Slurm(kind="slurm", python=str(batch.run / "run"), **settings)


def asked(site, batch, monkeypatch):
    """The command line that sbatch gets; it answers with job 7."""
    commands = []

    def answer(command):
        commands.append(command)
        return "MaxArraySize = 1001" if command[0] == "scontrol" else "7"

    monkeypatch.setattr("hybrid.sites.slurm._ask", answer)
    assert [job["id"] for job in site.submit(batch)] == ["7"]
    return commands[-1]


def test_settings_become_options_of_sbatch_and_lines_of_the_script(batch, monkeypatch):
    site = Slurm.model_validate(
        {
            "kind": "slurm",
            "account": "chem",
            "partition": "gpu",
            "time": "02:00:00",
            "nodes": 2,
            "ranks": 4,
            "cpus": 8,
            "gpus": 1,
            "qpu": ["ibm_a", "iqm:b"],
            "gres": "qpu:2,gpu:a100:1",
            "memory": "16G",
            "dependency": "afterok:17",
            "options": ["--constraint=a100"],
            "warn_s": 120,
            "modules": ["cuda"],
            "environment": {"GREETING": "it's me"},
            "setup": ["source venv/bin/activate"],
            "launcher": "srun --mpi=pmi2",
        }
    )
    words = ["--account=chem", "--partition=gpu", "--time=02:00:00", "--nodes=2", "--ntasks=4", "--cpus-per-task=8"]
    words += ["--qpu=ibm_a,iqm:b", "--gres=qpu:2,gpu:a100:1"]
    words += ["--gpus-per-task=1", "--mem=16G", "--dependency=afterok:17", "--constraint=a100", "--requeue"]
    words += ["--signal=B:USR1@120", f"--output={batch.folder}/slurm/%A_%a.out"]
    assert set(words) <= set(asked(site, batch, monkeypatch))
    text = script(site, batch, base=batch.run)
    body = text.splitlines()
    order = [
        "module load cuda || exit",
        "export OMP_NUM_THREADS=8",
        "export GREETING='it'\"'\"'s me' || exit",
        "source venv/bin/activate",
    ]
    assert [body.index(line) for line in order] == sorted(body.index(line) for line in order)
    assert "srun --mpi=pmi2 -n 4 " in text
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


def test_what_is_not_asked_for_is_not_said(batch, monkeypatch):
    site = slurm(batch, requeue=0)
    command = asked(site, batch, monkeypatch)
    assert "--no-requeue" in command
    for word in ("--account", "--partition", "--time", "--nodes", "--gpus", "--qpu", "--gres", "--mem", "--dependency"):
        assert word not in " ".join(command)
    text = script(site, batch, base=batch.run)
    for word in ("module", "srun", "#SBATCH"):
        assert word not in text


def test_nothing_of_the_submitters_environment_is_in_the_script(batch, monkeypatch):
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "t0p-s3cret")
    for site in (local(batch), slurm(batch)):
        text = script(site, batch, base=batch.run)
        assert "t0p-s3cret" not in text
        assert "QISKIT_IBM_TOKEN" not in text


def test_the_run_gets_its_point_and_its_code_is_passed_on(batch, start):
    assert start(local(batch), "5", KIND="quick").wait() == 3
    words = (batch.run / "begun").read_text().split()
    assert words[-2:] == ["--only", "5"]
    assert words[words.index("--folder") + 1] == str(batch.run)
    assert words[words.index("--base") + 1] == str(batch.run / "studies")


def test_an_array_that_starts_further_up(batch, start):
    assert start(slurm(batch), "1000", KIND="quick", SLURM_ARRAY_TASK_ID="7", SLURM_JOB_ID="9").wait() == 3
    assert (batch.run / "begun").read_text().split()[-1] == "1007"
    assert (batch.folder / "1007.log").exists()


@pytest.mark.parametrize(
    ("number", "restarts", "code", "asked"),
    [
        (signal.SIGUSR1, "0", 75, "requeue 9"),
        (signal.SIGUSR1, "2", 75, None),
        (signal.SIGTERM, "0", 143, None),
    ],
    ids=["requeued", "too often", "cancelled"],
)
def test_a_signal_saves_and_goes_back_into_the_queue(batch, start, wait_until, number, restarts, code, asked):
    environment = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "9", "SLURM_RESTART_COUNT": restarts}
    process = start(slurm(batch, requeue=2), "0", **environment)
    wait_until((batch.run / "begun").exists, process)
    process.send_signal(number)
    assert process.wait() == code
    said = batch.run / "asked"
    assert (said.read_text().strip() if said.exists() else None) == asked


def test_a_module_that_is_missing_ends_the_task_before_the_run(batch, start):
    assert start(local(batch, modules=("no-such-module",)), "0").wait() != 0
    assert not (batch.run / "begun").exists()
    assert "module" in (batch.folder / "0.log").read_text()


def test_a_time_limit_on_this_machine_is_told_to_the_run(batch):
    assert "export HYBRID_END_TIME=$(($(date +%s) + 5400))" in script(
        local(batch, time="1:30:00"), batch, base=batch.run
    )


def test_ranges():
    assert ranges([]) == ""
    assert ranges([5, 3, 4, 9]) == "3-5,9"
