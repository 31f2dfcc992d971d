"""The engine's kernels in C++: circuits of Pauli rotations and sums of Pauli strings, on this machine's processor.

`ProgramDouble` and `ProgramSingle` are a circuit and the observables that are asked of it, in either precision; an
`Observable` is a sum of Pauli strings. A string is two masks over the bits of the index, i^popcount(x & z) X^x Z^z: a
qubit in x alone has an X, in z alone a Z, in both a Y. A `NoisyProgram` is a circuit under noise, as channels on pairs
of qubits. `xla` makes a program a function that JAX compiles and differentiates. `peak_flops` and `copy_bytes_per_s`
measure what this machine reaches at most, with all workers at once: operations in registers, by the instruction set in
use, and bytes read and written by a copy.

The extension is compiled when the package is installed, if there is a C++ compiler. Where there is none, `available()`
is false, `why_not()` says why, and circuits are computed by XLA, which is slower.

Environment variables:
    HYBRID_NATIVE_ISA: The instruction set to compute with, one of `instruction_sets()`, in place of the widest that the
        processor has. Between them, results differ by rounding. It is for tests.
    OMP_NUM_THREADS: How many threads compute where the call does not say; without it, one for each core that the
        process may use. Results have the same bits on any number of them.
"""

import os

from circuits.errors import Refused

try:
    from ._extension import (
        NoisyProgram,
        Observable,
        ProgramDouble,
        ProgramSingle,
        Propagation,
        copy_bytes_per_s,
        default_workers,
        evolve,
        instruction_sets,
        peak_flops,
        propagate,
        pull_back,
        trajectories,
    )
except ImportError as err:  # not there, or made for another Python or C++ library
    _why_not = (
        f"the C++ kernels of the statevector engine cannot be loaded ({err}); circuits are computed by XLA, which is "
        "slower: with a C++ compiler there (g++ 11 or newer), install the package again"
    )
else:
    _why_not = None

__all__ = [
    "NoisyProgram",
    "Observable",
    "ProgramDouble",
    "ProgramSingle",
    "Propagation",
    "available",
    "copy_bytes_per_s",
    "default_workers",
    "evolve",
    "instruction_set",
    "instruction_sets",
    "peak_flops",
    "propagate",
    "pull_back",
    "trajectories",
    "why_not",
]


def available() -> bool:
    """Whether the compiled kernels can be used."""
    return _why_not is None


def instruction_set() -> str | None:
    """The instruction set that is used where the call does not say; None where the kernels cannot be used."""
    return os.environ.get("HYBRID_NATIVE_ISA") or instruction_sets()[0] if available() else None


def why_not() -> str | None:
    """Why the compiled kernels cannot be used, and the cure; None where they can be."""
    return _why_not


def __getattr__(name: str):
    if name in __all__:
        raise Refused(_why_not)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
