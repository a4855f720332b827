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
AUTHORISATION_OVER = problem("authorisation_over", 409, "微信授权已失效，请返回订单重新点“微信支付”。")
WECHAT_NOT_BOUND = problem("wechat_not_bound", 409, "您还没有绑定微信，请先用微信登录并绑定，再进行这一步。")
PHONE_CODE_REFUSED = problem(
    "phone_code_refused", 409, "没有从微信得到大陆手机号，请重新点“微信手机号”，或改用短信验证码更换。"
)
SCAN_OVER = problem("scan_over", 409, "这个二维码已失效或已用过，请在电脑上刷新二维码后重新扫一扫。")
SCAN_TAKEN = problem("scan_taken", 409, "这个二维码已被另一部手机扫过，请在电脑上刷新二维码后重新扫一扫。")
SCAN_OTHER_PERSON = problem(
    "scan_other_person", 403, "这个二维码要由在电脑上学习的学员本人确认，请用本人的微信登录后再扫一扫。"
)
SCAN_WITH_PHONE = problem("scan_with_phone", 409, "请用手机来确认：用微信扫一扫，或在手机上打开小程序、应用后扫码。")
SCAN_NOT_OFFERED = problem("scan_not_offered", 409, "这个培训项目不用扫码进行这一步，请按页面提示操作。")
SCAN_SECRET_WRONG = problem("scan_secret_wrong", 404, "没有找到这个二维码，请刷新页面重新获取。")
