"""Who runs a programme, who signs in, which certificates there are, which messages go out."""

from __future__ import annotations

from typing import assert_never

import msgspec

from app.policy.parties import (
    CertificateKind,
    Contacts,
    FirstPassword,
    FixedPassword,
    LastOfAccount,
    LoginRule,
    MobileNumber,
    OwnPassword,
)
from app.policy.rooms import STAGES
from app.policy.schema import Programme
from app.policy.sentences.words import ISSUES, clock, day, listed, of
from app.policy.sentences.words import kinds as kinds_of

_TOPICS = {
    "sign_up": "报名",
    "login": "登录",
    "payment": "缴费业务",
    "payment_technical": "缴费技术",
    "invoice": "发票",
    "photo": "照片",
    "face": "人脸识别",
    "study": "学习",
    "exam": "考试",
    "extension": "延期",
    "make_up": "补考",
    "renewal": "换证",
}
_SECRETS = {
    "wechat": "微信小程序",
    "wechat_official": "微信公众号",
    "wechatpay": "微信支付",
    "alipay": "支付宝",
    "unionpay": "银联",
    "baidu": "人脸识别（百度）",
    "tencent_sms": "短信（腾讯云）",
    "invoice": "电子发票",
    "roster": "主管部门名单",
}
_FIRST_LOGIN = {
    "change_password": "修改密码",
    "personal_details": "完善个人资料",
    "invoice_details": "完善开票信息",
    "enterprise": "选择所在单位（没有的先登记）",
    "photo": "上传照片",
    "confirm": "确认信息",
}
_BUSINESS = {"continuing": "继续教育", "new": "新取证", "practice": "刷题练习"}
_ACTIVATION = {
    "sms_to_supplied_phone": "名单或单位提供的手机号收到的短信验证码",
    "real_name_face": "实名核验（姓名、身份证号与本人人脸比对）",
}
_ACCOUNTS = {"id_number": "身份证号", "taxpayer_number": "纳税人识别号"}


def programme(rules: Programme) -> list[str]:
    """Name, version, path, working days."""
    told = [
        f"项目“{rules.title}”，代号 {rules.key}，本版规则自 {day(rules.version)}起施行。",
        f"继续教育按以下顺序办理：{' → '.join(STAGES[stage] for stage in rules.stages)}。",
    ]
    if rules.calendar is None:
        return [*told, "工作日按国家放假安排计算。"]
    free, worked = (listed(map(day, days)) for days in (rules.calendar.holidays, rules.calendar.working_days))
    return [*told, f"工作日按国家放假安排计算；另有放假日：{free}；另有上班日：{worked}。"]


def authority(rules: Programme) -> list[str]:
    """In whose name, and whom to call."""
    who = rules.authority
    told = [
        f"主办单位：{who.name}（网站：{who.site or '未提供'}）。",
        f"{_seller(rules)}：{who.seller}。",
        f"主管部门或平台：{who.regulator}（网址：{who.regulator_site or '未提供'}）。",
        f"实名核验方案：{who.face_plan or '没有'}。",
        f"{_numbers('咨询', who.contacts)}。",
    ]
    for some in who.contacts_for_kinds or ():
        told.append(f"{_numbers(f'{kinds_of(some.certificate_kinds, rules.certificate_kinds)}的咨询', some)}。")
    return told


def _seller(rules: Programme) -> str:
    """What the seller does here."""
    if rules.fee is None:
        return "登记的收款单位（本项目不收费）"
    return "收款单位" if rules.invoice is None else "收款与开票单位"


def _numbers(whose: str, contacts: Contacts) -> str:
    """Each number, or other way to ask, once, with what it is for."""
    topics: dict[str, list[str]] = {}
    for topic, word in _TOPICS.items():
        topics.setdefault(getattr(contacts, topic), []).append(word)
    by = "电话" if all(any(letter.isdigit() for letter in number) for number in topics) else "途径"
    if len(topics) == 1:
        return f"{whose}{by}（各类问题）：{next(iter(topics))}"
    return f"{whose}{by}：" + "；".join(f"{listed(words)} {number}" for number, words in topics.items())


def login(rules: Programme) -> list[str]:
    """Accounts, first passwords, what a first login asks for."""
    told = _login("个人", rules.login.person, rules.certificate_kinds)
    if rules.login.enterprise is None:
        told.append("没有企业账号。")
    else:
        told += _login("企业", rules.login.enterprise, rules.certificate_kinds)
    ways = "，或".join(_ACTIVATION[method] for method in rules.activation.methods)
    own = all(isinstance(first.rule, OwnPassword) for first in rules.login.person.first_passwords)
    return [*told, f"{'密码' if own else '初始密码'}不能单独打开账号，首次登录还须通过：{ways}。"]


def _login(who: str, rule: LoginRule, all_kinds: tuple[CertificateKind, ...]) -> list[str]:
    made = "自行注册账号" if rule.registration == "self" else "的账号按名单开通"
    told = [f"{who}{made}，用{_ACCOUNTS[rule.account]}登录。"]
    for first in rule.first_passwords:
        holders = "" if first.certificate_kinds is None else f"（{kinds_of(first.certificate_kinds, all_kinds)}）"
        told.append(f"{who}{holders}的初始密码：{_first_password(first)}。")
    told.append(f"{who}首次登录须依次：{of(_FIRST_LOGIN, rule.first_login)}。")
    return told


def _first_password(first: FirstPassword) -> str:
    rule = first.rule
    match rule:
        case FixedPassword():
            return f"统一为 {rule.value}"
        case LastOfAccount():
            return f"账号的后 {rule.characters} 位"
        case MobileNumber():
            return "注册时的手机号"
        case OwnPassword():
            return "没有，注册时自行设置"
        case _:
            assert_never(rule)


def kinds(rules: Programme) -> list[str]:
    """Every kind of certificate."""
    return [_kind(kind) for kind in rules.certificate_kinds]


def _kind(kind: CertificateKind) -> str:
    family = f"，属“{kind.family}”，须勾选具体类别" if kind.family else ""
    (first, *more) = kind.subjects
    subjects = "与证书同名"
    if more or (first.code, first.title) != (kind.code, kind.title):
        subjects = listed(f"{subject.title}（{subject.code}）" for subject in kind.subjects)
    business, what = of(_BUSINESS, kind.business), "练习科目" if set(kind.business) == {"practice"} else "考试科目"
    return f"{kind.group}：{kind.title}（{kind.code}）{family}；可办理{business}；{what}：{subjects}。"


def messages(rules: Programme) -> list[str]:
    """Which messages go out, under which templates."""
    sms = rules.authority.sms
    sent = msgspec.structs.asdict(sms.templates)
    quiet = sms.quiet
    told = [
        f"短信签名“{sms.sign}”。",
        f"不急的短信每个手机号每天最多 {sms.most_a_day} 条，多的改日再发。",
        "不急的短信随时可发。" if quiet is None else f"{clock(quiet.begins)} 至 {clock(quiet.ends)} 不发不急的短信。",
    ]
    told.append(f"发送短信：{listed(f'{ISSUES[name]}（模板 {value}）' for name, value in sent.items() if value)}。")
    if silent := [ISSUES[name] for name, value in sent.items() if value is None]:
        told.append(f"不发短信：{listed(silent)}。")
    for name, template in msgspec.structs.asdict(rules.authority.wechat_templates).items():
        if template is not None:
            fields = listed(template.fields)
            told.append(f"小程序订阅消息：{ISSUES[name]}（模板 {template.id}，字段 {fields}）。")
    return told


def secrets(rules: Programme) -> list[str]:
    """Under which names the keys lie; never the keys."""
    names = msgspec.structs.asdict(rules.authority.secrets)
    return [f"{_SECRETS[kind]}：{name or '不使用'}。" for kind, name in names.items()]
