"""What the exam adds to a person's page: every attempt, and one given back that a crash took."""

from __future__ import annotations

from datetime import datetime

from app.account.person_pages import Entry, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.core.clock import shanghai
from app.core.staff import Reason
from app.enrol import queries as enrolments
from app.enrol.models import Enrolment
from app.enrol.status import Status as EnrolmentStatus
from app.exam import queries, service
from app.exam.giving_back import LOST
from app.exam.models import Attempt, AttemptEvent, AttemptGrant
from app.exam.status import Action, Status
from app.policy import load, rules

STEPS = {
    "start": "开始考试", Action.HAND_IN: "交卷", Action.TIME_UP: "到时间自动收卷", Action.LEAVE: "中途离开，本次作废",
}  # fmt: skip
STATES = {Status.OPEN: "考试中", Status.HANDED_IN: "已交卷", Status.TIMED_OUT: "超时收卷", Status.LEFT: "中途离开"}
CRASHED = (
    Reason("crashed", "手机或程序在考试中崩溃，不是学员自己退出。"),
    Reason("network", "考试中网络中断，没能在限时内回到考试。"),
    Reason("ours", "平台或服务商故障，影响了考试。"),
)


def subject_title(programme: str, version: str, kind_code: str, subject: str) -> str:
    """A subject in words."""
    kind = rules.certificate_kind(load.programme(programme, version), kind_code)
    return next((one.title for one in kind.subjects if one.code == subject), subject) if kind else subject


def _enrolments(sight: Sight) -> list[Enrolment]:
    return sight.once("enrolments", lambda: enrolments.of_people(sight.person_ids, sight.programmes))


def _ids(sight: Sight) -> list[str]:
    return [row.id for row in _enrolments(sight)]


def entries(sight: Sight, window: Window) -> list[Entry]:
    """The start and the end of every attempt."""
    columns = (Attempt.programme, Attempt.version, Attempt.kind_code, Attempt.subject, Attempt.number)
    query = (
        AttemptEvent.select(AttemptEvent, *columns)
        .join(Attempt, on=(Attempt.id == AttemptEvent.attempt_id))
        .where(Attempt.enrolment_id.in_(_ids(sight)))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"{STEPS.get(row.action, row.action)}："
            f"{subject_title(row.programme, row.version, row.kind_code, row.subject)}第 {row.number} 次",
            evidence="" if row.score is None else f"{row.score} 分",
            tone="bad" if row.action == Action.LEAVE else "plain",
            programme=row.programme,
            who="系统" if row.action == Action.TIME_UP else "学员",
        )
        for row in window.of(query, AttemptEvent.at, AttemptEvent.id)
    ]


def _lost(sight: Sight, _now: datetime) -> list[Offer]:
    """Attempts that ended without the person, in subjects that are not passed, while the enrolment is studied."""
    studying = {row.id: row for row in _enrolments(sight) if row.status == EnrolmentStatus.STUDYING and _limited(row)}
    attempts = list(
        Attempt.select().where(Attempt.enrolment_id.in_(list(studying))).order_by(Attempt.id.desc()).limit(50)
    )
    passed = {(row.enrolment_id, row.subject) for row in attempts if row.passed}
    given = {
        row_id
        for (row_id,) in AttemptGrant.select(AttemptGrant.id)
        .where(AttemptGrant.enrolment_id.in_(list(studying)))
        .tuples()
    }
    return [
        Offer(
            row.id,
            f"{subject_title(row.programme, row.version, row.kind_code, row.subject)}第 {row.number} 次，"
            f"{shanghai(row.started_at):%m-%d %H:%M} 开始",
            f"{STATES[Status(row.status)]}，最后一次有动静 {shanghai(row.seen_at):%H:%M:%S}，{row.score} 分",
            row.programme,
        )
        for row in attempts
        if row.status in LOST and (row.enrolment_id, row.subject) not in passed and row.id not in given
    ]


def _limited(row: Enrolment) -> bool:
    exam = load.programme(row.programme, row.version).exam
    return exam is not None and exam.attempts is not None


def _give_back(plea: Plea) -> str:
    service.give_back(
        plea.offer.target,
        reason=plea.reason.key if plea.reason else "",
        evidence=plea.note,
        words=plea.words,
        actor=plea.staff.actor,
        now=plea.now,
    )
    row = Attempt.get_by_id(plea.offer.target)
    programme = queries.programme_of(row)
    used = queries.used(row.enrolment_id, row.subject)
    left = rules.attempts_left(programme, used, granted=queries.granted(row.enrolment_id).get(row.subject, 0))
    return f"已补回一次，原来的记录保留。学员这个科目还可以考 {left} 次。"


def subjects(sight: Sight) -> dict[str, str]:
    """The attempts."""
    query = Attempt.select(Attempt.id).where(Attempt.enrolment_id.in_(_ids(sight)))
    return {f"exam_attempt:{row_id}": "考试" for (row_id,) in query.order_by(Attempt.id.desc()).limit(100).tuples()}


PAGE = PersonPage(
    domain="exam",
    sources=(Source("exams", entries),),
    subjects=subjects,
    helps=(
        Help(
            "exam.give_back",
            "补回一次考试",
            _lost,
            _give_back,
            reasons=CRASHED,
            note="有什么证据（截图、日志、时间，会记入审计）",
            told="不发短信，请在电话里告诉学员可以再考一次。",
        ),
    ),
    words={"exam.attempt_given_back": "补回一次考试"},
)
