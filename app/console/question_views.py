"""The question bank: what it has, and an import that is looked at before it is done."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from flask import Response, request

from app.console import teaching_words as words
from app.console.course_views import TEACHERS
from app.console.pages import attachment, blueprint, page
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.core.sheet import MAX_FILE, SheetRefused, write_report
from app.core.staff import Right, Staff
from app.exam.bank import files, queries, service, template
from app.exam.bank.service import ImportResult
from app.policy.load import UnknownProgramme
from app.policy.schema import Programme
from app.staff import service as staff_service
from app.study.teaching import queries as teaching

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BODY = MAX_FILE + 16 * 1024
SHOWN = 200  # lines of faults and changes on a page; the report has them all
NOT_OPEN = "这个项目还没有开放，或今天没有现行的规则，暂时不能导入题库。"


@blueprint.get("/questions")
@access(Role.STAFF, rights=TEACHERS)
def show_bank() -> Response:
    """What the bank has of each subject, and the last imports."""
    return _bank(words.chosen()[1])


def _bank(
    programme: Programme, status: int = 200, text: str | None = None, done: ImportResult | None = None
) -> Response:
    imports, stock = queries.imports(programme.key), queries.stock(programme)
    return page(
        "questions.html",
        status,
        programmes=words.chosen()[0],
        programme=programme,
        stock=stock,
        titles={one.code: one.title for one in stock},
        knowledge=queries.knowledge(programme.key),
        kinds=words.QUESTION_KINDS,
        imports=imports,
        names=staff_service.names({one.actor for one in imports}),
        text=text,
        done=done,
    )


def _refused(programme: Programme, refused: SheetRefused | UnknownProgramme) -> Response:
    return _bank(programme, 422, refused.sentence if isinstance(refused, SheetRefused) else NOT_OPEN)


def _waiting(who: Staff, now: datetime) -> tuple[files.Waiting, Programme]:
    """The file that was previewed, and the programme whose bank it is for."""
    waiting = files.find(request.form.get("token", ""), actor=who.actor, now=now)
    who.require(Right.TEACHING, waiting.programme)
    return waiting, teaching.programme(who, waiting.programme)


@blueprint.get("/questions/template")
@access(Role.STAFF, rights=TEACHERS)
def question_template() -> Response:
    """The template to fill in."""
    programme = words.chosen()[1]
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as made:
        template.write(Path(made.name), programme)
        return _xlsx(made.name, f"题库模板-{programme.key}.xlsx")


def _xlsx(path: str, name: str) -> Response:
    answer = Response(Path(path).read_bytes(), content_type=XLSX)
    answer.headers["Content-Disposition"] = attachment(name)
    return answer


@blueprint.post("/questions")
@access(Role.STAFF, rights=TEACHERS, max_body=MAX_BODY)
def preview_questions() -> Response:
    """Look at a file, and write nothing yet."""
    who, now = staff().staff, request_now()
    programme = words.chosen()[1]
    given = request.files.get("file")
    data = given.read() if given is not None else b""
    if not data:
        return _bank(programme, 422, "请先选择填好的 xlsx 文件。")
    replace = request.form.get("replace") == "yes"
    waiting, token = files.keep(data, programme.key, actor=who.actor, replace=replace, now=now)
    try:
        found = service.preview(waiting.path, programme.key, now=now, replace=replace)
    except (SheetRefused, UnknownProgramme) as refused:
        waiting.path.unlink(missing_ok=True)
        return _refused(programme, refused)
    return page(
        "questions_preview.html",
        programme=programme,
        found=found,
        token=token,
        replace=replace,
        kinds=words.QUESTION_KINDS,
        subjects={one.code: one.title for one in queries.stock(programme)},
        most=SHOWN,
    )


@blueprint.post("/questions/import")
@access(Role.STAFF, rights=TEACHERS)
def import_questions() -> Response:
    """Do what was previewed."""
    who, now = staff().staff, request_now()
    waiting, programme = _waiting(who, now)
    try:
        done = service.import_questions(
            waiting.path, waiting.programme, actor=who.actor, now=now, replace=waiting.replace
        )
    except (SheetRefused, UnknownProgramme) as refused:
        return _refused(programme, refused)
    except Problem as problem:
        return _bank(programme, problem.kind.status, problem.detail)
    if done.errors:
        return _bank(programme, 409, "项目规则刚刚变了，这份文件需要重新核对，请再上传一次。")
    waiting.path.unlink(missing_ok=True)
    return _bank(programme, done=done)


@blueprint.post("/questions/report")
@access(Role.STAFF, rights=TEACHERS)
def question_report() -> Response:
    """The faulty rows of a previewed file, as a file to mend."""
    who, now = staff().staff, request_now()
    waiting, programme = _waiting(who, now)
    try:
        found = service.preview(waiting.path, waiting.programme, now=now, replace=waiting.replace)
    except (SheetRefused, UnknownProgramme) as refused:
        return _refused(programme, refused)
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as made:
        write_report(Path(made.name), found.table, found.errors)
        return _xlsx(made.name, "题库错误.xlsx")
