"""The life of a face check, and of a person's photo. Pure."""

from __future__ import annotations

from enum import StrEnum


class CheckStatus(StrEnum):
    """CREATED: waits for a picture, or for the person to come back from the provider's page. UNKNOWN: the provider
    gave no answer; nothing passes, it may be tried again. FAILED: the last try failed; it may be tried again while
    tries are left. PASSED: good until it expires. CONSUMED: used for the one thing it was made for."""

    CREATED = "created"
    UNKNOWN = "unknown"
    FAILED = "failed"
    PASSED = "passed"
    EXPIRED = "expired"
    CONSUMED = "consumed"


class Action(StrEnum):
    PASS = "pass"  # noqa: S105 (a verb, not a password)
    FAIL = "fail"
    LOSE = "lose"
    EXPIRE = "expire"
    CONSUME = "consume"


class NotAllowed(ValueError):
    """The action does not exist in this status."""


OPEN = (CheckStatus.CREATED, CheckStatus.UNKNOWN, CheckStatus.FAILED)

_TABLE: dict[CheckStatus, dict[Action, CheckStatus]] = {
    **{
        status: {
            Action.PASS: CheckStatus.PASSED,
            Action.FAIL: CheckStatus.FAILED,
            Action.LOSE: CheckStatus.UNKNOWN,
            Action.EXPIRE: CheckStatus.EXPIRED,
        }
        for status in OPEN
    },
    CheckStatus.PASSED: {Action.CONSUME: CheckStatus.CONSUMED, Action.EXPIRE: CheckStatus.EXPIRED},
    CheckStatus.EXPIRED: {},
    CheckStatus.CONSUMED: {},
}


def next_status(status: str, action: Action) -> CheckStatus:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[CheckStatus(status)][action]
    except KeyError:
        raise NotAllowed(f"{action} in {status}") from None


class PhotoStatus(StrEnum):
    """NONE: there is none, or support gave it free. REVIEW: uploaded where staff look at photos, and not decided yet.
    RETURNED: they returned it, and a new one is to be uploaded. WAITING: uploaded (and looked at, where it is), not
    yet compared with a real-name check. CONFIRMED: the same face as the real-name check's; from now on only support
    may give it free."""

    NONE = "none"
    REVIEW = "review"
    RETURNED = "returned"
    WAITING = "waiting"
    CONFIRMED = "confirmed"


COMPARED = (PhotoStatus.WAITING, PhotoStatus.REVIEW)  # with the face of a real-name check that passes
