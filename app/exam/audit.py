"""One score per attempt, from the last answers saved by the deadline, by the server's clock: checked over the whole
database."""

from __future__ import annotations

import json
from collections import Counter

from app.exam import queries
from app.exam.giving_back import LOST
from app.exam.models import Attempt, AttemptEvent, AttemptGrant, AttemptPaper
from app.exam.paper import Source
from app.exam.scoring import score, unpack_answers, unpack_key
from app.exam.service import START
from app.exam.status import Action, Status
from app.policy import rules


def audit_attempts() -> list[str]:
    """Every violation found, as a line that names the attempt; empty when all is well."""
    faults: list[str] = []
    numbers: dict[tuple[str, str], list[int]] = {}
    events: dict[str, list[AttemptEvent]] = {}
    for event in AttemptEvent.select().order_by(AttemptEvent.id):
        events.setdefault(event.attempt_id, []).append(event)
    given = Counter[tuple[str, str]]()
    for grant in AttemptGrant.select():
        given[grant.enrolment_id, grant.subject] += 1
        lost = Attempt.get_or_none(Attempt.id == grant.id)
        place = (grant.enrolment_id, grant.subject)
        if lost is None or lost.status not in LOST or (lost.enrolment_id, lost.subject) != place:
            faults.append(f"{grant.id}: given back, and was not lost")
    for row in Attempt.select():
        numbers.setdefault((row.enrolment_id, row.subject), []).append(row.number)
        more = given[row.enrolment_id, row.subject]
        faults += [f"{row.id}: {fault}" for fault in _faults(row, events.pop(row.id, []), more)]
    faults += [f"{attempt_id}: history without an attempt" for attempt_id in events]
    for (enrolment_id, subject), found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            faults.append(f"{enrolment_id} {subject}: attempts are numbered {sorted(found)}")
    return faults


def _faults(row: Attempt, events: list[AttemptEvent], given_back: int) -> list[str]:
    faults = []
    exam, programme = queries.exam_of(row), queries.programme_of(row)
    key, answers = unpack_key(bytes(row.key)), unpack_answers(bytes(row.answers))
    counts = Counter(event.action for event in events)
    if counts[START] != 1:
        faults.append(f"{counts[START]} starts")
    endings = sum(counts[action] for action in Action)
    if row.deadline != rules.exam_deadline(programme, row.started_at):
        faults.append("the deadline moved")
    if exam.attempts is not None and row.number > exam.attempts + given_back:
        faults.append(f"attempt {row.number} of {exam.attempts} and {given_back} given back")
    faults += _paper_faults(row)
    if row.status == Status.OPEN:
        if row.open_person != row.person_id or row.score is not None or row.finished_at or endings:
            faults.append("open, and marked as ended")
        return faults
    if row.open_person is not None or endings != 1:
        faults.append(f"ended with {endings} endings, lease {row.open_person}")
    if row.finished_at is None or not row.started_at <= row.finished_at <= row.deadline:
        faults.append(f"finished at {row.finished_at}, deadline {row.deadline}")
    burned = row.status == Status.LEFT and exam.on_leave == "burn_and_zero"
    right = 0 if burned else score(key, answers, partial=exam.multiple_partial_score)
    if row.score != right or any(event.score != right for event in events if event.action != START):
        faults.append(f"score {row.score}, the answers are worth {right}")
    if row.passed != (not burned and rules.is_pass(programme, right)):
        faults.append(f"passed is {row.passed} with {right}")
    return faults


def _paper_faults(row: Attempt) -> list[str]:
    """The frozen key is what the question versions say, in the order shown."""
    paper = AttemptPaper.get_or_none(AttemptPaper.id == row.id)
    if paper is None:
        return ["without a paper"]
    laid = json.loads(paper.questions)
    texts = queries.versions(version_id for version_id, _ in laid)
    key = unpack_key(bytes(row.key))
    if len(laid) != len(key) or len(texts) != len(laid):
        return ["paper and key differ in length, or a question is missing"]
    for (version_id, order), item in zip(laid, key, strict=True):
        source = Source(json.loads(texts[version_id].options), texts[version_id].mask)
        shown = sum(1 << place for place, index in enumerate(order) if source.mask >> index & 1)
        if (shown, len(order), texts[version_id].type) != (item.mask, item.options, item.type):
            return [f"the key of {version_id} is not what the bank says"]
    total = sum(item.points for item in key)
    return [] if total == queries.exam_of(row).total_score else [f"the paper is worth {total}"]
