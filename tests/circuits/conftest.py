import pytest

import circuits


@pytest.fixture(scope="session")
def h2():
    return circuits.molecule("H 0 0 0; H 0 0 0.735")


@pytest.fixture(scope="session")
def lih_small():
    return circuits.molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 5))


@pytest.fixture(scope="session")
def lih():
    return circuits.molecule("Li 0 0 0; H 0 0 1.6")
