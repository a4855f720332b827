"""Loads the demonstration data through the same services as real data, telling each step."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import requests

from app import wiring
from app.announce import service as announce
from app.core import canaries, db, migrate
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right, Staff
from app.enrol import service as enrol
from app.enrol.models import RosterEntry
from app.exam.bank import service as bank
from app.notify.kinds import KINDS
from app.policy import load as policy
from app.policy import rules
from app.policy.days import shanghai_day
from app.policy.schema import Programme
from app.study import catalogue, films, video
from app.study.models import Course
from config.settings import ROOT, Settings, load
from ops import invented, questions, rosters
from ops.demo import finance, staff

PROGRAMME = "yunnan"
NOTICE = "考试安排在这里通知"
PEOPLE, A_FEW = 300, 60
FIRST_SHOWN = 10  # people whom whoever tries it may be: their money is theirs
FONT = ROOT / "node_modules" / "@expo-google-fonts" / "noto-sans-sc" / "400Regular" / "NotoSansSC_400Regular.ttf"
COURSES = Path(__file__).parent / "courses.toml"


def programmes() -> list[Programme]:
    """The programmes that the demonstration has trainees in: those which are open and go by a roster, `PROGRAMME`
    first."""
    found = [each for each in policy.all_in_force(utcnow()) if each.sign_up.source == "regulator_roster"]
    return sorted(found, key=lambda each: (each.key != PROGRAMME, each.key))


def people(programme: Programme) -> list[rosters.MadeUp]:
    """The demonstration's trainees of a programme: the same ones each time, and other ones than in the others."""
    today, place = shanghai_day(utcnow()), [each.key for each in programmes()].index(programme.key)
    count = PEOPLE if place == 0 else A_FEW
    return list(rosters.people(programme, count, today=today, seed=1, first=1000 * place))


def prepare(say: Callable[[str], None]) -> None:
    """Bring the database up to date and load what is missing; a second time takes no time."""
    settings = load({**os.environ, "LOG_LEVEL": "ERROR"})  # the terminal is for the steps below
    wiring.start(settings)
    with db.connection():
        applied = migrate.up()
        canaries.check(settings.secrets, now=utcnow())
        if applied:
            say(f"      database: {len(applied)} migrations applied")
        if not settings.demo:
            return
        folder = settings.data_dir / "demo"
        done = folder / "loaded"
        first = policy.in_force(PROGRAMME, utcnow())
        if done.exists() and Course.select().exists():  # it may be another database now
            _trainees(folder, settings, say)
            finance.make(settings, first, people(first)[FIRST_SHOWN:])
            return
        folder.mkdir(exist_ok=True)
        _films(settings, say)
        _courses(say)
        _trainees(folder, settings, say)
        _announcement()
        staff.make(first.key, people(first))
        say(f"      staff: {len(staff.MEMBERS)} accounts, and work on their desks")
        finance.make(settings, first, people(first)[FIRST_SHOWN:])
        done.touch()


def _trainees(folder: Path, settings: Settings, say: Callable[[str], None]) -> None:
    """Trainees, questions and texts for each programme that has no trainees yet."""
    for programme in programmes():
        if RosterEntry.select().where(RosterEntry.programme == programme.key).exists():
            continue
        say(f"      {programme.title}")
        _questions(folder, programme, say)
        _roster(folder, programme, say)
        _sms_texts(settings, programme)


def _films(settings: Settings, say: Callable[[str], None]) -> None:
    lessons = course()["lessons"]
    for number, lesson in enumerate(lessons, start=1):
        path = settings.data_dir / films.FOLDER / lesson["video"]
        video.make_demo_video(path, lesson["title"], lesson["seconds"], font=FONT)
        say(f"      film {number} of {len(lessons)}: {lesson['title']}, {lesson['seconds']} s")


def course() -> dict[str, Any]:
    """The demonstration's course: its title and its lessons."""
    return tomllib.loads(COURSES.read_text(encoding="utf-8"))


def _announcement() -> None:
    """One for everybody: what the trainees' mail and the teachers' page look like."""
    now = utcnow()
    office = Staff("system", frozenset({(Right.TEACHING, EVERYWHERE)}))
    body = "六月起，考试安排会在这里提前十天通知。\n请尽早学完课程，学完后随时可以考试。"
    made = announce.write(office, announce.Draft(EVERYWHERE, NOTICE, body, now, None), now=now)
    announce.publish(office, made, seen=0, now=now)


def _courses(say: Callable[[str], None]) -> None:
    lessons = 0
    for programme in programmes():
        codes = [kind.code for kind in programme.certificate_kinds if "continuing" in kind.business]
        entry = {"programme": programme.key, "kind_codes": codes, **course()}
        lessons += catalogue.load_entries([msgspec.convert(entry, catalogue.CourseEntry)])
    say(f"      courses: {lessons} lessons")


def _questions(folder: Path, programme: Programme, say: Callable[[str], None]) -> None:
    path = folder / f"questions-{programme.key}.xlsx"
    rows = questions.write(path, programme)
    result = bank.import_questions(path, programme.key, actor="system", now=utcnow())
    if result.errors:
        raise SystemExit(f"the demonstration's questions are wrong: {result.errors[0]}")
    say(f"      question bank: {rows} questions")


def _roster(folder: Path, programme: Programme, say: Callable[[str], None]) -> None:
    path = folder / f"roster-{programme.key}.xlsx"
    rosters.write(path, people(programme))
    result = enrol.import_roster(path, programme.key, actor="system", now=utcnow(), progress=lambda _done, _all: None)
    if result.errors:
        raise SystemExit(f"the demonstration's roster is wrong: {result.errors[0]}")
    say(f"      roster: {result.rows} people")


def _sms_texts(settings: Settings, programme: Programme) -> None:
    """Tell the sandbox the texts that the SMS provider would have approved for the programme's templates."""
    for name, kind in KINDS.items():
        template = getattr(programme.authority.sms.templates, name)
        if template is None:
            continue  # this programme does not send it
        body = {"id": template, "text": kind.text}
        requests.post(f"{settings.sandbox_url}/_control/sms/template", json=body, timeout=5).raise_for_status()


def password_of(programme: Programme, person: rosters.MadeUp) -> str:
    """The first password of a demonstration trainee."""
    kinds = [kind.code for kind in programme.certificate_kinds if kind.title == person.kind]
    rule = programme.login.person
    return rules.first_password(rule, account=person.id_number, mobile=person.phone, certificate_kinds=kinds) or ""


def welcome(base_url: str, sandbox_url: str, logs: Path) -> str:
    """What to open, and as whom."""
    with db.connection():
        members = "\n".join(staff.lines())
    return f"""\
  The product          {base_url}/
  The phone (sandbox)  {sandbox_url}/      pay QR codes, read SMS, answer face checks
  API and its docs     {base_url}/api/docs
  Health               {base_url}/readyz
  Logs                 {logs}

  Demo trainees: name, ID number, first password, phone, certificate. Choose the programme above them at the login;
  the SMS codes arrive on the sandbox's phone page.
{_people()}

  Faces: the sandbox recognises nobody. It reads the coloured blocks below a drawing; a real face, which has none,
  counts as no face, also before a camera.
    face check   press “摄像头用不了？换核验页面” (without a camera: “打开核验页面”), and 通过 on the page that opens
    photo        save the person's own drawing and choose it with “从相册选”; another person's does not fit:
                 {sandbox_url}/_control/face.jpg?id_number=<the person's ID number>

{_transfers(logs.parent)}\
  Demo staff at {base_url}/console/: password {staff.PASSWORD}; login, role, secret of the authenticator, its code now
  (codes later, from any folder: make -C {ROOT} demo-codes DATA_DIR={logs.parent})
{members}
"""


def shown(programme: Programme) -> list[rosters.MadeUp]:
    """Whom `make run` names of a programme's trainees."""
    return people(programme)[: 3 if programme.key == PROGRAMME else 1]


def _people() -> str:
    parts = []
    for programme in programmes():
        note = " (invented: it takes bank transfers)" if programme.key == invented.KEY else ""
        parts.append(f"    {programme.title}{note}")
        for one in shown(programme):
            cells = (one.name, one.id_number, password_of(programme, one), one.phone, one.kind)
            parts.append("      " + "\t".join(cells))
    return "\n".join(parts)


def _transfers(data_dir: Path) -> str:
    """How a bank transfer is walked; nothing where no programme takes them."""
    path = finance.statement_file(data_dir)
    if not path.exists():
        return ""
    return f"""\
  A bank transfer: sign up as the trainee of “{invented.TITLE}”, in a computer's browser, and pay by “对公转账”.
  The bank's word of it: make -C {ROOT} demo-transfer CODE="<the code>" DATA_DIR={data_dir}
  writes a statement of today, which caiwu imports at /console/transfers. One with some troubles is there already:
  {path}

"""
