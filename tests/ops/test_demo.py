"""The demonstration has what its trainees need."""

from __future__ import annotations

import re
import tomllib

from app.core.clock import utcnow
from app.notify.kinds import KINDS
from app.policy import load as policy
from ops.demo.load import COURSES, PROGRAMME, SMS_TEXTS
from tests.world import World


def test_there_is_a_course_for_every_certificate_that_can_be_continued(world: World) -> None:
    programme = policy.in_force(PROGRAMME, utcnow())
    courses = tomllib.loads(COURSES.read_text(encoding="utf-8"))["courses"]
    taught = {code for course in courses if course["programme"] == PROGRAMME for code in course["kind_codes"]}
    assert {kind.code for kind in programme.certificate_kinds if "continuing" in kind.business} <= taught


def test_every_message_has_a_text_that_takes_what_its_kind_says() -> None:
    assert set(SMS_TEXTS) == set(KINDS)
    for name, text in SMS_TEXTS.items():
        assert re.findall(r"{(\d)}", text) == [str(number + 1) for number, _ in enumerate(KINDS[name].says)], name
