"""Named reads of proofs."""

from __future__ import annotations

from datetime import date

from app.certificate.models import Proof, ProofEvent
from app.certificate.status import Status
from app.core.errors import NOT_FOUND
from app.policy import load, rules
from app.policy.days import shanghai_day
from app.policy.schema import Programme
from app.policy.schema import Proof as ProofRules


def by_id(proof_id: str) -> Proof:
    """The proof, whoever's it is. Raises `NOT_FOUND`."""
    row = Proof.get_or_none(Proof.id == proof_id)
    if row is None:
        raise NOT_FOUND()
    return row


def of_enrolment(enrolment_id: str) -> Proof | None:
    """The enrolment's proof, if it was earned."""
    return Proof.get_or_none(Proof.enrolment_id == enrolment_id)


def by_token(token: str) -> Proof | None:
    """The issued proof whose QR code holds `token`."""
    return Proof.get_or_none(Proof.token == token)


def waiting(limit: int) -> list[Proof]:
    """Proofs that wait for a photo, the one looked after longest ago first."""
    query = Proof.select().where(Proof.status == Status.PENDING_PHOTO)
    return list(query.order_by(Proof.looked_at).limit(limit))


def valid_before(row: Proof) -> list[Proof]:
    """The person's other valid proofs of the same programme and kind."""
    query = Proof.select().where(Proof.person_id == row.person_id, Proof.kind_code == row.kind_code)
    return list(query.where(Proof.programme == row.programme, Proof.status == Status.VALID, Proof.id != row.id))


def history(proof_id: str) -> list[ProofEvent]:
    """The proof's history, oldest first."""
    return list(ProofEvent.select().where(ProofEvent.proof_id == proof_id).order_by(ProofEvent.id))


def programme_of(row: Proof) -> Programme:
    """The programme file the enrolment was made under."""
    return load.programme(row.programme, row.version)


def rules_of(row: Proof) -> ProofRules:
    """The proof's rules in it."""
    found = programme_of(row).proof
    if found is None:
        raise rules.NoSuchRule(f"{row.programme} {row.version}: proof")
    return found


def kind_title(row: Proof) -> str:
    """The kind of certificate in words."""
    kind = rules.certificate_kind(programme_of(row), row.kind_code)
    return kind.title if kind else row.kind_code


def issued_on(row: Proof) -> date | None:
    """The day of issue in Shanghai."""
    return shanghai_day(row.issued_at) if row.issued_at else None
