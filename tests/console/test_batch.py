"""Many cases decided at once: what is said beforehand of the messages that follow."""

from __future__ import annotations

import html
import re

import pytest

from app.account.models import Person
from app.core.staff import Right
from app.notify.models import Sms
from tests.console.desks import a_photo_case
from tests.staffroom import a_member, at_desk
from tests.world import World

QUEUE = "/console/queues/face.photo"
TEXT, HINDRANCE = "您的照片审核结果：已确认。请登录平台继续。", "没有登记手机号，无法发送，请用其他方式告知。"


def headed(page: str) -> list[tuple[str, str]]:
    """What the page says of messages: (heading, text)."""
    return re.findall(r'<p class="sms[^"]*"><b>(.*?)</b>(.*?)</p>', html.unescape(page))


@pytest.mark.parametrize(
    ("phones", "said"),
    [
        ("yy", [("每位学员将收到短信", TEXT)]),
        ("nyy", [("2 位学员将收到短信", TEXT), ("1 位学员不会收到短信", HINDRANCE)]),
        ("nn", [("2 位学员不会收到短信", HINDRANCE)]),
    ],
)
def test_before_many_are_decided_it_is_said_how_many_get_no_message(
    world: World, phones: str, said: list[tuple[str, str]]
) -> None:
    found = [a_photo_case() if phone == "y" else a_photo_case(phone=None) for phone in phones]
    reviewer = at_desk(world, a_member((Right.REVIEWER, "yunnan")))
    form = {"decision": "confirm", "case": [case.id for case in found]}
    assert headed(reviewer.post(f"{QUEUE}/decide", form).text) == said
    reviewer.post(f"{QUEUE}/decide", form | {"sure": "yes"})
    assert Sms.select().count() == phones.count("y")


def test_only_a_hindrance_of_all_is_said_in_place_of_the_text(world: World) -> None:
    reviewer = at_desk(world, a_member((Right.REVIEWER, "yunnan")))
    a_photo_case(phone=None)
    option = f'<option value="confirm" data-text="{HINDRANCE}" data-none>'
    assert option in reviewer.get(QUEUE).text
    a_photo_case()
    assert Person.select().count() == 2
    assert f'<option value="confirm" data-text="{TEXT}">' in reviewer.get(QUEUE).text
