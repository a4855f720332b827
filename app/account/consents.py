"""What a person has agreed to: the user agreement, and apart from it the use of face data."""

from __future__ import annotations

from datetime import datetime

from app.account.errors import CONSENT_NEEDED, CONSENT_OUTDATED, CONSENT_STAYS
from app.account.models import Consent
from app.core import audit, outbox
from app.core.db import insert_once, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id

# The version of each text that is in force: raise it when the text changes, and everybody is asked again.
VERSIONS = {"agreement": "1", "face": "1"}
WITHDRAWABLE = frozenset({"face"})


def agreed(person_id: str, kind: str) -> bool:
    """Whether the person has agreed to the text of this kind that is in force."""
    query = Consent.select(Consent.id).where(
        Consent.person_id == person_id, Consent.kind == kind, Consent.version == VERSIONS[kind]
    )
    return bool(query.exists())


def write(person_id: str, kind: str, version: str, *, now: datetime, session_id: str | None) -> None:
    """Write down that the person agreed; a second time changes nothing. Raises `consent_outdated`."""
    if version != VERSIONS[kind]:
        raise CONSENT_OUTDATED(version=VERSIONS[kind])
    with transaction():
        values = {"person_id": person_id, "kind": kind, "version": version}
        if insert_once(Consent, **values, session_id=session_id, agreed_at=now):
            who = f"person:{person_id}"
            audit.record(who, "consent.given", who, now=now, kind=kind, version=version, session=session_id)


def given_at(person_id: str, kind: str) -> datetime | None:
    """When the person agreed to the text that is in force."""
    row = Consent.get_or_none(Consent.person_id == person_id, Consent.kind == kind, Consent.version == VERSIONS[kind])
    return row.agreed_at if row is not None else None


def withdraw(person_id: str, kind: str, *, now: datetime) -> None:
    """Take back what was agreed to, in every version; a second time changes nothing. That it was given, and when,
    stays in the audit log. `account.consent_withdrawn` tells the others. Raises `not_found`, `consent_stays`."""
    if kind not in VERSIONS:
        raise NOT_FOUND()
    if kind not in WITHDRAWABLE:
        raise CONSENT_STAYS()
    with transaction():
        if Consent.delete().where(Consent.person_id == person_id, Consent.kind == kind).execute():
            who = f"person:{person_id}"
            audit.record(who, "consent.withdrawn", who, now=now, kind=kind)
            outbox.emit("account.consent_withdrawn", new_id(), {"person_id": person_id, "kind": kind}, now=now)


def drop_of_other_sessions(person_id: str, session_id: str, *, now: datetime) -> None:
    """Whoever knows a first password could have ticked: what was agreed to in other sessions does not count."""
    dropped = Consent.delete().where(
        Consent.person_id == person_id, Consent.session_id.is_null(False), Consent.session_id != session_id
    )
    if dropped.execute():
        audit.record("system", "consent.dropped", f"person:{person_id}", now=now, kept_of_session=session_id)


def require(person_id: str, kind: str) -> None:
    """Raises `consent_needed`, naming the kind, unless the person has agreed."""
    if not agreed(person_id, kind):
        raise CONSENT_NEEDED(consent=kind)
