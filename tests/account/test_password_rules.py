from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.account import passwords
from app.core.errors import Problem
from app.policy import load
from tests import factories
from tests.account.screens import FIRST, Screens, problem_of
from tests.factories import NOW
from tests.world import World

NUMBER = "530102199003074514"


def check(password: str) -> None:
    """Refuse what is weak for a new person."""
    person = factories.a_person(id_number=NUMBER, phone="13800138000")
    passwords.require_strong(load.in_force("yunnan", NOW), NUMBER, password, person=person)


def reason(password: str) -> str:
    """What is wrong with a weak password, in words."""
    with pytest.raises(Problem) as refused:
        check(password)
    assert refused.value.code == "password_weak"
    return refused.value.detail


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Ab3-xy7", "长度"),
        ("a1" * 33, "长度"),
        ("onlyletters", "字母和数字"),
        ("8642097531", "字母和数字"),
        (FIRST, "字母和数字"),
        ("a1a1a1a1", "重复"),
        ("x530102y", "身份证"),
        ("Wang19900307", "身份证"),
        ("ab074514", "身份证"),
        ("13800138000", "字母和数字"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(world: World, password: str, word: str) -> None:
    assert word in reason(password)


@pytest.mark.parametrize("password", ["Gongdi-2026", "abcdefg1", "07451xyz", "工地安全第一2026a", "a1" * 31 + "zz"])
def test_a_good_password_is_taken(world: World, password: str) -> None:
    check(password)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 12), left=st.text("abcXYZ", max_size=6), right=st.text("abcXYZ", min_size=3, max_size=6))
def test_no_six_characters_of_the_id_number_in_a_row(running_world: World, start: int, left: str, right: str) -> None:
    programme = load.in_force("yunnan", NOW)
    with pytest.raises(Problem):
        passwords.require_strong(programme, NUMBER, left + NUMBER[start : start + 6] + right)


def test_a_first_password_of_letters_and_digits_is_refused_as_ones_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "first_passwords", lambda *_: {"Start1234"})
    assert "初始密码" in reason("Start1234")


def test_the_refusal_names_the_field(world: World, screens: Screens) -> None:
    screens.token = factories.a_session(factories.a_person())
    answer = screens.post("/password", new_password="short1", old_password=factories.PASSWORD)
    assert problem_of(answer) == (422, "password_weak")
    assert list(answer.get_json()["fields"]) == ["new_password"]
