"""What the exam's routes take and give. Answers and hand-in are decoded by msgspec (50 answers: 8 µs instead of
637); their marshmallow schemas stand beside them for the API's description alone."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from flask import Response, request
from marshmallow.validate import Length, Range

from app.core.errors import BAD_REQUEST, INVALID

Body = TypeVar("Body", bound=msgspec.Struct)

Number = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Choice = Annotated[str, msgspec.Meta(max_length=6)]
Version = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class AnswerBody(msgspec.Struct):
    """The body of an answer."""

    choice: Choice
    version: Version


class BroughtBody(msgspec.Struct):
    """One answer that a hand-in brings along."""

    number: Number
    choice: Choice
    version: Version


class HandInBody(msgspec.Struct):
    """The body of a hand-in."""

    answers: Annotated[list[BroughtBody], msgspec.Meta(max_length=1000)] = []


_decoders: dict[type, Any] = {kind: msgspec.json.Decoder(kind) for kind in (AnswerBody, HandInBody)}
_encode = msgspec.json.Encoder().encode


def read(kind: type[Body]) -> Body:
    """The request's JSON body; a missing one is an empty object. Raises `BAD_REQUEST`, `INVALID`."""
    try:
        body: Body = _decoders[kind].decode(request.get_data() or b"{}")
    except msgspec.ValidationError as error:
        place = str(error).rpartition("`$.")[2].rstrip("`") or "body"  # where msgspec says that the mistake is
        raise INVALID(fields={place: "这一项的格式不对，请刷新页面后重试。"}) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BAD_REQUEST() from error
    return body


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(body), status, content_type="application/json")


# --- the description, and the routes off the hot path ------------------------------------------------------------

_MOMENT = {"format": "date-time"}
_MAYBE: dict[str, Any] = {"required": True, "allow_none": True}


class StartIn(Schema):
    """Which subject's exam to begin."""

    subject = String(required=True, validate=Length(1, 32), metadata={"description": "科目代码"})


class AnswerIn(Schema):
    """One answer. `version` is that of the answer it replaces, 0 for the first."""

    choice = String(
        required=True, validate=Length(max=6), metadata={"description": "所选选项字母，如 A、AC；空串表示清除"}
    )
    version = Integer(
        required=True, validate=Range(0, 0xFFFF), metadata={"description": "所修改的答案的版本号，首次为 0"}
    )


class BroughtIn(AnswerIn):
    """An answer that a hand-in brings along."""

    number = Integer(required=True, validate=Range(1, 1000))


class AnswerOut(Schema):
    """An answer as saved."""

    number = Integer(required=True)
    choice = String(required=True)
    version = Integer(required=True)


class SavedOut(AnswerOut):
    """A saved answer and the server's clock."""

    seconds_left = Integer(required=True)


class HandInIn(Schema):
    """Answers that were not sent before, if any."""

    answers = List(Nested(BroughtIn), validate=Length(max=1000))


class OptionOut(Schema):
    """An option as shown."""

    letter = String(required=True)
    text = String(required=True)


class QuestionOut(Schema):
    """A question as shown."""

    number = Integer(required=True)
    type = String(required=True, metadata={"enum": ["single", "multiple", "judge"]})
    score = Integer(required=True)
    stem = String(required=True)
    options = List(Nested(OptionOut), required=True)


class AttemptOut(Schema):
    """An open attempt: the paper, what was saved, and the server's clock."""

    attempt_id = String(required=True)
    enrolment_id = String(required=True)
    subject = String(required=True)
    number = Integer(required=True, metadata={"description": "第几次考试"})
    status = String(required=True)
    started_at = String(required=True, metadata=_MOMENT)
    deadline = String(required=True, metadata=_MOMENT)
    server_now = String(required=True, metadata=_MOMENT)
    seconds_left = Integer(required=True)
    alive_seconds = Integer(required=True, metadata={"description": "页面每隔多少秒报告一次仍在作答"})
    questions = List(Nested(QuestionOut), required=True)
    answers = List(Nested(AnswerOut), required=True)


class AliveOut(Schema):
    """Whether the attempt is still open, by the server's clock."""

    status = String(required=True)
    server_now = String(required=True, metadata=_MOMENT)
    seconds_left = Integer(required=True)


class StepOut(Schema):
    """What to do next."""

    code = String(
        required=True,
        metadata={
            "enum": [
                "start",
                "resume",
                "passed",
                "settled",
                "pay",
                "study",
                "photo",
                "wait_course",
                "other_exam",
                "expired",
                "make_up",
                "again",
                "other_subject",
                "proof",
            ]
        },
    )
    text = String(required=True, metadata={"description": "按钮上的字；settled 没有按钮，只说一句"})
    attempt_id = String(**_MAYBE)
    subject = String(**_MAYBE)
    phone = String(**_MAYBE, metadata={"description": "要拨打的电话"})


class ResultOut(Schema):
    """What an attempt came to."""

    attempt_id = String(required=True)
    enrolment_id = String(required=True)
    subject = String(required=True)
    subject_title = String(required=True)
    status = String(required=True, metadata={"enum": ["handed_in", "timed_out", "left"]})
    finished_at = String(required=True, metadata=_MOMENT)
    score = Integer(required=True)
    passed = Boolean(required=True)
    pass_score = Integer(required=True)
    total_score = Integer(required=True)
    best_score = Integer(required=True)
    next = Nested(StepOut, required=True)
    attempts_left = Integer(required=True, allow_none=True, metadata={"description": "null：不限次数"})
    not_taken = List(Integer(), metadata={"description": "宽限期内交卷时，因另一页面已修改而未采用的题号"})


class LeaveOut(Schema):
    """The result of leaving; `result` is null where the programme lets the attempt go on."""

    result = Nested(ResultOut, allow_none=True)


class ExamSubjectOut(Schema):
    """Where the person stands in one subject."""

    subject = String(required=True)
    title = String(required=True)
    attempts_used = Integer(required=True)
    attempts_left = Integer(required=True, allow_none=True)
    best_score = Integer(required=True, allow_none=True)
    passed = Boolean(required=True)
    refusal = String(
        required=True, allow_none=True, metadata={"description": "不能开始考试的原因代码，可以开始时为空"}
    )
    refusal_text = String(required=True, allow_none=True)
    open_attempt_id = String(required=True, allow_none=True)
    resume_by = String(required=True, allow_none=True, metadata=_MOMENT)
    notice = String(required=True, allow_none=True)
    next = Nested(StepOut, required=True)


class ExamOut(Schema):
    """The exam page of an enrolment."""

    place = String(required=True, metadata={"enum": ["here", "elsewhere"]})
    title = String(required=True, metadata={"description": "培训项目"})
    kind = String(required=True, metadata={"description": "证书类别"})
    notice = List(String(), required=True, metadata={"description": "考试须知，一条一句"})
    study_deadline = String(**_MAYBE, metadata=_MOMENT)
    server_now = String(required=True, metadata=_MOMENT)
    attempts = Integer(allow_none=True, metadata={"description": "每科目几次机会；null：不限次数"})
    question_count = Integer(allow_none=True, metadata={"description": "共几题"})
    leave_text = String(allow_none=True, metadata={"description": "中途退出会怎样"})
    minutes = Integer(allow_none=True)
    total_score = Integer(allow_none=True)
    pass_score = Integer(allow_none=True)
    leave_rule = String(allow_none=True)
    contact = String(required=True)
    rules = Dict(keys=String(), values=Integer(), metadata={"description": "各题型的题数"})
    subjects = List(Nested(ExamSubjectOut), required=True)
