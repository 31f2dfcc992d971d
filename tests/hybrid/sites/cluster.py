"""A real Slurm of one node, for tests: its own configuration in a temporary folder, its own ports, nothing else."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CredType=cred/munge
MpiDefault=pmi2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
MaxArraySize={array_size}
KillWait=5
MinJobAge=3600
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=60 State=UP
"""


def why_not() -> str | None:
    """Why there can be no Slurm here; None if there can."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"Slurm is not installed: no {', '.join(missing)}"
    return None if os.geteuid() == 0 else "Slurm's daemons are started as root here"


class Cluster:
    """While it is entered, a Slurm answers to the environment variable ``SLURM_CONF`` that `conf` is for.

    Args:
        cpus: Cores that the node claims to have.
        array_size: Slurm's MaxArraySize.
    """

    def __init__(self, *, cpus: int, array_size: int):
        self._cpus, self._array_size = cpus, array_size
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        self._folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # a short path: sockets have no room for a long one
        self.conf = self._folder / "slurm.conf"
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder, host = self._folder, socket.gethostname().partition(".")[0]
        controller, node = _free_ports(2)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        self.conf.write_text(
            CONFIGURATION.format(
                host=host,
                controller=controller,
                node=node,
                folder=folder,
                cpus=self._cpus,
                array_size=self._array_size,
            )
        )
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n")
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        munge = [f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in ("key-file", "pid-file", "seed-file")]
        munge += [f"--socket={folder}/munge.sock", f"--log-file={folder}/munge.log", "--num-threads=2"]
        self._daemon("munged", "--foreground", "--force", *munge)
        self._wait((folder / "munge.sock").exists)
        self._daemon("slurmctld", "-D", "-i", "-f", str(self.conf))
        self._daemon("slurmd", "-D", "-f", str(self.conf))
        self._wait(lambda: self.ask("sinfo", "--noheader", "--format=%T") == "idle")

    def ask(self, *command: str) -> str:
        """What a command of Slurm says, and nothing if it fails."""
        environment = os.environ | {"SLURM_CONF": str(self.conf)}
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout.strip()

    def _daemon(self, *command: str) -> None:
        with (self._folder / f"{command[0]}.out").open("w") as out:
            environment = os.environ | {"SLURM_CONF": str(self.conf)}
            self._daemons.append(subprocess.Popen(command, stdout=out, stderr=out, env=environment))

    def _wait(self, true) -> None:
        deadline = time.monotonic() + 60
        while not true():
            for daemon in self._daemons:
                assert daemon.poll() is None, self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.1)

    def _said(self) -> str:
        files = [*self._folder.glob("*.out"), *self._folder.glob("*.log")]
        return "\n".join(f"{file.name}: {file.read_text(errors='replace')[-2000:]}" for file in files)

    def __exit__(self, *_: object) -> None:
        try:
            if len(self._daemons) == 3:
                self._end_jobs()
        finally:
            for daemon in reversed(self._daemons):
                daemon.terminate()
                try:
                    daemon.wait(10)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end_jobs(self) -> None:
        self.ask("scancel", "--me")
        self.ask("scancel", "--me", "--signal=KILL", "--full")
        deadline = time.monotonic() + 20
        while self.ask("squeue", "--noheader") and time.monotonic() < deadline:
            time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
