"""Every route for staff × role × programme, and every kind of case: who gets in, and that nobody learns what is
another programme's, nor sees personal data in the clear.

Written anew by `python -m tests.matrix`, compared by tests/console/test_matrix.py: what is not in it is denied."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.account import person_pages
from app.account.models import Person
from app.cases import kinds
from app.cases import service as cases
from app.cases.models import Case
from app.core.access import Role, role_of
from app.core.clock import utcnow
from app.core.ids import new_id
from app.core.staff import EVERYWHERE, Right
from app.face import review
from app.face.models import FaceRecord
from app.pay.transfers.models import Statement
from app.reports.models import Export
from app.staff.models import MemberSession
from tests import factories
from tests.announce.board import an_announcement
from tests.certificate.offices import a_photo
from tests.exam.rooms import a_course
from tests.faults.canary import Search
from tests.invoice.desk import a_paid_sale, the_invoice
from tests.staffroom import Browser, a_browser, a_member, at_desk
from tests.study.teaching.studio import a_ready_film
from tests.world import World

TABLE = Path(__file__).parent / "core" / "staff_matrix.txt"
HEAD = """\
# What each of the staff gets on each route for staff, measured; written by `python -m tests.matrix`.
# The five roles: one each, in yunnan. elsewhere: all five in henan. everywhere: administrator of all programmes.
# yes: may call it (what was asked may still be refused). The number of a status: refused; of a case that is not
# theirs nobody learns that it is there (404). In brackets: the kind of case; those of no programme are marked *.
"""
ROLES = tuple(Right)
CALLERS = ("anonymous", "trainee", "signing-in", *ROLES, "elsewhere", "everywhere")
SHOWN = ("face.photo", "face.photo_replacement", "pay.unknown_number", "outbox.dead")  # one of each right
OF_NO_PROGRAMME = ("outbox.dead", "inbox.stuck", "study.not_flushed", "sms.refused")
FACTS: dict[str, str | int | None] = {  # what the kinds' evidence reads
    "reason": "现在戴眼镜了", "merchant": "1600000000", "year": 2027, "template": "photo_decided", "template_id": "1",
    "code": "FailedOperation", "day": "2026-11-01", "finding": "amount", "their_fen": 1, "our_fen": 2,
    "our_status": "paid",
    "kind": "payment", "number": "1", "suggestion": "look", "tries": 9, "asked_by": "staff:1", "codes": "U+2A6DF",
    "topic": "payment",
    "phone": "13911112222", "differs": "姓名", "gone": "",
}  # fmt: skip
# of another programme: as if not there
HIDDEN = {"case_id", "course_id", "lesson_id", "film_id", "announcement_id", "person_id", "invoice_id"}
PLAIN = "GET    /console/cases/<case_id>"


@dataclass
class Office:
    """One case of every kind, a member, and a browser for each caller."""

    person: Person
    payer: Person
    cases: dict[str, Case]
    ids: dict[str, str]
    browsers: dict[str, Browser]


@dataclass
class Walk:
    """The table's lines, and what is wrong beyond it."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def an_office(world: World) -> Office:
    """Everything in yunnan, but what is of no programme."""
    person = factories.a_person(name="欧阳海燕")
    factories.a_roster_entry(person)
    a_photo(person, now=utcnow())
    photo = str(FaceRecord.get(FaceRecord.person_id == person.id).photo_file)
    found = {}
    for kind in kinds.every():
        subject = review.subject_of(photo) if kind.name == review.PHOTO else f"a:{new_id()}"
        place = EVERYWHERE if kind.name in OF_NO_PROGRAMME else "yunnan"
        facts = FACTS | {"gone": person.id}
        cases.file(kind.name, subject, facts, programme=place, person_id=person.id, now=utcnow())
        found[kind.name] = Case.get(Case.kind == kind.name)
    browsers = {"anonymous": a_browser(world), "trainee": a_browser(world), "signing-in": a_browser(world)}
    for right in ROLES:
        member = a_member((right, "yunnan"))
        browsers[right] = at_desk(world, member)
        if right is Right.FINANCE:
            export = Export.create(
                actor=f"staff:{member.id}", token="of-finance", what="orders", format="csv", programme="yunnan",
                since="2026-11-01", until="2026-11-26", clear=False, reason="月底核对", status="asked",
                asked_at=utcnow(),
            )  # fmt: skip
    browsers["elsewhere"] = at_desk(world, a_member(*((right, "henan") for right in ROLES)))
    browsers["everywhere"] = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    half = at_desk(world, a_member((Right.REVIEWER, "yunnan")))
    MemberSession.update(stage="factor").where(
        MemberSession.id == MemberSession.select().order_by(MemberSession.id.desc()).get().id
    ).execute()
    browsers["signing-in"] = half
    token = factories.auth(person)["Authorization"].split()[1]
    browsers["trainee"].client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    browsers["trainee"].client.set_cookie("staff", token, domain="localhost")
    sale = a_paid_sale(world)
    statement = Statement.create(
        account="53001234567890", programme="yunnan", status="taken", digest="x", first_day="2026-11-01",
        last_day="2026-11-02", lines=0, others=0, uploaded_by="staff:1", uploaded_at=utcnow(),
    )  # fmt: skip
    ids = teaching() | {
        "member_id": a_member((Right.TEACHING, "yunnan")).id,
        "statement_id": statement.id,
        "invoice_id": the_invoice(sale).id,
        "bundle_id": new_id(),
        "export_id": export.id,
        "programme": "yunnan",
        "day": "2026-11-01",
        "verb": "hold",
        "rest": "nowhere",
    }
    return Office(person, sale.person, found, ids, browsers)


def teaching() -> dict[str, str]:
    """A course of yunnan with its only lesson, whose film is there, and an announcement: none of the deeds that the
    walk asks for can be done to them."""
    lesson, film = a_course(), a_ready_film()
    lesson.film_id = film.id
    lesson.save(only=["film_id"])
    return {
        "course_id": lesson.course_id,
        "lesson_id": lesson.id,
        "film_id": film.id,
        "announcement_id": an_announcement().id,
        "key": "yunnan",
        "version": "2021-02-01",
    }


def staff_rules(world: World) -> list[tuple[str, Rule]]:
    """(method, rule) of every route for staff, but the one that ends the session."""
    return [
        (method, rule)
        for rule in sorted(world.app.url_map.iter_rules(), key=str)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if role_of(world.app.view_functions[rule.endpoint]) in (Role.STAFF, Role.STAFF_SIGNING_IN)
        and not rule.rule.endswith("/sign-out")
    ]


def call(browser: Browser, method: str, rule: str, values: dict[str, str], kind: str | None) -> TestResponse:
    """One request, which is understood, and refused at the latest because a note is too short."""
    path = re.sub(r"<(?:[^<>]*:)?([a-z_]+)>", lambda name: values[name[1]], rule)
    if method == "GET":
        return browser.client.get(path)
    described = kinds.of(kind) if kind else None
    keys = [one.key for one in described.decisions if one.batch] or ["-"] if described else ["-"]
    key = described.decisions[0].key if described and not rule.endswith("<kind>/decide") else keys[0]
    form = {"decision": key, "note": "x", "what": "give", "right": "teaching", "programme": "yunnan"}
    if method == "POST":
        return browser.post(path, form)
    return browser.client.open(path, method=method, headers={"X-CSRF-Token": browser.csrf})


def cell(answer: TestResponse) -> str:
    """What stands in the table."""
    return str(answer.status_code) if answer.status_code in (401, 403, 404, 500) else "yes"


def walk(world: World) -> Walk:
    """Everybody calls every route for staff."""
    office, found = an_office(world), Walk()
    person = office.person
    payer = office.payer
    clear = Search(
        {
            "ID number": person.id_number,
            "name": person.name,
            "phone": str(person.phone),
            "payer's name": payer.name,
            "payer's ID number": payer.id_number,
            "payer's phone": str(payer.phone),
        }
    )
    for method, rule in staff_rules(world):
        for name, values, kind in targets(office, method, rule):
            cells = []
            for caller in CALLERS:
                answer = call(office.browsers[caller], method, rule.rule, values, kind)
                cells.append(cell(answer))
                if leaks(clear, answer):
                    found.wrong.append(f"{name} tells {caller} personal data in the clear")
                hidden = values.keys() & HIDDEN
                if answer.status_code == 404 and hidden:
                    others = values | {one: new_id() for one in hidden}
                    nobodys = call(office.browsers[caller], method, rule.rule, others, kind)
                    if same(nobodys) != same(answer):
                        found.wrong.append(f"{name} tells {caller} that it is there")
            found.lines.append(f"{name:<74}" + "".join(f"{one:<14}" for one in cells).rstrip())
    return found


def leaks(clear: Search, answer: TestResponse) -> bool:
    """Whether personal data stand in an answer (of a picture's pixels, nothing is read)."""
    return any(not hit.place.endswith("(packed)") for hit in clear.in_bytes("the answer", answer.data))


def same(answer: TestResponse) -> tuple[int, str]:
    """An answer without what is another one each time."""
    return answer.status_code, re.sub(r'name="csrf" value="[^"]+"|X-CSRF-Token":"[^"]+"', "", answer.text)


def targets(office: Office, method: str, rule: Rule) -> list[tuple[str, dict[str, str], str | None]]:
    """A route's name in the table, the values of its variables, and the kind of case they name."""
    name = f"{method:<6} {rule.rule}"
    if "person_id" in rule.arguments:
        keys = [one.key for page in person_pages.every() for one in page.helps] if "key" in rule.arguments else [""]
        where: dict[str, Any] = {"person_id": office.person.id}
        return [(name + (f" [{key}]" if key else ""), where | {"key": key}, None) for key in keys]
    if not rule.arguments & {"case_id", "kind"}:
        return [(name, office.ids, None)]
    wanted = sorted(office.cases) if name == PLAIN else SHOWN
    rows: list[tuple[str, dict[str, str], str | None]] = []
    for kind in wanted:
        case = office.cases[kind]
        values = {"case_id": case.id, "kind": kind, "name": "photo", "member_id": ""}
        rows.append((f"{name} [{kind}{'*' if case.programme == EVERYWHERE else ''}]", values, kind))
    return rows


def text_of(found: Walk) -> str:
    """The table's file."""
    head = f"# {'':<72}" + "".join(f"{caller:<14}" for caller in CALLERS).rstrip()
    return HEAD + "\n".join([head, *found.lines]) + "\n"
