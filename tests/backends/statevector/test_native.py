"""The C++ kernels against the definition of each rotation and string, term by term in numpy."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.statevector import native

compiled = pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
SETS = native.instruction_sets() if native.available() else []
PRECISIONS = {"double": 1e-12, "single": 2e-5}  # some hundred roundings of a few units in the last place


def test_where_there_is_a_compiler_the_kernels_are_there():
    assert native.available() or not shutil.which("c++"), native.why_not()


def applied(x, z, psi):
    """i^|x & z| X^x Z^z on a state."""
    source = np.arange(len(psi)) ^ int(x)
    signs = np.array([1 - 2 * (int(i & int(z)).bit_count() % 2) for i in source])
    return 1j ** int(x & z).bit_count() * signs * psi[source]


def rotated(x, z, angle, psi):
    return np.cos(angle) * psi - 1j * np.sin(angle) * applied(x, z, psi)


class Case:
    """A random program, and its answers."""

    def __init__(self, seed, n, m, kind="any"):
        rng = np.random.default_rng(seed)
        self.n, self.theta = n, rng.normal(size=max(1, m // 2)) * rng.choice([0.3, 3])
        self.x, self.z = rng.integers(0, 1 << n, (2, m))
        if kind == "diagonal":  # enough Z strings at once for layers
            self.x[rng.random(m) < 0.8] = 0
        if kind == "local":
            self.x = np.where(rng.random(m) < 0.5, 1 << rng.integers(0, n, m), 0)
            self.z = 1 << rng.integers(0, n, m)
        self.angle = rng.integers(0, len(self.theta), m)
        self.weight = rng.choice([0.5, -0.5, 1.0, 0.25], m)
        self.observables = []
        for t in (int(rng.integers(1, 40)), 3):
            x = rng.choice([0, *rng.integers(0, 1 << n, 2)], t) if rng.random() < 0.5 else rng.integers(0, 1 << n, t)
            self.observables.append((x, rng.integers(0, 1 << n, t), rng.normal(size=t)))

    def program(self, precision="double", isa=""):
        make = {"double": native.ProgramDouble, "single": native.ProgramSingle}[precision]
        u = np.uint64
        return make(
            self.n,
            self.x.astype(u),
            self.z.astype(u),
            self.angle.astype(np.int32),
            self.weight,
            len(self.theta),
            [native.Observable(x.astype(u), z.astype(u), c) for x, z, c in self.observables],
            isa=isa,
        )

    def rotations(self):
        return list(zip(self.x, self.z, self.angle, self.weight, strict=True))

    def state(self):
        psi = np.zeros(1 << self.n, complex)
        psi[0] = 1
        for x, z, angle, weight in self.rotations():
            psi = rotated(x, z, weight * self.theta[angle], psi)
        return psi

    def answers(self):
        """Values (observables,) and slopes (observables, angles), by undoing one rotation after the other."""
        values, slopes = [], np.zeros((len(self.observables), len(self.theta)))
        for k, terms in enumerate(self.observables):
            psi = self.state()
            bra = sum(c * applied(x, z, psi) for x, z, c in zip(*terms, strict=True))
            values.append(np.vdot(psi, bra).real)
            for x, z, angle, weight in reversed(self.rotations()):
                slopes[k, angle] += 2 * weight * np.vdot(bra, applied(x, z, psi)).imag
                psi, bra = (rotated(x, z, -weight * self.theta[angle], s) for s in (psi, bra))
        return np.array(values), slopes


@compiled
@pytest.mark.parametrize("isa", SETS)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 10),
    m=st.integers(0, 60),
    kind=st.sampled_from(["any", "diagonal", "local"]),
    precision=st.sampled_from(sorted(PRECISIONS)),
)
def test_random_programs_have_the_values_slopes_and_states_of_their_definition(isa, seed, n, m, kind, precision):
    case = Case(seed, n, m, kind)
    program = case.program(precision, isa)
    assert program.isa == isa
    values, slopes = case.answers()
    scale = PRECISIONS[precision] * max(1, *(np.abs(c).sum() for _, _, c in case.observables))
    got = program.energies_and_slopes(case.theta[None], 1)
    np.testing.assert_allclose(got[0][0], values, rtol=0, atol=scale)
    np.testing.assert_allclose(got[1][0], slopes, rtol=0, atol=10 * scale)
    np.testing.assert_allclose(program.energies(case.theta[None], 1)[0], values, rtol=0, atol=scale)
    overlap = np.vdot(program.state(case.theta, 1), case.state())
    np.testing.assert_allclose(abs(overlap), 1, rtol=0, atol=10 * PRECISIONS[precision])


@compiled
@pytest.mark.parametrize("isa", SETS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 13), m=st.integers(0, 60))
def test_slopes_from_any_lambda(isa, seed, n, m):
    case, rng = Case(seed, n, m), np.random.default_rng(seed)
    program = case.program("double", isa)
    psi = program.state(case.theta)
    lam = rng.normal(size=1 << n) + 1j * rng.normal(size=1 << n)
    got = program.slopes(case.theta, psi, lam)
    wanted, undone, bra = np.zeros(len(case.theta)), psi, lam
    for x, z, angle, weight in reversed(case.rotations()):
        wanted[angle] += 2 * weight * np.vdot(bra, applied(x, z, undone)).imag
        undone, bra = (rotated(x, z, -weight * case.theta[angle], s) for s in (undone, bra))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-10 * np.linalg.norm(lam))
    with pytest.raises(ValueError, match="amplitudes"):
        program.slopes(case.theta, psi, np.append(lam, lam))


@cache
def wide(kind):
    """A program on many tiles: strings have bits beyond a tile, within it and within the rows in registers."""
    case = Case(11, 14, 20, kind)
    return case, case.answers()


@compiled
@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("kind", ["any", "local"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_states_of_many_tiles_have_the_values_and_slopes_of_their_definition(isa, kind, precision):
    case, wanted = wide(kind)
    values, slopes = case.program(precision, isa).energies_and_slopes(case.theta[None], 1)
    scale = sum(np.abs(c).sum() for _, _, c in case.observables)
    np.testing.assert_allclose(values[0], wanted[0], rtol=0, atol=PRECISIONS[precision] * scale)
    np.testing.assert_allclose(slopes[0], wanted[1], rtol=0, atol=PRECISIONS[precision] * scale)


@compiled
@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_bits_are_the_same_on_any_number_of_threads_and_beside_other_rows(isa, precision):
    case = Case(7, 13, 60)
    program = case.program(precision, isa)
    rows = np.stack([case.theta, case.theta + 1, -case.theta])
    one, two, three = (program.energies_and_slopes(rows, workers) for workers in (1, 2, 3))
    for k in range(2):
        assert (one[k] == two[k]).all()
        assert (one[k] == three[k]).all()
        assert (one[k][1:2] == program.energies_and_slopes(rows[1:2], 2)[k]).all()
    assert (program.state(case.theta, 1) == program.state(case.theta, 3)).all()
    assert np.abs(one[1]).max() > 1e-3


@compiled
@pytest.mark.parametrize(("n", "rows", "jobs"), [(15, 1, 100), (3, 16, 2000)])
def test_more_threads_than_cores_come_through_many_short_jobs(n, rows, jobs):
    case = Case(3, n, 12)
    program, theta = case.program(), np.repeat(case.theta[None], rows, axis=0)
    first = program.energies(theta, 8)
    for _ in range(jobs):
        assert (program.energies(theta, 8) == first).all()


@compiled
def test_callers_at_the_same_time_get_their_own_answers():
    case = Case(5, 12, 40)
    program, rows = case.program(), [case.theta + k for k in range(4)]
    alone = [program.energies_and_slopes(row[None], 1)[1] for row in rows]
    found = [None] * 4

    def call(k):
        for _ in range(10):
            found[k] = program.energies_and_slopes(rows[k][None], 2)[1]

    callers = [threading.Thread(target=call, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all((a == b).all() for a, b in zip(alone, found, strict=True))


@compiled
def test_a_child_process_computes_on_threads_of_its_own():
    code = (
        "import os, numpy as np; from backends.statevector.native import Observable, ProgramDouble\n"
        "masks = np.arange(1, 31, dtype=np.uint64) * 251\n"
        "program = ProgramDouble(13, masks, masks[::-1].copy(), np.arange(30, dtype=np.int32), np.ones(30), 30,\n"
        "                        [Observable(masks, masks, np.ones(30))])\n"
        "angles = np.linspace(0, 1, 30)[None]\n"
        "value = program.energies(angles, 2)\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(0 if (program.energies(angles, 2) == value).all() else 1)\n"
        "print('exit', os.waitpid(child, 0)[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "exit 0\n"


@compiled
def test_the_default_number_of_threads_is_that_of_openmp_or_of_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert native.default_workers() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert native.default_workers() == len(os.sched_getaffinity(0))


@compiled
@pytest.mark.parametrize("n", [12, 20])  # rows side by side, and one after the other
def test_an_interrupt_ends_a_long_call(n):
    case = Case(2, n, 300)
    program = case.program()

    def interrupted(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            program.energies(np.repeat(case.theta[None], 1 << 22 - n // 2, axis=0), 2)  # minutes
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    small = Case(2, 3, 5)
    np.testing.assert_allclose(small.program().energies(small.theta[None], 2)[0], small.answers()[0], atol=1e-12)


@compiled
def test_too_little_memory_is_an_error_with_its_bytes():
    code = (
        "import resource, numpy as np; from backends.statevector.native import ProgramDouble\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
        "none = np.zeros(0, np.uint64)\n"
        "program = ProgramDouble(32, none, none, np.zeros(0, np.int32), np.zeros(0), 0, [])\n"
        "try: program.energies(np.zeros((1, 0)))\n"
        "except MemoryError as err: print(err)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"no memory for {2**36} bytes\n"


@compiled
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_qubits": 0}, "n_qubits must be 1 to 32"),
        ({"n_qubits": 33}, "n_qubits must be 1 to 32"),
        ({"x": [4]}, "none of the 2 qubits"),
        ({"z": [1, 2]}, "x and z must have the same length"),
        ({"angle": [1]}, "angle must be 0 to 1 - 1, it is 1"),
        ({"angle": [-1]}, "it is -1"),
        ({"isa": "mmx"}, "isa must be one of"),
    ],
)
def test_wrong_programs_are_refused(change, message):
    wanted = {"n_qubits": 2, "x": [1], "z": [0], "angle": [0], "isa": ""} | change
    with pytest.raises(ValueError, match=message):
        native.ProgramDouble(
            wanted["n_qubits"],
            np.array(wanted["x"], np.uint64),
            np.array(wanted["z"], np.uint64),
            np.array(wanted["angle"], np.int32),
            np.ones(1),
            1,
            [],
            isa=wanted["isa"],
        )


@compiled
def test_wrong_angles_are_refused():
    program = Case(0, 3, 8).program()
    with pytest.raises(ValueError, match="angles must have 4 columns, they have 5"):
        program.energies(np.zeros((1, 5)))


@compiled
def test_the_environment_chooses_the_instruction_set(monkeypatch):
    for isa in SETS:
        monkeypatch.setenv("HYBRID_NATIVE_ISA", isa)
        assert Case(0, 3, 4).program().isa == isa
    monkeypatch.setenv("HYBRID_NATIVE_ISA", "mmx")
    with pytest.raises(ValueError, match=r"HYBRID_NATIVE_ISA must be one of .*'mmx'"):
        Case(0, 3, 4).program()


@compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_jax_compiles_maps_and_differentiates_a_program(dtype):
    from backends.statevector.native.xla import energies

    case = Case(11, 6, 20)
    function = energies(case.program())
    with jax.enable_x64(dtype == np.float64):
        theta = jnp.asarray(case.theta, dtype)
        values, slopes = case.answers()
        atol = 1e-11 if dtype == np.float64 else 1e-4
        assert jax.jit(function)(theta).dtype == dtype
        np.testing.assert_allclose(jax.jit(function)(theta), values, atol=atol)
        np.testing.assert_allclose(jax.jacfwd(function)(theta), slopes, atol=atol)
        np.testing.assert_allclose(jax.jacrev(jax.jit(function))(theta), slopes, atol=atol)
        loss = jax.jit(jax.vmap(jax.grad(lambda t: function(t)[0] ** 2)))
        np.testing.assert_allclose(loss(jnp.stack([-theta, theta]))[1], 2 * values[0] * slopes[0], atol=10 * atol)
        with pytest.raises(Exception, match="the last axis of angles must have length 10"):
            jax.block_until_ready(jax.jit(function)(theta[:3]))


@compiled
def test_a_compiled_step_says_that_its_program_is_no_more():
    from backends.statevector.native.xla import energies

    program = Case(1, 3, 4).program()
    theta = jnp.asarray(Case(1, 3, 4).theta)
    step = jax.jit(energies(program)).lower(theta).compile()
    assert jnp.isfinite(step(theta)).all()
    del program
    jax.clear_caches()
    with pytest.raises(jax.errors.JaxRuntimeError, match="program of this function is no more"):
        jax.block_until_ready(step(theta))


def without(extension: bytes | None, folder: Path) -> str:
    """What the package says in a process where the extension is another file, or none."""
    package = folder / "native"
    package.mkdir()
    shutil.copy(native.__file__, package)
    if extension is not None:
        (package / f"_extension{sysconfig.get_config_var('EXT_SUFFIX')}").write_bytes(extension)
    code = (
        "import native\n"
        "print(native.available(), native.why_not())\n"
        "try: native.ProgramDouble\n"
        "except native.Refused as err: print(str(err) == native.why_not())"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return said.stdout


@pytest.mark.parametrize("extension", [None, b"made for another machine"])
def test_without_a_fitting_extension_the_package_says_why_and_what_to_do(extension, tmp_path):
    said = without(extension, tmp_path)
    assert said.startswith("False the C++ kernels of the statevector engine cannot be loaded (")
    assert ("No module named" in said) == (extension is None)
    assert "install the package again" in said
    assert said.endswith("True\n")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Program'"):
        native.Program  # noqa: B018


@compiled
@pytest.mark.parametrize("isa", SETS)
def test_the_machine_reaches_more_than_a_program_does(isa, monkeypatch):
    monkeypatch.setenv("HYBRID_NATIVE_ISA", isa)
    double, single = native.peak_flops(workers=1), native.peak_flops(single=True, workers=1)
    assert double > 1e8  # a tenth of an operation a cycle would be broken
    assert single > double
    assert native.copy_bytes_per_s(1 << 22, workers=1) > 1e7


@compiled
def test_what_observables_take_is_counted():
    case = Case(3, 10, 12)
    passes, _, layers, steps, diagonals = case.program().observed()
    assert passes >= len(case.observables)
    assert steps + diagonals == sum(len(c) for _, _, c in case.observables)
    assert bool(layers) == bool(diagonals)
