"""Which representation answers a question: the first of a list that can and is cheaper than those after it."""

from collections.abc import Sequence
from functools import cache, partial

from backends import memory
from backends.statevector import native
from backends.statevector.native.representation import NativeWhole
from backends.statevector.parts.boundaries import MOST_QUBITS
from backends.statevector.parts.representation import InParts
from backends.statevector.passes.representation import XlaPasses
from backends.statevector.representation import WHOLE, Question, Representation
from backends.statevector.sector.representation import Sector
from backends.statevector.whole.representation import XlaWhole
from circuits.errors import Refused

REPRESENTATIONS: tuple[type[Representation], ...] = (Sector, InParts, NativeWhole, XlaPasses, XlaWhole)
"""In order of preference."""


def choose(question: Question) -> Representation:
    """The cheapest representation that fits.

    Raises:
        Refused: if there is none.
    """
    chosen = _first(question, REPRESENTATIONS)
    if chosen is None:
        why = f"gates join it at so many places that no parts of at most {MOST_QUBITS} qubits are found"
        if question.executor == "xla":
            why = 'these are run by the native kernels, which executor="xla" excludes'
        n = question.n_qubits
        raise Refused(
            f"the circuit has {n} qubits; beyond {WHOLE}, 'statevector' runs circuits in parts, but "
            f"{native.why_not() or why} (a state of {n} qubits alone needs {memory.in_bytes(question.state_bytes)})"
        )
    return chosen


def _first(question: Question, kinds: Sequence[type[Representation]]) -> Representation | None:
    if not kinds:
        return None
    otherwise = cache(partial(_first, question, kinds[1:]))
    return kinds[0].of(question, otherwise) or otherwise()
