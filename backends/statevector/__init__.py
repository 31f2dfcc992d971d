"""The statevector engine: native kernels on processors, and in JAX a circuit as few small matrices.

`lower` turns gates into exponentials of Pauli groups. A `Representation` says how these would be run, and makes the
`Program` that runs them; `choose` takes the cheapest that fits: a small `sector` of the state space, `parts` that few
bonds join, or the whole state, by `native` kernels or by what XLA compiles (`whole`). For XLA, `frame` makes most of
the exponentials real; `fuse` gathers them into blocks; `blocks` builds their matrices; `plan` decides where the bits of
the index lie. `evolve` runs and differentiates in one program, `stepwise` kernel by kernel in `buffers`; `kernels`,
`wide`, `diagonals` and `observe` are what they are made of. `shard` is for states on many devices. `compiled` keeps
what XLA made; `operations` counts for a roofline; `derivatives` are the second ones. `engine` is the face that
`backends.get("statevector")` returns.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
