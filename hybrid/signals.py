"""Stopping on a signal with all work saved."""

import signal
from types import FrameType

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stop:
    """While it is entered, the first SIGINT, SIGTERM or SIGUSR1 asks the loop to stop after the evaluation at hand.

    A second SIGINT interrupts at once. Call the object to learn whether to stop.
    """

    def __init__(self):
        self.signal: signal.Signals | None = None

    def __call__(self) -> bool:
        """Whether a signal came."""
        return self.signal is not None

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._note) for number in CAUGHT}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
