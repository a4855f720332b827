"""What of a person is the exam's: their attempts. Nobody is taken out of an exam by a merge."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.enrol import queries as enrolments
from app.exam.models import Attempt


def against(keep: str, gone: str) -> str | None:
    """An exam that goes on."""
    if Attempt.select(Attempt.id).where(Attempt.open_person.in_((keep, gone))).exists():
        return "学员正在考试，请等交卷后再合并。"
    return None


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction, before the enrolments."""
    mine = [row.id for row in enrolments.of_person(gone)]
    Attempt.update(person_id=keep).where(Attempt.enrolment_id.in_(mine), Attempt.person_id == gone).execute()


PART = account.Part("exam", move, against=against)
