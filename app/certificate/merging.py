"""What of a person is the proofs'. What was printed stays as it was; a proof that names somebody otherwise than we do
now is looked at by a person."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.account.models import Person
from app.cases import service as cases
from app.certificate.models import Proof
from app.certificate.status import Status


def move(keep: str, gone: str, now: datetime) -> None:
    """In the merge's transaction."""
    Proof.update(person_id=keep).where(Proof.person_id == gone).execute()
    file_differing(account.get_person(keep), now=now)


def corrected(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `account.identity_corrected`."""
    file_differing(account.get_person(payload["person_id"]), now=now)


def file_differing(person: Person, *, now: datetime) -> None:
    """A case for each valid proof that has another name or ID number."""
    for row in Proof.select().where(Proof.person_id == person.id, Proof.status == Status.VALID):
        differs = [
            title
            for title, printed, known in (
                ("姓名", row.name, person.name),
                ("身份证号", row.id_number, person.id_number),
            )
            if printed != known
        ]
        if differs:
            cases.file(
                "certificate.identity_differs",
                f"proof:{row.id}",
                {"differs": "、".join(differs)},
                programme=row.programme,
                person_id=person.id,
                now=now,
            )


PART = account.Part("certificate", move)
