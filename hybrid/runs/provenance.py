"""Where and with what a run was made."""

import platform
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backends.machine import machine
from backends.statevector import native
from hybrid.runs.sbom import kept

PACKAGES = (
    "amazon-braket-default-simulator",
    "amazon-braket-sdk",
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
    "qiskit-ionq",
    "scipy",
)


def provenance() -> dict[str, Any]:
    """Versions, machine and time, as JSON-able values; no user name, no host name, no paths.

    Returns:
        "created_utc" (ISO 8601, UTC), "python", "system", "machine" (a description of its processor), "kernels" (the
        instruction set that the statevector engine's native kernels compute with, or "none"), "packages" (name to
        version, of those in `PACKAGES` that are installed) and "software" (every package with its licence, and the
        digest of the bill of materials; see `hybrid.runs.sbom`).
    """
    return {
        "created_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "machine": machine(),
        "kernels": native.instruction_set() or "none",
        "software": kept(),
        "packages": dict(versions()),
    }


@cache
def versions() -> Mapping[str, str]:
    """The versions of those of `PACKAGES` that are installed."""
    return {name: found for name in PACKAGES if (found := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
