"""Fault A3, as a function: whatever people are called, no name is alive on a page of the console, and each is there
as text. Its twin says whether the experiment fails once the guard is off, as it must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from flask import render_template, render_template_string
from markupsafe import escape
from werkzeug.test import TestResponse

from app.account.person_name import name_form
from app.cases.models import Case
from app.console import pages as pages_
from app.core import web
from app.core.crypto import mask_name
from app.core.staff import EVERYWHERE, Right
from app.support import service as support
from tests import factories, staff_matrix
from tests.console.desks import a_photo_case
from tests.faults.staff import REASON, say
from tests.staffroom import a_member, at_desk
from tests.support.tickets import a_ticket
from tests.world import World

NAMES = [
    "<svg onload=alert(1)>",
    '"><script src=//x></script>',
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }}三张",
    "{{ 7*7 }}{% raw %}",
    "\u202e三张\u2066",
    "' onmouseover='alert(1)",
    "&lt;b&gt;",
]
# what no answer may hold: a tag or an attribute that we did not write, a template that was worked out
LIVE = re.compile(r"<svg onload|<script src=//x|' onmouseover='|49三张|49{%", re.IGNORECASE)
FRAMED = 'class="me"'  # a page that names who is signed in
UNSAFE = ("unsafe-inline", "unsafe-eval", "http:", "https:", "*")


def a3(world: World, tries: int) -> int:
    """Every hostile name, `tries` of them, on every page of the console."""
    wrong = []
    for name in NAMES[:tries]:
        wrong += live_pages(world, name)
        world.clear()
    return say(wrong)


def pages(world: World) -> list[str]:
    """Every page of the console that needs no id."""
    rules = [rule for method, rule in staff_matrix.staff_rules(world) if method == "GET"]
    return [rule.rule for rule in rules if not rule.arguments]


def live_pages(world: World, name: str) -> list[str]:
    """On which pages somebody of this name (staff, trainee, what a trainee wrote) is more than text, or is not there,
    so that nothing was shown; and where nothing would stop a script."""
    person, *others = (factories.a_person(name=one) for one in (name, *[name_form(name)] * 2))
    for one in (person, *others):
        factories.an_enrolment(one)
    case, ticket = a_photo_case(person), a_ticket(person, name)
    letter: Case = Case.get(Case.subject == support.subject_of(ticket.id))
    desk = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE), name=name))
    named = [f"/console/cases/{case.id}", f"/console/cases/{letter.id}", "/console/queues/face.photo"]
    named += [f"/console/people/{person.id}", "/console/figures?days=365"]
    wrong = []
    for path in [*pages(world), *named]:
        answer = desk.get(path)
        if answer.status_code >= 500 or (path in named and answer.status_code != 200):
            wrong.append(f"{path}: {answer.status_code}")
        if answer.mimetype == "text/html":
            wrong += [f"{path}: {what}" for what in alive(answer, name, shown=path in named or FRAMED in answer.text)]
    found = desk.post("/console/people", {"text": person.phone})
    if found.headers.get("Location") != f"/console/people/{person.id}":
        wrong.append(f"one who is found: {found.status_code}")
    answers = {"of one name": desk.post("/console/people", {"text": name})}
    answers["in the clear"] = desk.hx(f"/console/cases/{case.id}/unmask", {"reason": REASON})
    for what, answer in answers.items():
        complaints = alive(answer, name, shown=True)
        if answer.status_code != 200 or complaints:
            wrong.append(f"{what}: {answer.status_code} {complaints}")
    masked = str(escape(mask_name(name_form(name)) or ""))
    if answers["of one name"].text.count(f">{masked}</a>") < len(others):
        wrong.append("of one name: they are not there")
    return wrong


def alive(answer: TestResponse, name: str, *, shown: bool) -> list[str]:
    """What a page would run, what of its policy would let it, and whether the name stands there as text; `shown`: it
    has to."""
    policy = answer.headers.get("Content-Security-Policy", "")
    found = [word for word in UNSAFE if word in policy.replace(";", " ").split() or f"'{word}'" in policy]
    found += [] if policy.startswith("default-src 'none'") else ["no policy"]
    found += LIVE.findall(answer.text)
    safe = str(escape(name))
    if safe != name and name in answer.text:
        found.append(f"{name!r} as it came")
    if shown and safe not in answer.text:
        found.append(f"{name!r} is not there")
    return found


def a3_twin(world: World) -> bool:
    """Pages are written without escapes, which every name that has something to escape must show; then: as templates
    once more; then: with a policy that lets through what stands in them."""
    seen = []
    for name in NAMES:
        with unescaped(world):
            found = live_pages(world, name)
        seen.append(str(escape(name)) == name or any("as it came" in text for text in found))
        world.clear()
    with mock.patch.object(pages_, "render_template", _twice):
        seen.append(any("49三张" in text for text in live_pages(world, "{{ 7*7 }}三张")))
    world.clear()
    ran = all(seen)
    with mock.patch.object(web, "PAGE_POLICY", web.PAGE_POLICY.replace("script-src", "script-src 'unsafe-inline'")):
        return ran and any("unsafe-inline" in text for text in live_pages(world, "张三"))


def _twice(template: str, **values: object) -> str:
    """The guard off: what stands on a page is worked out as a template of its own."""
    return render_template_string(render_template(template, **values))


@contextmanager
def unescaped(world: World) -> Iterator[None]:
    """The guard off: templates, compiled anew, write what they are given."""
    templates = world.app.jinja_env
    with mock.patch.object(templates, "autoescape", False), mock.patch.object(templates, "cache", None):
        yield
