"""Command lines on the pages are understood by the program, and those that need nobody else are run."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import inline, lines, of_block
from guides import GUIDES, ROOT, blocks
from typer.main import get_command

from hybrid.cli.app import app

ELSEWHERE = ("ibm:ibm_", "--site", "srun", "RUN", "PBS_ARRAY_INDEX", "runs/chain-")
"""What stands in lines that need a vendor, a cluster, or a run that a reader would have."""

LEFT_OUT = {
    "README.md": ("curve", "torino", "statevector,aer", "hybrid sign", "hybrid codesign"),
    "batch.md": ("here, now", "--wait"),
    "benchmark_formats.md": ("--circuits",),
    "benchmarks.md": ("ibm:fake_torino",),
    "comparing.md": ("ibm:fake_manila",),
    "machine.md": ("runs/", "--repetition-rate"),
    "registry.md": ("runs/", "registry show"),
}
"""What stands in lines that need what such a line makes, leave the next one nothing to do, or take half an hour."""

NOT_RUN = {"hardware.md", "reviewers.md"}
"""Pages whose lines all need a vendor, or that have a test of their own."""

GIVEN = """
[problem]
kind = "tfim"
n = 3
field = {field}
[ansatz]
kind = "hamiltonian_variational"
layers = 2
"""
SWEEP = """
[sweep]
r = [1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1]
"""
"""The study.toml of pages that do not say how to make one; that of the guide to batches has points."""

OTHER_CODES = {
    "hybrid cancel curve": {0, 2},  # nothing waits any more where the machine is fast
    "hybrid cancel curve 3 7-9 r=1.6": {0, 2},
    "hybrid run study.toml --folder curve --resume": {0, 2},  # refused while what was cancelled saves its work
}


def parsed(arguments):
    group = get_command(app)
    context = group.make_context("hybrid", list(arguments[:1]))
    command = group.commands[arguments[0]]
    with command.make_context(arguments[0], list(arguments[1:]), parent=context) as made:
        return made


@pytest.mark.parametrize("line", lines(), ids=lambda line: f"{line.page}: {line.text[:60]}")
def test_the_program_understands_the_line(line):
    assert parsed(line.arguments) is not None


def test_a_misspelt_option_would_be_noticed():
    with pytest.raises(Exception, match="folde"):
        parsed(["run", "study.toml", "--foldex", "x"])


def test_the_program_understands_commands_within_sentences():
    for page, text in inline():
        arguments = shlex.split(text)[1:]
        command = get_command(app).commands.get(arguments[0])
        assert command is not None, f"{page}: {text}"
        known = {word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)}
        for word in arguments[1:]:
            assert not word.startswith("--") or word.partition("=")[0] in {*known, "--help"}, f"{page}: {text}"


def _pages():
    return [page for page in GUIDES if page.name not in NOT_RUN and any(map(of_block, blocks(page, "sh")))]


@pytest.mark.slow
@pytest.mark.parametrize("page", _pages(), ids=lambda page: page.name)
def test_a_new_user_types_the_lines_of_a_page(page, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    swept = GIVEN.format(field='"{r}"') + SWEEP
    (tmp_path / "study.toml").write_text(swept if page.name == "batch.md" else GIVEN.format(field=1.5))
    for line in (line for block in blocks(page, "sh") for line in of_block(block)):
        if any(word in line.text for word in (*ELSEWHERE, *LEFT_OUT.get(page.name, ()))):
            continue
        text = line.text.replace("-n 8", "-n 2")  # so many ranks as any machine has cores for
        ended = subprocess.run(
            text, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200, check=False
        )
        codes = OTHER_CODES.get(line.text.partition("  ")[0].strip(), {0, 3} if "adam" in line.text else {0})
        assert ended.returncode in codes, f"{line.text}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
