"""What of a person is the enrolments': the certificates on the rosters, and the enrolments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.account import service as account
from app.core.db import lock
from app.enrol.models import Enrolment, RosterEntry
from app.enrol.status import OPEN
from app.policy import load, rules


def hold(people: Sequence[str]) -> None:
    """Nobody signs up, checks out or begins an exam for these people before the merge has ended."""
    for model in (RosterEntry, Enrolment):
        list(lock(model.select().where(model.person_id.in_(list(people))).order_by(model.id)))


def against(keep: str, gone: str) -> str | None:
    """Two enrolments that are open for the same kind of certificate cannot be one person's."""
    rows = list(Enrolment.select().where(Enrolment.person_id.in_((keep, gone)), Enrolment.status.in_(OPEN)))
    kept = {(row.programme, row.kind_code) for row in rows if row.person_id == keep}
    for row in rows:
        if row.person_id == gone and (row.programme, row.kind_code) in kept:
            programme = load.programme(row.programme, row.version)
            kind = rules.certificate_kind(programme, row.kind_code)
            return (
                f"两个账号在“{programme.title}”都有没办完的“{kind.title if kind else row.kind_code}”报名，不能合并。"
                "请学员先确定保留哪一项，另一项办结或到期后再合并。"
            )
    return None


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction."""
    for model in (RosterEntry, Enrolment):
        model.update(person_id=keep).where(model.person_id == gone).execute()


PART = account.Part("enrol", move, hold=hold, against=against)
