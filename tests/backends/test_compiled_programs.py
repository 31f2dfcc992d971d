"""Compiled programs on disk: read again by the next process, and never once a bit of them is wrong."""

import pickle
import warnings

import numpy as np
import pytest

from backends.statevector.runtime import compiled


def doubled(x):
    return 2 * x + 1


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled, "_known", {})
    return tmp_path / "compiled"


def run():
    """As a process that has compiled nothing yet."""
    compiled._known.clear()
    x = np.arange(3.0, dtype=np.float32)
    return compiled.executable(doubled, (x,))(x).tolist()


def test_a_program_is_kept_and_read_again(cache, monkeypatch):
    assert run() == [1, 3, 5]
    (file,) = cache.iterdir()
    monkeypatch.setattr(compiled, "_lowered", lambda *_: pytest.fail("compiled again"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run() == [1, 3, 5]
    assert list(cache.iterdir()) == [file]


def test_no_flipped_bit_is_unpickled(cache, monkeypatch):
    run()
    (file,) = cache.iterdir()
    good = file.read_bytes()
    loads, seen = pickle.loads, []
    monkeypatch.setattr(compiled.pickle, "loads", lambda content: seen.append(content) or loads(content))
    rng = np.random.default_rng(5)
    places = [0, 31, 32, 33, len(good) - 1, *rng.integers(0, len(good), 10)]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(bad)
        with pytest.warns(UserWarning, match="damaged and is made again"):
            assert run() == [1, 3, 5]
        assert file.read_bytes()[:32] != bytes(bad)[:32] or file.read_bytes() != bytes(bad)  # written anew
    assert seen == []
    run()
    assert len(seen) == 1


@pytest.mark.parametrize("change", ["no digest", "cut", "empty", "other"])
def test_other_files_are_not_unpickled(cache, monkeypatch, change):
    run()
    (file,) = cache.iterdir()
    good = file.read_bytes()
    bad = {"no digest": good[32:], "cut": good[:-1], "empty": b"", "other": pickle.dumps(print)}[change]
    file.write_bytes(bad)
    loads = pickle.loads
    monkeypatch.setattr(compiled.pickle, "loads", lambda _: pytest.fail("unpickled"))
    with pytest.warns(UserWarning, match="damaged"):
        assert run() == [1, 3, 5]
    monkeypatch.setattr(compiled.pickle, "loads", loads)
    assert run() == [1, 3, 5]
