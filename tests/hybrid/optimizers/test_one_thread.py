import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_limits

from circuits.errors import Refused
from hybrid.optimizers.one_thread import _libraries, one_thread

SCRIPT = """
import hashlib, sys
from contextlib import nullcontext
import numpy as np
from hybrid.optimizers.one_thread import one_thread
from scipy.linalg import solve_triangular
B, x = np.random.default_rng(0).normal(size=(200, 200)), np.random.default_rng(1).normal(size=50_000)
with nullcontext() if sys.argv[1] == "free" else one_thread():
    A = B @ B.T + np.eye(200)
    L = np.linalg.cholesky(A)
    arrays = [A, L, solve_triangular(L, np.eye(200), lower=True), *np.linalg.eigh(B + B.T), np.array(x @ x)]
for array in arrays:
    print(hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest())
"""


def bits(how: str, n_threads: int) -> list[str]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(n_threads), "OMP_NUM_THREADS": str(n_threads)}
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], env=environment, check=True, capture_output=True, text=True, timeout=120
    )
    return answer.stdout.split()


def test_bits_do_not_depend_on_the_number_of_threads():
    """Products, factors, triangular and symmetric solvers; without the limit two threads round otherwise."""
    one, two = bits("limited", 1), bits("limited", 2)
    assert one == two
    assert len(set(one)) == 6
    if (os.cpu_count() or 1) > 1:
        assert bits("free", 2) != one


def n_threads() -> set[int]:
    return {library.num_threads for library in _libraries().lib_controllers}


def test_the_limit_is_lifted_again_and_nests():
    with threadpool_limits(2, user_api="blas"):
        with one_thread(), one_thread():
            assert n_threads() == {1}
        assert n_threads() == {2}


def test_where_another_thread_holds_more_threads_it_is_refused():
    def enter():
        with one_thread():
            raise AssertionError("entered")

    with ThreadPoolExecutor(1) as other, threadpool_limits(2, user_api="blas"):
        future = other.submit(enter)
        with pytest.raises(Refused, match="another thread of this program holds it to more"):
            future.result(20)
        with one_thread():
            assert n_threads() == {1}


TWO_THREADS = """
import threading
from hybrid.optimizers.one_thread import _libraries, one_thread
inside = threading.Event()

def n_threads():
    return {library.num_threads for library in _libraries().lib_controllers}

def leave_first():
    with one_thread():
        inside.set()
        threading.Event().wait(0.05)

def come_second():
    inside.wait(10)
    with one_thread():
        first.join(10)
        print(n_threads())

first, second = threading.Thread(target=leave_first), threading.Thread(target=come_second)
print(n_threads())
first.start(), second.start(), second.join()
print(n_threads())
"""


def test_one_python_thread_does_not_lift_the_limit_of_another():
    """The first one leaves while the second one is on its way in."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    answer = subprocess.run(
        [sys.executable, "-c", TWO_THREADS], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    before, during, after = answer.stdout.split("\n")[:3]
    assert during == "{1}"
    assert before == after
