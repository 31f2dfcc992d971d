import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "backends"))

import filed
from workers import Workers

filed.register("filed")


@pytest.fixture
def vendor(tmp_path):
    return filed.Vendor(tmp_path / "vendor")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "run"


@pytest.fixture(scope="session")
def workers():
    started = Workers()
    yield started
    started.close()


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A run that nothing disturbed."""
    from workers import minimize

    folder = tmp_path_factory.mktemp("whole")
    return minimize(folder / "run", folder / "vendor")
