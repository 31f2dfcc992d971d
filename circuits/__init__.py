"""What to compute: problems, ansatz circuits, and circuits from other formats. It runs nothing and knows no backend.

Circuits are Qiskit's QuantumCircuit and operators its SparsePauliOp; qubit 0 is the rightmost letter of a label. The
names are loaded when they are first used; they stand in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
