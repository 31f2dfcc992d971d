"""PennyLane Lightning on an NVIDIA card: ``lightning.gpu``, which is cuStateVec with adjoint gradients."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from backends.base import Precision
from backends.gpu import Held, OnCard, first_card
from backends.simulators.lightning import STATES, Kind, LightningDevice
from circuits.errors import Refused

PACKAGE = "pennylane-lightning-gpu"

STATES_TO_DRAW = 4
"""In double precision and in this machine's memory, where strings are drawn from the state of the card."""


class LightningGPU(LightningDevice):
    """Lightning on the first NVIDIA card; see `LightningDevice`.

    The states that it holds are counted as those of ``lightning``, which has the same algorithms.

    Args:
        precision: Of the amplitudes: "double" (complex128) or "single" (complex64).

    Raises:
        Refused: if the package or a card is missing.
    """

    library = "pennylane_lightning.lightning_gpu"
    name = "lightning.gpu"
    device = "lightning.gpu"

    def __init__(self, *, precision: Annotated[Precision, '"double" or "single"'] = "double"):
        super().__init__(precision=precision)
        try:
            version(PACKAGE)
        except PackageNotFoundError:
            raise Refused(
                f"{self.name} needs the package {PACKAGE}, which is not installed; install it where there is an "
                "NVIDIA card, or use lightning"
            ) from None
        first_card(self.name)

    def summary(self) -> str:
        """With the card, on which its speed depends."""
        return f"PennyLane Lightning statevector, on {first_card(self.name).name}"

    def held(self, n_qubits: int, what: Kind, n_calls: int = 1) -> Held:
        """States on the card; samples are drawn here."""
        del n_calls  # the card keeps nothing from one to the next
        states = STATES[what] * (8 if self._precision == "single" else 16) * 2**n_qubits
        drawn = STATES_TO_DRAW * 16 * 2**n_qubits if what == "samples" else 0
        return Held(drawn, OnCard(first_card(self.name), states))

    def free_bytes(self) -> int:
        """What the card may still give."""
        return first_card(self.name).free_bytes
