"""Trouble on demand: per provider and operation, what should go wrong, and how many times."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

OPERATIONS: dict[str, tuple[str, ...]] = {
    "wechatpay": (
        "native", "jsapi", "query", "close", "refund", "query_refund", "bill", "bill_file",
        "pay", "notify", "notify_refund",
    ),
    "alipay": (
        "precreate", "wap", "query", "close", "refund", "query_refund", "bill", "bill_file",
        "pay", "notify", "notify_refund",
    ),
    "unionpay": ("front", "query", "refund", "query_refund", "file", "pay", "notify", "notify_refund"),
    "wechat": ("code2session", "web_openid", "token", "phone", "qrcode", "subscribe", "scene", "template"),
    "invoice": ("issue", "query", "again", "pdf", "red", "query_red", "refresh_red"),
    "mail": ("message",),
    "sms": ("send", "pull", "pull_number"),
    "baidu": (
        "token", "match", "person_verify", "liveness", "mingjing",
        "faceprint_token", "faceprint_submit", "faceprint_detail", "faceprint_simple", "faceprint_all",
    ),
}  # fmt: skip
CALL = ("delay", "delay_after", "error", "garbage", "reset", "reset_after", "hang")
ANSWER = ("forged", "unsigned", "alter")
NOTIFY = ("duplicate", "forged", "lost", "delay", "stale", "alter", "reorder")
CERTIFICATES = ("sha1", "expired", "early", "other_owner", "other_issuer", "weak_issuer")
_NUMBERS = ("delay", "delay_after", "hang", "stale", "duplicate")


class UnknownKnob(ValueError):
    """No such provider, operation or kind; the message names it."""


@dataclass
class Knob:
    """One trouble. `times` is how often it still strikes; None: until it is taken away."""

    provider: str
    operation: str
    kind: str
    value: Any
    times: int | None

    def seconds(self, default: float) -> float:
        """The value as a number of seconds."""
        return default if self.value is None else float(self.value)


def kinds_for(provider: str, operation: str) -> tuple[str, ...]:
    """The kinds of trouble that this operation knows."""
    if operation in ("notify", "notify_refund"):
        if provider == "unionpay":
            return (*(kind for kind in NOTIFY if kind != "stale"), *CERTIFICATES)
        return (*NOTIFY, "sha1") if provider == "alipay" else (*NOTIFY, "probe")
    if provider in ("wechatpay", "alipay", "unionpay") and operation == "pay":
        return ("late_ok",)
    if operation == "bill_file":
        return CALL  # a file is not signed
    if provider == "mail":
        return ("delay", "error", "reset", "reset_after", "hang")
    kinds: tuple[str, ...] = CALL
    if provider == "wechatpay":
        kinds += (*ANSWER, "stale")
    if provider == "alipay" and operation != "wap":
        kinds += (*ANSWER, "sha1")
    if provider == "unionpay" and operation != "front":
        kinds += (*ANSWER, *CERTIFICATES)
    if provider == "wechat":
        kinds += ("alter",)
    if operation == "refund":
        kinds += ("abnormal",)
    if (provider, operation) == ("invoice", "issue"):
        kinds += ("fails", "unsealed")
    if (provider, operation) == ("invoice", "red"):
        kinds += ("fails", "asks_buyer")
    if (provider, operation) in (("invoice", "query"), ("invoice", "query_red")):
        kinds += ("alter",)
    if (provider, operation) == ("sms", "send"):
        kinds += ("per_number", "undelivered", "silent")
    return kinds


class Knobs:
    """All trouble that is switched on. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._knobs: list[Knob] = []

    def add(self, provider: str, operation: str, kind: str, value: Any = None, times: int | None = 1) -> Knob:
        """Switch trouble on. `operation` may be "*". Raises `UnknownKnob`."""
        if provider not in OPERATIONS:
            raise UnknownKnob(f"provider {provider!r} is not one of {', '.join(OPERATIONS)}")
        if operation != "*" and operation not in OPERATIONS[provider]:
            raise UnknownKnob(f"operation {operation!r} is not one of {', '.join(OPERATIONS[provider])}")
        known = (
            {kind for each in OPERATIONS[provider] for kind in kinds_for(provider, each)}
            if operation == "*"
            else set(kinds_for(provider, operation))
        )
        if kind not in known:
            raise UnknownKnob(f"kind {kind!r} is not one of {', '.join(sorted(known))}")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise UnknownKnob("times must be a whole number of at least 1, or null")
        if kind in _NUMBERS and value is not None and not isinstance(value, int | float):
            raise UnknownKnob(f"the value of {kind!r} is a number")
        if kind == "error" and (isinstance(value, bool) or not isinstance(value, int | str)):
            raise UnknownKnob("the value of 'error' is an HTTP status or the provider's own error code")
        if kind == "alter" and not isinstance(value, dict):
            raise UnknownKnob("the value of 'alter' is an object")
        knob = Knob(provider, operation, kind, value, times)
        with self._lock:
            self._knobs.append(knob)
        return knob

    def take(self, provider: str, operation: str, kinds: Iterable[str]) -> dict[str, Knob]:
        """The trouble that strikes this call, at most one of each kind; each is used up by one."""
        taken: dict[str, Knob] = {}
        with self._lock:
            for knob in list(self._knobs):
                if knob.provider != provider or knob.operation not in ("*", operation):
                    continue
                if knob.kind not in kinds or knob.kind in taken:
                    continue
                taken[knob.kind] = knob
                if knob.times is not None:
                    knob.times -= 1
                    if knob.times == 0:
                        self._knobs.remove(knob)
        return taken

    def clear(self) -> None:
        """No more trouble."""
        with self._lock:
            self._knobs.clear()

    def report(self) -> list[dict[str, Any]]:
        """The answer of `GET /_knobs`."""
        with self._lock:
            return [asdict(knob) for knob in self._knobs]
