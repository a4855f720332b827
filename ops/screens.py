"""Every screen of the trainee's front end, once: its name, whose it is, where it lies, and what it shows when it is
ready. `make screenshots` takes their pictures, the tests judge their accessibility."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.policy.schema import Programme
from ops.browser import DESK, PHONE
from ops.client import Client
from ops.demo import load as demo
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey

ANDROID = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
READY = 20_000  # milliseconds
DEVICE = "a-device-of-the-screens"  # the same for each size: a person studies on one device at a time


@dataclass(frozen=True)
class Size:
    """How a screen is looked at; `suffix` ends the picture's name."""

    suffix: str
    viewport: ViewportSize
    big_text: bool = False

    @property
    def computer(self) -> bool:
        return self.viewport == DESK


SIZES = (Size("", PHONE), Size("-wide", DESK), Size("-big", PHONE, big_text=True))


@dataclass(frozen=True)
class Screen:
    """`who`: somebody of `PEOPLE`, None for whoever has not signed in. `path`: of the page, its blanks are filled
    with the person's evidence. `shows`: a text that is there when the screen is ready. `press`: buttons to be pressed
    in turn, until it is this screen. `invented`: of the invented programme, whose trainees may pay by transfer."""

    name: str
    who: str | None
    path: str
    shows: str
    press: tuple[str, ...] = ()
    invented: bool = False


SCREENS = (
    Screen("login", None, "pages/login/login", "忘记密码"),
    Screen("forgotten", None, "pkg-account/forgotten/forgotten", "身份证号"),
    Screen("texts", None, "pkg-account/texts/texts?kind=face", "人脸"),
    Screen("contact", None, "pkg-account/contact/contact", "0871"),
    Screen("about", None, "pkg-account/about/about", "版本"),
    Screen("download", None, "pkg-account/download/download", "手机"),
    Screen("scan-login", None, "pkg-study/scan-login/scan-login", "扫"),
    Screen("activation", "activating", "pkg-account/activation/activation", "获取验证码"),
    Screen("own-password", "choosing", "pkg-account/own-password/own-password", "新密码"),
    Screen("consent", "agreeing", "pkg-account/consent/consent", "我已阅读，同意"),
    Screen("home-new", "fresh", "pages/home/home", "去报名"),
    Screen("photo", "fresh", "pkg-account/photo/photo", "拍一张"),
    Screen("face", "fresh", "pkg-account/face/face?purpose=login", "核验"),
    Screen("sign-up", "fresh", "pkg-orders/sign-up/sign-up", "报名，下一步缴费"),
    Screen("home-unpaid", "unpaid", "pages/home/home", "核对信息并缴费"),
    Screen("checkout", "unpaid", "pkg-orders/checkout/checkout?enrolment_id={enrolment_id}", "提交订单，去付款"),
    Screen("payer", "unpaid", "pkg-orders/payer/payer", "保存"),
    Screen("order", "ordering", "pkg-orders/order/order?order_id={order_id}", "我已支付"),
    Screen(
        "order-transfer",
        "transferring",
        "pkg-orders/order/order?order_id={order_id}",
        "复制全部",
        invented=True,
    ),
    Screen("home", "learner", "pages/home/home", "立即学习"),
    Screen("training", "learner", "pkg-study/training/training?enrolment_id={enrolment_id}", "课程目录"),
    Screen(
        "player", "learner", "pkg-study/player/player?enrolment_id={enrolment_id}&lesson_id={lesson_id}", "课程目录"
    ),
    Screen("scan", "learner", "pkg-study/scan/scan", "扫"),
    Screen("settings", "learner", "pkg-account/settings/settings", "退出登录"),
    Screen("privacy", "learner", "pkg-account/privacy/privacy", "同意"),
    Screen("phone", "learner", "pkg-account/phone/phone", "手机号"),
    Screen("wechat", "learner", "pkg-account/wechat/wechat", "微信"),
    Screen("messages", "learner", "pkg-account/messages/messages", "已送达手机"),
    Screen("announcement", "learner", "pkg-account/messages/messages", "请尽早学完", press=(demo.NOTICE,)),
    Screen("contact-in", "learner", "pkg-account/contact/contact", "写给我们，看答复"),
    Screen("help", "learner", "pkg-account/help/help", "提交给客服"),
    Screen("help-ticket", "learner", "pkg-account/help-ticket/help-ticket?help_id={help_id}", "缴费后不能学习"),
    Screen("exam-notice", "examinee", "pkg-exam/notice/notice?enrolment_id={enrolment_id}", "考试规定"),
    Screen(
        "exam",
        "examinee",
        "pkg-exam/exam/exam?enrolment_id={enrolment_id}&attempt_id={attempt_id}",
        "剩余时间",
    ),
    Screen("home-done", "graduate", "pages/home/home", "查看"),
    Screen(
        "exam-result",
        "graduate",
        "pkg-exam/result/result?enrolment_id={enrolment_id}&attempt_id={attempt_id}",
        "合格了",
    ),
    Screen("proof", "graduate", "pkg-exam/proof/proof?enrolment_id={enrolment_id}", "打开并保存证明"),
    Screen("order-paid", "graduate", "pkg-orders/order/order?order_id={order_id}", "支付成功"),
    Screen("orders", "graduate", "pkg-orders/orders/orders", "¥"),
    Screen("invoices", "graduate", "pkg-orders/invoices/invoices", "¥"),
    Screen("invoice", "graduate", "pkg-orders/invoice/invoice?invoice_id={invoice_id}", "¥"),
)


@dataclass
class Person:
    """A trainee who has come so far, and what the next step of their first login is."""

    journey: Journey
    step: str = "home"
    password: str = OWN_PASSWORD
    evidence: dict[str, Any] = field(default_factory=dict)

    def token(self, computer: bool) -> str:
        """A session of a computer's browser, or of a phone's."""
        body = {
            "programme": self.journey.programme.key,
            "id_number": self.journey.who.id_number,
            "password": self.password,
            "channel": "web" if computer else "phone_web",
        }
        return str(Client(self.journey.client.base_url).post("/api/v1/login", body)["token"])


def _activating(someone: Journey) -> Person:
    someone.log_in()
    return Person(someone, "activate", demo.password_of(someone.programme, someone.who))


def _choosing(someone: Journey) -> Person:
    first = _activating(someone).password
    someone.activate()
    return Person(someone, "password", first)


def _agreeing(someone: Journey) -> Person:
    _choosing(someone)
    someone.client.post("/api/v1/password", {"new_password": OWN_PASSWORD})
    return Person(someone, "consent")


def _fresh(someone: Journey) -> Person:
    _agreeing(someone)
    for kind in ("agreement", "face"):
        someone.client.post("/api/v1/consents", {"kind": kind, "version": "1", "agreed": True})
    return Person(someone, evidence=someone.evidence)


def _unpaid(someone: Journey) -> Person:
    person = _fresh(someone)
    someone.face_check("login")
    someone.client.put("/api/v1/photo", files={"photo": ("photo.jpg", someone.face(), "image/jpeg")})
    someone.sign_up()
    return person


def _ordering(someone: Journey) -> Person:
    person = _unpaid(someone)
    body = {
        "enrolment_ids": [someone.evidence["enrolment_id"]],
        "payer_name": someone.who.name,
        "payer_number": someone.who.id_number,
    }
    someone.evidence["order_id"] = someone.client.post("/api/v1/checkout", body)["order_id"]
    return person


def _transferring(someone: Journey) -> Person:
    person = _ordering(someone)
    body = {"channel": "bank_transfer", "client": "web", "payer_name": someone.who.name}
    someone.client.post(f"/api/v1/orders/{someone.evidence['order_id']}/payments", body)
    return person


def _learner(someone: Journey) -> Person:
    person = _unpaid(someone)
    enrolment_id = someone.evidence["enrolment_id"]
    someone.pay(enrolment_id)
    someone.face_check("study", enrolment_id)
    course = someone.client.get(f"/api/v1/enrolments/{enrolment_id}/lessons")
    someone.evidence["lesson_id"] = course["items"][0]["id"]
    letter = {"client_id": f"screens-{someone.who.id_number[-8:]}", "topic": "payment", "text": "缴费后不能学习"}
    someone.evidence["help_id"] = someone.client.post("/api/v1/help-tickets", letter)["id"]
    someone.until("a report of an SMS", lambda: _reached(someone), seconds=90)  # they are pulled twice a minute
    return person


def _reached(someone: Journey) -> bool:
    """Whether a message is known to have reached the phone."""
    return any("已送达" in sms["state"] for sms in someone.client.get("/api/v1/messages")["messages"])


def _examinee(someone: Journey) -> Person:
    person = _learner(someone)
    path = f"/api/v1/enrolments/{someone.evidence['enrolment_id']}"
    someone.study(someone.evidence["enrolment_id"])
    subject = someone.client.get(f"{path}/exam")["subjects"][0]["subject"]
    attempt = someone.client.post(f"{path}/attempts", {"subject": subject})
    someone.evidence["attempt_id"] = attempt["attempt_id"]
    for question in attempt["questions"][:7]:
        someone.answer(f"/api/v1/attempts/{attempt['attempt_id']}", question)
    return person


def _graduate(someone: Journey) -> Person:
    someone.walk()
    someone.evidence["attempt_id"] = next(iter(someone.evidence["attempts"]))
    invoices = someone.client.get("/api/v1/invoices")["invoices"]
    someone.evidence["invoice_id"] = next(row["id"] for row in invoices if row["id"])
    return Person(someone, evidence=someone.evidence)


PEOPLE: dict[str, Callable[[Journey], Person]] = {
    "activating": _activating,
    "choosing": _choosing,
    "agreeing": _agreeing,
    "fresh": _fresh,
    "unpaid": _unpaid,
    "ordering": _ordering,
    "transferring": _transferring,
    "learner": _learner,
    "examinee": _examinee,
    "graduate": _graduate,
}


class Cast:
    """The people of one running copy, each made when first asked for."""

    def __init__(self, stack: Stack, programme: Programme):
        self.stack = stack
        self._programme = programme
        self._people: dict[str, Person] = {}

    def person(self, who: str) -> Person:
        if who not in self._people:
            someone = Journey(
                Client(self.stack.base_url), Client(self.stack.sandbox_url), self._programme, lambda _text: None
            )
            self._people[who] = PEOPLE[who](someone)
        return self._people[who]

    @contextmanager
    def open(self, browser: Browser, screen: Screen, size: Size, scale: float = 1) -> Iterator[Page]:
        """The screen as its person sees it at this size, ready; closed at the end."""
        kept = {"settings.programme": self._programme.key, "study.device": DEVICE}
        if size.big_text:
            kept["settings.big-text"] = "yes"
        path = screen.path
        if screen.who is not None:
            person = self.person(screen.who)
            path = path.format_map(person.evidence)
            kept |= {"session.token": person.token(size.computer), "session.next": person.step}
        context = browser.new_context(
            locale="zh-CN",
            viewport=size.viewport,
            device_scale_factor=scale,
            user_agent=None if size.computer else ANDROID,
            permissions=["camera"],
        )
        try:
            context.add_init_script(
                f"for (const [k, v] of Object.entries({json.dumps(kept)})) localStorage.setItem(k, v)"
            )
            page = context.new_page()
            page.goto(f"{self.stack.base_url}/#/{path}")
            for name in screen.press:
                page.get_by_role("button", name=name).first.click()
            expect(page.get_by_role("main")).to_contain_text(re.compile(re.escape(screen.shows)), timeout=READY)
            page.evaluate("document.fonts.ready.then(() => true)")
            page.wait_for_timeout(300)  # what fades in has come
            yield page
        finally:
            context.close()
