"""What can go wrong while getting in."""

from __future__ import annotations

from app.core.errors import problem

LOGIN_FAILED = problem(
    "login_failed", 401, "身份证号或密码不正确，请核对后重试；忘记密码可点“忘记密码”用手机短信找回。"
)
OTHER_PROGRAMME = problem("other_programme", 409, "您的账号不在现在选的培训项目里，请换到您报名的培训项目再登录。")
LOGIN_PAUSED = problem("login_paused", 429, "密码错误次数较多，请稍后再试；也可以用“忘记密码”通过手机短信立即找回。")
LOGIN_CODE_NEEDED = problem(
    "login_code_needed",
    403,
    "为保护账号安全，这次登录还需要短信验证码：请获取验证码，与密码一起提交；也可以用“忘记密码”重设密码。",
)
PROGRAMME_NOT_OPEN = problem(
    "programme_not_open", 409, "这个培训项目还没有在本平台开放，请按主管部门的通知办理，或从首页选择其他项目。"
)
UNKNOWN_PROGRAMME = problem("unknown_programme", 404, "没有这个培训项目，请从首页重新进入。")
CODE_WRONG = problem("code_wrong", 422, "验证码不正确或已失效，请核对最新一条短信；输错 5 次后需重新获取验证码。")
SMS_TOO_OFTEN = problem(
    "sms_too_often", 429, "验证码获取得太频繁了，请稍等一会儿再获取；已收到的验证码 5 分钟内有效。"
)
SMS_NOT_OFFERED = problem(
    "sms_not_offered", 409, "这个项目不支持短信验证码，请改用人脸实名核验，或拨打客服电话办理。"
)
NO_PHONE = problem("no_phone_on_record", 409, "系统里没有您的手机号，请改用人脸实名核验激活，或联系客服登记手机号。")
ALREADY_ACTIVATED = problem("already_activated", 409, "账号已经激活，请返回首页继续。")
ACTIVATION_NEEDED = problem("activation_needed", 403, "请先完成账号激活，再进行这一步。")
PASSWORD_WRONG = problem("password_wrong", 422, "密码不正确，请核对后重试；忘记密码可退出后用手机短信找回。")
PASSWORD_WEAK = problem("password_weak", 422, "新密码不符合要求，请按提示修改后再提交。")
PHONE_SAME = problem("phone_unchanged", 409, "新手机号与现在的手机号相同，不需要更换。")
CONSENT_NEEDED = problem("consent_needed", 403, "请先阅读并同意相关协议，再继续。")
CONSENT_STAYS = problem(
    "consent_stays", 409, "使用本平台必须同意用户协议，不能单独撤回。要停止使用、注销账号，请拨打客服电话。"
)
CONSENT_OUTDATED = problem("consent_outdated", 409, "协议已经更新，请刷新页面，阅读最新版本后再同意。")
PERSON_CONFLICT = problem("person_conflict", 409, "同一身份证号登记了不同的姓名，请联系客服核对。")
IDENTITY_SAME = problem("identity_unchanged", 409, "填写的姓名、身份证号与现在登记的相同，不需要更正。")
ID_NUMBER_TAKEN = problem(
    "id_number_taken", 409, "这个身份证号已经属于另一位学员。如果是同一个人，请改用“合并账号”。"
)
CANNOT_MERGE = problem("cannot_merge", 409, "这两个账号现在不能合并，请按提示处理后再申请。")
UNMASK_TOO_OFTEN = problem("unmask_too_often", 429, "一小时内查看的原始信息太多了，请稍后再试；批量请走导出流程。")
