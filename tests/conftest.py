import pytest


@pytest.fixture(autouse=True)
def decisions_kept_apart(monkeypatch, tmp_path_factory):
    """No test writes into the user's own log of decisions, or reads a policy or prices of theirs."""
    own = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("HYBRID_STATE", str(own / "state"))
    for name in ("HYBRID_POLICY", "HYBRID_PRICES"):
        monkeypatch.delenv(name, raising=False)
    return own / "state"
