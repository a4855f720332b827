"""How enrolments hear of the other domains."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.core import outbox
from app.enrol import checkout, merging, messages, person_page, queries, service, transfers_page
from app.enrol.views import bp
from app.face import service as face
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (bp,)


def start(settings: Settings) -> None:
    """Subscribe to orders, passes and proofs; a face check for an enrolment stands under its programme; an
    account is where its person stands on the roster."""
    face.on_subject(queries.programme_of)
    outbox.subscribe("order.paid", "enrol.paid", checkout.paid)
    outbox.subscribe("order.closed", "enrol.closed", checkout.closed)
    outbox.subscribe("order.paid", "enrol.told_paid", messages.paid)
    outbox.subscribe("exam.passed", "enrol.passed", service.passed)
    outbox.subscribe("exam.passed", "enrol.told_passed", messages.passed)
    outbox.subscribe("proof.issued", "enrol.completed", service.completed)
    account.on_merge(merging.PART)
    account.on_rosters(queries.programmes_of)
    person_pages.describe(person_page.PAGE)
    person_pages.describe(transfers_page.PAGE)
