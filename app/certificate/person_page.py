"""What the proofs add to a person's page."""

from __future__ import annotations

from app.account.person_pages import Entry, PersonPage, Sight, Source, Window
from app.certificate.models import Proof, ProofEvent
from app.certificate.status import Action

STEPS = {Action.ISSUE: "出具证明", Action.REVOKE: "撤销证明"}


def earned(sight: Sight, window: Window) -> list[Entry]:
    """Proofs that were earned, and whether they wait for a photo."""
    query = Proof.select().where(sight.mine(Proof.person_id), sight.within(Proof.programme))
    return [
        Entry(
            row.earned_at,
            row.id,
            "获得证明的资格",
            evidence=f"编号 {row.number}" if row.number else "缺合格的照片，上传并核验后自动出具",
            tone="good" if row.number else "bad",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, Proof.earned_at, Proof.id)
    ]


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Every step of a proof."""
    query = (
        ProofEvent.select(ProofEvent, Proof.programme.alias("programme"), Proof.number.alias("number"))
        .join(Proof, on=(Proof.id == ProofEvent.proof_id))
        .where(sight.mine(Proof.person_id), sight.within(Proof.programme))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"{STEPS.get(row.action, row.action)} {row.number or ''}",
            evidence=row.reason or "",
            tone="good" if row.action == Action.ISSUE else "bad",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, ProofEvent.at, ProofEvent.id)
    ]


def subjects(sight: Sight) -> dict[str, str]:
    """The proofs."""
    return {f"proof:{row_id}": "证明" for row_id in sight.latest(Proof)}


PAGE = PersonPage(
    domain="certificate",
    sources=(Source("proofs", entries), Source("proofs_earned", earned)),
    subjects=subjects,
    words={"proof.revoked": "撤销证明"},
)
