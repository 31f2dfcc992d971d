"""Where numbers come from: simulators and devices behind one seam, and the registry that finds them by name.

The names are loaded when they are first used; they stand in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
