"""Algorithms on the device of a vendor's folder, small enough for tests."""

import hybrid
from circuits import hardware_efficient, maxcut, tfim

EDGE = [(0, 1)]


def qaoa(place, vendor):
    return hybrid.qaoa(
        maxcut(EDGE), layers=1, samples=50, backend=f"filed:{vendor}", optimizer="spsa", max_steps=1, shots=50,
        accuracy=0.1, folder=place,
    )  # fmt: skip


def vqd(place, vendor):
    return hybrid.vqd(
        hardware_efficient(1, layers=1), tfim(1), levels=2, starts=1, backend=f"filed:{vendor}", optimizer="spsa",
        max_steps=1, shots=50, accuracy=0.1, folder=place,
    )  # fmt: skip
