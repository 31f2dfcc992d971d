"""What a page says of jobs, charges and failovers."""

from itertools import pairwise

import filed

import hybrid
from circuits import hardware_efficient, tfim
from hybrid.runs import journal
from hybrid.runs.export import document_of


def test_jobs_charges_and_failovers_are_told(tmp_path, place, vendor):
    other = filed.Vendor(tmp_path / "other")
    vendor.plan(fate=[""] * 17 + ["fail"])
    result = hybrid.minimize(
        hardware_efficient(2, layers=1),
        tfim(2),
        backend=f"filed:{vendor.folder}",
        failover=[f"filed:{other.folder}"],
        optimizer="spsa",
        shots=100,
        accuracy=0.1,
        max_steps=2,
        folder=place,
    )
    content = result.report().read_text()
    rows = journal.read(place / "journal.sqlite").jobs
    assert f"{len(rows)} jobs" in content
    assert f"${sum(row.charge.usd for row in rows if row.counts):,.2f}" in content
    for row in rows:
        assert row.id is None or f"<td>{row.id}</td>" in content
    (failover,) = result.failovers
    assert "<h2>Failovers</h2>" in content
    assert f"from number {failover['evaluation']} on come from {failover['to']}" in content
    assert failover["evaluation"] > 0
    backends = [row.backend for row in document_of(place).runs[0].rows]
    assert backends[0] == f"filed:{vendor.folder}"
    assert backends[-1] == f"filed:{other.folder}"
    changes = sum(a != b for a, b in pairwise(backends))
    assert changes == 1
