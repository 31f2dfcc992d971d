"""What XLA compiled, kept in this process and in the user's cache folder, so that the next process starts at once.

An executable depends on the function, its static arguments, the shapes and types of the others, the sources of the
engine, the versions of JAX, and the device. A file begins with the SHA-256 digest of the rest, which is checked before
anything is unpickled: files that are damaged, or that belong to somebody else, are not read, and made again.
"""

import hashlib
import os
import pickle
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from backends.machine import cache_folder, machine, own_cores

MOST_BYTES = 2**28
"""Size of the folder from which on the files that were not used for longest are removed."""

DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Request:
    """Arguments of `executable`, for later."""

    function: Callable
    arguments: tuple
    static: tuple = ()
    donate: bool = False


_known: dict[Any, Callable] = {}
_kernels: dict[Any, Callable] = {}


def executable(
    function: Callable,
    arguments: tuple,
    *,
    static: tuple = (),
    donate: bool = False,
    rows: bool = False,
    options: tuple[tuple[str, Any], ...] = (),
) -> Callable:
    """``function(*static, *arguments)`` compiled for the shapes of the arguments.

    Args:
        function: At the top of a module of this package.
        arguments: Pytrees of arrays.
        static: Hashable, with a faithful repr.
        donate: Whether the first argument's memory is written over.
        rows: Whether the second argument has a leading axis of rows, for each of which all is to be computed.
        options: Of XLA's compiler.

    Returns:
        A function of arguments like these.
    """
    key = _key(function, arguments, static, donate, rows, options)
    if key not in _known:
        _, _, tree, shapes, *_ = key
        name = f"{function.__module__}.{function.__qualname__} {static!r} {tree} {shapes} {donate} {rows} {options!r}"
        _known[key] = _loaded(name) or _kept(name, _lowered(function, arguments, static, donate, rows), options)
    return _known[key]


def kernel(function: Callable, *arrays: Any, static: tuple = (), donate: bool = False) -> Any:
    """Run ``function(*static, *arrays)``, compiled once for each shape of the arrays."""
    key = (function, static, tuple((x.shape, x.dtype) for x in arrays))
    if key not in _kernels:
        _kernels[key] = executable(function, arrays, static=static, donate=donate, options=_quick())
    return _kernels[key](*arrays)


def prepare(requests: list[Request]) -> None:
    """Make many executables at once, on all cores; arrays may be shapes."""
    new = {}
    for request in requests:
        key = _key(request.function, request.arguments, request.static, request.donate, False, _quick())
        if key not in _known:
            new[key] = request
    x64 = bool(jax.config.read("jax_enable_x64"))

    def make(request: Request) -> None:
        with jax.enable_x64(x64):  # a thread has a setting of its own
            executable(
                request.function, request.arguments, static=request.static, donate=request.donate, options=_quick()
            )

    with ThreadPoolExecutor(len(own_cores())) as pool:
        list(pool.map(make, new.values()))


def _quick() -> tuple:
    """Options that halve the time to compile a kernel; what is one library call or one loop runs as fast without."""
    return (("xla_backend_optimization_level", 1),) if jax.default_backend() == "cpu" else ()


def _key(function: Callable, arguments: tuple, static: tuple, donate: bool, rows: bool, options: tuple) -> tuple:
    leaves, tree = jax.tree.flatten(arguments)
    shapes = tuple((np.shape(x), np.dtype(x.dtype).str) for x in leaves)
    return (function, static, tree, shapes, donate, rows, options)


def _lowered(function: Callable, arguments: tuple, static: tuple, donate: bool, rows: bool) -> jax.stages.Lowered:
    bound = partial(function, *static)
    if rows:
        bound = jax.vmap(bound, in_axes=[0 if k == 1 else None for k in range(len(arguments))])
    return jax.jit(bound, donate_argnums=(0,) if donate else (), keep_unused=True).lower(*arguments)


def _kept(name: str, lowered: jax.stages.Lowered, options: tuple) -> Callable:
    """Compile, and write it down for the next process."""
    from jax.experimental.serialize_executable import serialize

    made = lowered.compile(compiler_options=dict(options))
    path = _path(name)
    scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = pickle.dumps((name, *serialize(made)))
        scratch.write_bytes(hashlib.sha256(content).digest() + content)
        scratch.replace(path)
        _prune(path.parent)
    except OSError as err:
        _warn_once(f"compiled programs cannot be kept in {path.parent} ({err.strerror}); HYBRID_CACHE names another")
    return made


def _loaded(name: str) -> Callable | None:
    from jax.experimental.serialize_executable import deserialize_and_load

    path = _path(name)
    try:
        if path.stat().st_uid != os.getuid():
            return None
        written = path.read_bytes()
        digest, content = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            warnings.warn(f"a compiled program in {path} is damaged and is made again", stacklevel=2)
            return None
        stored, *parts = pickle.loads(content)
        if stored != name:
            return None
        made = deserialize_and_load(*parts, execution_devices=jax.local_devices()[:1])  # else on all there are
        os.utime(path)
    except OSError:
        return None  # never kept
    except Exception as err:  # noqa: BLE001 - whatever a damaged file makes pickle or XLA say, it can be made again
        warnings.warn(f"a compiled program in {path} cannot be read and is made again: {err}", stacklevel=2)
        return None
    return made


def _prune(folder: Path) -> None:
    """Remove what was not used for longest; another process may do the same."""
    files = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            files.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if total <= MOST_BYTES:
            return
        file.unlink(missing_ok=True)
        total -= size


@cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _path(name: str) -> Path:
    return cache_folder() / "compiled" / hashlib.sha256(f"{_here()} {name}".encode()).hexdigest()


@cache
def _here() -> str:
    """What the same function and shapes may compile differently for."""
    sources = hashlib.sha256()
    for file in sorted(Path(__file__).parent.parent.rglob("*.py")):
        sources.update(file.read_bytes())
    device = jax.local_devices()[0]
    flags = os.environ.get("XLA_FLAGS", "")
    place = f"{device.device_kind} {device.id} {machine()} {len(own_cores())}"
    return f"{sources.hexdigest()} {jax.__version__} {version('jaxlib')} {place} {flags}"
