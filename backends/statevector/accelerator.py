"""The accelerator on which XLA would compute, if there is one, and which circuits it would compute there."""

import jax

from backends.gpu import Card, card_of
from backends.statevector.design import Design


def default_card() -> Card | None:
    """JAX's default device, with what its pool may still give; None where that is the processor."""
    chosen = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue] - made when JAX is imported
    return card_of(chosen if isinstance(chosen, jax.Device) else jax.local_devices(backend=chosen)[0])


def card_of_design(design: Design) -> Card | None:
    """Where the states of a circuit will be: on this card, or, for None, in this machine's memory."""
    native = design.sector is None and (design.parts is not None or design.native is not None)
    return None if native else default_card()
