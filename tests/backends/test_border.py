"""Errors of other libraries arrive as this toolkit's own, with what was asked for and what is free."""

import errno
import pickle

import jax
import pytest
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

import backends
from backends import Batch
from backends.border import border
from circuits.errors import BudgetExceeded, FailedJob, ProviderUnreachable, Refused


@pytest.mark.parametrize(
    ("foreign", "ours", "words"),
    [
        (MemoryError(), BudgetExceeded, r"the engine needs more memory than it can get: .*B are free here"),
        (MemoryError("Unable to allocate 8.00 TiB"), BudgetExceeded, "Unable to allocate 8.00 TiB"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 64 bytes.\nmore"), BudgetExceeded, "64 bytes"),
        (RuntimeError("CUDA error: out of memory"), BudgetExceeded, "CUDA"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), BudgetExceeded, "Cannot allocate memory"),
        (OSError(errno.ENOSPC, "No space left on device"), FailedJob, "No space left"),
        (pickle.UnpicklingError("truncated"), FailedJob, "truncated"),
        (QiskitError("no such thing"), FailedJob, "no such thing"),
        (ConnectionResetError("reset by peer"), ProviderUnreachable, "reset by peer"),
        (Refused("as it is"), Refused, "^as it is$"),
    ],
)
def test_foreign_errors(foreign, ours, words):
    with pytest.raises(ours, match=words) as caught, border("the engine"):
        raise foreign
    assert foreign in (caught.value, caught.value.__cause__)


def test_our_own_faults_stay_what_they_are():
    for fault in (RuntimeError("a fault"), KeyError("k"), KeyboardInterrupt()):
        with pytest.raises(type(fault)) as caught, border("the engine"):
            raise fault
        assert caught.value is fault


def test_what_is_too_large_for_xla(monkeypatch):
    class Program:
        """What XLA says of one that the check before let through, in its own words."""

        in_xla = True

        def terms(self, _):
            return ()

        def energies(self, _):
            def energies(_):
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 640000000000 bytes.")

            return energies

    backend = backends.get("statevector")
    monkeypatch.setattr(backend, "_program", lambda *_, **__: Program())
    with pytest.raises(BudgetExceeded, match=r"allocating 640000000000 bytes.*are free here"):
        backend.submit(Batch(QuantumCircuit(1), "Z"))


def test_lightning_and_reference_without_memory(monkeypatch):
    from backends.simulators import lightning, reference

    def exhausted(*_):
        raise MemoryError("Unable to allocate 16.0 GiB")

    monkeypatch.setattr(lightning.Program, "_bind", exhausted)
    monkeypatch.setattr(reference, "flatten", exhausted)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    for name in ("lightning", "reference"):
        evaluate = backends.get(name).prepare
        with pytest.raises(BudgetExceeded, match=rf"{name} needs more memory.*16\.0 GiB"):
            evaluate(circuit, "ZZ")([])


def test_a_device_that_does_not_answer():
    from qiskit.providers.basic_provider import BasicSimulator

    class Far(BasicSimulator):
        def run(self, *args, **options):
            raise TimeoutError("no answer in 30 s")

    with pytest.raises(ProviderUnreachable, match="no answer in 30 s"):
        backends.get(Far()).submit(Batch(QuantumCircuit(1), "Z", shots=10))
