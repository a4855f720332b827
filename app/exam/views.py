"""The exam's routes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from app.core.access import Role, access, identity, person_id, request_now
from app.core.clock import iso
from app.core.errors import TABLE
from app.core.openapi import takes
from app.enrol import queries as enrolments
from app.exam import hot, queries, schemas, service
from app.exam.models import Attempt
from app.exam.scoring import LETTERS
from app.exam.status import Status
from app.policy import rules
from app.policy.sentences import learning as sentences

ALIVE_SECONDS = 30
PASSED_ALREADY = "这个科目已经合格。可以再考，只显示最高分；再考会用掉一次考试次数。"

blueprint = APIBlueprint("exam", __name__, url_prefix="/api/v1", tag="考试")


def _seconds_left(row: Attempt, now: datetime) -> int:
    return max(int((row.deadline - now).total_seconds()), 0)


def _known() -> Attempt | None:
    """The caller's attempt, as `hot.with_session` read it."""
    who = identity()
    return queries.beside_session(who.rows, who.person_id)


def _paper(paper: service.OpenPaper, now: datetime) -> dict[str, Any]:
    row = paper.attempt
    return {
        "attempt_id": row.id,
        "enrolment_id": row.enrolment_id,
        "subject": row.subject,
        "number": row.number,
        "status": row.status,
        "started_at": iso(row.started_at),
        "deadline": iso(row.deadline),
        "server_now": iso(now),
        "seconds_left": _seconds_left(row, now),
        "alive_seconds": ALIVE_SECONDS,
        "questions": [
            {
                "number": question.number,
                "type": question.type,
                "score": question.score,
                "stem": question.stem,
                "options": [
                    {"letter": letter, "text": text} for letter, text in zip(LETTERS, question.options, strict=False)
                ],
            }
            for question in paper.questions
        ],
        "answers": [
            service.answer_body(number, answer) for number, answer in enumerate(paper.answers, 1) if answer.version
        ],
    }


def _subject(found: service.SubjectStatus) -> dict[str, Any]:
    return asdict(found) | {
        "refusal_text": TABLE[found.refusal].sentence if found.refusal else None,
        "resume_by": iso(found.resume_by) if found.resume_by else None,
        "notice": PASSED_ALREADY if found.passed and not found.refusal else None,
    }


@blueprint.get("/enrolments/<enrolment_id>/exam")
@access(Role.TRAINEE)
@blueprint.output(schemas.ExamOut)
@blueprint.doc(summary="考试页：须知、各科目次数、最高成绩、能否开始与下一步")
def exam_page(enrolment_id: str) -> dict[str, Any]:
    now = request_now()
    (card,) = enrolments.cards(enrolments.owned([enrolment_id], person_id()), now=now)
    enrolment, programme = card.enrolment, card.programme
    exam = programme.exam
    body: dict[str, Any] = {
        "title": programme.title,
        "kind": card.kind_title,
        "notice": sentences.exam(programme),
        "study_deadline": iso(enrolment.study_deadline) if enrolment.study_deadline else None,
        "server_now": iso(now),
        "place": "here" if exam else "elsewhere",
        "contact": rules.contacts(programme, enrolment.kind_code).exam,
        "subjects": [_subject(found) for found in service.notice(enrolment, now=now)],
    }
    if exam:
        body |= {
            "minutes": exam.minutes,
            "total_score": exam.total_score,
            "pass_score": exam.pass_score,
            "attempts": exam.attempts,
            "question_count": sum(part.count for part in exam.paper),
            "leave_rule": exam.on_leave,
            "leave_text": sentences.on_leave(exam),
            "rules": {part.type: part.count for part in exam.paper},
        }
    return body


@blueprint.post("/enrolments/<enrolment_id>/attempts")
@access(Role.TRAINEE)
@blueprint.input(schemas.StartIn)
@blueprint.output(schemas.AttemptOut)
@blueprint.doc(summary="开始考试", description="重复点击返回同一场考试；开始后即占用一次考试次数。")
def start(enrolment_id: str, json_data: dict[str, Any]) -> Response:
    now = request_now()
    return schemas.answer(_paper(service.start(enrolment_id, person_id(), json_data["subject"], now=now), now))


@blueprint.get("/attempts/<attempt_id>")
@access(Role.TRAINEE)
@blueprint.output(schemas.AttemptOut)
@blueprint.doc(
    summary="打开试卷页",
    description="仅在打开或重新打开页面时调用。离开超过项目规定的时间后再打开，按中途退出处理；"
    "页面一直开着时（包括断网期间）不要调用，直接继续提交答案。",
)
def open_paper(attempt_id: str) -> Response:
    now = request_now()
    return schemas.answer(_paper(service.open_paper(attempt_id, person_id(), now=now), now))


@blueprint.post("/attempts/<attempt_id>/alive")
@access(Role.TRAINEE)
@blueprint.output(schemas.AliveOut)
@blueprint.doc(summary="页面仍在作答", description="考试页每 30 秒报告一次，并校准剩余时间。")
def alive(attempt_id: str) -> Response:
    now = request_now()
    row = service.alive(attempt_id, person_id(), now=now)
    left = _seconds_left(row, now) if row.status == Status.OPEN else 0
    return schemas.answer({"status": row.status, "server_now": iso(now), "seconds_left": left})


@blueprint.put("/attempts/<attempt_id>/answers/<int:number>")
@access(Role.TRAINEE, max_body=1024, reading=hot.with_session)
@blueprint.output(schemas.SavedOut)
@takes(schemas.AnswerIn)
@blueprint.doc(summary="保存一题", description="version 是所修改的答案的版本号；别的页面改过时返回 409 和当前答案。")
def save_answer(attempt_id: str, number: int) -> Response:
    body, now = schemas.read(schemas.AnswerBody), request_now()
    row, saved = service.save_answer(
        attempt_id, person_id(), number, body.choice, body.version, now=now, known=_known()
    )
    return schemas.answer(service.answer_body(number, saved) | {"seconds_left": _seconds_left(row, now)})


@blueprint.post("/attempts/<attempt_id>/hand-in")
@access(Role.TRAINEE, reading=hot.with_session)
@blueprint.output(schemas.ResultOut)
@takes(schemas.HandInIn)
@blueprint.doc(summary="交卷", description="可带上尚未提交的答案；重复交卷返回同一成绩。")
def hand_in(attempt_id: str) -> Response:
    body = schemas.read(schemas.HandInBody)
    brought = [service.Brought(each.number, each.choice, each.version) for each in body.answers]
    outcome, not_taken = service.hand_in(attempt_id, person_id(), brought, now=request_now(), known=_known())
    return schemas.answer(service.result_body(outcome) | {"not_taken": not_taken})


@blueprint.post("/attempts/<attempt_id>/leave")
@access(Role.TRAINEE)
@blueprint.output(schemas.LeaveOut)
@blueprint.doc(summary="中途退出", description="按项目规定处理：消耗一次考试次数并记 0 分。请先让学员确认。")
def leave(attempt_id: str) -> Response:
    outcome = service.leave(attempt_id, person_id(), now=request_now())
    return schemas.answer({"result": service.result_body(outcome) if outcome else None})
