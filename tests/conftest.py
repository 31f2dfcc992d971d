import os
import time
from contextlib import suppress

import pytest

from backends.machine import cache_folder


@pytest.fixture(autouse=True, scope="session")
def cache_kept_apart(tmp_path_factory):
    """What runs of the tests teach is not told to the user's own; programs that were compiled once are used by both."""
    own, known = tmp_path_factory.mktemp("cache"), cache_folder()
    with suppress(OSError):
        (known / "compiled").mkdir(parents=True, exist_ok=True)
    (own / "compiled").symlink_to(known / "compiled")
    if (known / "speeds.json").exists():
        (own / "speeds.json").write_bytes((known / "speeds.json").read_bytes())
    before = os.environ.get("HYBRID_CACHE")
    os.environ["HYBRID_CACHE"] = str(own)
    yield own
    os.environ.pop("HYBRID_CACHE")
    if before is not None:
        os.environ["HYBRID_CACHE"] = before


@pytest.fixture(autouse=True)
def decisions_kept_apart(monkeypatch, tmp_path_factory):
    """No test writes into the user's own log of decisions or list of runs, or reads a policy or prices of theirs."""
    own = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("HYBRID_DATA", str(own / "data"))
    monkeypatch.setenv("HYBRID_STATE", str(own / "state"))
    for name in ("HYBRID_POLICY", "HYBRID_PRICES"):
        monkeypatch.delenv(name, raising=False)
    return own / "state"


@pytest.fixture(scope="session")
def environments(request):
    """Give a vendor's environment by name: from the user's folder, or installed into pytest's cache, once."""
    from backends.providers.worker import environment
    from backends.providers.worker.recipes import recipe
    from circuits.errors import FailedJob, Refused

    def give(name):
        one = recipe(name)
        if environment.installed(one) is None:
            folder = request.config.cache.mkdir("environments")
            patch.setenv(environment.VARIABLE, str(folder))
        while environment.installed(one) is None:
            try:
                environment.install(one)
            except Refused:
                time.sleep(0.5)  # another test process makes it
            except FailedJob as err:
                pytest.skip(f"the environment of {name} cannot be installed: {str(err).splitlines()[-1]}")
        return one

    with pytest.MonkeyPatch.context() as patch:
        yield give
