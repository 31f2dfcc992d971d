"""What is said about the result of a pub."""

from typing import Any


class Metadata(dict[str, Any]):
    """Qiskit's own keys as a dictionary, so that it equals what Qiskit's primitives give; and who computed it.

    Attributes:
        backend: Name of the backend.
        why: Why it was this one.

    >>> metadata = Metadata({"shots": 100}, backend="aer", why="asked for by name")
    >>> metadata == {"shots": 100}, metadata.backend
    (True, 'aer')
    """

    def __init__(self, keys: dict[str, Any], *, backend: str, why: str):
        super().__init__(keys)
        self.backend, self.why = backend, why

    def __reduce__(self):
        return _metadata, (dict(self), self.backend, self.why)

    def __repr__(self) -> str:
        return f"Metadata({dict(self)!r}, backend={self.backend!r}, why={self.why!r})"


def _metadata(keys: dict[str, Any], backend: str, why: str) -> Metadata:
    return Metadata(keys, backend=backend, why=why)
