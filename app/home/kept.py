"""The first screen as bytes, kept while its fingerprint is the same (ADR 30).

Each process keeps its own, for a bounded number of people; what is kept is masked, as it is sent. Nothing is ever
told to forget: the fingerprint is read from SQL each time, and an order that was paid has another one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from threading import Lock
from typing import Any

from flask import current_app

from app.announce import queries as announcements
from app.core.clock import iso, shanghai
from app.home import fingerprint, overview
from app.home.fingerprint import Fingerprint
from app.home.schemas import HomeOut

PEOPLE = 4096  # about 2 KB each
LONGEST = timedelta(minutes=1)  # for what stands in Redis only: the last seconds of study


@dataclass(frozen=True)
class Home:
    """The screen of one person: `head` is its JSON up to the time of the answer; good from `made` until `until`,
    while the fingerprint is `fingerprint`."""

    fingerprint: Fingerprint
    made: datetime
    until: datetime
    head: bytes
    etag: str

    def body(self, now: datetime) -> bytes:
        """The whole JSON, told at `now`."""
        return b'%s, "server_now": "%s"}' % (self.head, iso(now).encode())


_homes: dict[str, Home] = {}
_lock = Lock()


def home(person_id: str, before: Fingerprint, *, now: datetime) -> Home:
    """The person's first screen, as of `now`; `before` is the fingerprint as it was read in this request. Raises
    `NOT_FOUND`."""
    kept = _homes.get(person_id)
    if kept is not None and kept.fingerprint == before and kept.made <= now < kept.until:
        return kept
    head, first_change = _make(person_id, now)
    after = fingerprint.read(person_id)
    fresh = Home(
        fingerprint=after,
        made=now,
        until=min([first_change, *(moment for moment in fingerprint.moments(after) if moment > now)]),
        head=head,
        etag=hashlib.sha256(head).hexdigest()[:32],
    )
    if _unchanged(before, after):
        _keep(person_id, fresh)
    return fresh


def _unchanged(before: Fingerprint, after: Fingerprint) -> bool:
    """Whether nothing was committed while the screen was made: else it may be of before, under a fingerprint of
    after, and would be shown until something else changes."""
    return before == after


def _keep(person_id: str, fresh: Home) -> None:
    with _lock:
        _homes.pop(person_id, None)
        if len(_homes) >= PEOPLE:
            del _homes[next(iter(_homes))]  # the one made longest ago
        _homes[person_id] = fresh


def forget_all() -> None:
    """Keep nothing any more."""
    with _lock:
        _homes.clear()


def _make(person_id: str, now: datetime) -> tuple[bytes, datetime]:
    """The screen without the time, and when it changes at the latest though nothing happens."""
    trainings = overview.trainings(person_id, now=now)
    unread = announcements.unread(person_id, now=now)
    screen: dict[str, Any] = {"me": overview.me(person_id), "trainings": trainings, "unread": unread}
    text = current_app.json.dumps(HomeOut().dump(screen))
    midnight = datetime.combine(shanghai(now).date() + timedelta(days=1), time(), shanghai(now).tzinfo)
    days = [
        training.study_deadline - timedelta(days=training.days_left)
        for training in trainings
        if training.study_deadline and training.days_left is not None
    ]
    return text.encode()[:-1], min([now + LONGEST, midnight, *(moment for moment in days if moment > now)])
