"""What a notebook shows of a refused request, in a real kernel."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
jupyter_client = pytest.importorskip("jupyter_client", reason="the extra 'notebooks' is not installed")

CELL = """import backends
from circuits import hardware_efficient, tfim

def ask(name):
    return backends.get(name)

ask("statevektor")
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A function that runs a cell and gives the lines that its error shows, and its name and text."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    manager, client = jupyter_client.manager.start_new_kernel(cwd=str(tmp_path_factory.mktemp("n")), env=environment)

    def run(cell):
        found = {}

        def hook(message):
            if message["msg_type"] == "error":
                found.update(message["content"])

        client.execute_interactive(cell, output_hook=hook, timeout=300)
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(found["traceback"]))
        return text.splitlines(), found["ename"], found["evalue"]

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_refusal_is_one_line_of_the_users_own_and_a_sentence(shown):
    lines, name, sentence = shown(CELL)
    assert name == "Refused"
    assert "did you mean 'statevector'?" in sentence
    assert re.fullmatch(r"Cell In\[\d+\], line 5 \(%tb shows the whole traceback\)", lines[0])
    assert lines[1:] == ["---->     return backends.get(name)", "", f"Refused: {sentence}"]
    whole, name, _ = shown("%tb")
    assert name == "Refused"
    assert any("registry.py" in line for line in whole)
    assert any('ask("statevektor")' in line for line in whole)


def test_a_kind_of_refusal_keeps_its_name_and_hides_its_cause(shown):
    lines, _, _ = shown(
        "from circuits import Problem\n"
        "from circuits.errors import BudgetExceeded\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError as err:\n    raise BudgetExceeded('no money is left') from err"
    )
    assert lines[-1] == "BudgetExceeded: no money is left"
    assert len(lines) == 4


def test_other_errors_are_shown_as_ever(shown):
    lines, name, _ = shown("from circuits import FailedJob\nraise FailedJob('the job failed')")
    assert name == "FailedJob"
    assert "Traceback (most recent call last)" in lines[1]


def test_outside_of_a_notebook_nothing_changes():
    import traceback

    from circuits import Refused, tfim

    with pytest.raises(Refused) as caught:
        tfim(-1)
    assert "Traceback (most recent call last)" in traceback.format_exception(caught.value)[0]
    short = caught.value._render_traceback_()
    assert short[0].startswith(f"{__file__}, line ")
    assert "tfim(-1)" in short[1]
    assert "Traceback (most recent call last)" in caught.value._render_traceback_()[0]
