import subprocess
import sys

import circuits


def test_all_is_sorted_and_honest():
    assert list(circuits.__all__) == sorted(circuits.__all__)
    for name in circuits.__all__:
        assert getattr(circuits, name).__name__ == name
        assert name in dir(circuits)


def test_every_public_name_has_a_docstring():
    for name in circuits.__all__:
        assert getattr(circuits, name).__doc__


def test_import_loads_nothing_heavy():
    code = "import sys, circuits; print([m for m in ('qiskit', 'numpy', 'scipy', 'pyscf') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_molecule_leaves_its_libraries_alone_until_called():
    code = (
        "import sys; from circuits import molecule, tfim; tfim(3).exact_energy(); "
        "print([m for m in ('pyscf', 'ffsim') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
