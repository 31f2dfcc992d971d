"""Graphics cards, as far as a machine without one can tell: how they are asked, and what is refused without them."""

import math
import os
import sys
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

import backends
from backends import gpu, registry
from backends.statevector import accelerator
from circuits.errors import BudgetExceeded, Refused
from hybrid.routing.plan import plan
from hybrid.routing.survey import survey

SMALL = "Pocket 1, 1000, 900"
"""A card of 1000 MiB, 900 of them free."""


def ring(n_qubits):
    theta = ParameterVector("t", n_qubits)
    circuit = QuantumCircuit(n_qubits)
    for q in range(n_qubits):
        circuit.rx(theta[q], q)
    for q in range(n_qubits):
        circuit.cz(q, (q + 1) % n_qubits)
    for q in range(n_qubits):
        circuit.rx(0.3 + q, q)
    return circuit


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """A function that puts an nvidia-smi on the PATH: it prints lines, or ends with a code other than 0."""

    def pretend(*lines, code=0):
        tool = tmp_path / "nvidia-smi"
        words = "\n".join(lines)
        tool.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\n/bin/cat <<'END'\n{words}\nEND\nexit {code}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        gpu._asked.cache_clear()
        return tmp_path / "asked"

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    yield pretend
    gpu._asked.cache_clear()


@pytest.fixture
def no_tool(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    gpu._asked.cache_clear()
    yield
    gpu._asked.cache_clear()


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Lightning's package for cards, and a build of Aer that can use one, as far as their metadata say."""
    import qiskit_aer

    info = tmp_path / "site" / "pennylane_lightning_gpu-0.45.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pennylane-lightning-gpu\nVersion: 0.45.0\n")
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    monkeypatch.setattr(qiskit_aer.AerSimulator, "available_devices", lambda self: ("CPU", "GPU"))


def test_cards_are_read_with_their_names_and_memory(cards):
    asked = cards("NVIDIA H100 80GB HBM3, 81559, 80994", "Odd, with a comma, 10, 0")
    first, second = gpu.cards()
    assert (first.name, first.total_bytes) == ("NVIDIA H100 80GB HBM3", 81559 * 2**20)
    assert first.free_bytes == math.floor(80994 * 2**20 * 0.9)  # a tenth stays for the libraries' own workspaces
    assert (second.name, second.free_bytes) == ("Odd, with a comma", 0)
    assert asked.read_text().split() == [
        "--query-gpu=name,memory.total,memory.free",
        "--format=csv,noheader,nounits",
    ]


def test_a_job_sees_the_cards_that_it_was_given(cards, monkeypatch):
    asked = cards(SMALL)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert gpu.first_card("work").name == "Pocket 1"
    assert "--id=2,3" in asked.read_text()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(Refused, match="hides every card"):
        gpu.first_card("work")


def test_an_answer_is_kept_for_a_moment(cards):
    asked = cards(SMALL)
    gpu.cards()
    asked.unlink()
    gpu._asked(str(asked.parent / "nvidia-smi"), None, 0.0)
    asked.unlink()
    gpu._asked(str(asked.parent / "nvidia-smi"), None, 0.0)
    assert not asked.exists()


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."], 9, "couldn't communicate"),
        (["No devices were found"], 6, "No devices were found"),
        (["Orin, [N/A], [N/A]"], 0, r"does not say how much memory it has .*\[N/A\]"),
        ([], 0, "nvidia-smi lists none"),
    ],
)
def test_a_machine_without_a_card_says_why(cards, lines, code, words):
    cards(*lines, code=code)
    assert gpu.cards() == ()
    with pytest.raises(Refused, match=f"work needs an NVIDIA card, and .*{words}"):
        gpu.first_card("work")


def test_a_missing_card_refuses_both_backends(no_tool, wheels):
    with pytest.raises(Refused, match=r"aer with device='gpu' needs an NVIDIA card, and none is here"):
        backends.get("aer", device="gpu")
    with pytest.raises(Refused, match=r"lightning\.gpu needs an NVIDIA card, and none is here"):
        backends.get("lightning.gpu")


def test_a_missing_package_refuses_both_backends(cards):
    cards(SMALL)
    with pytest.raises(Refused, match=r"install the package qiskit-aer-gpu in place of qiskit-aer"):
        backends.get("aer", device="gpu")
    with pytest.raises(Refused, match=r"lightning\.gpu needs the package pennylane-lightning-gpu"):
        backends.get("lightning.gpu")


def test_methods_of_aer_that_have_no_kernels_for_cards(cards, wheels):
    cards(SMALL)
    for method in ("matrix_product_state", "stabilizer"):
        with pytest.raises(Refused, match=f"method '{method}' of aer runs on the processor only"):
            backends.get("aer", method=method, device="gpu")
    with pytest.raises(Refused, match='must be "cpu" or "gpu"'):
        backends.get("aer", device="GPU")


@pytest.mark.parametrize(("name", "options", "states"), [("aer", {"device": "gpu"}, 1), ("lightning.gpu", {}, 5)])
def test_the_state_is_counted_on_the_card(cards, wheels, name, options, states):
    cards(SMALL)
    backend = backends.get(name, **options)
    assert "on Pocket 1" in backend.capabilities().summary
    held = backend.footprint(backends.Batch(ring(20), "Z" * 20, [0.1] * 20))
    assert held.memory_bytes == 0
    assert held.on_card is not None
    assert held.on_card.memory_bytes == states * 16 * 2**20
    with pytest.raises(BudgetExceeded, match=r"27 qubits.* on Pocket 1, but 810\.0 MiB of its 1000\.0 MiB are"):
        backend.prepare(ring(27), "Z" * 27)


def test_single_precision_takes_half(cards, wheels):
    cards(SMALL)
    work = backends.Batch(ring(20), "Z" * 20, [0.1] * 20)
    for name, options in (("aer", {"device": "gpu"}), ("lightning.gpu", {})):
        double, single = (backends.get(name, precision=p, **options).footprint(work) for p in ("double", "single"))
        assert double.on_card.memory_bytes == 2 * single.on_card.memory_bytes


def test_plans_look_at_the_memory_of_the_card(cards, wheels, monkeypatch):
    import circuits

    cards(SMALL)
    chosen = backends.get("lightning.gpu")
    chosen.origin = None  # made around an object, so that its speed is not measured
    (way,) = plan(ring(20), circuits.tfim(20), backend=chosen).ways
    assert "on the GPU" in str(plan(ring(20), circuits.tfim(20), backend=chosen).rows()[0])
    assert way.cost.on_card.memory_bytes == 7 * 16 * 2**20
    (refused,) = plan(ring(24), circuits.tfim(24), backend=chosen).refusals
    assert "24 qubits needs 1879048192 bytes (1.8 GiB) of memory on Pocket 1" in refused.reason


def test_auto_leaves_the_card_out_where_there_is_none(no_tool):
    import circuits

    assert "lightning.gpu" in registry.automatic()
    refusals = plan(ring(3), circuits.tfim(3)).refusals
    assert [one.name for one in refusals] == ["lightning.gpu"]
    assert "pennylane-lightning-gpu" in refusals[0].reason


def test_auto_may_take_the_card_where_it_is_there(no_tool, cards, wheels):
    assert registry.automatic_on_cards() == []
    cards(SMALL)
    (aer,) = registry.automatic_on_cards()
    assert aer.origin is not None
    assert (aer.origin.name, aer.origin.options) == ("aer", {"device": "gpu"})


def test_the_list_of_backends_says_why_a_card_is_not_used(no_tool):
    entries = {entry.name: entry for entry in survey(calibrate=False)}
    assert not entries["lightning.gpu"].works
    assert "pennylane-lightning-gpu" in entries["lightning.gpu"].cells()[3]
    assert entries["aer"].works
    assert "none is here" in entries["aer device=gpu"].cells()[3]
    assert "device" in entries["aer"].options


def device(limit, used=0, kind="Pocket 2"):
    stats = None if limit is None else {"bytes_limit": limit, "bytes_in_use": used}
    return SimpleNamespace(memory_stats=lambda: stats, device_kind=kind, platform="gpu")


def test_memory_of_an_accelerator_of_jax():
    assert gpu.card_of(device(1000, 300)) == gpu.Card("Pocket 2", 1000, 700)
    assert gpu.card_of(device(None)) is None


def test_the_engine_asks_the_accelerator_for_memory(monkeypatch):
    engine = backends.get("statevector", executor="xla")
    monkeypatch.setattr(accelerator, "default_device", lambda: device(2**20))
    with pytest.raises(BudgetExceeded, match=r"18 qubits on 'statevector' needs .* on Pocket 2, but 1\.0 MiB of its"):
        engine.value_and_grad(ring(18), "Z" * 18)
    with pytest.raises(BudgetExceeded, match=r"the metric of 18 parameters needs .* on Pocket 2"):
        engine.metric(ring(18))
    footprint = engine.footprint(backends.Batch(ring(18), "Z" * 18, [0.1] * 18))
    assert footprint.memory_bytes < 2**14  # what is kept of a row
    assert footprint.on_card.memory_bytes >= 2 * 2**18 * 16
    assert footprint.on_card.card.name == "Pocket 2"
    assert "XLA on Pocket 2" in engine.capabilities().summary


def test_states_that_only_save_time_are_kept_by_the_memory_of_the_card(monkeypatch):
    """Those before blocks, which have copies there besides."""
    circuit = ring(18)
    circuit.append(PauliEvolutionGate(SparsePauliOp("Z" * 18), Parameter("wide")), range(18))
    engine = backends.get("statevector", executor="xla")
    held = engine.memory(circuit, "Z" * 18)
    assert held.keep
    monkeypatch.setattr(accelerator, "default_device", lambda: device(18 * held.state_bytes))
    assert not engine.memory(circuit, "Z" * 18).keep
    footprint = engine.footprint(backends.Batch(circuit, "Z" * 18, [0.1] * 19))
    value = engine.memory(circuit, "Z" * 18, derivative=False)
    assert footprint.on_card.memory_bytes == accelerator.COPIES_ON_CARD * value.total_bytes
    engine.value_and_grad(circuit, "Z" * 18)


def test_native_kernels_take_this_machines_memory_whatever_jax_has(monkeypatch):
    monkeypatch.setattr(accelerator, "default_device", lambda: device(2**10))
    engine = backends.get("statevector", executor="native")
    assert engine.footprint(backends.Batch(ring(12), "Z" * 12, [0.1] * 12)).on_card is None
    engine.value_and_grad(ring(12), "Z" * 12)
