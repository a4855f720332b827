"""What can go wrong with messages; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

SMS_NOT_AGAIN = problem(
    "sms_not_again", 409, "这条短信不能重发：验证码请学员自己重新获取，还在发送的请稍等，太久以前的请电话告知。"
)
