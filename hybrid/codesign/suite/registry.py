"""From a name to an application; a new one is a file and a line."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import get_args

from circuits.errors import unknown
from hybrid.codesign.suite.benchmark import Benchmark, SuiteName

APPLICATIONS: Mapping[str, str] = {
    "ghz": "hybrid.codesign.suite.ghz:GHZ",
    "mermin-bell": "hybrid.codesign.suite.mermin:MerminBell",
    "qft": "hybrid.codesign.suite.fourier:Fourier",
    "mirror": "hybrid.codesign.suite.mirror:Mirror",
    "quantum-volume": "hybrid.codesign.suite.quantum_volume:QuantumVolume",
    "layer-fidelity": "hybrid.codesign.suite.layer_fidelity:LayerFidelity",
    "throughput": "hybrid.codesign.suite.throughput:Throughput",
    "maxcut-qaoa": "hybrid.codesign.suite.maxcut_qaoa:MaxCutQAOA",
    "lr-qaoa": "hybrid.codesign.suite.linear_ramp_qaoa:LinearRampQAOA",
    "vqe-h2": "hybrid.codesign.suite.vqe_h2:H2VQE",
    "vqe-chain": "hybrid.codesign.suite.vqe_chain:ChainVQE",
    "hamiltonian-simulation": "hybrid.codesign.suite.hamiltonian_simulation:HamiltonianSimulation",
    "quantum-kernel": "hybrid.codesign.suite.quantum_kernel:QuantumKernel",
}
"""Name to ``module:class``, in the order of tables."""

SUITES: tuple[SuiteName, ...] = get_args(SuiteName)


@cache
def application(name: str) -> Benchmark:
    """The application of a name.

    Raises:
        Refused: for a name that none has, with the nearest right word.
    """
    if name not in APPLICATIONS:
        raise unknown("application", name, APPLICATIONS)
    module, _, found = APPLICATIONS[name].partition(":")
    return getattr(import_module(module), found)()


def applications() -> dict[str, Benchmark]:
    """All of them, by name, in the order of tables."""
    return {name: application(name) for name in APPLICATIONS}


def suite(name: str) -> SuiteName:
    """The suite of a name.

    Raises:
        Refused: for a name that none has, with the nearest right word.
    """
    for known in SUITES:
        if name == known:
            return known
    raise unknown("suite", name, SUITES)
