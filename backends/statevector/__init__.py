"""The statevector engine in JAX: a circuit as a product of exponentials of Pauli groups.

`lower` turns gates into exponentials, `evolve` applies them and differentiates by the adjoint method, `observe`
applies an observable; `engine` is the face that `backends.get("statevector")` returns.
"""

__all__ = ["Statevector"]


def __getattr__(name: str):
    if name == "Statevector":
        from backends.statevector.engine import Statevector

        return Statevector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
