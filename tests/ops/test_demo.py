"""The demonstration has what its trainees need, in every programme that is open."""

from __future__ import annotations

import re

from app.core.clock import utcnow
from app.notify.kinds import KINDS
from app.policy import load as policy
from app.study.models import Course
from ops.demo import load as demo
from tests.world import World


def test_every_open_programme_has_trainees_of_its_own(world: World) -> None:
    keys = [programme.key for programme in demo.programmes()]
    assert keys[0] == demo.PROGRAMME
    assert sorted(keys) == [programme.key for programme in policy.all_in_force(utcnow())]
    everybody = [person for programme in demo.programmes() for person in demo.people(programme)]
    for values in ({person.id_number for person in everybody}, {person.phone for person in everybody}):
        assert len(values) == len(everybody)


def test_first_passwords_follow_the_kind_of_certificate(world: World) -> None:
    legacy = policy.in_force("yunnan-legacy", utcnow())
    found = {person.kind: demo.password_of(legacy, person) == "12345678" for person in demo.people(legacy)}
    titles = {kind.title: kind.code for kind in legacy.certificate_kinds}
    assert {titles[title]: fixed for title, fixed in found.items()} == {
        titles[title]: titles[title] not in ("C1", "C2", "C3", "TJ", "XHG") for title in found
    }
    assert set(found.values()) == {True, False}


def test_there_is_a_course_for_every_certificate_that_can_be_continued(world: World) -> None:
    demo._courses(lambda _text: None)
    taught = {(course.programme, course.kind_code) for course in Course.select()}
    assert taught == {
        (programme.key, kind.code)
        for programme in demo.programmes()
        for kind in programme.certificate_kinds
        if "continuing" in kind.business
    }


def test_every_message_has_a_text_that_takes_what_its_kind_says() -> None:
    for name, kind in KINDS.items():
        assert re.findall(r"{(\d)}", kind.text) == [str(number + 1) for number, _ in enumerate(kind.says)], name
