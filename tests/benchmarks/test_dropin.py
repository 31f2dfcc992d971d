"""Scripts of Qiskit's and PennyLane's users give the same with one line changed."""

import sys
from pathlib import Path

import jax
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # where the script lies

import dropin


@pytest.fixture
def precision():
    """One of the scripts sets JAX's precision, as users do."""
    before = jax.config.jax_enable_x64
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", dropin.EXAMPLES)
def test_answers_are_those_of_the_published_script(name, precision):
    published = dropin.play(dropin.source(name, dropin.contestants(name)[0], small=True))
    for contestant in dropin.contestants(name):
        if contestant.startswith("hybrid"):
            changed = dropin.play(dropin.source(name, contestant, small=True))
            assert dropin.differ(published["answer"], changed["answer"]) < dropin.EXAMPLES[name].tolerance


@pytest.mark.parametrize("name", dropin.EXAMPLES)
def test_one_line_is_changed(name):
    first, *others = (dropin.source(name, contestant).splitlines() for contestant in dropin.contestants(name))
    assert first == (dropin.FOLDER / f"{name}.py").read_text().splitlines()
    for other in others:
        assert sum(one != another for one, another in zip(first, other, strict=True)) == 1
