"""Where and with what a run was made."""

import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from qiskit import QuantumCircuit

from backends.base import Backend, Calibrated
from backends.machine import machine
from backends.providers.calibration import Calibration
from backends.statevector import native

PACKAGES = (
    "hybrid-codesign",
    "jax",
    "jaxlib",
    "numpy",
    "optax",
    "pennylane",
    "pennylane-lightning",
    "pennylane-lightning-gpu",
    "pyscf",
    "qiskit",
    "qiskit-aer",
    "qiskit-aer-gpu",
    "qiskit-ibm-runtime",
    "scipy",
)


def provenance() -> dict[str, Any]:
    """Versions, machine and time, as JSON-able values; no user name, no host name, no paths.

    Returns:
        "created_utc" (ISO 8601, UTC), "python", "system", "machine" (a description of its processor), "kernels" (the
        instruction set that the statevector engine's native kernels compute with, or "none") and "packages" (name to
        version, of those in `PACKAGES` that are installed).
    """
    return {
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "machine": machine(),
        "kernels": native.instruction_set() or "none",
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def calibration(backend: Backend, circuit: QuantumCircuit) -> dict[str, Any]:
    """What was last measured of the device behind a backend, as JSON-able values under "calibration"; else nothing.

    Args:
        backend: That will run the circuit.
        circuit: Its place on the device decides which qubits matter.
    """
    found = backend.calibration(circuit) if isinstance(backend, Calibrated) else None
    return {} if found is None else {"calibration": found.to_dict()}


def drift(provenance: Mapping[str, Any], backend: Backend, circuit: QuantumCircuit) -> str:
    """How the device has changed since a run was started, in words; empty if it was not measured anew.

    Args:
        provenance: Of the run.
        backend: That will go on with it.
        circuit: Of the run.
    """
    kept = provenance.get("calibration")
    if kept is None or not isinstance(backend, Calibrated):
        return ""
    now = backend.calibration(circuit)
    return "" if now is None else now.drift(Calibration.from_dict(kept))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
