"""Which representation of the state is chosen, and that a further one is one line."""

import inspect

import numpy as np
import pytest

from backends.statevector import choose as choosing
from backends.statevector import native
from backends.statevector.choose import REPRESENTATIONS, choose
from backends.statevector.circuit.lower import lower
from backends.statevector.native.representation import NativeWhole
from backends.statevector.parts.representation import InParts
from backends.statevector.representation import Question, Representation, TracedProgram
from backends.statevector.sector.representation import Sector
from backends.statevector.whole.representation import XlaWhole
from circuits import hardware_efficient, maxcut, qaoa, tfim, uccsd
from circuits.errors import Refused
from circuits.problems.chemistry import molecule

RING = maxcut([(a, (a + 1) % 6, 1.0) for a in range(6)])
kernels = pytest.mark.skipif(not native.available(), reason="the C++ kernels are not here")


def question(circuit, *observables, **options):
    return Question(lower(circuit), np.dtype(float), observables, **options)


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (lambda: question(uccsd(molecule("Li 0 0 0; H 0 0 1.6"))), Sector),
        pytest.param(lambda: question(hardware_efficient(20, layers=2), tfim(20).hamiltonian), InParts, marks=kernels),
        pytest.param(lambda: question(qaoa(RING), RING.hamiltonian), NativeWhole, marks=kernels),
        (lambda: question(qaoa(RING), RING.hamiltonian, executor="xla"), XlaWhole),
        (lambda: question(qaoa(RING), RING.hamiltonian, traced=True), XlaWhole),
    ],
)
def test_each_is_chosen_where_it_serves(asked, kind):
    chosen = choose(asked())
    assert type(chosen) is kind
    assert chosen.passes > 0
    assert chosen.memory(derivative=True, keep=None).total_bytes > 0


def test_what_jax_differentiates_is_traced():
    for circuit in (qaoa(RING), uccsd(molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 4)))):
        assert isinstance(choose(question(circuit, traced=True)).program(), TracedProgram)


def test_each_is_abstract_or_final():
    assert inspect.isabstract(Representation)
    for kind in REPRESENTATIONS:
        assert not inspect.isabstract(kind)
        assert kind.__bases__ == (Representation,)


def test_a_further_one_is_one_line(monkeypatch):
    """It may take what would be chosen in its place, which is looked for once."""
    looked = []

    class Half(XlaWhole):
        @classmethod
        def of(cls, question, otherwise):
            looked.append(otherwise())
            return None if question.n_qubits > 4 else super().of(question, otherwise)

    monkeypatch.setattr(choosing, "REPRESENTATIONS", (Half, *REPRESENTATIONS))
    assert isinstance(choose(question(hardware_efficient(4))), Half)
    assert choose(question(hardware_efficient(6))) is looked[-1]


def test_none_is_refused():
    with pytest.raises(Refused, match="40 qubits; beyond 31"):
        choose(question(hardware_efficient(40), tfim(40).hamiltonian, executor="xla"))
