"""Each earned proof is issued once, with everything that makes it good: checked over the whole database."""

from __future__ import annotations

from collections import Counter

from app.certificate import number
from app.certificate.models import Proof, ProofEvent, ProofPhoto
from app.certificate.status import Action, Status


def audit_proofs() -> list[str]:
    """Every violation found, as a line that names the proof; empty when all is well."""
    faults: list[str] = []
    issues = Counter(
        proof_id
        for (proof_id,) in ProofEvent.select(ProofEvent.proof_id).where(ProofEvent.action == Action.ISSUE).tuples()
    )
    photos = {row_id for (row_id,) in ProofPhoto.select(ProofPhoto.id).tuples()}
    for row in Proof.select():
        issued = row.status != Status.PENDING_PHOTO
        if issues.pop(row.id, 0) != issued or (row.id in photos) != issued:
            faults.append(f"{row.id}: {row.status}, but its issue or its photo does not fit")
        if issued and not (row.number and number.valid(row.number) and row.token and row.issued_at and row.name):
            faults.append(f"{row.id}: issued with something missing")
        if not issued and (row.number or row.token or row.issued_at):
            faults.append(f"{row.id}: waits, and has a number already")
    return faults + [f"{proof_id}: issued, and not there" for proof_id in issues]
