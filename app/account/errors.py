"""What can go wrong while getting in."""

from __future__ import annotations

from app.core.errors import problem

LOGIN_FAILED = problem(
    "login_failed", 401, "身份证号或密码不正确，请核对后重试；忘记密码可点“忘记密码”用手机短信找回。"
)
LOGIN_PAUSED = problem("login_paused", 429, "密码错误次数较多，请稍后再试；也可以用“忘记密码”通过手机短信立即找回。")
CONSENT_NEEDED = problem("consent_needed", 403, "请先阅读并同意相关协议，再继续。")
PERSON_CONFLICT = problem("person_conflict", 409, "同一身份证号登记了不同的姓名，请联系客服核对。")
