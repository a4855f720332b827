"""What a field says when it is filled in wrongly: marshmallow's sentences, in Chinese, said once for all forms."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

REQUIRED = "这一项必须填写。"
_WRONG = "这一项的格式不对，请检查后再填。"

_FIELDS: dict[type[fields.Field], dict[str, str]] = {
    fields.Field: {"required": REQUIRED, "null": REQUIRED, "validator_failed": _WRONG},
    fields.String: {"invalid": "这一项要填文字。", "invalid_utf8": _WRONG},
    fields.Integer: {"invalid": "这一项要填整数。", "too_large": "这个数太大了。"},
    fields.Number: {"invalid": "这一项要填数字。", "too_large": "这个数太大了。"},
    fields.Float: {"special": "这一项要填数字。"},
    fields.Boolean: {"invalid": "这一项只能选是或否。"},
    fields.List: {"invalid": "这一项要填一个列表。"},
    fields.Nested: {"type": _WRONG},
    fields.Date: {"invalid": "日期的格式不对，例如 2026-01-31。", "format": _WRONG},
    fields.DateTime: {"invalid": "时间的格式不对。", "format": _WRONG},
}
_SCHEMA = {"unknown": "没有这一项，请刷新页面后重试。", "type": "提交的内容格式不对，请刷新页面后重试。"}


def install() -> None:
    """Put the sentences in place; called once, before the first schema is made."""
    for kind, sentences in _FIELDS.items():
        kind.default_error_messages = {**kind.default_error_messages, **sentences}
    Schema._default_error_messages = {**Schema._default_error_messages, **_SCHEMA}
    validate.Length.message_min = "太短了，至少要有 {min}。"
    validate.Length.message_max = "太长了，最多只能有 {max}。"
    validate.Length.message_all = "长度要在 {min} 到 {max} 之间。"
    validate.Length.message_equal = "长度要正好是 {equal}。"
    validate.Range.message_min = "不能小于 {{min}}。"
    validate.Range.message_max = "不能大于 {{max}}。"
    validate.Range.message_all = "要在 {{min}} 和 {{max}} 之间。"
    validate.Regexp.default_message = _WRONG
    validate.OneOf.default_message = "只能是：{choices}。"
