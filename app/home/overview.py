"""The first screen in one answer: who I am, my trainings, and for each the one next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.account import service as account
from app.certificate import queries as proofs
from app.certificate.status import Status as ProofStatus
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.errors import Problem
from app.enrol import queries as enrolments
from app.enrol import service as enrol
from app.enrol.errors import STUDY_PERIOD_OVER
from app.enrol.models import Enrolment
from app.enrol.status import Status
from app.exam import service as exam
from app.face import service as face
from app.face.status import PhotoStatus
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import rules
from app.study import service as study
from app.study.errors import NO_COURSE

State = Literal["in_progress", "done", "expired"]


@dataclass(frozen=True)
class Step:
    """What to do next: a code for the screens, the words on the button, and what it is done with (beside the
    enrolment): an order, a lesson, a subject and its open attempt, a telephone number to call."""

    code: str
    text: str
    order_id: str | None = None
    lesson_id: str | None = None
    subject: str | None = None
    attempt_id: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Training:
    """One training as its card shows it. `state`: under which heading it stands. Percent and seconds are of study;
    scores are per subject, the best kept; `attempts_left`: the fewest of a subject not passed yet (`None`: no limit,
    or nothing to sit)."""

    enrolment_id: str
    programme: str
    state: State
    title: str
    kind: str
    certificate_no: str
    status: str
    status_text: str
    stages: list[dict[str, object]]
    next: Step
    order_id: str | None
    order_expires_at: datetime | None
    study_deadline: datetime | None
    days_left: int | None
    percent: int
    lessons: int
    lessons_done: int
    study_seconds_left: int
    attempts_left: int | None
    subjects: list[dict[str, object]]
    proof_number: str | None
    warning: str | None
    contact: str


STATUS_TEXT = {
    Status.SIGNED_UP: "待缴费",
    Status.STUDYING: "进行中",
    Status.PASSED: "已合格",
    Status.COMPLETED: "已完成",
    Status.LAPSED: "已过期",
}


# while the photo is not confirmed
_PHOTO_STEPS = {
    PhotoStatus.NONE: Step("photo", "上传头像"),
    PhotoStatus.WAITING: Step("face", "去人脸核验"),  # its picture is what the photo is compared with
    PhotoStatus.REVIEW: Step("photo", "头像正在审核，请留意短信"),
    PhotoStatus.RETURNED: Step("photo", "头像被退回，请重新上传"),
}


def me(person_id: str) -> dict[str, object]:
    """The person, masked."""
    person = account.get_person(person_id)
    return {
        "name": mask_name(person.name),
        "id_number": mask_id_number(person.id_number),
        "phone": mask_phone(person.phone),
        "photo": face.photo_ready(person_id),
    }


def trainings(person_id: str, *, now: datetime) -> list[Training]:
    """Every training of the person, the newest first."""
    rows = enrolments.of_person(person_id)
    photo = _PHOTO_STEPS.get(face.photo_status(person_id))
    return [_training(card, photo, now) for card in enrolments.cards(rows, now=now)]


def _training(card: enrolments.Card, photo: Step | None, now: datetime) -> Training:
    row = card.enrolment
    began = row.status != Status.SIGNED_UP
    over = enrol.study_refusal(row, now=now) is STUDY_PERIOD_OVER
    done = _summary(row.id) if began else None
    subjects = exam.status(row, now=now) if began else []
    proof = proofs.of_enrolment(row.id)
    issued = proof is not None and proof.status == ProofStatus.VALID
    order = orders.get_order(row.order_id) if row.order_id and not began else None
    waits = order is not None and order.status == OrderStatus.PENDING and order.expires_at > now
    passed = bool(subjects) and all(subject.passed for subject in subjects)
    status = Status.LAPSED if over and not passed else Status(row.status)
    if passed and status in (Status.STUDYING, Status.LAPSED):  # the enrolment hears of it a moment later
        status = Status.PASSED
    complete = done is not None and done.complete
    left = [subject.attempts_left for subject in subjects if not subject.passed and subject.attempts_left is not None]
    deadline = row.study_deadline
    stages = [
        ("报名", True),
        ("缴费", began),
        ("学习", complete or passed),
        ("考试", passed or row.status in (Status.PASSED, Status.COMPLETED)),
        *([("证明", issued)] if card.programme.proof is not None else []),
    ]
    return Training(
        enrolment_id=row.id,
        programme=row.programme,
        state=_state(status, issued or (passed and card.programme.proof is None)),
        title=card.programme.title,
        kind=card.kind_title,
        certificate_no=card.certificate_no,
        status=status,
        status_text=STATUS_TEXT[status],
        stages=[{"title": title, "done": is_done} for title, is_done in stages],
        next=_next_unpaid(row, order, waits) if not began else _next(card, status, photo, done, subjects, issued),
        order_id=row.order_id,
        order_expires_at=order.expires_at if order is not None and waits else None,
        study_deadline=deadline,
        days_left=max(0, (deadline - now).days) if deadline and status == Status.STUDYING else None,
        percent=done.percent if done else 0,
        lessons=done.lessons if done else 0,
        lessons_done=done.lessons_done if done else 0,
        study_seconds_left=done.seconds_left if done else 0,
        attempts_left=min(left, default=None),
        subjects=[
            {
                "subject": subject.subject,
                "title": subject.title,
                "best_score": subject.best_score,
                "attempts_left": subject.attempts_left,
                "passed": subject.passed,
            }
            for subject in subjects
        ],
        proof_number=proof.number if proof is not None and issued else None,
        warning=card.warning.sentence if card.warning else None,
        contact=card.contact,
    )


def _summary(enrolment_id: str) -> study.Summary | None:
    """How far the study is; None while the kind of certificate has no course yet, which must not hide the rest."""
    try:
        return study.summary(enrolment_id)
    except Problem as problem:
        if problem.kind is not NO_COURSE:
            raise
        return None


def _state(status: Status, done: bool) -> State:
    if done or status == Status.COMPLETED:
        return "done"
    return "expired" if status == Status.LAPSED else "in_progress"


def _next_unpaid(row: Enrolment, order: Order | None, waits: bool) -> Step:
    if orders.in_dispute([enrolments.sku(row.id)]):
        return Step("payment_disputed", "付款正在由工作人员核对，请不要重复支付", order_id=row.order_id)
    if order is not None and order.status == OrderStatus.PAID:  # the enrolment hears of it a moment later
        return Step("wait_payment", "已付款，正在开通学习", order_id=order.id)
    return Step("pay", "去支付", order_id=row.order_id) if waits else Step("checkout", "核对信息并缴费")


def _next(
    card: enrolments.Card,
    status: Status,
    photo: Step | None,
    done: study.Summary | None,
    subjects: list[exam.SubjectStatus],
    issued: bool,
) -> Step:
    """The one thing to do, once it is paid. What is passed counts whatever the day, so it comes before the period."""
    contacts = rules.contacts(card.programme, card.enrolment.kind_code)
    if issued:
        return Step("proof", f"查看{rules.proof_title(card.programme)}")
    sitting = next((subject for subject in subjects if subject.open_attempt_id), None)
    if sitting is not None:
        return Step("exam", "继续考试", subject=sitting.subject, attempt_id=sitting.open_attempt_id)
    if status == Status.LAPSED:
        return Step("expired", "学习期已过，请联系客服办理延期", phone=contacts.extension)
    if photo is not None:
        return photo
    if status in (Status.PASSED, Status.COMPLETED):
        if card.programme.proof is None:
            return Step("finished", "考试已合格，没有别的要办了")
        return Step("wait_proof", "证明正在出具，请稍候")
    if done is None:
        return Step("wait_course", "课程正在准备，请稍后再来", phone=contacts.study)
    if not done.complete:
        return Step("study", "立即学习", lesson_id=done.next_lesson_id)
    open_ = [subject for subject in subjects if not subject.passed]
    can_sit = next((subject for subject in open_ if subject.attempts_left != 0), None)
    if open_ and can_sit is None:
        return Step("make_up", "考试次数已用完，请联系客服办理补考", phone=contacts.make_up)
    return Step("exam", "去考试", subject=can_sit.subject if can_sit else None)
