"""Two proofs of one person that are issued at one moment."""

from __future__ import annotations

import msgspec
import pytest

from app.certificate import queries, service
from app.certificate.models import Proof
from app.certificate.status import Status
from app.policy import load
from tests.certificate.offices import a_graduate, a_photo, pass_all
from tests.factories import an_enrolment
from tests.races import overtaken, unlocked
from tests.world import World


def statuses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The photo has come, and both proofs are issued at once, where a new one voids the old one."""
    proof = load.programme("yunnan", "2021-02-01").proof
    assert proof is not None
    rules = msgspec.structs.replace(proof, new_one_voids_old=True)
    graduate = a_graduate(photo=False)
    pass_all(an_enrolment(graduate.person, now=graduate.now), now=graduate.now)
    a_photo(graduate.person, now=graduate.now)
    monkeypatch.setattr(queries, "rules_of", lambda _row: rules)
    first, second = [row.id for row in Proof.select().order_by(Proof.id)]
    with overtaken(service, "_supersede", lambda: service.issue(second, now=graduate.now)) as issued:
        service.issue(first, now=graduate.now)
    assert isinstance(issued[0], Proof)
    return sorted(row.status for row in Proof.select())


def test_of_two_proofs_issued_at_one_moment_one_is_valid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(monkeypatch) == sorted([Status.REVOKED, Status.VALID])


def test_twin_without_the_lock_both_are(world: World, servers_only: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with unlocked():
        assert statuses(monkeypatch) == [Status.VALID, Status.VALID]
