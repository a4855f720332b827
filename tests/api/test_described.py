"""Every operation of docs/openapi.json is called with data that fits its description and with data that does not, by
nobody, by strangers and by trainees in several states: no 5xx, and no answer that the description does not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation, BaseSchema

from app.account.models import Person
from app.certificate.models import Proof
from app.core.clock import utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.pay import service as pay
from app.study.models import Lesson
from config.settings import ROOT
from tests.certificate.offices import a_graduate
from tests.exam.rooms import a_candidate, a_course
from tests.factories import PASSWORD, a_person, a_roster_entry, a_session, an_enrolment
from tests.study.phones import a_phone
from tests.world import World

pytestmark = pytest.mark.slow

EXAMPLES = {GenerationMode.POSITIVE: 16, GenerationMode.NEGATIVE: 8}
METHODS = ("get", "post", "put", "patch", "delete")
SPEC = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [
    f"{method.upper()} {path}" for path, methods in SPEC["paths"].items() for method in METHODS if method in methods
]
NOT_ASKED = {
    "ignored_auth",  # it sends its own token where ours is; tests/core/test_routes.py asks without any
    "positive_data_acceptance",  # what fits the description may still be refused by a rule: only how is checked
}
load_all_checks()
CHECKED: list[Any] = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_ASKED]


@dataclass
class Caller:
    """Somebody in one state; `known`: values that are really theirs, by the names of parameters and fields."""

    token: Callable[[], str]
    known: dict[str, Any] = field(default_factory=dict)


def _of(person: Person, *, activated: bool = True, **known: Any) -> Caller:
    common = {"programme": "yunnan", "password": PASSWORD, "subject": "TJ", "id_number": person.id_number}
    return Caller(lambda: a_session(person, activated=activated), common | known)


def _signed_up() -> Caller:
    person = a_person(now=utcnow())
    entry, other = a_roster_entry(person), a_roster_entry(person, kind_code="SGDG")
    enrolment = an_enrolment(person, "signed_up", entry=entry)
    free = an_enrolment(person, "signed_up", entry=a_roster_entry(person))
    lines = [pay.Line(f"enrolment:{enrolment.id}", "培训费", 20000)]
    expires = utcnow() + timedelta(minutes=30)
    order = pay.create_order(
        payer=pay.Payer("person", person.id),
        programme="yunnan",
        version="2021-02-01",
        lines=lines,
        expires_at=expires,
        now=utcnow(),
    )
    Enrolment.update(order_id=order.id).where(Enrolment.id == enrolment.id).execute()
    return _of(
        person,
        enrolment_id=enrolment.id,
        enrolment_ids=[free.id],
        entry_ids=[other.id],
        order_id=order.id,
        payer_name=person.name,
        payer_number=person.id_number,
        channel="wechat_native",
    )


def _studying() -> Caller:
    person = a_person(now=utcnow())
    lesson: Lesson = a_course()
    enrolment = an_enrolment(person, now=utcnow())
    ticket = a_phone(saved_up=100, now=utcnow()).token()
    return _of(
        person, enrolment_id=enrolment.id, lesson_id=lesson.id, ticket=ticket, device="phone-12345678", chunks=[0, 1]
    )


def _in_the_exam() -> Caller:
    candidate = a_candidate()
    candidate.start()
    known = {"attempt_id": candidate.attempt_id, "enrolment_id": candidate.enrolment.id}
    return _of(candidate.person, **known, number=1, choice="A", version=0)


def _graduated() -> Caller:
    graduate = a_graduate()
    proof: Proof = graduate.proof
    return _of(graduate.person, enrolment_id=graduate.enrolment.id, proof_id=proof.id, token=proof.token)


def callers() -> dict[str, Caller]:
    """Who calls."""
    newcomer = a_person(activated=False)
    return {
        "nobody": Caller(lambda: ""),
        "activating": _of(newcomer, activated=False),
        "signed up": _signed_up(),
        "studying": _studying(),
        "in the exam": _in_the_exam(),
        "graduated": _graduated(),
    }


@pytest.fixture(scope="session")
def schema(running_world: World) -> BaseSchema:
    config = schemathesis.Config()
    # a query that nobody asked for is passed over, as on every web page; the token is ours
    config.projects.default.generation.update(allow_extra_parameters=False, with_security_parameters=False)
    return schemathesis.openapi.from_wsgi("/api/openapi.json", running_world.app, config=config)


def operation(schema: BaseSchema, label: str) -> APIOperation:
    """The operation named 'GET /path'."""
    method, path = label.split(" ", 1)
    found: APIOperation = schema[path][method]
    return found


def with_own(case: Case, caller: Caller) -> None:
    """Put the caller's own values in the place of made-up ones."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place.update({name: caller.known[name] for name in place if name in caller.known})


def ask(case: Case, caller: Caller, *, positive: bool) -> int:
    """Call, hold the answer against the description, and give its status."""
    token = caller.token()
    headers = {"X-Request-Id": new_id()} | ({"Authorization": f"Bearer {token}"} if token else {})
    answer = case.call(headers=headers)
    case.validate_response(answer, checks=CHECKED)
    json_body = case.media_type in (None, "application/json")
    if positive and json_body:
        assert answer.status_code != 415
        # a NUL is text to JSON and to no database: app/core/web.py refuses it before anything is read
        nul = "\\u0000" in json.dumps(case.body, default=str)
        assert answer.status_code != 400 or nul, "what fits the description is read, whatever comes of it"
    return int(answer.status_code)


def fuzz(schema: BaseSchema, label: str, mode: GenerationMode) -> list[int]:
    """Call one operation with data of one kind; gives the statuses of the answers."""
    statuses: list[int] = []
    people = callers()
    positive = mode is GenerationMode.POSITIVE

    @settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation(schema, label).as_strategy(generation_mode=mode),
        who=st.sampled_from(sorted(people)),
        own=st.sampled_from([True, True, False]),
    )
    def one(case: Case, who: str, own: bool) -> None:
        if own and positive:
            with_own(case, people[who])
        statuses.append(ask(case, people[who], positive=positive))

    one()
    return statuses


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_fits_the_description_gets_an_answer_that_fits_it(world: World, schema: BaseSchema, label: str) -> None:
    assert len(fuzz(schema, label, GenerationMode.POSITIVE)) > 0


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_does_not_fit_is_refused_in_a_way_that_fits(world: World, schema: BaseSchema, label: str) -> None:
    try:
        assert len(fuzz(schema, label, GenerationMode.NEGATIVE)) > 0
    except Unsatisfiable:
        found = operation(schema, label)
        assert not list(found.body), "only texts in the path, and every text is one"


def test_an_answer_that_the_description_does_not_know_is_found(
    world: World, schema: BaseSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: a view that answers with another shape."""
    monkeypatch.setitem(world.app.view_functions, "enrol.list_enrolments", world.app.view_functions["health.healthz"])
    with pytest.raises(schemathesis.core.failures.FailureGroup):
        fuzz(schema, "GET /api/v1/enrolments", GenerationMode.POSITIVE)
