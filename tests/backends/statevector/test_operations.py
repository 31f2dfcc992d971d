"""What a roofline counts, held against what XLA counts in the compiled program."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from backends.statevector.choose import choose
from backends.statevector.circuit.lower import lower
from backends.statevector.representation import Question
from backends.statevector.sector import program
from backends.statevector.sector.representation import Sector
from circuits import molecule, uccsd


def test_the_operations_of_a_sector_are_those_of_its_compiled_program(monkeypatch):
    """Per factor: by how much XLA's count grows with the number of factors, written out one by one."""
    monkeypatch.setattr(jax.lax, "scan", partial(jax.lax.scan, unroll=True))
    problem, real = molecule("Li 0 0 0; H 0 0 1.6", basis="sto-3g", active_space=(2, 4)), np.dtype(np.float32)
    sector = choose(Question(lower(uccsd(problem)), real, (problem.hamiltonian,)))
    assert isinstance(sector, Sector)
    arrays = sector.program().arrays
    observed = (program.terms(problem.hamiltonian, sector.part.states, real),)
    angles = np.zeros(int(max(arrays.slot)) + 1, real)

    def counted(n_factors: int) -> float:
        some = {name: x if name == "start" else x[:n_factors] for name, x in arrays._asdict().items()}
        f = jax.jit(lambda a: program.energies_and_slopes(program.Arrays(**some), a, observed))
        return f.lower(angles).compile().cost_analysis()["flops"]

    n_factors = len(sector.question.factors) - sector.part.first
    without = replace(sector, part=sector.part._replace(first=len(sector.question.factors)))
    ours = (sector.work()["flops"] - without.work()["flops"]) / n_factors
    assert ours == pytest.approx((counted(6) - counted(2)) / 4, rel=0.3)
