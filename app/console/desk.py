"""One case as it lies on the desk: its evidence, the decisions with what the person would read, its history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import peewee

from app.account.models import Person
from app.account.person_pages import HISTORY
from app.cases import queries
from app.cases import service as cases
from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, Reason
from app.cases.messages import Preview
from app.cases.models import Case
from app.console import words
from app.core.crypto import mask_name
from app.core.errors import NOT_FOUND, Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.staff import service as staff_service

BATCH = 50  # cases on one page of a queue


@dataclass(frozen=True)
class Choice:
    """A reason by template, and what the person would read."""

    reason: Reason
    preview: Preview | None


@dataclass(frozen=True)
class Option:
    """A decision, the key that makes it, what its note begins with, and what the person would read."""

    number: int
    decision: Decision
    note: str
    preview: Preview | None
    choices: tuple[Choice, ...]

    @property
    def asks(self) -> bool:
        """Whether something is to be chosen or written before it is made."""
        return bool(self.choices) or self.decision.note_needed


@dataclass(frozen=True)
class Line:
    """A line of the history."""

    at: datetime
    who: str
    what: str
    why: str


@dataclass(frozen=True)
class Desk:
    """Everything that the page of a case shows. `mark`: which proposal; `follows`: what
    would follow from it. `taken_by`: a colleague who has it at the
    moment. `opens`: the person's page is theirs to see."""

    case: Case
    kind: Kind
    what: str
    evidence: Evidence
    options: tuple[Option, ...]
    proposal: Deed | None
    proposed_by: str
    mark: str
    follows: tuple[Fact, ...]
    taken_by: str | None
    mine: bool
    over: bool
    late: bool
    left: int
    previous: Case | None
    following: Case | None
    unmasks: bool
    opens: bool
    history: tuple[Line, ...]
    decided_by: str


@dataclass(frozen=True)
class Row:
    """A case in the list of its queue. `holder`: a colleague who has it at the moment. `about`: see the kind's."""

    case: Case
    person: str
    holder: str | None
    about: str

    @property
    def free(self) -> bool:
        """Whether it can be decided together with others."""
        return self.holder is None and self.case.status == "open"


@dataclass(frozen=True)
class BatchChoice:
    """What can be decided about many cases at once: the form's value, its words, what each person would read.
    `hindrance`: why none of them would get it, or None."""

    value: str
    label: str
    text: str
    hindrance: str | None
    decision: Decision
    reason: Reason | None


def rows(staff: Staff, kind: Kind, *, now: datetime) -> list[Row]:
    """The oldest cases of a queue, with the masked names of whom they are about."""
    found = queries.waiting(staff, kind, limit=BATCH)
    names = staff_service.names({case.claimed_by or "" for case in found})
    ids = [case.person_id for case in found if case.person_id is not None]
    people = (
        {person.id: mask_name(person.name) for person in Person.select().where(Person.id.in_(ids))} if ids else {}
    )
    about = kind.about(found) if kind.about is not None else {}
    return [
        Row(
            case,
            people.get(case.person_id) or "",
            words.actor(case.claimed_by, names)
            if case.claimed_by not in (None, staff.actor) and case.claimed_until > now
            else None,
            about.get(case.id, ""),
        )
        for case in found
    ]


def batch_choices(kind: Kind, cases_: list[Row], *, now: datetime) -> list[BatchChoice]:
    """Every decision of the kind that many cases can get at once, with each of its reasons; the text as the first
    would read it whom nothing hinders."""
    found = []
    for decision in kind.decisions if cases_ else ():
        for reason in decision.reasons or (None,) if decision.batch else ():
            label = decision.label if reason is None else f"{decision.label}：{reason.text}"
            value = decision.key if reason is None else f"{decision.key}:{reason.key}"
            first = _first_told(cases_, decision, reason, now)
            text, hindrance = (first.text, first.hindrance) if first else ("", None)
            found.append(BatchChoice(value, label, text, hindrance, decision, reason))
    return found


def _first_told(cases_: list[Row], decision: Decision, reason: Reason | None, now: datetime) -> Preview | None:
    first = None
    for row in cases_:
        preview = _preview(row.case, decision, reason, now)
        if preview is None or preview.hindrance is None:
            return preview or first
        first = first or preview
    return first


def told(choice: BatchChoice, cases_: list[Row], *, now: datetime) -> tuple[int, list[tuple[str, int]]]:
    """How many of these would get the message; and of the others, what stands in the way of how many."""
    previews = [_preview(row.case, choice.decision, choice.reason, now) for row in cases_]
    untold = Counter(one.hindrance for one in previews if one is not None and one.hindrance is not None)
    return sum(one is not None and one.hindrance is None for one in previews), untold.most_common()


def desk(staff: Staff, case: Case, kind: Kind, *, now: datetime) -> Desk:
    """Lay a case on the desk."""
    history = queries.history(case)
    actors = {line.actor for line in history} | {case.claimed_by or "", case.proposed_by or "", case.decided_by or ""}
    names = staff_service.names(actors)
    held = case.claimed_by is not None and case.claimed_until > now
    following = queries.free(staff, kind, after=case, now=now, limit=1)
    open_ = case.status in queries.TO_DO
    options = _options(case, kind, now)
    if not open_:
        options = [one for one in options if one.decision.meanwhile and case.status == "waiting"]
    proposal = cases.proposal(case, staff.actor, now) if case.status == "second_look" else None
    return Desk(
        case=case,
        kind=kind,
        what=kind.what_now(case) or kind.what,
        evidence=_evidence(case, kind),
        options=tuple(options),
        proposal=proposal,
        proposed_by=words.actor(case.proposed_by or "", names),
        mark=cases.mark_of(case),
        follows=proposal.decision.proposed(proposal) if proposal is not None else (),
        taken_by=words.actor(case.claimed_by, names) if held and case.claimed_by != staff.actor else None,
        mine=held and case.claimed_by == staff.actor,
        over=not open_ and not options,
        late=case.due_at is not None and case.due_at < now,
        left=queries.count_waiting(staff, kind),
        previous=queries.before(staff, kind, case),
        following=following[0] if following else None,
        unmasks=case.person_id is not None and staff.may(Right.SUPPORT, case.programme or EVERYWHERE),
        opens=case.person_id is not None and any(staff.may(right, case.programme or EVERYWHERE) for right in HISTORY),
        history=tuple(
            Line(line.at, words.actor(line.actor, names), words.action(line.action), words.why(line.data))
            for line in history
        ),
        decided_by=words.actor(case.decided_by or "", names),
    )


def _evidence(case: Case, kind: Kind) -> Evidence:
    try:
        return kind.evidence(case)
    except (peewee.DoesNotExist, Problem) as gone:
        if isinstance(gone, Problem) and gone.kind is not NOT_FOUND:
            raise
        return Evidence((Fact("记录", f"{case.subject} 已经不存在，请核实后结案", bad=True),))


def _options(case: Case, kind: Kind, now: datetime) -> list[Option]:
    found = []
    for number, decision in enumerate(kind.decisions_of(case), start=1):
        choices = tuple(Choice(reason, _preview(case, decision, reason, now)) for reason in decision.reasons)
        preview = _preview(case, decision, None, now)
        found.append(Option(number, decision, decision.note_begins(case), preview, choices))
    return found


def _preview(case: Case, decision: Decision, reason: Reason | None, now: datetime) -> Preview | None:
    message = decision.message(case, reason) if decision.message is not None else None
    return cases.preview(case, message, now=now) if message is not None else None
