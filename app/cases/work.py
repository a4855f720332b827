"""The staff's work with cases: each is claimed by one person for a while, decided, looked at by a second person where
its kind says so. What somebody may not see does not exist for them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Literal

from app.cases import hands, kinds, messages, queries
from app.cases.errors import CASE_NOT_IN_BATCH, CASE_NOTE, CASE_OVER, CASE_REASON, CASE_TAKEN
from app.cases.kinds import Decision, Deed, Kind
from app.cases.models import Case
from app.core import audit
from app.core.db import compare_and_set, transaction
from app.core.errors import NOT_FOUND, Problem
from app.core.staff import Staff

CLAIM = timedelta(minutes=10)
NOTE = (2, 200)  # characters
TOLD = (2, 1000)  # of what the person reads, in lines

Outcome = Literal["decided", "second_look", "waiting"]


def _hold(case: Case, staff: Staff, now: datetime, *, begun: bool = False) -> dict[str, Any]:
    """What the case must still be when it is written, for this person to have it; `begun`: it may wait for the end of
    what was begun. Raises `case_taken`, `case_over`."""
    if case.status not in ("open", "second_look") and not (begun and case.status == "waiting"):
        raise CASE_OVER()
    if case.claimed_by not in (None, staff.actor) and case.claimed_until > now:
        raise CASE_TAKEN()
    claim_ = {"claimed_by": case.claimed_by, "claimed_until": case.claimed_until}
    return {"status": case.status, "proposed_at": case.proposed_at} | claim_


def claim(staff: Staff, case_id: str, *, now: datetime) -> Case:
    """Have a case for ten minutes; of two who want it, one gets it. Again: ten minutes more. What waits for somebody
    else's agreement to one's own proposal stays free. Raises `not_found`, `case_taken`, `case_over`."""
    case, _ = queries.visible(staff, case_id)
    if case.status == "second_look" and case.proposed_by == staff.actor:
        return case
    mine = {"claimed_by": staff.actor, "claimed_until": now + CLAIM}
    with transaction():
        if not compare_and_set(Case, case.id, _hold(case, staff, now), mine):
            if Case.get_by_id(case.id).claimed_by != staff.actor:
                raise CASE_TAKEN()
            return case  # by another request of the same person
        if case.claimed_by != staff.actor:
            audit.record(staff.actor, "case.claimed", f"case:{case.id}", now=now)
    for name, value in mine.items():
        setattr(case, name, value)
    return case


def release(staff: Staff, case_id: str, *, now: datetime) -> None:
    """Leave a case to the others; somebody else's claim stays. Raises `not_found`."""
    case, _ = queries.visible(staff, case_id)
    with transaction():
        if compare_and_set(Case, case.id, {"claimed_by": staff.actor}, {"claimed_by": None, "claimed_until": None}):
            audit.record(staff.actor, "case.released", f"case:{case.id}", now=now)


def take_next(staff: Staff, kind: Kind, *, after: Case | None = None, now: datetime) -> Case | None:
    """Claim the oldest case of a queue that nobody has (after `after`, then from the beginning); None if there is
    none left."""
    for start in (after, None) if after is not None else (None,):
        for case in queries.free(staff, kind, after=start, now=now, limit=20):
            try:
                return claim(staff, case.id, now=now)
            except Problem as taken:
                if taken.kind not in (CASE_TAKEN, CASE_OVER):
                    raise
    return None


def decide_by_staff(
    staff: Staff, case_id: str, key: str, *, reason: str = "", note: str = "", now: datetime
) -> Outcome:
    """Decide a case; one whose decision needs a second look waits for another person. Raises `not_found`,
    `case_taken`, `case_over`, `case_reason`, `case_note`, and what the domain's verb raises: nothing is done."""
    case, kind = queries.visible(staff, case_id)
    decision = kind.decision(key)
    if not decision.fits(case):
        raise NOT_FOUND()
    deed = Deed(case, decision, *_said(decision, reason, note), staff.actor, now)
    held = _hold(case, staff, now, begun=decision.meanwhile)
    if case.status == "second_look":
        raise CASE_OVER()
    if decision.second_look:
        return _propose(deed, held)
    return _carry_out(deed, staff, held)


def batch_decision(kind: Kind, key: str) -> Decision:
    """A decision about many cases at once. Raises `not_found`, `case_not_in_batch`."""
    decision = kind.decision(key)
    if not decision.batch:
        raise CASE_NOT_IN_BATCH()
    return decision


def _said(decision: Decision, reason: str, note: str) -> tuple[kinds.Reason | None, str]:
    lines = [" ".join(line.split()) for line in note.strip().splitlines()] if decision.note_told else [note]
    chosen, note = decision.reason(reason), "\n".join(lines) if decision.note_told else " ".join(note.split())
    least, most = TOLD if decision.note_told else NOTE
    if decision.reasons and chosen is None:
        raise CASE_REASON()
    if (decision.note_needed or note) and not least <= len(note) <= most:
        raise CASE_NOTE()
    return chosen, note


def _propose(deed: Deed, held: dict[str, Any]) -> Outcome:
    said = {"key": deed.decision.key, "reason": deed.reason.key if deed.reason else "", "note": deed.note}
    sealed = Case(id=deed.case.id, proposed=json.dumps(said, ensure_ascii=False)).proposed_sealed
    values = {"status": "second_look", "proposed_sealed": sealed, "proposed_by": deed.actor, "proposed_at": deed.now}
    with transaction():
        deed.decision.check(deed)
        if not compare_and_set(Case, deed.case.id, held, values | {"claimed_by": None, "claimed_until": None}):
            raise CASE_TAKEN()
        _write_down(deed, "case.proposed")
    return "second_look"


def proposal(case: Case, actor: str, now: datetime) -> Deed | None:
    """What was proposed about a case, as `actor` would carry it out; None where nothing is."""
    kind = kinds.of(case.kind)
    if kind is None or case.proposed_sealed is None:
        return None
    said = json.loads(case.proposed)
    decision = kind.decision(said["key"])
    return Deed(case, decision, decision.reason(said["reason"]), said["note"], actor, now)


def mark_of(case: Case) -> str:
    """Which proposal a page shows: its forms carry this, and agree to nothing else. Empty where none is."""
    return case.proposed_at.isoformat() if case.proposed_at is not None else ""


def _second(staff: Staff, case_id: str, seen: str, now: datetime) -> tuple[Deed, dict[str, Any]]:
    case, _ = queries.visible(staff, case_id)
    held = _hold(case, staff, now)
    deed = proposal(case, staff.actor, now)
    if deed is None or case.status != "second_look":
        raise CASE_OVER()
    hands.require_another(case.proposed_by, staff.actor)
    if seen != mark_of(case):  # sent back and proposed anew since the page was drawn
        raise CASE_OVER("这件工作刚刚换成了另一个提议，没有执行。请刷新页面，看清新的提议再决定。")
    return deed, held


def confirm(staff: Staff, case_id: str, *, seen: str, now: datetime) -> Outcome:
    """The second pair of eyes agrees to the proposal that they saw (`mark_of`): it is done. Raises `not_found`,
    `case_second_look` (it is one's own proposal), `case_same_hand`, `case_taken`, `case_over` (also where
    another one stands there now), and what the domain's verb raises."""
    deed, held = _second(staff, case_id, seen, now)
    return _carry_out(deed, staff, held)


def send_back(staff: Staff, case_id: str, note: str, *, seen: str, now: datetime) -> None:
    """The second pair of eyes disagrees: the case is open again. Raises as `confirm`, and `case_note`."""
    deed, held = _second(staff, case_id, seen, now)
    _, note = _said(Decision("", "", note_needed=True), "", note)
    values = {"status": "open", "proposed_sealed": None, "proposed_by": None, "proposed_at": None}
    with transaction():
        if not compare_and_set(Case, deed.case.id, held, values | {"claimed_by": None, "claimed_until": None}):
            raise CASE_TAKEN()
        audit.record(staff.actor, "case.sent_back", f"case:{deed.case.id}", now=now, note=note)


def _carry_out(deed: Deed, staff: Staff, held: dict[str, Any]) -> Outcome:
    if deed.decision.outside:
        if mark_of(claim(staff, deed.case.id, now=deed.now)) != mark_of(deed.case):
            raise CASE_OVER()
        # nobody else asks the provider, or puts another proposal there, meanwhile
        deed.decision.do(deed)
        return "decided" if Case.get_by_id(deed.case.id).open_key is None else "waiting"
    over = {"status": "decided", "open_key": None, "decided_by": deed.actor, "decided_at": deed.now}
    over |= {"decision_sealed": Case(id=deed.case.id, decision=deed.words).decision_sealed}
    begun = {"status": "waiting", "claimed_by": None, "claimed_until": None}
    with transaction():
        if not compare_and_set(Case, deed.case.id, held, over if deed.decision.closes else begun):
            raise CASE_TAKEN()
        deed.decision.do(deed)
        _write_down(deed, "case.decided")
        if deed.decision.message is not None:
            message = deed.decision.message(deed.case, deed.reason)
            if message is not None:
                messages.send(deed.case, message, now=deed.now)
    return "decided" if deed.decision.closes else "waiting"


def _write_down(deed: Deed, action: str) -> None:
    audit.record(
        deed.actor,
        action,
        f"case:{deed.case.id}",
        now=deed.now,
        kind=deed.case.kind,
        about=deed.case.subject,
        decision=deed.decision.key,
        reason=deed.reason.key if deed.reason else None,
        proposed_by=deed.case.proposed_by,
    )


def paper_of(staff: Staff, case_id: str, *, now: datetime) -> bytes:
    """The PDF of the evidence; looking at it is written down. Raises `not_found`."""
    case, kind = queries.visible(staff, case_id)
    if kind.paper is None:
        raise NOT_FOUND()
    audit.record(staff.actor, "case.paper", case.subject, now=now)
    return kind.paper(case)


def picture_of(staff: Staff, case_id: str, name: str) -> bytes:
    """A picture of the evidence, as JPEG. Raises `not_found`."""
    case, kind = queries.visible(staff, case_id)
    found = kind.picture(case, name) if kind.picture is not None else None
    if found is None:
        raise NOT_FOUND()
    return found
