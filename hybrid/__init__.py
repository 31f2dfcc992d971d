"""Variational quantum workloads: written once, run where they fit, with a record that a reviewer can check.

The names are loaded when they are first used; they stand in ``__init__.pyi``.

>>> import hybrid
>>> from circuits import tfim, hamiltonian_variational
>>> p = tfim(4)
>>> hybrid.plan(hamiltonian_variational(p, layers=2), p, backend="reference").chosen.name
'reference'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
