"""Faults at the staff's desks, as functions: each gives the number of violations; its twin says whether the
experiment fails once the guard is off, as it must. (A3, of pages, is in names.py;
A4, of bodies, in bodies.py.)

A1: a route is denied until it is listed. A2: no name is a formula in a file. A5: what is taken away or seen in the
clear has a reason and a line in the audit log.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from unittest import mock
from xml.etree.ElementTree import ParseError

import openpyxl
from werkzeug.test import TestResponse

from app.core import access, audit, sheet, table_file
from app.core.access import Role, role_of
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.core.staff import EVERYWHERE, Right
from app.enrol import unmasking
from app.reports import exports
from app.reports import service as reports
from app.reports.lists import LISTS
from app.reports.models import Export
from app.staff.models import Member
from tests import factories, matrix, staff_matrix
from tests.console.desks import a_photo_case
from tests.pay.till import an_order
from tests.reports.takeaway import asked, made, table
from tests.staffroom import a_member, at_desk, staff_of
from tests.world import World

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\x00=1",
    "<svg onload=alert(1)>",
    "\u202e=1张",
    "  =1",
    "＝1+1",
]
HARMLESS = re.compile(r"[^=+\-@\t\r\n|%＝＋－＠\s]")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\u202a-\u202e]")

REASON = "核对来电人的身份"


def say(wrong: list[str]) -> int:
    for text in wrong[:20]:
        print(f"  {text}", flush=True)
    return len(wrong)


# --- A1: who may call what ---------------------------------------------------------------------------------------


def a1(world: World, tries: int) -> int:
    """Every route names a role and stands in its table, each caller gets what the table says, and a route that names
    none is answered to nobody."""
    return sum(say(unlisted(world) + measured(world) + nameless(world)) for _ in range(tries))


def unlisted(world: World) -> list[str]:
    """Routes that name no role, or stand in a table not at all."""
    everybody, staffs = (lines_of(path) for path in (matrix.TABLE, staff_matrix.TABLE))
    wrong = []
    for method, rule in matrix.rules(world):
        name, role = f"{method:<6} {rule.rule}", role_of(world.app.view_functions[rule.endpoint])
        if role is None and rule.endpoint != "static":
            wrong.append(f"{name} names no role")
        if name not in everybody:
            wrong.append(f"{name} is not in the table")
        if role in (Role.STAFF, Role.STAFF_SIGNING_IN) and name not in staffs and not name.endswith("/sign-out"):
            wrong.append(f"{name} is not in the table of the staff")
    return wrong


def lines_of(path: Path) -> set[str]:
    """The routes that stand in a table."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {f"{cells[0]:<6} {cells[1]}" for cells in map(str.split, lines)}


def measured(world: World) -> list[str]:
    """Where what the staff get is not what the table says."""
    found = staff_matrix.walk(world)
    now, written = (
        Counter(text.splitlines())
        for text in (staff_matrix.text_of(found), staff_matrix.TABLE.read_text(encoding="utf-8"))
    )
    return [
        *found.wrong,
        *(f"measured: {line}" for line in now - written),
        *(f"gone: {line}" for line in written - now),
    ]


def nameless(world: World) -> list[str]:
    """Each route of the console, as if its view named no role: who is answered all the same."""
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    trainee = factories.auth(factories.a_person())
    wrong = []
    for method, rule in staff_matrix.staff_rules(world):
        path = re.sub(r"<[^<>]+>", "0123456789abcdef", rule.rule)
        with mock.patch.object(world.app.view_functions[rule.endpoint], "_access_role", None):
            answers: dict[str, TestResponse] = {
                "an administrator": chief.client.open(path, method=method, headers={"X-CSRF-Token": chief.csrf}),
                "a trainee": world.app.test_client().open(path, method=method, headers=trainee),
                "anybody": world.app.test_client().open(path, method=method),
            }
        for who, answer in answers.items():
            if answer.status_code != 403:
                wrong.append(f"{method} {rule.rule} names no role and answers {who}: {answer.status_code}")
    return wrong


def a1_twin(world: World) -> bool:
    """A view that names no role is let through; then: a view does not name its rights."""

    def lenient(view: object) -> Role:
        return getattr(view, "_access_role", None) or Role.PUBLIC

    with mock.patch.object(access, "role_of", lenient):
        open_to_all = bool(nameless(world))
    world.clear()
    view = world.app.view_functions["console.show_bank"]
    with mock.patch.object(view, "_access_rights", frozenset()):
        any_staff = any("/console/questions " in text for text in measured(world))
    world.clear()
    with mock.patch.object(view, "_access_role", None):
        return open_to_all and any_staff and bool(unlisted(world))


# --- A2: files ---------------------------------------------------------------------------------------------------


def a2(world: World, tries: int) -> int:
    """Trainees, payers and decisions of every hostile name, in every list, as CSV and as xlsx, in the clear; and the
    report on a table that somebody sent in."""
    return sum(say(live_cells(world)) for _ in range(tries))


def live_cells(world: World) -> list[str]:
    """Which cells a spreadsheet would take for a formula, or could not show; and names that did not arrive."""
    member = a_member(*((right, "yunnan") for right in Right))
    for name in FORMULAS:
        person = factories.a_person(name=name)
        factories.an_enrolment(person)
        an_order(person, f"thing:{person.id}")
        case = a_photo_case(person)
        case.decision = name
        case.save(only=["decision_sealed"])
    found: dict[str, list[str]] = {}
    for what in LISTS:
        for how in exports.FORMATS:
            _, data = made(member, asked(what, format=how, clear=True), new_id())
            found[f"{what}.{how}"] = [cell for row in table(data) for cell in row] if how == "csv" else opened(data)
    found["report.xlsx"] = report()
    wrong = [f"{file}: {cell!r}" for file, cells in found.items() for cell in cells if cell and not harmless(cell)]
    for file, cells in found.items():
        if sum("cmd" in cell or "svg" in cell for cell in cells) < 2:
            wrong.append(f"{file}: the names are not there, so that nothing was shown")
    return wrong


def harmless(cell: str) -> bool:
    """Whether it is a text in any spreadsheet."""
    return bool(HARMLESS.match(cell)) and not UNSEEN.search(cell)


def opened(data: bytes) -> list[str]:
    """The cells of an xlsx file; a number of ours is one, a formula begins with its sign."""
    try:
        page = openpyxl.load_workbook(io.BytesIO(data)).active
    except ParseError:
        return ["=cannot be opened"]
    boxes = [box for row in page.iter_rows() for box in row if box.value is not None]
    return [str(box.value) for box in boxes if box.data_type != "n"]


def report() -> list[str]:
    """The cells of a file of faults, whose rows somebody else wrote."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        sheet.write_rows(path, [["姓名"], *([name] for name in FORMULAS)])
        return opened(path.read_bytes())


def a2_twin(world: World) -> bool:
    """Texts are written as they are (but for NUL, with which a file could not be opened at all)."""

    def as_it_is(text: str) -> str:
        return text.replace("\x00", "")

    with mock.patch.object(table_file, "plain", as_it_is), mock.patch.object(sheet, "plain", as_it_is):
        wrong = live_cells(world)
    files = [f"{what}.{how}: '=cmd" for what in LISTS for how in exports.FORMATS]
    return all(any(text.replace('"', "'").startswith(file) for text in wrong) for file in [*files, "report.xlsx"])


# --- A5: why, and who -------------------------------------------------------------------------------------------


def a5(world: World, tries: int) -> int:
    """Lists and persons in the clear: with a reason each has its lines in the audit log, without one nobody gets
    anything, and neither while the log cannot be written."""
    return sum(say(unexplained(world) + unwritten(world)) for _ in range(tries))


def written(action: str) -> list[AuditEntry]:
    """The lines of an action, with this reason."""
    rows = AuditEntry.select().where(AuditEntry.action == action)
    return [row for row in rows if json.loads(row.data).get("reason") == REASON]


def unexplained(world: World) -> list[str]:
    """What was given without a reason, or without its line."""
    person = factories.a_person(name="欧阳海燕")
    factories.an_enrolment(person)
    member, case = a_member(*((right, "yunnan") for right in Right)), a_photo_case(person)
    desk, wrong = at_desk(world, member), []
    ways = {f"/console/people/{person.id}/unmask": {"programme": "yunnan"}, f"/console/cases/{case.id}/unmask": {}}
    for path, form in ways.items():
        for reason in ("", "   ", "查", "一" * 201):
            answer = desk.hx(path, form | {"reason": reason})
            if answer.status_code != 422 or person.id_number in answer.text:
                wrong.append(f"{path} without a reason: {answer.status_code}")
        before = len(written(unmasking.ACTION))
        answer = desk.hx(path, form | {"reason": REASON})
        if answer.status_code != 200 or person.id_number not in answer.text:
            wrong.append(f"{path} for a reason: {answer.status_code}")
        if len(written(unmasking.ACTION)) != before + 1:
            wrong.append(f"{path}: nothing stands in the log")
    for what in LISTS:
        for clear in (False, True):
            for reason in ("", "   ", "报", "一" * 201):
                if taken(member, what, clear=clear, reason=reason):
                    wrong.append(f"{what} without a reason")
            if not taken(member, what, clear=clear, reason=REASON):
                wrong.append(f"{what} for a reason was refused")
    for row in Export.select():
        lines = AuditEntry.select().where(AuditEntry.subject == f"export:{row.id}", AuditEntry.actor == row.actor)
        actions = {line.action for line in lines}
        if not {"export.asked", "export.fetched"} <= actions or row.reason != REASON:
            wrong.append(f"{row.what}: {sorted(actions)} in the log, for {row.reason!r}")
    if len(written("export.asked")) != Export.select().count():
        wrong.append("a list whose reason is not in the log")
    return wrong


def taken(member: Member, what: str, *, clear: bool, reason: str) -> bool:
    """Whether the list is had, for this reason."""
    try:
        made(member, asked(what, clear=clear, reason=reason), new_id())
    except Problem as problem:
        if problem.code != "export_invalid":
            raise
        return False
    return True


class _Full(Exception):
    """The log cannot be written."""


def unwritten(world: World) -> list[str]:
    """What is given while the log cannot be written."""
    person = factories.a_person(name="司马海燕")
    factories.an_enrolment(person)
    member = a_member(*((right, "yunnan") for right in Right))
    desk, staff, wrong = at_desk(world, member), staff_of(member), []
    export, _ = made(member, asked(reason=REASON), new_id())
    with mock.patch.object(audit, "record", side_effect=_Full):
        path = f"/console/people/{person.id}/unmask"
        answer = desk.hx(path, {"programme": "yunnan", "reason": REASON})
        if answer.status_code < 500 or person.id_number in answer.text:
            wrong.append(f"{path} without its line: {answer.status_code}")
        before = Export.select().count()
        with suppress(_Full):
            reports.ask(staff, asked(reason=REASON), token=new_id(), now=utcnow())
        if Export.select().count() != before:
            wrong.append("a list is asked for without its line")
        try:
            reports.fetch(staff, export.id, now=utcnow())
        except _Full:
            return wrong
    return [*wrong, "a list is fetched without its line"]


def a5_twin(world: World) -> bool:
    """Nothing is written down; then: no reason is asked for."""

    def nothing(*_: object, **__: object) -> None:
        return None

    with mock.patch.object(audit, "record", nothing):
        silent = any("log" in text for text in unexplained(world))
    world.clear()
    with ExitStack() as off:
        off.enter_context(mock.patch.object(unmasking, "SHORTEST", 0))
        off.enter_context(mock.patch.object(exports, "REASON", (0, 1000)))
        return silent and any("without a reason" in text for text in unexplained(world))
