"""What a signed-in person sees of their account: masked, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account import service
from app.core.access import Identity
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.policy import load


@dataclass(frozen=True)
class Me:
    """The caller's account. Personal data are masked."""

    name: str | None
    id_number: str | None
    phone: str | None
    programme: str
    channel: str
    activated: bool
    must_change_password: bool
    next: str
    activation_methods: list[str]
    consents: dict[str, bool]
    consent_versions: dict[str, str]
    contact: str


def describe(who: Identity, *, now: datetime) -> Me:
    """The account of the caller."""
    person, session = service.get_person(who.person_id), service.get_session(who.session_id)
    programme = load.in_force(session.programme, now)
    offered = programme.activation.methods
    sms = "sms_to_supplied_phone" in offered and person.phone_sealed is not None
    step = service.next_step(person, proved=session.proved)
    return Me(
        name=mask_name(person.name),
        id_number=mask_id_number(person.id_number),
        phone=mask_phone(person.phone),
        programme=session.programme,
        channel=session.channel,
        activated=step == "home",
        must_change_password=person.password_hash is None,
        next=step,
        activation_methods=["sms"] * sms + ["face"] * ("real_name_face" in offered),
        consents={kind: service.has_consent(person.id, kind) for kind in service.CONSENT_KINDS},
        consent_versions=dict(service.CONSENT_VERSIONS),
        contact=programme.authority.contacts.login,
    )
