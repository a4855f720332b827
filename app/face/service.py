"""Face checks: start, judge, pass once. Nobody passes by coming back from a page: only the provider's answer to our
own question, for the same person, purpose and nonce, passes (fault F1).

Purposes: "login": name, ID number and live face against the authority's source; the first pass anchors the person's
face and opens an account that was not activated. "study" (subject: the enrolment): live face against the photo.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.account import service as account
from app.core import audit, crypto, tokens
from app.core.access import Identity
from app.core.db import compare_and_set, locked, transaction
from app.core.errors import CONFLICT, SIGN_IN_FIRST, TOO_MANY
from app.face import image, providers, queries, review, store, tries
from app.face.errors import (
    FACE_ANCHOR_NEEDED,
    FACE_CHECK_OVER,
    FACE_NOT_OFFERED,
    FACE_UNAVAILABLE,
    PHOTO_NEEDED,
)
from app.face.judge import Verdict, judge_page, judge_picture
from app.face.models import FaceAttempt, FaceCheck, FaceRecord
from app.face.passes import consume_pass as consume_pass
from app.face.passes import expire_checks as expire_checks
from app.face.providers.protocol import FaceProvider, ProviderUnavailable
from app.face.queries import anchored as anchored
from app.face.queries import photo_ready as photo_ready
from app.face.queries import photo_status as photo_status
from app.face.queries import proof_photo as proof_photo
from app.face.queries import read_photo as read_photo
from app.face.queries import require_pass as require_pass
from app.face.status import COMPARED, OPEN, Action, CheckStatus, PhotoStatus, next_status
from app.policy import load
from app.policy.schema import Face, FacePurpose, Programme

log = structlog.get_logger(__name__)

Purpose = Literal["login", "study"]
Method = Literal["picture", "h5"]

TIME_TO_FINISH = timedelta(minutes=30)  # ours; the provider's page itself lives for two hours
STARTS_PER_HOUR = 30  # ours: more than a clumsy user needs
ASK_PAUSE = timedelta(seconds=3)  # ours: each question to the provider about a page costs money
RETURN = "face.return"
WEB = ("web", "phone_web")  # sessions whose page goes on in the browser that comes back

_public_url: list[str] = []
_subject_programme: list[Callable[[str, str], Programme]] = []


@dataclass(frozen=True)
class Started:
    """A check that was made: its nonce, told once, and the provider's page where there is one."""

    check: FaceCheck
    nonce: str
    h5_url: str | None


@dataclass(frozen=True)
class Outcome:
    """Where a check stands. `token`: a new, full session, where this pass opened the account."""

    check: FaceCheck
    retries_left: int
    token: str | None
    phone: str


def init(public_url: str) -> None:
    """Where our pages live; called once at the start of each process."""
    _public_url[:] = [public_url]


def on_subject(programme_of: Callable[[str, str], Programme]) -> None:
    """`programme_of(subject, person_id)` gives the programme under whose rules a check for this subject stands, and
    raises `not_found` for another person's. The domain that owns the subjects tells it, once a process."""
    _subject_programme[:] = [programme_of]


def programme_of_subject(subject: str, person_id: str) -> Programme:
    """The programme under whose rules a check for this subject of the person stands. Raises `not_found`."""
    return _subject_programme[0](subject, person_id)


# --- start ---------------------------------------------------------------------------------------------------------


def start_check(who: Identity, *, purpose: Purpose, subject: str | None, method: Method, now: datetime) -> Started:
    """Make a check for the caller: for "study" by the rules of the subject's programme, else of the session's.
    Raises `face_not_offered`, `face_anchor_needed`, `photo_needed`, `not_found` (the subject), `face_manual_route`
    (no tries left), `too_many_requests`, `face_unavailable` (method "h5", provider down)."""
    person_id = who.person_id
    account.require_consent(person_id, "face")
    session = account.get_session(who.session_id)
    if (purpose == "study") != bool(subject):
        raise FACE_NOT_OFFERED()
    if purpose == "study" and not who.activated:
        raise SIGN_IN_FIRST("请先完成账号激活，再进行这一步。")
    programme = programme_of_subject(subject, person_id) if subject else load.in_force(session.programme, now)
    rule = _rule_for(programme, purpose, person_id, session.proved)
    if purpose == "study":
        _require_reference(person_id)
    tries.require_left(person_id, programme, now=now)
    nonce = secrets.token_urlsafe(24)
    with transaction():
        locked(FaceRecord, tries.ensure_record(person_id).id)  # starts at one moment are counted one after the other
        recent = FaceCheck.select().where(
            FaceCheck.person_id == person_id, FaceCheck.created_at > now - timedelta(hours=1)
        )
        if recent.count() >= STARTS_PER_HOUR:
            raise TOO_MANY(headers={"Retry-After": "600"})
        check = FaceCheck.create(
            person_id=person_id,
            programme=programme.key,
            version=programme.version.isoformat(),
            purpose=purpose,
            rule=rule,
            subject=subject or "",
            method=method,
            nonce_index=crypto.index("face_check.nonce", nonce),
            created_at=now,
            expires_at=now + TIME_TO_FINISH,
        )
    log.info("face_check_started", check_id=check.id, purpose=purpose, method=method)
    return Started(check, nonce, _open_page(check, programme, session.channel, now) if method == "h5" else None)


def _open_page(check: FaceCheck, programme: Programme, channel: str, now: datetime) -> str:
    person = account.get_person(check.person_id)
    signed = tokens.sign(RETURN, check.id, expires=check.expires_at)
    back = (
        f"{_public_url[0]}/face/return?check={check.id}&nonce={signed}{'&web=1' if channel in WEB else ''}&outcome="
    )
    try:
        page = provider_of(programme).open_page(
            name=person.name, id_number=person.id_number, success_url=back + "done", failed_url=back + "failed"
        )
    except ProviderUnavailable as error:
        compare_and_set(
            FaceCheck, check.id, {"status": check.status}, {"status": next_status(check.status, Action.LOSE)}
        )
        raise _unavailable(programme) from error
    check.provider_ref = page.reference
    compare_and_set(FaceCheck, check.id, {"status": check.status}, {"provider_ref_sealed": check.provider_ref_sealed})
    return page.url


def _rules(programme: Programme) -> Face:
    if programme.face is None:
        raise FACE_NOT_OFFERED()
    return programme.face


def policy_purpose(purpose: str, *, proved: bool) -> FacePurpose:
    """The name of the programme file for what is checked. `proved`: the person had proved who they are before."""
    if purpose == "study":
        return "study_now"
    return "login" if proved else "activation"


def _rule_for(programme: Programme, purpose: Purpose, person_id: str, proved: bool) -> FacePurpose:
    rule = policy_purpose(purpose, proved=proved)
    if rule == "login" and _rules(programme) and not queries.anchored(person_id):
        return rule  # what the other checks compare with is this one's picture: it comes first in every programme
    if rule not in {each.purpose for each in _rules(programme).purposes}:
        raise FACE_NOT_OFFERED()
    if rule == "activation" and "real_name_face" not in programme.activation.methods:
        raise FACE_NOT_OFFERED()
    return rule


def _require_reference(person_id: str) -> FaceRecord:
    record = queries.record_of(person_id)
    if record is None or record.anchor_file is None:
        raise FACE_ANCHOR_NEEDED()
    if record.photo_status != PhotoStatus.CONFIRMED:
        raise PHOTO_NEEDED()
    return record


# --- do ------------------------------------------------------------------------------------------------------------


def submit_picture(check_id: str, who: Identity, *, nonce: str, data: bytes, now: datetime) -> Outcome:
    """Judge a picture of the camera. Sent again after a pass, it changes nothing. Raises the problems of
    `image.live_picture`, `face_check_over`, `face_manual_route`, `face_unavailable` (the try is given back)."""
    person_id = who.person_id
    check = _own(check_id, person_id, nonce, "picture", now)
    if check.status == CheckStatus.PASSED:
        return _outcome(check, who, now)
    account.require_consent(person_id, "face")
    programme = load.programme(check.programme, check.version)
    live = image.live_picture(data)
    tries.claim(person_id, programme, now=now)
    try:
        reference = _require_reference(person_id) if check.purpose == "study" else queries.record_of(person_id)
        verdict = judge_picture(
            provider_of(programme), programme, account.get_person(person_id), check.purpose, reference, live
        )
    except ProviderUnavailable as error:
        tries.give_back(person_id)
        _lose(check, now)
        raise _unavailable(programme) from error
    return _outcome(_apply(check, who, programme, verdict, now), who, now)


def finish_check(check_id: str, who: Identity, *, nonce: str, now: datetime) -> Outcome:
    """After the provider's page: ask the provider. A check whose person has not finished there stays as it is, and
    so does one about which the provider was asked less than `ASK_PAUSE` ago.
    Raises `face_check_over`, `face_unavailable`."""
    person_id = who.person_id
    check = _own(check_id, person_id, nonce, "h5", now)
    if check.status in (CheckStatus.PASSED, CheckStatus.FAILED):
        return _outcome(check, who, now)  # a page has one result: failed is told again, not asked again
    if check.provider_ref is None:
        raise FACE_CHECK_OVER()
    if not _may_ask(check, now):
        return _outcome(check, who, now)
    programme = load.programme(check.programme, check.version)
    try:
        reference = _require_reference(person_id) if check.purpose == "study" else queries.record_of(person_id)
        verdict = judge_page(
            provider_of(programme),
            programme,
            account.get_person(person_id),
            check.purpose,
            reference,
            check.provider_ref,
        )
    except ProviderUnavailable as error:
        _lose(check, now)
        raise _unavailable(programme) from error
    if verdict is None:
        return _outcome(check, who, now)
    return _outcome(_apply(check, who, programme, verdict, now), who, now)


def _may_ask(check: FaceCheck, now: datetime) -> bool:
    """Take the turn to ask the provider; of callers at the same time one gets it."""
    rested = FaceCheck.asked_at.is_null() | (FaceCheck.asked_at <= now - ASK_PAUSE)
    return bool(FaceCheck.update(asked_at=now).where(FaceCheck.id == check.id, rested).execute())


def see_check(check_id: str, person_id: str, *, now: datetime) -> Outcome:
    """Where the person's check stands. Never holds a token."""
    check = queries.own_check(check_id, person_id)
    programme = load.programme(check.programme, check.version)
    return Outcome(check, tries.left(person_id, programme, now=now), None, programme.authority.contacts.face)


def _own(check_id: str, person_id: str, nonce: str, method: Method, now: datetime) -> FaceCheck:
    check = queries.own_check(check_id, person_id)
    known = crypto.indexes("face_check.nonce", nonce)
    good = any(secrets.compare_digest(check.nonce_index, index) for index in known)
    alive = check.status in (*OPEN, CheckStatus.PASSED) and check.expires_at > now
    if not good or not alive or check.method != method:
        raise FACE_CHECK_OVER()
    return check


def _lose(check: FaceCheck, now: datetime) -> None:
    with transaction():
        values = {"status": next_status(check.status, Action.LOSE)}
        if compare_and_set(FaceCheck, check.id, {"status": check.status}, values):
            _write_attempt(check, Verdict(passed=False, reason="unavailable"), None, now, outcome="unknown")


def _apply(check: FaceCheck, who: Identity, programme: Programme, verdict: Verdict, now: datetime) -> FaceCheck:
    """Write the verdict, once: whoever comes second finds the first one's result. Files are written before, rows in
    one transaction; what no row names is deleted again. Raises `consent_needed` where the consent was taken back
    while the provider looked."""
    evidence = store.put("evidence", check.person_id, verdict.live, now=now) if verdict.live else None
    anchor = None
    if verdict.passed and check.purpose == "login" and verdict.live and not queries.anchored(check.person_id):
        anchor = store.put("anchor", check.person_id, verdict.live, now=now)
    kept: set[str | None] = set()
    try:
        with transaction():
            account.hold_consent(check.person_id, "face")
            kept = _write(check, who, programme, verdict, evidence, anchor, now)
    finally:
        for name in {evidence, anchor} - kept:
            store.remove(name)
    return queries.own_check(check.id, check.person_id)


def _write(
    check: FaceCheck,
    who: Identity,
    programme: Programme,
    verdict: Verdict,
    evidence: str | None,
    anchor: str | None,
    now: datetime,
) -> set[str | None]:
    """The rows of a verdict. Gives the files that are in use now."""
    activated = account.get_person(check.person_id).activated_at is not None
    values: dict[str, object] = {
        "status": next_status(check.status, Action.PASS if verdict.passed else Action.FAIL),
        "attempts": check.attempts + 1,
        "reason": verdict.reason,
    }
    if verdict.passed:
        values |= {"passed_at": now, "expires_at": now + _valid_for(programme, check.rule)}
    seen = {"status": check.status, "attempts": check.attempts}
    if not compare_and_set(FaceCheck, check.id, seen, values):
        if verdict.passed and check.method == "picture":
            tries.give_back(check.person_id)  # the same good picture, sent twice: its try was no try
        return set()
    _write_attempt(check, verdict, evidence, now, outcome="passed" if verdict.passed else "failed")
    if not verdict.passed:
        if check.method == "h5":  # a picture's try was claimed before it was judged
            tries.count(check.person_id, now=now)
        tries.file_case_when_out(check, programme, now=now)
        return {evidence}
    audit.record(
        f"person:{check.person_id}",
        f"face.{check.purpose}_passed",
        f"face_check:{check.id}",
        now=now,
        method=check.method,
    )
    if check.purpose == "login" and not activated:
        account.activate(check.person_id, f"face_check:{check.id}", now=now, session_id=who.session_id)
    return {evidence, anchor} if _write_record(check, verdict, anchor, now) else {evidence}


def _write_record(check: FaceCheck, verdict: Verdict, anchor: str | None, now: datetime) -> bool:
    """After a pass: the tries start anew, the first real-name pass is the anchor, and the photo that was compared
    with it is confirmed or returned. True if `anchor` is in use now."""
    for _ in range(20):
        record = tries.ensure_record(check.person_id)
        values: dict[str, object] = {"tries": 0, "version": record.version + 1}
        first = anchor is not None and record.anchor_file is None
        if first:
            values |= {"anchor_file": anchor, "anchor_check_id": check.id, "anchored_at": now}
        compared = record.photo_status in COMPARED and record.photo_file == verdict.photo_file
        other = compared and not verdict.photo_matches
        # it came while the check ran: from now on whoever confirms a photo takes it for compared
        unseen = first and not compared and record.photo_status == PhotoStatus.REVIEW
        if other or unseen:
            values |= {"photo_status": PhotoStatus.RETURNED, "photo_index": None}
        elif compared and record.photo_status == PhotoStatus.WAITING:
            values["photo_status"] = PhotoStatus.CONFIRMED  # one under review waits for the review
        if compare_and_set(FaceRecord, record.id, {"version": record.version}, values):
            if other or unseen:
                why = "与实名核验的本人不一致" if other else "实名核验时还没有这张照片，须重新上传比对"
                review.withdraw(record.photo_file, why, now=now)
            return first
    raise CONFLICT()


def _write_attempt(check: FaceCheck, verdict: Verdict, evidence: str | None, now: datetime, *, outcome: str) -> None:
    FaceAttempt.create(
        check_id=check.id,
        person_id=check.person_id,
        at=now,
        outcome=outcome,
        reason=verdict.reason,
        match_score=verdict.match,
        liveness_score=verdict.liveness,
        provider_code=verdict.code,
        evidence_file=evidence,
    )


def _outcome(check: FaceCheck, who: Identity, now: datetime) -> Outcome:
    programme = load.programme(check.programme, check.version)
    token = None
    session = account.get_session(who.session_id)
    if check.purpose == "login" and check.status == CheckStatus.PASSED and not session.proved:
        # a new token at a rise of rights, against fixation (fault L3); the nonce was checked before
        token = account.open_session(who.person_id, session.programme, session.channel, activated=True, now=now)
    return Outcome(check, tries.left(check.person_id, programme, now=now), token, programme.authority.contacts.face)


# --- parts ---------------------------------------------------------------------------------------------------------


def returned(check_id: str, signed: str, *, now: datetime) -> bool:
    """Whether the provider's redirect carries what we signed. It decides what the page says, and nothing else."""
    try:
        return tokens.verify(RETURN, signed, now) == [check_id]
    except tokens.BadToken:
        return False


def provider_of(programme: Programme) -> FaceProvider:
    """The face provider in whose name the programme runs."""
    prefix = programme.authority.secrets.baidu
    if prefix is None:
        raise FACE_NOT_OFFERED()
    return providers.for_authority(prefix)


def _unavailable(programme: Programme) -> Exception:
    phone = programme.authority.contacts.face
    return FACE_UNAVAILABLE(headers={"Retry-After": "10"}, manual_route={"phone": phone})


def _valid_for(programme: Programme, purpose: str) -> timedelta:
    minutes = (rule.pass_valid_minutes for rule in _rules(programme).purposes if rule.purpose == purpose)
    return timedelta(minutes=next(minutes, 0))  # none: it was for the anchor only, and opens nothing
