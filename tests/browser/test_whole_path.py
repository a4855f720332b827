"""The whole path of the `yunnan` programme in a browser, from the first login to the proof: on a phone in WeChat, and
on a computer beside a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.browser import DESK, PHONE
from ops.stack import Stack
from ops.trainee import Journey
from tests.browser import people
from tests.browser.tabs import Watched, press
from tests.browser.walk import Walk

pytestmark = pytest.mark.browser

NETWORK_AWAY = float(os.environ.get("NETWORK_AWAY", "60"))  # seconds
ANDROID = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
IN_WECHAT = f"{ANDROID} MicroMessenger/8.0.50"
# all of WeChat that there is: the window that it opens over the page, which the test answers
WECHAT = """window.askedOfWechat = [];
window.WeixinJSBridge = { invoke: (name, given, answer) => askedOfWechat.push({ name, given, answer }) };"""


@pytest.fixture
def newcomer(stack: Stack) -> Journey:
    """One of the demonstration's trainees who has not been here."""
    return people.newcomer(stack)


def test_on_a_phone_in_wechat(watched: Watched, camera: Path, newcomer: Journey, tmp_path: Path) -> None:
    in_wechat = watched.device(PHONE, user_agent=IN_WECHAT)
    in_wechat.add_init_script(WECHAT)
    phone = Walk(watched, camera, newcomer, in_wechat)
    phone.open()
    phone.log_in_first()
    phone.activate()
    phone.choose_password()
    phone.agree()
    phone.sign_up()
    phone.check_out()
    phone.pay_in_wechat()
    press(phone.page, "上传头像")
    phone.choose_photo(tmp_path)
    phone.next_step("去人脸核验")
    phone.check_face()

    phone.open_lesson("开始学习")
    phone.proves_face_here()
    phone.watches(1, 11)
    phone.goes_on_after_reload(10)
    phone.watches(1, 12)
    phone.loses_network(NETWORK_AWAY)
    phone.watches(2, 2)  # by itself
    phone.press_player("暂停")
    other = phone.on(watched.device(PHONE, user_agent=ANDROID))
    other.open()
    other.log_in()
    other.open_lesson("继续学习")
    other.takes_over()
    other.proves_face_here()
    other.watches(2, 11)
    phone.press_player("从 00:02 继续学习")
    phone.sees_it_is_studied_elsewhere()
    phone.takes_over()
    phone.proves_face_here()
    phone.has_studied_everything()

    phone.begin_exam()
    phone.answer(1, 25)
    phone.comes_back_to_exam(25)
    phone.answer(26, 50)
    phone.hand_in()
    phone.proof()


def test_on_a_computer_beside_a_phone(watched: Watched, camera: Path, newcomer: Journey) -> None:
    computer = Walk(watched, camera, newcomer, watched.device(DESK))
    phone = computer.on(watched.device(PHONE, user_agent=ANDROID))
    computer.open()
    computer.log_in_first()
    computer.activate()
    computer.choose_password()
    computer.agree()
    computer.sign_up()
    computer.check_out()
    computer.pay_by_code()
    press(computer.page, "上传头像")
    computer.take_photo()
    computer.next_step("去人脸核验")
    computer.check_face_on_providers_page()

    phone.open()
    phone.log_in()
    computer.open_lesson("开始学习")
    computer.proves_face_by(phone)
    computer.watches(1, 11)
    computer.goes_on_after_reload(10)
    computer.watches(1, 12)
    computer.loses_network(NETWORK_AWAY)
    computer.watches(2, 2)  # by itself
    computer.press_player("暂停")
    phone.open("/")
    phone.open_lesson("继续学习")
    phone.takes_over()
    phone.proves_face_here()
    phone.watches(2, 11)
    computer.press_player("从 00:02 继续学习")
    computer.sees_it_is_studied_elsewhere()
    computer.takes_over()
    computer.proves_face_by(phone)
    computer.has_studied_everything()

    computer.begin_exam()
    computer.answer(1, 25)
    computer.comes_back_to_exam(25)
    computer.answer(26, 50)
    computer.hand_in()
    computer.proof()
