"""What can go wrong between a person and their WeChat."""

from __future__ import annotations

from app.core.errors import problem

WECHAT_NOT_OFFERED = problem("wechat_not_offered", 409, "这个培训项目没有开通微信登录，请用身份证号和密码登录。")
WECHAT_CODE_REFUSED = problem("wechat_code_refused", 409, "微信登录已失效，请重新点“微信登录”。")
WECHAT_BLOCKED = problem(
    "wechat_blocked", 403, "微信提示这个账号有风险，暂时不能用微信登录，请用身份证号和密码登录。"
)
WECHAT_UNAVAILABLE = problem(
    "wechat_unavailable", 503, "微信暂时没有响应，请稍后再点“微信登录”，或用身份证号和密码登录。"
)
BIND_TICKET_OVER = problem("bind_ticket_over", 409, "绑定已超时，请重新点“微信登录”再绑定。")
WECHAT_BOUND_TO_OTHER = problem(
    "wechat_bound_to_other", 409, "这个微信已绑定另一位学员，请先用那个账号解除绑定，或换一个微信。"
)
