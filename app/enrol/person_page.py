"""What the enrolments add to a person's page: sign-up and every step since; found by a certificate's number. Who is
on a programme's roster may be seen by its staff, and nobody else."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.account import service as account
from app.account.id_number import normalise
from app.account.person_name import name_form
from app.account.person_pages import (
    HISTORY,
    Entry,
    Finder,
    Help,
    Offer,
    PersonPage,
    Plea,
    Said,
    Sight,
    Source,
    Window,
    seen_by,
)
from app.cases import service as cases
from app.core import crypto
from app.core.clock import shanghai
from app.core.staff import EVERYWHERE, Fact, Right
from app.enrol import queries
from app.enrol.errors import OTHER_NOT_FOUND
from app.enrol.models import Enrolment, EnrolmentEvent, RosterEntry
from app.enrol.roster.rows import number_form
from app.enrol.status import Action, Status
from app.policy import load, rules

STATES = {
    Status.SIGNED_UP: "已报名，未缴费", Status.STUDYING: "学习中", Status.PASSED: "考试合格",
    Status.COMPLETED: "已取得证明", Status.LAPSED: "学习期已过",
}  # fmt: skip
STEPS = {
    "sign_up": "报名", Action.ORDER: "生成订单", Action.ORDER_CLOSED: "订单作废", Action.PAY: "缴费成功，开通学习",
    Action.PASS: "考试全部合格", Action.COMPLETE: "取得证明", Action.LAPSE: "学习期已过",
}  # fmt: skip


def kind_title(programme: str, version: str, kind_code: str) -> str:
    """A kind of certificate in words."""
    kind = rules.certificate_kind(load.programme(programme, version), kind_code)
    return kind.title if kind else kind_code


def _by_certificate(text: str, programmes: Collection[str] | None, limit: int) -> list[str]:
    number = number_form(text)
    if not 4 <= len(number) <= 64:
        return []
    keys = [one.key for one in load.all_programmes()] if programmes is None else list(programmes)
    query = RosterEntry.select(RosterEntry.person_id).where(
        RosterEntry.programme.in_(keys),
        RosterEntry.certificate_no_index.in_(crypto.indexes("roster_entry.certificate_no", number)),
    )
    return [person_id for (person_id,) in query.limit(limit).tuples()]


def _by_name(text: str, programmes: Collection[str] | None, limit: int) -> list[str]:
    """The exact name; of many who share it, those on these programmes' rosters."""
    ids = account.named(name_form(text), 20 * limit)
    if programmes is None:
        return ids[:limit]
    query = RosterEntry.select(RosterEntry.person_id).where(
        RosterEntry.person_id.in_(ids), RosterEntry.programme.in_(list(programmes))
    )
    return [person_id for (person_id,) in query.distinct().limit(limit).tuples()]


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Every step of an enrolment."""
    query = (
        EnrolmentEvent.select(
            EnrolmentEvent,
            Enrolment.programme.alias("programme"),
            Enrolment.version.alias("version"),
            Enrolment.kind_code.alias("kind_code"),
        )
        .join(Enrolment, on=(Enrolment.id == EnrolmentEvent.enrolment_id))
        .where(sight.mine(Enrolment.person_id), sight.within(Enrolment.programme))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"{STEPS.get(row.action, row.action)}：{kind_title(row.programme, row.version, row.kind_code)}",
            evidence=f"订单 {row.reference}" if row.reference else "",
            tone="good" if row.action in (Action.PAY, Action.PASS, Action.COMPLETE) else "plain",
            programme=row.programme,
            who="学员" if row.action in ("sign_up", Action.ORDER) else "系统",
        )
        for row in window.of(query, EnrolmentEvent.at, EnrolmentEvent.id)
    ]


def facts(sight: Sight, _now: datetime) -> list[Fact]:
    """The certificates on the roster, and how each enrolment stands."""
    entries_ = RosterEntry.select().where(sight.mine(RosterEntry.person_id), sight.within(RosterEntry.programme))
    rows = Enrolment.select().where(sight.mine(Enrolment.person_id), sight.within(Enrolment.programme))
    by_entry: dict[str, list[Enrolment]] = {}
    for row in rows.order_by(Enrolment.id.desc()).limit(50):
        by_entry.setdefault(row.roster_entry_id, []).append(row)
    found = []
    for entry in entries_.order_by(RosterEntry.id.desc()).limit(20):
        mine = by_entry.get(entry.id, [])
        said = [_said(row) for row in mine[:2]] or ["还没有报名"]
        until = f"，有效期至 {entry.expires_on}" if entry.expires_on else ""
        version = mine[0].version if mine else None
        title = kind_title(entry.programme, version, entry.kind_code) if version else entry.kind_code
        found.append(Fact(f"{title} …{entry.certificate_no[-4:]}", f"{'；'.join(said)}{until}"))
    return found


def _said(row: Enrolment) -> str:
    said = STATES.get(Status(row.status), row.status)
    if row.status == Status.STUDYING and row.study_deadline is not None:
        said += f"，{shanghai(row.study_deadline):%m-%d %H:%M} 截止"
    return said


def subjects(sight: Sight) -> dict[str, str]:
    """The enrolments."""
    return {f"enrolment:{row_id}": "报名" for row_id in sight.latest(Enrolment)}


def _other(_sight: Sight, _now: datetime) -> list[Offer]:
    return [Offer(f"person:{_sight.person_id}", "同一个人有两个账号，这一个保留")]


def _where_both(plea: Plea, gone_id: str, seen: Collection[str] | None) -> str:
    """Whose staff look at both: a programme on whose roster both stand, if there is one of those that are seen here;
    else nobody but who supports everywhere, as nobody else may see the one and the other."""
    rosters = queries.rosters_of([plea.person_id, gone_id], None)
    both = rosters.get(plea.person_id, set()) & rosters.get(gone_id, set())
    mine = both if seen is None else both & set(seen)
    return plea.programme if plea.programme in both else min(mine or both, default=EVERYWHERE)


def _ask_merge(plea: Plea) -> str:
    """The other account has to be on a roster that this one of the staff sees as well."""
    number = normalise(plea.said["id_number"])
    gone = account.whose(number) if number else None
    seen = seen_by(plea.staff, (Right.SUPPORT,))
    if gone is None or gone.merged_into or (seen is not None and not queries.rosters_of([gone.id], seen)):
        raise OTHER_NOT_FOUND()
    if said := account.why_not(plea.person_id, gone.id):
        raise OTHER_NOT_FOUND(said)
    told: dict[str, str | int | None] = {"gone": gone.id, "reason": plea.words, "asked_by": plea.staff.actor}
    told["asked_in"] = plea.programme
    subject, where = f"person:{gone.id}", _where_both(plea, gone.id, seen)
    if not cases.file("account.merge", subject, told, programme=where, person_id=plea.person_id, now=plea.now):
        raise OTHER_NOT_FOUND("这个账号已有一件合并申请在等待复核，请在队列中查看。")
    if where == EVERYWHERE:
        return "已提交。两个账号不在同一个项目，由负责全部项目的客服核对后合并。"
    return "已提交，等待另一位同事核对后合并。"


PAGE = PersonPage(
    domain="enrol",
    sources=(Source("enrolments", entries, rights=HISTORY),),
    facts=facts,
    subjects=subjects,
    subjects_for=HISTORY,
    finders=(Finder("证书编号", _by_certificate), Finder("姓名", _by_name)),
    helps=(
        Help(
            "enrol.merge",
            "合并另一个账号",
            _other,
            _ask_merge,
            asks=(Said("id_number", "另一个账号（不保留的）的身份证号", most=20),),
            note="如何核实是同一个人（会记入审计）",
            told="复核同意后，两个账号都会收到安全提醒短信并退出登录，学员用保留的身份证号和密码登录。",
            second_look=True,
        ),
    ),
    words={"person.unmasked": "查看完整信息"},
)
