"""What can go wrong with the staff's accounts; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

STAFF_LOGIN_FAILED = problem("staff_login_failed", 401, "账号或密码不正确，请核对后重试；忘记密码请联系管理员。")
STAFF_PAUSED = problem("staff_paused", 429, "错误次数较多，请稍等片刻再试。")
STAFF_CODE_WRONG = problem(
    "staff_code_wrong", 422, "验证码不正确或已经用过，请等验证器显示下一个验证码后再输入；也可以使用恢复码。"
)
STAFF_LINK_OVER = problem("staff_link_over", 404, "这个链接已经用过或已失效，请让管理员重新生成一个。")
STAFF_PASSWORD_WEAK = problem("staff_password_weak", 422, "密码至少 12 位，且不能包含登录账号，请修改后再提交。")
STAFF_LOGIN_TAKEN = problem("staff_login_taken", 409, "这个登录账号已经有人使用，请换一个。")
STAFF_INVALID = problem("staff_invalid", 422, "填写的内容有误，请按提示修改后再提交。")
STAFF_NOT_YOURSELF = problem("staff_not_yourself", 409, "不能停用自己的账号或收回自己的权限，请让另一位管理员办理。")
STAFF_SAME_PERSON = problem("staff_same_person", 403, "需要另一位管理员同意，提出申请的人不能自己批准。")
STAFF_NOT_SET_UP = problem("staff_not_set_up", 409, "这个账号还没有设置好二次验证，请等本人设置后，当面核对再确认。")
PHONE_WRONG = problem("new_phone_wrong", 422, "请填写学员新的 11 位手机号，不能与现在登记的相同。")
IDENTITY_WRONG = problem("identity_wrong", 422, "请填写正确的姓名或身份证号，至少一项与现在登记的不同。")
ASKED_ALREADY = problem("asked_already", 409, "这位学员已有一件同样的申请在等待复核，请在队列中查看。")
