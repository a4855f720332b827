"""What the staff may not choose as their password."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from app.core.clock import utcnow
from app.staff import service as staff
from app.staff.models import Member
from tests.staffroom import PASSWORD, a_browser
from tests.world import World

TRIED_FIRST = [
    *("password1234", "Password2026!", "P@ssw0rd12345", "qwertyuiop12", "1qaz2wsx3edc", "abcdef123456"),
    *("987654321abc", "zhukao123456", "Admin@2026admin", "xyabexyabexyabe", "1q2w3e4r5t6y", "woaini123456"),
]
OF_ONES_OWN = [
    *(PASSWORD, "correct horse battery", "gongdi-tadiao-7788", "工地安全第一每天都要记住"),
    *("xK9-vT4m-qL2z", "test-Kunming-Rain"),
]


def choose(world: World, password: str) -> TestResponse:
    """A new administrator sets this password."""
    token = staff.create_first("chief", "陈主任", actor="system:cli", now=utcnow())
    form = {"password": password, "again": password}
    return a_browser(world).client.post(f"/console/welcome/{token}", data=form)


@pytest.mark.parametrize("password", TRIED_FIRST)
def test_a_password_that_everybody_tries_first_is_refused_with_the_reason(world: World, password: str) -> None:
    answer = choose(world, password)
    assert (answer.status_code, "太常见" in answer.text) == (422, True)
    assert Member.get(Member.login == "chief").password_hash is None


@pytest.mark.parametrize("password", OF_ONES_OWN)
def test_a_password_of_words_that_do_not_belong_together_is_taken(world: World, password: str) -> None:
    assert choose(world, password).headers["Location"] == "/console/second-factor"
