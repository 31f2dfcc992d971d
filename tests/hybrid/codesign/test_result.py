"""How the answer of `hybrid codesign` says its numbers."""

from hybrid.codesign.result import _share
from hybrid.runs.error_budget import Share


def test_causes_are_in_the_units_of_the_sentence_and_rounding_is_zero():
    share = Share(cause="ansatz", size=4e-16, interval=0.0, note="why")
    assert _share(share, "hartree") == "+0 mHa, why"
    share = Share(cause="statistics", size=0.0, interval=1.6e-3, note="why")
    assert _share(share, "hartree") == "0.0 ± 1.6 mHa (95 %), why"
