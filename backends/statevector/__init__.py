"""The statevector engine in JAX: a circuit as few small matrices, each one product on the whole state.

`lower` turns gates into exponentials of Pauli groups, `fuse` gathers them into blocks, `blocks` builds their matrices,
`plan` decides where the bits of the index lie, `evolve` runs and differentiates, `wide` does what fits in no block,
`observe` applies an observable, `program` compiles it all; `engine` is the face that `backends.get("statevector")`
returns.
"""

__all__ = ["Statevector"]


def __getattr__(name: str):
    if name == "Statevector":
        from backends.statevector.engine import Statevector

        return Statevector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
