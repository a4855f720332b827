"""Completion proofs: earned by the last pass, issued once there is a photo, printed, checked by anyone."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial

import peewee
import structlog

from app.account import service as account
from app.cases import service as cases
from app.certificate import fonts, number, pdf, queries
from app.certificate.errors import FONT_MISSING, NO_SUCH_PROOF, PROOF_LINK_OVER, PROOF_NEEDS_PHOTO, PROOF_NOT_EARNED
from app.certificate.models import Proof, ProofEvent, ProofPhoto, photo_aad
from app.certificate.status import Action, Status, next_status
from app.core import audit, crypto, outbox, sweep, tokens
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.enrol import queries as enrolments
from app.enrol import service as enrol
from app.face import service as face
from app.policy import load
from app.policy.days import shanghai_day

log = structlog.get_logger(__name__)

BATCH = 100
LINK_MINUTES = 10
LINK = "proof.pdf"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_public_url: list[str] = []


def init(public_url: str) -> None:
    """Where the public check lives; called once at the start of each process."""
    _public_url[:] = [public_url]


def new_token() -> str:
    """130 random bits in 26 characters: what the QR code names a proof by; nobody guesses it."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(26))


def verify_url(row: Proof) -> str:
    """What the QR code holds."""
    return f"{_public_url[0]}/verify/{row.token}"


# --- earning and issuing -----------------------------------------------------------------------------------------


def earned(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `exam.passed`: the proof is earned, where the programme gives one; a job issues it as soon
    as there is a photo."""
    enrolment = enrol.get(payload["enrolment_id"])
    if load.programme(enrolment.programme, enrolment.version).proof is None:
        return
    row_id = new_id()
    fresh = insert_once(
        Proof,
        id=row_id,
        enrolment_id=enrolment.id,
        person_id=enrolment.person_id,
        programme=enrolment.programme,
        version=enrolment.version,
        kind_code=enrolment.kind_code,
        status=Status.PENDING_PHOTO,
        earned_at=now,
        looked_at=now,
    )
    if fresh:
        after_commit(partial(enqueue_hint, "jobs.entries.issue_proof", row_id))


def issue(proof_id: str, *, now: datetime) -> Proof:
    """Issue the proof if it waits and the person has a photo that will do; else it stays as it is. What is printed is
    taken down now, and never changes. However often and by how many this runs: one issue, one `proof.issued`.
    Raises `NOT_FOUND`."""
    row = queries.by_id(proof_id)
    photo = face.proof_photo(row.person_id, compared=queries.programme_of(row).face is not None)
    if row.status != Status.PENDING_PHOTO or photo is None:
        return row
    person = account.get_person(row.person_id)
    row.name, row.id_number, row.certificate_no = person.name, person.id_number, _certificate_no(row)
    values = {
        "status": next_status(Status(row.status), Action.ISSUE),
        "number": number.make(shanghai_day(now), secrets.randbelow(10**number.RANDOM_DIGITS)),
        "token": new_token(),
        "name_sealed": row.name_sealed,
        "id_number_sealed": row.id_number_sealed,
        "certificate_no_sealed": row.certificate_no_sealed,
        "unwritable": _unwritable(row),
        "issued_at": now,
    }
    try:
        with transaction():
            account.get_person(row.person_id, locked=True)  # of two that are issued now, one is the newer
            if compare_and_set(Proof, row.id, {"status": Status.PENDING_PHOTO}, values):
                sealed = crypto.photos().seal_bytes(photo, photo_aad(row.id))
                ProofPhoto.create(id=row.id, sealed=sealed)
                _note(row.id, Action.ISSUE, Status.VALID, "system", now=now)
                if values["unwritable"]:
                    cases.file(
                        "proof_name_unwritable",
                        f"proof:{row.id}",
                        {"codes": str(values["unwritable"])},
                        programme=row.programme,
                        person_id=row.person_id,
                        now=now,
                    )
                _supersede(row, now=now)
                outbox.emit("proof.issued", row.enrolment_id, {"enrolment_id": row.enrolment_id}, now=now)
    except peewee.IntegrityError:  # the number is taken (1 in 10,000,000 a proof of the day): the job draws another
        log.warning("proof_number_taken", proof_id=row.id)
    return queries.by_id(proof_id)


def _certificate_no(row: Proof) -> str | None:
    enrolment = enrol.get(row.enrolment_id)
    (entry,) = enrolments.owned_entries([enrolment.roster_entry_id], row.person_id)
    certificate_no: str | None = entry.certificate_no
    return certificate_no


def _unwritable(row: Proof) -> str | None:
    """The codes of the name's characters that the paper cannot show, for staff; `None`: it shows all of them."""
    try:
        missing = fonts.writable(row.name)[1]
    except fonts.FontMissing:
        log.exception("proof_font_missing")  # the proof is issued all the same; printing it says what is wrong
        return None
    return " ".join(missing)[:200] or None


def _supersede(row: Proof, *, now: datetime) -> None:
    """Where the programme says that a new proof voids the old one (`proof.new_one_voids_old`)."""
    if queries.rules_of(row).new_one_voids_old:
        for old in queries.valid_before(row):
            _revoke(old, "已由新的证明代替", "system", now=now)


def issue_waiting(*, now: datetime) -> int:
    """Scheduled: issue the proofs whose photo has come, lost hints included; gives how many were issued."""

    def look(row: Proof) -> bool:
        compare_and_set(Proof, row.id, {"status": Status.PENDING_PHOTO}, {"looked_at": now})
        return issue(row.id, now=now).status == Status.VALID

    issued, _ = sweep.each("certificate.issue_waiting", queries.waiting(BATCH), look)
    return issued


# --- revoking ----------------------------------------------------------------------------------------------------


def revoke(proof_id: str, reason: str, *, actor: str, now: datetime) -> None:
    """Take a proof back: its public page says so from now on. `actor` as in the audit log. A second time changes
    nothing. Raises `NOT_FOUND`, `status.NotAllowed` for one that was not issued."""
    row = queries.by_id(proof_id)
    if row.status == Status.REVOKED:
        return
    with transaction():
        if _revoke(row, reason, actor, now=now):
            audit.record(actor, "proof.revoked", f"proof:{row.id}", now=now, reason=reason)


def _revoke(row: Proof, reason: str, actor: str, *, now: datetime) -> bool:
    after = next_status(Status(row.status), Action.REVOKE)
    won = compare_and_set(Proof, row.id, {"status": row.status}, {"status": after, "revoked_at": now})
    if won:
        _note(row.id, Action.REVOKE, after, actor, reason, now=now)
    return won


def _note(
    proof_id: str, action: Action, status: Status, actor: str, reason: str | None = None, *, now: datetime
) -> None:
    ProofEvent.create(proof_id=proof_id, at=now, action=action, status=status, actor=actor, reason=reason)


# --- showing -----------------------------------------------------------------------------------------------------


def of_enrolment(enrolment_id: str, person_id: str, *, now: datetime) -> Proof:
    """The person's proof; one that waits is issued here if its photo has come. Raises `NOT_FOUND` (also for another
    person's), `PROOF_NOT_EARNED`."""
    enrolments.owned([enrolment_id], person_id)
    row = queries.of_enrolment(enrolment_id)
    if row is None:
        raise PROOF_NOT_EARNED()
    return issue(row.id, now=now) if row.status == Status.PENDING_PHOTO else row


def pdf_link(row: Proof, *, now: datetime) -> str:
    """A link to the PDF that works for some minutes in any browser without a session; for its owner's screen."""
    ticket = tokens.sign(LINK, row.id, expires=now + timedelta(minutes=LINK_MINUTES))
    return f"/api/v1/proofs/{row.id}.pdf?ticket={ticket}"


def printed(proof_id: str, ticket: str, *, now: datetime) -> tuple[Proof, bytes]:
    """The PDF, for the holder of a link; across a revoked one stands that it is. Raises `PROOF_LINK_OVER`,
    `PROOF_NEEDS_PHOTO`, `FONT_MISSING`."""
    try:
        if tokens.verify(LINK, ticket, now) != [proof_id]:
            raise PROOF_LINK_OVER()
    except tokens.BadToken as error:
        raise PROOF_LINK_OVER() from error
    row = queries.by_id(proof_id)
    if row.status == Status.PENDING_PHOTO:
        raise PROOF_NEEDS_PHOTO()
    try:
        return row, pdf.render(_sheet(row))
    except fonts.FontMissing as error:
        log.exception("proof_font_missing")
        raise FONT_MISSING() from error


def _sheet(row: Proof) -> pdf.Sheet:
    programme, rules = queries.programme_of(row), queries.rules_of(row)
    photo = ProofPhoto.get_by_id(row.id)
    return pdf.Sheet(
        number=row.number,
        title=rules.title,
        programme=programme.title,
        authority=programme.authority.name,
        name=row.name,
        id_number=row.id_number,
        kind=queries.kind_title(row),
        certificate_no=row.certificate_no,
        issued_on=shanghai_day(row.issued_at),
        photo=crypto.photos().open_bytes(bytes(photo.sealed), photo_aad(row.id)),
        verify_url=verify_url(row),
        void_without=rules.valid_only_with,
        revoked_on=shanghai_day(row.revoked_at) if row.revoked_at else None,
    )


def verified(token: str) -> Proof:
    """The proof that a QR code names. Raises `NO_SUCH_PROOF`."""
    row = queries.by_token(token)
    if row is None:
        raise NO_SUCH_PROOF()
    return row
