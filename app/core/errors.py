"""RFC 9457 problem+json from one table of codes.

A domain's `errors.py` declares its codes with `problem(...)`; raising one ends the request with that answer.
The Chinese sentence says what happened and what the person does next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Problem(Exception):
    """An answer of 4xx or 5xx. `fields` names form fields with a sentence each; `extra` is shown as it is."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str | None = None,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ):
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail or kind.sentence
        self.fields = fields
        self.headers = dict(headers or {})
        self.extra = extra
        if "Retry-After" in self.headers:  # the seconds stand in the body, too: a page in WeChat sees no headers
            self.extra.setdefault("retry_after", int(self.headers["Retry-After"]))

    @property
    def code(self) -> str:
        return self.kind.code

    def body(self) -> dict[str, Any]:
        """The problem+json object."""
        body: dict[str, Any] = {
            "type": f"/api/docs#{self.kind.code}",
            "title": self.kind.sentence,
            "status": self.kind.status,
            "code": self.kind.code,
            "detail": self.detail,
        }
        if self.fields:
            body["fields"] = dict(self.fields)
        return body | self.extra


@dataclass(frozen=True)
class ProblemKind:
    """One row of the table; calling it makes the exception: `raise ORDER_CLOSED()`."""

    code: str
    status: int
    sentence: str

    def __call__(self, detail: str | None = None, **more: Any) -> Problem:
        return Problem(self, detail, **more)


TABLE: dict[str, ProblemKind] = {}


def problem(code: str, status: int, sentence: str) -> ProblemKind:
    """Add a row. `code` is snake_case, `status` 4xx or 5xx; a code that stands there already is a mistake."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", code) or not 400 <= status <= 599:
        raise ValueError(f"bad problem {code!r} {status}")
    if code in TABLE:
        raise ValueError(f"problem {code!r} is declared twice")
    TABLE[code] = ProblemKind(code, status, sentence)
    return TABLE[code]


BAD_REQUEST = problem("bad_request", 400, "请求的格式不对，请刷新页面后重试。")
SIGN_IN_FIRST = problem("sign_in_first", 401, "请先登录。")
SIGN_IN_UNFINISHED = problem("sign_in_unfinished", 403, "请先完成账号激活、设置密码并同意协议，再进行这一步。")
PAGE_OUTDATED = problem("page_outdated", 403, "页面已经过期，请刷新页面后再操作一次。")
FORBIDDEN = problem("forbidden", 403, "您没有权限查看这项内容，请确认登录的账号。")
NOT_FOUND = problem("not_found", 404, "没有找到这项内容，请返回上一页再试。")
METHOD_NOT_ALLOWED = problem("method_not_allowed", 405, "这个操作不被支持，请刷新页面后重试。")
CONFLICT = problem("conflict", 409, "内容刚刚发生了变化，请刷新后再试。")
CLIENT_TOO_OLD = problem(
    "client_too_old", 409, "这个版本太旧，已不能使用，请更新后再继续；您的学习记录和答题都还在。"
)
TOO_LARGE = problem("too_large", 413, "提交的内容太大了。如果是文件或照片，请换一个小一点的再上传。")
UNSUPPORTED_TYPE = problem("unsupported_type", 415, "不支持这种格式，请按页面提示提交。")
INVALID = problem("invalid", 422, "填写的内容有误，请按提示修改后再提交。")
TOO_MANY = problem("too_many_requests", 429, "操作太频繁了，请稍等一会儿再试。")
INTERNAL = problem("internal", 500, "系统出了点问题，您的数据没有丢失，请稍后再试。")
PROVIDER_UNAVAILABLE = problem("provider_unavailable", 503, "外部服务暂时没有响应，您的数据没有丢失，请稍后再试。")
BUSY = problem("busy", 503, "系统正忙，请过几秒钟再试一次。")
