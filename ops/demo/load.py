"""Loads the demonstration data through the same services as real data, telling each step."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import requests

from app import wiring
from app.core import db, migrate
from app.core.clock import utcnow
from app.enrol import service as enrol
from app.exam import bank
from app.policy import load as policy
from app.policy import rules
from app.policy.days import shanghai_day
from app.policy.schema import Programme
from app.study import catalogue, films, video
from app.study.models import Course
from config.settings import ROOT, Settings, load
from ops import questions, rosters

PROGRAMME = "yunnan"
PEOPLE = 300
FONT = ROOT / "node_modules" / "@expo-google-fonts" / "noto-sans-sc" / "400Regular" / "NotoSansSC_400Regular.ttf"
SMS_TEXTS = {
    "activation_code": "您的激活验证码是{1}，{2}分钟内有效。请勿告诉他人，工作人员不会向您索要。",
    "password_reset_code": "您正在找回密码，验证码是{1}，{2}分钟内有效。请勿告诉他人。",
    "security_notice": "安全提醒：{1}（{2}）。不是您本人操作的，请立即修改密码并联系客服。",
    "payment_succeeded": "已收到您的缴费{1}元（{2}），可以开始学习了。",
    "refund_succeeded": "退给您的{1}元已退回原支付账户，请留意到账。",
    "invoice_ready": "您的电子发票（{1}元）已开具，可在“我的发票”中查看和下载。",
    "study_deadline_near": "您的{1}请在{2}前学完，逾期学时可能作废。",
    "photo_decided": "您的照片审核结果：{1}。{2}",
    "extension_decided": "您的延期申请结果：{1}。{2}",
    "make_up_decided": "您的补学申请结果：{1}。{2}",
    "exam_passed": "恭喜，您的{1}考试已合格，可在“我的培训”中查看合格证明。",
    "hours_passed": "您的{1}学时已审核通过。",
    "hours_purged": "您的{1}学时已清零，请登录平台查看原因。",
}
COURSES = Path(__file__).parent / "courses.toml"


def people(programme: Programme) -> list[rosters.MadeUp]:
    """The demonstration's trainees: the same ones each time."""
    today = shanghai_day(utcnow())
    return list(rosters.people(programme, PEOPLE, today=today, seed=1))


def prepare(say: Callable[[str], None]) -> None:
    """Bring the database up to date and load what is missing; a second time takes no time."""
    settings = load({**os.environ, "LOG_LEVEL": "WARNING"})  # the terminal is for the steps below
    wiring.start(settings)
    with db.connection():
        applied = migrate.up()
        if applied:
            say(f"      database: {len(applied)} migrations applied")
        folder = settings.data_dir / "demo"
        done = folder / "loaded"
        if not settings.demo or (done.exists() and Course.select().exists()):  # it may be another database now
            return
        folder.mkdir(exist_ok=True)
        programme = policy.in_force(PROGRAMME, utcnow())
        _films(settings, say)
        _courses(say)
        _questions(folder, programme, say)
        _roster(folder, programme, say)
        _sms_texts(settings, programme)
        done.touch()


def _films(settings: Settings, say: Callable[[str], None]) -> None:
    lessons = tomllib.loads(COURSES.read_text(encoding="utf-8"))["courses"][0]["lessons"]
    for number, lesson in enumerate(lessons, start=1):
        path = settings.data_dir / films.FOLDER / lesson["video"]
        video.make_demo_video(path, lesson["title"], lesson["seconds"], font=FONT)
        say(f"      film {number} of {len(lessons)}: {lesson['title']}, {lesson['seconds']} s")


def _courses(say: Callable[[str], None]) -> None:
    say(f"      courses: {catalogue.load_courses(COURSES)} lessons")


def _questions(folder: Path, programme: Programme, say: Callable[[str], None]) -> None:
    path = folder / "questions.xlsx"
    rows = questions.write(path, programme)
    result = bank.import_questions(path, programme.key, actor="system", now=utcnow())
    if result.errors:
        raise SystemExit(f"the demonstration's questions are wrong: {result.errors[0]}")
    say(f"      question bank: {rows} questions")


def _roster(folder: Path, programme: Programme, say: Callable[[str], None]) -> None:
    path = folder / "roster.xlsx"
    rosters.write(path, people(programme))
    result = enrol.import_roster(path, programme.key, actor="system", now=utcnow(), progress=lambda _done, _all: None)
    if result.errors:
        raise SystemExit(f"the demonstration's roster is wrong: {result.errors[0]}")
    say(f"      roster: {result.rows} people")


def _sms_texts(settings: Settings, programme: Programme) -> None:
    """Tell the sandbox the texts that the SMS provider would have approved for the programme's templates."""
    for name, text in SMS_TEXTS.items():
        template = getattr(programme.authority.sms.templates, name)
        if template is None:
            continue  # this programme does not send it
        body = {"id": template, "text": text}
        requests.post(f"{settings.sandbox_url}/_control/sms/template", json=body, timeout=5).raise_for_status()


def password_of(programme: Programme, person: rosters.MadeUp) -> str:
    """The first password of a demonstration trainee."""
    rule = programme.login.person
    return rules.first_password(rule, account=person.id_number, mobile=person.phone, certificate_kinds=()) or ""


def welcome(base_url: str, sandbox_url: str, logs: Path) -> str:
    """What to open, and as whom."""
    programme = policy.in_force(PROGRAMME, utcnow())
    first = people(programme)[:3]
    rows = "\n".join(f"    {one.name}\t{one.id_number}\t{one.phone}\t{one.kind}" for one in first)
    return f"""\
  The product          {base_url}/
  The phone (sandbox)  {sandbox_url}/      pay QR codes, read SMS, answer face checks
  API and its docs     {base_url}/api/docs
  Health               {base_url}/readyz
  Logs                 {logs}

  Demo trainees: first password {password_of(programme, first[0])}; the SMS codes arrive on the sandbox's phone page.
{rows}
"""
