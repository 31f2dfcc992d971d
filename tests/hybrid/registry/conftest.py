import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The path of a registry that does not exist yet, and a folder for runs."""
    path = tmp_path / "registry.sqlite"
    monkeypatch.setenv("HYBRID_REGISTRY", str(path))
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path / "runs"))
    return path
