"""A trainee's whole path over HTTP, from the first login to the proof's QR code, as their phone walks it.

The trainee is one of the demonstration's people whom nobody has used yet. The first answer that is not as expected is
a `Surprise`; a patient phone tries again what is away for a while.
"""

from __future__ import annotations

import base64
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pypdfium2
import requests
import zxingcpp

from app.core.clock import utcnow
from app.policy import working_days
from app.policy.days import shanghai_day
from app.policy.schema import Programme
from ops import questions, statements, wallet
from ops.client import Client, Surprise
from ops.demo import load as demo
from ops.demo import staff
from ops.rosters import MadeUp
from sandbox.faces import make_face, person_of

OWN_PASSWORD = "Gongdi-2026"  # noqa: S105 the demonstration's people are made up
WAIT = 30.0  # seconds for what happens in the background
BEAT_CHUNKS = 1
CLIENTS = {"wechat_jsapi": "mini_program", "alipay_wap": "phone_web"}  # the others are paid on the web page


@dataclass
class Journey:
    """One trainee on the way. `on_step(name)` is called as each step begins. `evidence` holds what the product has
    acknowledged: it must still be there at the end."""

    client: Client
    sandbox: Client
    programme: Programme
    say: Callable[[str], None]
    on_step: Callable[[str], None] = lambda _name: None
    evidence: dict[str, Any] = field(default_factory=dict)
    person: MadeUp | None = None
    channel: str = "wechat_native"
    bank: Callable[[Path], None] | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time one step and tell it."""
        self.on_step(title)
        began = time.monotonic()
        yield
        self.say(f"  {title:　<14}{time.monotonic() - began:7.2f} s")

    def until(self, what: str, ready: Callable[[], Any], seconds: float = WAIT) -> Any:
        """The first true value of `ready()`. Raises `Surprise` after `seconds` (patience is added)."""
        deadline = time.monotonic() + seconds + self.client.patience
        while True:
            value = ready()
            if value:
                return value
            if time.monotonic() > deadline:
                raise Surprise(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.2)

    @property
    def who(self) -> MadeUp:
        if self.person is None:
            raise Surprise("nobody is on the way")
        return self.person

    def walk(self) -> dict[str, Any]:
        """The whole path; gives the evidence."""
        with self.step("首次登录"):
            self.log_in()
        with self.step("短信激活"):
            self.activate()
        with self.step("设置密码"):
            self.client.post("/api/v1/password", {"new_password": OWN_PASSWORD}, expect=(200, 204))
        with self.step("同意协议"):
            for kind in ("agreement", "face"):
                body = {"kind": kind, "version": "1", "agreed": True}
                self.client.post("/api/v1/consents", body, expect=(200, 201, 204))
        with self.step("实名核验"):
            self.face_check("login")
        with self.step("上传头像"):
            self.client.put("/api/v1/photo", files={"photo": ("photo.jpg", self.face(), "image/jpeg")})
        with self.step("报名"):
            enrolment_id = self.sign_up()
        with self.step("缴费"):
            self.pay(enrolment_id)
        with self.step("发票"):
            self.invoice()
        with self.step("学习"):
            self.study(enrolment_id)
        with self.step("考试"):
            self.examine(enrolment_id)
        with self.step("合格证明"):
            self.proof(enrolment_id)
        return self.evidence

    # --- getting in ----------------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """With the first password, as the first of the demonstration's people who has not been here."""
        # the first three are for people who try it by hand, the last ones wait on the staff's desks
        everybody = demo.people(self.programme)[3 : -staff.PHOTOS - staff.REPLACEMENTS]
        for person in random.sample(everybody, len(everybody)):
            body = {
                "programme": self.programme.key,
                "id_number": person.id_number,
                "password": demo.password_of(self.programme, person),
                "channel": "web",
            }
            response = self.client.raw("POST", "/api/v1/login", json=body)
            if response.status_code == 401:
                continue  # this one has a password of their own: they were here before
            if response.status_code != 200:
                raise Surprise(f"login: {response.status_code} {response.text[:300]}")
            answer = response.json()
            if answer["activated"]:
                continue
            self.person = person
            self.client.token = answer["token"]
            self.evidence["id_number"] = person.id_number
            return
        raise Surprise("every demonstration trainee was here before: start with an empty DATA_DIR")

    def sms_codes(self) -> list[str]:
        """The codes that the phone has received, the newest first."""
        messages = self.sandbox.get("/_control/sms", params={"phone": self.who.phone})
        return [message["params"][0] for message in messages if message["params"]]

    def activate(self) -> None:
        """By the code to the phone that the roster supplied; where none comes, another is asked for when one may."""
        before = len(self.sms_codes())
        patient = (429,) if self.client.patience else ()  # a first request whose answer was lost has sent the code
        again_at = 0.0

        def came() -> bool:
            nonlocal again_at
            if time.monotonic() >= again_at:
                answer = self.client.post("/api/v1/activation/code", expect=(200, *patient))
                again_at = time.monotonic() + (answer.get("wait_seconds") or answer["retry_after"])
            return len(self.sms_codes()) > before

        self.until("the SMS", came, seconds=50)
        answer = self.client.post("/api/v1/activation", {"code": self.sms_codes()[0]})
        self.client.token = answer["token"]

    def face(self) -> bytes:
        """The trainee's face, as the camera sees it."""
        return make_face(person_of(self.who.id_number), size=(590, 826))

    def face_check(self, purpose: str, subject: str | None = None) -> None:
        """Start a check and hand in a picture; a check that a dead process left behind is begun anew."""
        body = {"purpose": purpose, "subject": subject, "method": "picture"}
        for _ in range(5):
            check = self.client.post("/api/v1/face-checks", body)
            picture = {"picture": ("picture.jpg", self.face(), "image/jpeg")}
            path = f"/api/v1/face-checks/{check['id']}/picture"
            answer = self.client.post(path, files=picture, data={"nonce": check["nonce"]}, expect=(200, 409))
            state = self.client.get(f"/api/v1/face-checks/{check['id']}")
            if answer.get("status") == "passed" or state["status"] == "passed":
                return
            if not self.client.patience:
                break
            time.sleep(1)
        raise Surprise(f"the face check did not pass: {answer}")

    # --- signing up and paying -----------------------------------------------------------------------------------

    def sign_up(self) -> str:
        """For the certificate that the roster has."""
        offers = self.client.get("/api/v1/sign-ups", params={"programme": self.programme.key})["offers"]
        open_ones = [offer for offer in offers if offer["refusal"] is None]
        if not open_ones:
            raise Surprise(f"nothing to sign up for: {offers}")
        body = {"roster_entry_ids": [open_ones[0]["roster_entry_id"]]}
        enrolments = self.client.post("/api/v1/sign-ups", body)["enrolments"]
        self.evidence["enrolment_id"] = enrolments[0]["id"]
        return str(enrolments[0]["id"])

    def pay(self, enrolment_id: str) -> None:
        """Choose the way to pay and pay; the page goes on when the notification has been applied."""
        body = {"enrolment_ids": [enrolment_id], "payer_name": self.who.name, "payer_number": self.who.id_number}
        order = self.client.post("/api/v1/checkout", body)
        path = f"/api/v1/orders/{order['order_id']}"
        if self.channel == "wechat_jsapi":
            self.bind_wechat()
        client = CLIENTS.get(self.channel, "web")
        offered = self.client.get(path, params={"client": client})["channels"]
        if self.channel not in offered:
            raise Surprise(f"{self.channel} is not offered, {offered} are")
        asked = {"channel": self.channel, "client": client}
        if self.channel == "bank_transfer":
            payment = self.client.post(f"{path}/payments", {**asked, "payer_name": self.who.name})
            self.transfer(payment["transfer"])
        else:
            wallet.pay(self.sandbox, self.client.post(f"{path}/payments", asked))
        self.evidence["order_id"] = order["order_id"]
        self.until("the payment", lambda: self.client.get(path)["status"] == "paid")
        own = f"/api/v1/enrolments/{enrolment_id}"
        self.until("the enrolment", lambda: self.client.get(own)["status"] == "studying", seconds=60)

    def transfer(self, told: dict[str, Any]) -> None:
        """Transfer the money as the page says; the bank's statement of it is imported by whoever `bank` is."""
        if self.bank is None:
            raise Surprise("nobody imports the bank's statement")
        with tempfile.TemporaryDirectory(prefix="bank-") as directory:
            path, number = Path(directory) / "statement.csv", str(time.time_ns())
            remark = f"培训费 {told['code_shown']}"
            line = statements.Line(number, shanghai_day(utcnow()), told["amount_fen"], self.who.name, remark=remark)
            statements.write(path, told["account_number"], [line])
            self.bank(path)

    def bind_wechat(self) -> None:
        """The mini-program's login code names the WeChat, the password binds it. A code lives for one try."""
        answer = self.until("the WeChat", self.ask_wechat)
        body = {"bind_ticket": answer["bind_ticket"], "password": OWN_PASSWORD}
        self.client.post("/api/v1/wechat/bind", body)

    def ask_wechat(self) -> Any:
        """What the product answers to a fresh login code; None where a lost answer has used it up."""
        code = self.sandbox.post("/_control/wechat/login_code")["code"]
        expect = (200, 409) if self.client.patience else 200
        body = {"programme": self.programme.key, "code": code}
        answer = self.client.post("/api/v1/wechat/login", body, expect=expect)
        return answer if "bind_ticket" in answer else None

    def invoice(self) -> None:
        """It is on its way, in the person's own name, for the programme's working days; days later it is issued."""
        if self.programme.invoice is None or self.programme.invoice.issued != "automatic":
            return
        order_id = self.evidence["order_id"]

        def planned() -> Any:
            rows = self.client.get("/api/v1/invoices")["invoices"]
            return next((row for row in rows if row["order_id"] == order_id and row["id"]), None)

        card = self.until("the invoice", planned, seconds=60)
        paid_at = datetime.fromisoformat(self.client.get(f"/api/v1/orders/{order_id}")["paid_at"])
        opens, closes = working_days.window(paid_at, self.programme.invoice.after_payment, self.programme.calendar)
        days = (str(shanghai_day(opens)), str(shanghai_day(closes)))
        if card["state"] != "planned" or (card["due_from"], card["due_until"]) != days:
            raise Surprise(f"the invoice: {card}, not {days}")
        shown = self.client.get(f"/api/v1/invoices/{card['id']}")
        if shown["title"] != self.who.name or shown["net_fen"] + shown["tax_fen"] != shown["amount_fen"]:
            raise Surprise(f"what stands on the invoice: {shown}")
        self.evidence["invoice_due"] = days

    # --- studying ------------------------------------------------------------------------------------------------

    def study(self, enrolment_id: str) -> None:
        """Every lesson to its end, at the pace of a player."""
        self.face_check("study", enrolment_id)
        path = f"/api/v1/enrolments/{enrolment_id}/lessons"
        for lesson in self.client.get(path)["items"]:
            self.watch(f"{path}/{lesson['id']}/play", enrolment_id)
        self.until("all lessons", lambda: self.client.get(path)["complete"], seconds=60)

    def watch(self, play_path: str, enrolment_id: str) -> None:
        """Play one lesson: load the film in pieces, report each chunk when it has been watched, keep the chunks until
        the server calls them durable, send the missing ones again."""
        play = self.start_player(play_path, enrolment_id)
        film = self.client.raw("GET", play["video_url"], headers={"Range": "bytes=0-1023"})
        if film.status_code != 206 or len(film.content) != 1024:
            raise Surprise(f"the film's first piece: {film.status_code}")
        size, total = play["chunk_seconds"], play["chunks"]
        watched = {chunk for chunk in range(total) if has_bit(play["watched"], chunk)}
        kept: set[int] = set()
        for chunk in range(total):
            if chunk not in watched:
                time.sleep(min(size, play["seconds"] - chunk * size))
                kept.add(chunk)
                self.on_step("watching")
                kept, play = self.report(kept, (chunk + 1) * size, play, play_path, enrolment_id)
        deadline = time.monotonic() + 90 + self.client.patience
        while kept:
            if time.monotonic() > deadline:
                raise Surprise(f"chunks {sorted(kept)} did not become durable")
            time.sleep(1)
            kept, play = self.report(kept, play["seconds"], play, play_path, enrolment_id)
        self.evidence.setdefault("lessons", []).append(play_path)

    def start_player(self, play_path: str, enrolment_id: str) -> Any:
        """Begin a lesson; a session that was lost asks for the face again."""
        body = {"device": "journey-phone-1", "take_over": True}
        answer = self.client.call("POST", play_path, json=body, expect=(200, 403, 409))
        if answer.get("code") == "face_check_needed":
            self.face_check("study", enrolment_id)
            answer = self.client.post(play_path, body)
        return answer

    def report(
        self, kept: set[int], position: int, play: Any, play_path: str, enrolment_id: str
    ) -> tuple[set[int], Any]:
        """One heartbeat; gives the chunks still to keep, and the (perhaps renewed) ticket."""
        body = {"ticket": play["ticket"], "chunks": sorted(kept), "position": min(position, play["seconds"])}
        beat = self.client.call("POST", "/api/v1/heartbeat", json=body, expect=(200, 401, 403, 409))
        if "credited" not in beat or beat["next"] in ("kicked", "face_check"):
            if not self.client.patience:
                raise Surprise(f"the heartbeat: {beat}")
            return kept, self.start_player(play_path, enrolment_id)
        durable = {chunk for chunk in kept if has_bit(beat["durable"], chunk)}
        return kept - durable, play

    # --- the exam and the proof ----------------------------------------------------------------------------------

    def examine(self, enrolment_id: str) -> None:
        """Every subject, with the right answers of the demonstration's bank, saved one by one."""
        for subject in self.client.get(f"/api/v1/enrolments/{enrolment_id}/exam")["subjects"]:
            body = {"subject": subject["subject"]}
            attempt = self.client.post(f"/api/v1/enrolments/{enrolment_id}/attempts", body)
            path = f"/api/v1/attempts/{attempt['attempt_id']}"
            saved = {}
            for question in attempt["questions"]:
                if question["number"] % 10 == 0:
                    self.on_step("answering")
                saved[question["number"]] = self.answer(path, question)
            again = {answer["number"]: answer["choice"] for answer in self.client.get(path)["answers"]}
            if again != saved:
                raise Surprise(f"acknowledged answers are not all there: {again} instead of {saved}")
            result = self.client.post(f"{path}/hand-in")
            if result["score"] != 100 or not result["passed"]:
                raise Surprise(f"the right answers scored {result['score']}")
            if self.client.post(f"{path}/hand-in")["score"] != 100:
                raise Surprise("handing in again changed the score")
            self.evidence.setdefault("attempts", {})[attempt["attempt_id"]] = saved

    def answer(self, path: str, question: dict[str, Any]) -> str:
        """Save the right answer. After a lost acknowledgement the first try may have been saved: then it stands."""
        right = right_texts(question["stem"], [option["text"] for option in question["options"]])
        choice = "".join(sorted(option["letter"] for option in question["options"] if option["text"] in right))
        number = question["number"]
        body = {"choice": choice, "version": 0}
        answer = self.client.call("PUT", f"{path}/answers/{number}", json=body, expect=(200, 409))
        if answer.get("code") and not self.client.retries:
            raise Surprise(f"answer {number}: {answer}")
        return choice

    def proof(self, enrolment_id: str) -> None:
        """Open the PDF, read its QR code, and check what the public page says."""
        path = f"/api/v1/enrolments/{enrolment_id}/proof"
        self.until("the proof", lambda: self.client.raw("GET", path).status_code == 200, seconds=60)
        self.until("its number", lambda: self.client.get(path)["status"] == "valid", seconds=60)
        proof = self.client.get(path)
        pdf = self.client.raw("GET", proof["pdf_url"])
        if pdf.status_code != 200 or not pdf.content.startswith(b"%PDF"):
            raise Surprise(f"the PDF: {pdf.status_code}")
        page = pypdfium2.PdfDocument(pdf.content)[0]
        codes = [code.text for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())]
        if codes != [proof["verify_url"]]:
            raise Surprise(f"the proof's QR code says {codes}, not {proof['verify_url']}")
        public = requests.get(codes[0], timeout=15)
        if public.status_code != 200 or proof["number"] not in public.text or self.who.id_number in public.text:
            raise Surprise(f"the public page: {public.status_code}")
        self.evidence["proof"] = proof["number"]
        status = self.until(
            "completion", lambda: self.client.get(f"/api/v1/enrolments/{enrolment_id}")["status"] == "completed"
        )
        self.evidence["completed"] = status


def has_bit(bitmap: str, chunk: int) -> bool:
    """True if `chunk` is set in a base64 bitmap (chunk 0: the highest bit of the first byte)."""
    data = base64.b64decode(bitmap)
    return chunk // 8 < len(data) and bool(data[chunk // 8] & 0x80 >> chunk % 8)


def right_texts(stem: str, options: list[str]) -> set[str]:
    """The right options of a question of the demonstration's bank: those with this stem and these options."""
    for question in (*questions.written(), *questions.made()):
        if question.stem == stem:
            if question.type == "判断":
                return {"正确"} if question.answer in ("A", "正确", "对", "√") else {"错误"}
            texts = {question.options["ABCDEF".index(letter)] for letter in question.answer}
            if texts <= set(options):
                return texts
    raise Surprise(f"no such question in the bank: {stem}")
