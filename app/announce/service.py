"""The verbs of announcements: staff write, publish and withdraw; a person opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.announce import queries
from app.announce.errors import ANNOUNCEMENT_INVALID, ANNOUNCEMENT_STEP
from app.announce.models import Announcement, AnnouncementRead
from app.announce.queries import Mail
from app.announce.status import Action, NotAllowed, Status, next_status
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.staff import EVERYWHERE, Right, Staff
from app.policy import load

TITLE, BODY = 60, 5000  # characters


@dataclass(frozen=True)
class Draft:
    """What somebody writes. `ends_at` None: until it is withdrawn."""

    programme: str
    title: str
    body: str
    starts_at: datetime
    ends_at: datetime | None


def _checked(staff: Staff, draft: Draft) -> dict[str, object]:
    known = {each.key for each in load.all_programmes()} | {EVERYWHERE}
    title = " ".join(draft.title.split())
    body = "\n".join(line.rstrip() for line in draft.body.replace("\r\n", "\n").strip().split("\n"))
    wrong = {}
    if draft.programme not in known:
        wrong["programme"] = "请选择发给哪个项目的学员。"
    if not 1 <= len(title) <= TITLE:
        wrong["title"] = f"请填写标题，不超过 {TITLE} 个字。"
    if not 1 <= len(body) <= BODY:
        wrong["body"] = f"请填写正文，不超过 {BODY} 个字。"
    if any(ord(sign) < 32 and sign != "\n" for sign in title + body.replace("\t", " ")):
        wrong["body"] = "正文里有看不见的控制字符，请重新输入。"
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        wrong["ends_at"] = "结束时间要晚于开始时间；一直显示请留空。"
    if "programme" not in wrong:
        staff.require(Right.TEACHING, draft.programme)
    if wrong:
        raise ANNOUNCEMENT_INVALID(next(iter(wrong.values())), fields=wrong)
    return {
        "programme": draft.programme,
        "title": title,
        "body": body,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
    }


def write(staff: Staff, draft: Draft, *, now: datetime) -> str:
    """Keep a draft; gives its id. Raises `announcement_invalid`, `forbidden`."""
    values = _checked(staff, draft)
    with transaction():
        row = Announcement.create(status=Status.DRAFT, written_by=staff.actor, written_at=now, **values)
        audit.record(staff.actor, "announcement.written", f"announcement:{row.id}", now=now, title=row.title)
    return str(row.id)


def change(staff: Staff, announcement_id: str, draft: Draft, *, seen: int, now: datetime) -> None:
    """Write a draft anew; `seen`: the revision that was read before. Raises `not_found`, `announcement_invalid`,
    `announcement_step` (also where it is another one by now), `forbidden`."""
    queries.visible(staff, announcement_id)
    values = _checked(staff, draft)
    _move(staff, announcement_id, Action.CHANGE, seen=seen, now=now, **values)


def publish(staff: Staff, announcement_id: str, *, seen: int, now: datetime) -> None:
    """Show the revision that was `seen` to its readers, from its first moment on, which is not before this one.
    Raises `not_found`, `announcement_step` (also where it is another one by now), `announcement_invalid` for one
    whose time is over."""
    row = queries.visible(staff, announcement_id)
    if row.ends_at is not None and row.ends_at <= now:
        raise ANNOUNCEMENT_INVALID("结束时间已经过去，没有人会看到。请先改时间再发布。")
    values = {"published_by": staff.actor, "published_at": now, "starts_at": max(row.starts_at, now)}
    _move(staff, announcement_id, Action.PUBLISH, seen=seen, now=now, **values)


def withdraw(staff: Staff, announcement_id: str, *, now: datetime) -> None:
    """Show it to nobody any more. Raises `not_found`, `announcement_step`."""
    _move(staff, announcement_id, Action.WITHDRAW, now=now, withdrawn_at=now)


def _check_seen(row: Announcement, seen: int) -> None:
    if row.revision != seen:
        raise ANNOUNCEMENT_STEP("同事刚刚改过这条通知，您看到的不是最新的内容，没有执行。请看清现在的内容再操作。")


def _move(
    staff: Staff, announcement_id: str, action: Action, *, seen: int | None = None, now: datetime, **values: object
) -> None:
    row = queries.visible(staff, announcement_id)
    try:
        after = next_status(row.status, action)
    except NotAllowed:
        raise ANNOUNCEMENT_STEP() from None
    if seen is not None:
        _check_seen(row, seen)
    with transaction():
        where = {"status": row.status, "revision": row.revision}
        done = {"status": after, "revision": row.revision + 1, **values}
        if not compare_and_set(Announcement, announcement_id, where, done):
            raise ANNOUNCEMENT_STEP()
        audit.record(staff.actor, f"announcement.{action}", f"announcement:{announcement_id}", now=now)


def remove(staff: Staff, announcement_id: str, *, seen: int, now: datetime) -> None:
    """Delete the draft that was `seen`. Raises `not_found`, `announcement_step`."""
    row = queries.visible(staff, announcement_id)
    if row.status == Status.DRAFT:
        _check_seen(row, seen)
    with transaction():
        mine = (Announcement.id == announcement_id) & (Announcement.status == Status.DRAFT)
        if not Announcement.delete().where(mine, Announcement.revision == seen).execute():
            raise ANNOUNCEMENT_STEP()
        audit.record(staff.actor, "announcement.removed", f"announcement:{announcement_id}", now=now, title=row.title)


def read(person_id: str, announcement_id: str, *, now: datetime) -> Mail:
    """The person opens it: counted once, however often. Raises `NOT_FOUND`."""
    row = queries.one_to_person(announcement_id, person_id, now=now)
    insert_once(AnnouncementRead, announcement_id=row.id, person_id=person_id, read_at=now)
    return Mail(row.id, row.title, row.body, row.starts_at, True)
