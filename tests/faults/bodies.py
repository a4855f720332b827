"""Fault A4: who adds a price, a role, an owner or a status to a request's body gets nothing for it."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import flask
from marshmallow import EXCLUDE, Schema

from app import wiring
from app.account.models import Person, Session
from app.core.clock import utcnow
from app.enrol import checkout
from app.enrol.models import Enrolment
from app.pay import service as pay
from app.pay.models import Order, OrderLine
from app.policy import load as policy
from app.policy import rules
from tests import factories, matrix
from tests.faults.canary import Search
from tests.world import World

CHEAP = 7  # fen
MARK = "zz-canary-zz"


def a4(world: World, tries: int) -> int:
    """Every route that takes a body, as its owner, with bodies that are good but for what was added, and with the
    additions alone."""
    return sum(_a4(world) for _ in range(tries))


def _a4(world: World) -> int:
    estate, other = matrix.an_estate(world), factories.a_person(name="赵六福")
    entry = factories.a_roster_entry(estate.person, kind_code="XHG")
    unpaid = factories.an_enrolment(estate.person, "signed_up", entry=factories.a_roster_entry(estate.person))
    payer = {"payer_name": estate.person.name, "payer_number": estate.person.id_number}
    good: dict[str, dict[str, Any]] = matrix.BODIES | {
        "POST /api/v1/checkout": {"enrolment_ids": [unpaid.id], **payer},
        "POST /api/v1/sign-ups": {"roster_entry_ids": [entry.id]},
        "POST /api/v1/login": {
            "programme": "yunnan",
            "id_number": estate.person.id_number,
            "password": factories.PASSWORD,
            "channel": "web",
        },
    }
    added = {"amount_fen": CHEAP, "price": CHEAP, "fee": CHEAP, "person_id": other.id, "owner_id": other.id}
    added |= dict.fromkeys(("role", "rights", "status", "version", "actor", "evidence"), MARK)
    added |= {"activated": True, "passed": True, "score": 100, "paid_at": utcnow().isoformat()}
    crashed = 0
    for method, rule in matrix.rules(world):
        if method == "GET":
            continue
        for body in (good.get(f"{method} {rule.rule}", {}) | added, added):
            headers = factories.auth(estate.person)
            with mock.patch.dict(matrix.BODIES, {f"{method} {rule.rule}": body}):
                answer = matrix.call(world, method, rule.rule, lambda n, r=rule: estate.value(r.rule, n), headers)  # type: ignore[misc]
            crashed += answer.status_code >= 500
    return crashed + took_effect(world, other)


def took_effect(world: World, other: Person) -> int:
    """What the additions did: marks in any row, prices that are not the programme's, anything of somebody else's."""
    programme = policy.in_force("yunnan", utcnow())
    marks = {str(hit) for hit in Search({"mark": MARK}).in_database(world.settings.database_url)}
    for mark in sorted(marks):
        print(f"  {mark}", flush=True)
    wrong = len(marks)
    for order in Order.select():
        lines = OrderLine.select().where(OrderLine.order_id == order.id).count()
        wrong += order.amount_fen != rules.price_fen(programme, lines)
    for model in wiring.models():
        owner = getattr(model, "person_id", None)
        if owner is not None and model is not Session:
            kept = 2 if model._meta.table_name == "consent" else 0  # what the factory gave
            wrong += max(0, model.select().where(owner == other.id).count() - kept)
    return wrong


def a4_twin(world: World) -> bool:
    """Fields that nobody asked for are let through, and the price is taken from the body."""
    load = Schema.load

    def lenient(self: Schema, data: Any, **more: Any) -> Any:
        return load(self, data, **more | {"unknown": EXCLUDE})

    def cheap(_programme: object, rows: list[Enrolment]) -> list[pay.Line]:
        body = json.loads(flask.request.get_data()) if flask.has_request_context() else {}
        amount = body.get("amount_fen", 20_000)
        return [pay.Line(sku=f"enrolment:{row.id}", title="便宜", amount_fen=amount) for row in rows]

    with mock.patch.object(Schema, "load", lenient), mock.patch.object(checkout, "_lines", cheap):
        return _a4(world) > 0
