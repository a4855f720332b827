"""Signed tickets: to report heartbeats, and to fetch a film. Checked without a database."""

from __future__ import annotations

from datetime import datetime

import msgspec

from app.core import tokens

PLAY = "study.play"
VIDEO = "study.video"


class PlayTicket(msgspec.Struct, frozen=True):
    """What a heartbeat may report on: one lesson of one enrolment (`progress_id`), in one study session, under the
    rules of a programme version, within one purge epoch. `face_until`: Unix seconds, 0 = no face check is due."""

    person_id: str
    progress_id: str
    session: str
    epoch: int
    seconds: int
    programme: str
    version: str
    face_until: int


def sign_play(ticket: PlayTicket, *, expires: datetime) -> str:
    """The ticket as text."""
    return tokens.sign(
        PLAY,
        ticket.person_id,
        ticket.progress_id,
        ticket.session,
        ticket.epoch,
        ticket.seconds,
        ticket.programme,
        ticket.version,
        ticket.face_until,
        expires=expires,
    )


def read_play(token: str, now: datetime) -> PlayTicket:
    """The ticket of `token`. Raises `tokens.BadToken`."""
    person_id, progress_id, session, epoch, seconds, programme, version, face_until = tokens.verify(PLAY, token, now)
    return PlayTicket(person_id, progress_id, session, int(epoch), int(seconds), programme, version, int(face_until))


def sign_video(file_name: str, *, expires: datetime) -> str:
    """A link's token for one film."""
    return tokens.sign(VIDEO, file_name, expires=expires)


def read_video(token: str, now: datetime) -> str:
    """The film's file name. Raises `tokens.BadToken`."""
    (file_name,) = tokens.verify(VIDEO, token, now)
    return file_name
