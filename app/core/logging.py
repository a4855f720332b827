"""Structured logs on stderr, with the request's id, and with personal data and secrets taken out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from config.settings import Settings

_ID_NUMBER = re.compile(r"(?<!\d)(\d{3})\d{11}(\d{3}[\dXx])(?![\dXx])")
_PHONE = re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)")
_BEARER = re.compile(r"(?i)(bearer\s+)\S+")
_SECRET_KEYS = frozenset(
    [
        "password",
        "new_password",
        "old_password",
        "code",
        "token",
        "session_key",
        "openid",
        "authorization",
        "id_number",
        "phone",
        "name",
        "access_token",
        "secret",
        "verify_token",
        "body",
    ]
)


def redact_text(text: str) -> str:
    """ID numbers and phones masked, bearer tokens removed, wherever they stand in `text`."""
    text = _ID_NUMBER.sub(r"\1***********\2", text)
    return _BEARER.sub(r"\1…", _PHONE.sub(r"\1****\2", text))


def _redact(value: Any, key: str = "") -> Any:
    if key.lower() in _SECRET_KEYS:
        return "…"
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {k: _redact(v, str(k)) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact(item) for item in value]
    return value


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: the last one before rendering."""
    return {key: _redact(value, key) for key, value in event.items()}


def init(settings: Settings) -> None:
    """Send structlog and the standard library's loggers through the same processors."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, redact, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("urllib3", "rq", "PIL", "wechatpy", "tencentcloud"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
