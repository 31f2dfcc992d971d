"""The accelerator on which XLA would compute, if there is one."""

import jax

from backends.gpu import Card, card_of

COPIES_ON_CARD = 3
"""Times the counted states that XLA was seen to hold on an NVIDIA card, where matrix products take copies of what they
multiply: 1.1 to 2.9 from 20 to 26 qubits (H100; benchmarks/results/gpu.json)."""


def default_card() -> Card | None:
    """JAX's default device, with what its pool may still give; None where that is the processor."""
    chosen = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue] - made when JAX is imported
    return card_of(chosen if isinstance(chosen, jax.Device) else jax.local_devices(backend=chosen)[0])
