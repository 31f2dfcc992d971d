"""The statevector engine: native kernels on processors, and in JAX a circuit as few small matrices.

`lower` turns gates into exponentials of Pauli groups; `design` chooses how these are run: in a small `sector` of the
state space, in `parts` that few bonds join, or on whole states, by `native` kernels or by JAX. For JAX, `frame` makes
most of them real; `fuse` gathers them into blocks; `blocks` builds their matrices; `plan` decides where the bits of the
index lie. `evolve` runs and differentiates in one program, `stepwise` kernel by kernel in `buffers`; `kernels`, `wide`,
`diagonals` and `observe` are what they are made of. `shard` is for states on many devices. `compiled` keeps what XLA
made; `footprint` and `operations` count beforehand; `derivatives` are the second ones. `engine` is the face that
`backends.get("statevector")` returns.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
