"""The statevector engine itself, and how fast the machine could be."""

import time
from typing import Any

import numpy as np

import backends
from contest.workloads import Case


def gradient(case: Case):
    return backends.get("statevector", precision=case.workload.precision).value_and_grad(case.circuit, case.observable)


def whole(case: Case):
    """On the whole state in XLA, where circuits in parts would leave the accelerator for the processor."""
    engine = backends.get("statevector", precision=case.workload.precision, executor="xla")
    return engine.value_and_grad(case.circuit, case.observable)


def energy(case: Case):
    evaluate = backends.get("statevector", precision=case.workload.precision).prepare(case.circuit, case.observable)
    return lambda theta: (np.squeeze(evaluate(theta).values), None)


def rates(precision: str, repeats: int = 7) -> dict[str, float]:
    """What this process reaches in one large matrix product and in one pass over memory, the best of several.

    The pass is tried into new memory and in place: new pages may cost ten times what the copying does.

    Returns:
        gemm_gflops, from a product of 2048 x 2048 real matrices; copy_gbs, bytes read and written in a pass over
        256 MiB; copy_to_new_gbs, the same into memory that was just allocated; peak_gflops, multiplications and
        additions in registers, and native_copy_gbs, both by the native kernels where there are some.
    """
    import jax
    import jax.numpy as jnp

    from backends.statevector import native

    with jax.enable_x64(precision == "double"):
        real = jnp.float64 if precision == "double" else jnp.float32
        n, words = 2048, 2**28 // np.dtype(real).itemsize
        square, line = jnp.full((n, n), 1 / n, real), jnp.zeros(words, real)
        gigabytes = 2e-9 * line.nbytes
        product = _best(jax.jit(lambda a: jnp.matmul(a, a, precision="highest")), square, repeats)
        to_new = _best(jax.jit(jnp.copy), line, repeats)
        in_place = _best(jax.jit(lambda x: x + 1, donate_argnums=0), line, repeats)
    found = {
        "gemm_gflops": 2e-9 * n**3 / product,
        "copy_gbs": gigabytes / min(to_new, in_place),
        "copy_to_new_gbs": gigabytes / to_new,
    }
    if native.available():
        found["peak_gflops"] = 1e-9 * native.peak_flops(single=precision == "single")
        found["native_copy_gbs"] = 1e-9 * native.copy_bytes_per_s()
    return found


def _best(f, x, repeats: int) -> float:
    """Shortest of several calls, each on the result of the one before; the shape must stay."""
    x = f(x).block_until_ready()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        x = f(x).block_until_ready()
        times.append(time.perf_counter() - start)
    return min(times)


def work(case: Case) -> dict[str, Any]:
    """Operations and bytes of one gradient, as the engine counts them, or why there is no count."""
    try:
        from backends.statevector import roofline
    except ImportError as err:
        return {"failed": f"not available: {err}"}
    return dict(roofline(case.circuit, case.observable, case.workload.precision))
