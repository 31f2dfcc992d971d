import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.optimizers.fixed_order import cholesky, eigh, inverse_triangle, matmul


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 12), rank=st.integers(0, 12), seed=st.integers(0, 1000))
def test_eigenvalues_are_lapacks(n, rank, seed):
    """Degenerate and rank-deficient matrices included."""
    B = np.random.default_rng(seed).normal(size=(n, rank))
    A = matmul(B, B.T) - np.eye(n)
    values, V = eigh(A)
    assert values == pytest.approx(np.linalg.eigvalsh(A), abs=1e-12)
    assert matmul(V.T, V) == pytest.approx(np.eye(n), abs=1e-12)
    assert matmul(V * values, V.T) == pytest.approx(A, abs=1e-12)


def test_cholesky_and_its_inverse():
    B = np.random.default_rng(0).normal(size=(30, 30))
    A = B @ B.T + np.eye(30)
    L = cholesky(A)
    assert L is not None
    assert pytest.approx(np.linalg.cholesky(A), abs=1e-12) == L
    assert inverse_triangle(L) == pytest.approx(np.linalg.inv(L), abs=1e-12)
    assert cholesky(A - 2.0 * np.linalg.eigvalsh(A)[0] * np.eye(30)) is None


SCRIPT = """
import hashlib
import numpy as np
from hybrid.optimizers.fixed_order import cholesky, eigh, inverse_triangle
B = np.random.default_rng(0).normal(size=(150, 150))
L = cholesky(np.einsum("ik,jk->ij", B, B) + np.eye(150))
digest = hashlib.sha256()
for array in (*eigh(B + B.T), L, inverse_triangle(L)):
    digest.update(np.ascontiguousarray(array).tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_number_of_threads():
    """At 150 rows LAPACK's do."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"OPENBLAS_NUM_THREADS": str(n), "OMP_NUM_THREADS": str(n), "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for n in (1, 2)
    }
    assert len(answers) == 1
    assert len(answers.pop()) == 65
