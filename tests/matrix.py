"""Every route × everybody: who may call it, and that nobody learns or changes what is another's (fault L7).

The table is written anew by `python -m tests.matrix`; read its difference before it is committed. It is compared by
tests/core/test_matrix.py: a route that is not in it is denied to everybody.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.account.models import Person
from app.certificate import queries as proofs
from app.certificate import service as certificate
from app.core import crypto, db
from app.core.clock import utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.exam.models import Attempt
from app.face.models import FaceCheck
from app.invoice.models import Invoice
from app.pay.models import Order, PaymentAttempt
from app.study.models import LessonProgress
from app.support.models import Ticket
from app.support.queries import written
from tests import factories, staff_matrix
from tests.announce.board import an_announcement
from tests.certificate.offices import a_photo, pass_all
from tests.exam.rooms import Candidate, a_bank, a_course, studied
from tests.faults.canary import Hit, Search
from tests.invoice.desk import a_paid_sale, the_invoice
from tests.support.tickets import a_ticket
from tests.world import World, build

TABLE = Path(__file__).parent / "core" / "matrix.txt"
CALLERS = ("anonymous", "activating", "owner", "stranger")
HEAD = """\
# What each caller gets on each route, measured; written by `python -m tests.matrix`.
# yes: may call it (what was asked may still be refused). own: may call it, and meets only what is theirs.
# The number of a status: refused. 404 on another's row: nobody learns that it is there.
"""
NONCE = "a-nonce-that-only-its-owner-has"
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/orders/<order_id>/payments": {"channel": "wechat_native"},
    "POST /api/v1/enrolments/<enrolment_id>/attempts": {"subject": "TJ"},
    "POST /api/v1/enrolments/<enrolment_id>/lessons/<lesson_id>/play": {
        "device": "a-phone-of-mine",
        "take_over": True,
    },
    "POST /api/v1/invoices/<invoice_id>/mail": {"email": "box@example.com"},
    "POST /api/v1/invoices/<invoice_id>/correction": {"words": "抬头有误"},
    "POST /api/v1/face-checks/<check_id>/finish": {"nonce": NONCE},
    "POST /api/v1/help-tickets/<help_id>/replies": {"client_id": "a-reply-of-mine", "text": "还是不行"},
    "PUT /api/v1/attempts/<attempt_id>/answers/<int:number>": {"choice": "A", "version": 0},
}
NEXT = ("face_check_needed",)  # not refused: something else comes first
Caller = Callable[[], dict[str, str]]


@dataclass
class Estate:
    """A person, and one of everything that somebody can own. `ids`: the value of each variable of a route."""

    person: Person
    ids: dict[str, str]
    proof_enrolment: str
    secrets: dict[str, str] = field(default_factory=dict)

    def value(self, rule: str, name: str) -> str:
        """What stands for a variable of a route; those of staff tell whoever has to sign in where they wanted to
        go."""
        if rule.startswith("/console/"):
            return "0123456789abcdef"
        if name == "enrolment_id" and rule.endswith("/proof"):
            return self.proof_enrolment
        if name == "name":
            return "agreement" if "/texts/" in rule else "home.css"
        return self.ids.get(name, "0123456789abcdef")

    def rows(self) -> list[dict[str, Any]]:
        """Everything of the estate, as it stands in SQL."""
        found: list[dict[str, Any]] = []
        for model in (Person, Enrolment, Order, PaymentAttempt, Invoice, Attempt, FaceCheck, LessonProgress, Ticket):
            key = model.id if model is Person else getattr(model, "person_id", None)
            query = model.select().order_by(model.id)
            found.extend((query if key is None else query.where(key == self.person.id)).dicts())
        return found


def an_estate(world: World) -> Estate:
    """One person who has paid, studied, sits an exam, waits for an invoice, and has a proof of another training."""
    sale = a_paid_sale(world)
    person, now = sale.person, utcnow()
    enrolment = Enrolment.get_by_id(sale.enrolment_id)
    studied(enrolment, now=now)
    a_bank()
    attempt = Candidate(person, enrolment, now).start()
    passed = factories.an_enrolment(person, "passed", entry=factories.a_roster_entry(person, kind_code="A"), now=now)
    a_photo(person, now=now)
    pass_all(passed, now=now)
    proof = proofs.of_enrolment(passed.id)
    assert proof is not None
    proof = certificate.issue(proof.id, now=now)
    check = FaceCheck.create(
        person_id=person.id,
        programme="yunnan",
        version="2021-02-01",
        purpose="study",
        rule="study",
        subject=enrolment.id,
        method="picture",
        nonce_index=crypto.index("face_check.nonce", NONCE),
        created_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    ticket = a_ticket(person, pictures=1)
    ids = {
        "help_id": ticket.id,
        "picture_id": written(ticket.id)[0].pictures[0],
        "announcement_id": an_announcement().id,
        "enrolment_id": enrolment.id,
        "attempt_id": attempt.id,
        "lesson_id": a_course().id,
        "order_id": sale.order_id,
        "invoice_id": the_invoice(sale).id,
        "check_id": check.id,
        "proof_id": proof.id,
    }
    secrets = {"ID number": person.id_number, "name": person.name, "phone": str(person.phone)}
    secrets |= {name: ids[name] for name in ids if name not in ("lesson_id", "announcement_id")}
    return Estate(person, ids, passed.id, secrets | {"proof enrolment": passed.id, "proof number": str(proof.number)})


# --- calling -----------------------------------------------------------------------------------------------------


def rules(world: World) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of every route, but HEAD and OPTIONS, which Flask answers itself."""
    for rule in sorted(world.app.url_map.iter_rules(), key=str):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule


def call(world: World, method: str, rule: str, value: Callable[[str], str], headers: dict[str, str]) -> TestResponse:
    """One request, with a body that the route understands where it needs one to come to the row."""
    path = re.sub(r"<(?:int:)?([a-z_]+)>", lambda match: "1" if "int:" in match[0] else value(match[1]), rule)
    body: dict[str, Any] = {"json": BODIES.get(f"{method} {rule}", {})}
    if rule.endswith("/picture") or (rule in ("/api/v1/photo", "/api/v1/photo/check") and method != "GET"):
        files = {name: (BytesIO(b"no picture"), "a.jpg") for name in ("picture", "photo")}
        body = {"data": files | {"nonce": NONCE}, "content_type": "multipart/form-data"}
    return world.app.test_client().open(path, method=method, headers=headers, **body)


def outcome(answer: TestResponse, owned: bool) -> str:
    """A cell of the table."""
    if answer.status_code in (401, 403, 404, 500) and told(answer)[1] not in NEXT:
        return str(answer.status_code)
    return "own" if owned else "yes"


@dataclass
class Walk:
    """The table's lines, and what is wrong beyond it: leaks, oracles, changes by strangers."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def walk(world: World) -> Walk:
    """Everybody calls every route; the strangers first, the owner when they are done."""
    estate, found = an_estate(world), Walk()
    stranger, newcomer = factories.a_person(name="李四海"), factories.a_person(activated=False, name="王五洲")
    headers: dict[str, Caller] = {
        "anonymous": dict,
        "activating": lambda: factories.auth(newcomer, activated=False),
        "stranger": lambda: factories.auth(stranger),
        "owner": lambda: factories.auth(estate.person),
    }
    search, cells = Search(estate.secrets), {}
    before = estate.rows()
    for caller in ("anonymous", "activating", "stranger", "owner"):
        if caller == "owner" and estate.rows() != before:
            found.wrong += [f"strangers changed {row}" for row in estate.rows() if row not in before]
        for method, rule in rules(world):
            name = f"{method:<6} {rule.rule}"
            answer = call(world, method, rule.rule, lambda n, r=rule: estate.value(r.rule, n), headers[caller]())  # type: ignore[misc]
            cells[name, caller] = outcome(answer, caller == "owner" and bool(rule.arguments & set(estate.ids)))
            if caller == "owner":
                continue
            for hit in leaks(search, answer):
                found.wrong.append(f"{name} tells {caller} {hit}")
            if rule.arguments & set(estate.ids):
                nobodys = call(world, method, rule.rule, lambda _: new_id(), headers[caller]())
                if told(answer) != told(nobodys):
                    found.wrong.append(f"{name} tells {caller} that it is there: {told(answer)}, {told(nobodys)}")
    for method, rule in rules(world):
        name = f"{method:<6} {rule.rule}"
        found.lines.append(f"{name:<68}" + "".join(f"{cells[name, caller]:<12}" for caller in CALLERS).rstrip())
    return found


def told(answer: TestResponse) -> tuple[int, str]:
    """What somebody could tell a row that is there from one that is not by."""
    body = answer.get_json(silent=True)
    return answer.status_code, str(body.get("code")) if isinstance(body, dict) else ""


def leaks(search: Search, answer: TestResponse) -> list[Hit]:
    """What of the estate stands in an answer to somebody else."""
    return [hit for hit in search.in_bytes("the answer", answer.data) if not hit.place.endswith("(packed)")]


def text_of(found: Walk) -> str:
    """The table's file."""
    head = f"# {'':<66}" + "".join(f"{caller:<12}" for caller in CALLERS).rstrip()
    return HEAD + "\n".join([head, *found.lines]) + "\n"


def main() -> None:
    """Write both tables anew."""
    with tempfile.TemporaryDirectory() as directory, build(Path(directory)) as world, db.connection():
        found = walk(world)
        world.clear()
        staff = staff_matrix.walk(world)
    for text in (*found.wrong, *staff.wrong):
        print(text, file=sys.stderr)
    TABLE.write_text(text_of(found), encoding="utf-8")
    staff_matrix.TABLE.write_text(staff_matrix.text_of(staff), encoding="utf-8")
    sys.exit(1 if found.wrong or staff.wrong else 0)


if __name__ == "__main__":
    main()
