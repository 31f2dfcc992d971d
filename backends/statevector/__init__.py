"""The statevector engine: native kernels on processors, and in JAX a circuit as few small matrices.

A `Representation` says how a circuit would be run, and makes the `Program` that runs it. `choose` takes the cheapest
that fits; a further one is a folder, and a line there. `engine` is the face that `backends.get("statevector")` returns,
`operations` counts for a roofline, and `derivatives` are the second ones.

circuit: `lower` turns gates into exponentials of Pauli groups; `frame` makes most of them real.
sector: circuits that stay in a small part of the state space.
parts: circuits that few bonds join.
native: the whole state by kernels in C++, which parts use, too.
whole: the whole state by XLA. `fuse` gathers exponentials into blocks; `blocks` builds their matrices; `plan` decides
where the bits of the index lie. `evolve` runs and differentiates in one program, `stepwise` kernel by kernel in
`buffers`; `kernels`, `wide`, `diagonals` and `observe` are what they are made of.
sharded: states on many devices; `shard` is the program.
runtime: `compiled` keeps what XLA made, `tiles` takes rows of parameters through it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
