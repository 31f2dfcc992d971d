"""A plan says of each backend what makes it fast or slow, in numbers of the workload."""

import re
from math import comb

from rich.console import Console

import hybrid
from backends.simulators.reference import Reference
from circuits import hamiltonian_variational, molecule, tfim, uccsd
from circuits.errors import FailedJob


def test_the_sector_and_the_shifted_values_are_named_in_numbers():
    m = molecule("Li 0 0 0; H 0 0 1.6", basis="sto-3g", active_space=(2, 5))
    plan = hybrid.plan(uccsd(m), m)
    reasons = {way.name: way.reason for way in plan.ways}
    (states,) = re.findall(r"works on (\d+) numbers instead of the 1,024", reasons["statevector"])
    assert int(states) == comb(5, 1) ** 2  # one electron of each spin in five orbitals
    assert "gradients by adjoint" in reasons["lightning"]
    assert "works on" not in reasons["lightning"]


def test_a_shift_rule_says_how_many_values_a_gradient_takes():
    p = tfim(3)
    circuit = hamiltonian_variational(p, layers=1)
    (way,) = hybrid.plan(circuit, p, backend="reference").ways
    gates = sum(bool(gate.operation.params) for gate in circuit.data)  # each is shifted up and down
    assert f"parameter-shift: {1 + 2 * gates} values each" in way.reason


def test_in_a_narrow_terminal_a_refusal_is_its_reason_alone():
    p = tfim(2)
    plan = hybrid.plan(hamiltonian_variational(p, layers=1), p)
    console = Console(width=40, color_system=None)
    with console.capture() as capture:
        console.print(plan)
    lines = capture.get().splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert "-, -" not in capture.get()


def test_a_backend_that_fails_while_it_is_measured_does_not_end_the_plan():
    class Broken(Reference):
        automatic = True

        def predict(self, work):
            raise FailedJob("no answer from the card")

    p = tfim(2)
    plan = hybrid.plan(hamiltonian_variational(p, layers=1), p, backend=Broken())
    assert plan.ways == ()
    assert "no answer from the card" in plan.refusals[0].reason
