"""What the types of a programme file cannot say: rules that contradict each other. Such a file does not load.

What is allowed, and yet odd, is a doubt: see `app.policy.doubts`.
"""

from __future__ import annotations

from app.policy.admission import Stage
from app.policy.schema import Channel, Programme

# The keys of `authority.secrets` that a way to pay cannot do without.
_CHANNEL_SECRETS: dict[Channel, str | None] = {
    "wechat_native": "wechatpay",
    "wechat_jsapi": "wechatpay",
    "alipay_qr": "alipay",
    "alipay_wap": "alipay",
    "unionpay_b2c": "unionpay",
    "bank_transfer": None,
}


# A stage that comes before another one wherever a path has both.
_BEFORE: tuple[tuple[Stage, Stage], ...] = (
    ("materials", "payment"),
    ("study", "hours_audit"),
    ("exam", "proof"),
    ("study", "proof"),
    ("hours_audit", "proof"),
)


def faults(programme: Programme) -> list[str]:
    """`key: fault` lines, empty when the file is in order."""
    codes = [kind.code for kind in programme.certificate_kinds]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    return [
        *_stage_faults(programme),
        *_side_path_faults(programme),
        *(f"certificate_kinds: code {code!r} stands there twice" for code in twice[:1]),
        *_money_faults(programme),
        *_account_faults(programme),
        *_face_faults(programme),
        *_kind_faults(programme, set(codes)),
    ]


def _stage_faults(programme: Programme) -> list[str]:
    """Each path begins with the sign-up, in an order that can be walked; each table has its stage, each stage its
    table."""
    found = []
    new = programme.new_certification
    gate = programme.exam is not None and programme.exam.requires_study_complete
    before = (*_BEFORE, ("study", "exam")) if gate else _BEFORE
    for key, stages in (("stages", programme.stages), ("new_certification.stages", new.stages if new else None)):
        if stages is None:
            continue
        if len(set(stages)) != len(stages):
            found.append(f"{key}: a stage stands there twice")
        if stages[0] != "sign_up":
            found.append(f'{key}: the first one is "sign_up"')
        for first, then in before:
            if first in stages and then in stages and stages.index(then) < stages.index(first):
                found.append(f"{key}: {first!r} comes before {then!r}")
    named = {*programme.stages, *(new.stages if new else ())}
    at_first_login = "photo" in programme.login.person.first_login
    there = {
        ("materials", "sign_up.materials"): programme.sign_up.materials is not None,
        ("payment", "fee"): programme.fee is not None,
        ("photo", "photo"): programme.photo is not None and not at_first_login,
        ("study", "study"): programme.study is not None,
        ("exam", "exam or centre_exam"): (programme.exam is None) != (programme.centre_exam is None),
        ("hours_audit", "study.audit"): programme.study is not None and programme.study.audit is not None,
        ("proof", "proof"): programme.proof is not None,
    }
    for (stage, table), stands in there.items():
        if (stage in named) != stands:
            found.append(f"{table}: stands there if and only if stages names {stage!r}")
    if at_first_login and programme.photo is None:
        found.append("photo: missing, login.person.first_login names 'photo'")
    ends = {"paid": "payment", "confirmed": "confirmation", None: "sign_up"}[programme.sign_up.withdrawable_until]
    if ends not in named:
        found.append(f"sign_up.withdrawable_until: no stage {ends!r}")
    return found


def _side_path_faults(programme: Programme) -> list[str]:
    found = []
    if programme.make_up and (programme.exam is None or programme.exam.attempts is None):
        found.append("make_up: there is no limit of attempts, exam.attempts")
    if programme.extension and programme.study is None:
        found.append("extension: there is no study period")
    kinds = programme.certificate_kinds
    if any("new" in kind.business for kind in kinds) != (programme.new_certification is not None):
        found.append("new_certification: stands there if and only if a kind of certificate has the business 'new'")
    if any("practice" in kind.business for kind in kinds) and programme.practice is None:
        found.append("practice: missing, a kind of certificate has the business 'practice'")
    return found


def _money_faults(programme: Programme) -> list[str]:
    if programme.fee is None:
        return ["invoice: there is no fee"] if programme.invoice else []
    faults = []
    channels = programme.fee.channels
    offered = {*channels.web, *channels.phone_web, *channels.mini_program, *channels.app}
    if not offered:
        faults.append("fee.channels: no way to pay")
    for channel in sorted(offered):
        secret = _CHANNEL_SECRETS[channel]
        if secret and getattr(programme.authority.secrets, secret) is None:
            faults.append(f"authority.secrets.{secret}: missing, fee.channels offers {channel!r}")
    if "wechat_jsapi" in channels.phone_web and programme.authority.secrets.wechat_official is None:
        faults.append("authority.secrets.wechat_official: missing, fee.channels.phone_web offers 'wechat_jsapi'")
    if ("bank_transfer" in offered) != (programme.fee.bank_transfer is not None):
        faults.append("fee.bank_transfer: stands there if and only if fee.channels offers 'bank_transfer'")
    if programme.invoice and programme.authority.secrets.invoice is None:
        faults.append("authority.secrets.invoice: missing, there is a table invoice")
    return faults


def _account_faults(programme: Programme) -> list[str]:
    """Whoever registers alone cannot prove anything by the phone that they typed in."""
    alone = programme.login.person.registration == "self"
    if alone and "real_name_face" not in programme.activation.methods:
        return [
            "activation.methods: 'real_name_face' is missing, people register themselves and nobody supplies a phone"
        ]
    return []


def _face_faults(programme: Programme) -> list[str]:
    faults = []
    purposes = [rule.purpose for rule in programme.face.purposes] if programme.face else []
    if len(set(purposes)) != len(purposes):
        faults.append("face.purposes: a purpose stands there twice")
    if "real_name_face" in programme.activation.methods and "activation" not in purposes:
        faults.append("face.purposes: 'activation' is missing, activation.methods offers 'real_name_face'")
    if programme.face and programme.authority.secrets.baidu is None:
        faults.append("authority.secrets.baidu: missing, there is a table face")
    if "activation" in purposes and programme.authority.face_plan is None:
        faults.append("authority.face_plan: missing, face.purposes names 'activation'")
    if "sms_to_supplied_phone" in programme.activation.methods and (
        programme.authority.secrets.tencent_sms is None or programme.authority.sms.templates.activation_code is None
    ):
        faults.append(
            "authority.sms.templates.activation_code: its template, or authority.secrets.tencent_sms, is missing"
        )
    return faults


def _kind_faults(programme: Programme, codes: set[str]) -> list[str]:
    """Rules for some kinds of certificate name kinds that exist."""
    named: list[tuple[str, tuple[str, ...] | None]] = []
    for who, rule in (("person", programme.login.person), ("enterprise", programme.login.enterprise)):
        for first in rule.first_passwords if rule else ():
            named.append((f"login.{who}.first_passwords", first.certificate_kinds))
    if programme.practice:
        named.append(("practice.certificate_kinds", programme.practice.certificate_kinds))
    for key in ("extension", "make_up", "renewal"):
        if rule := getattr(programme, key):
            named.append((f"{key}.certificate_kinds", rule.certificate_kinds))
    for contacts in programme.authority.contacts_for_kinds or ():
        named.append(("authority.contacts_for_kinds", contacts.certificate_kinds))
    return [
        f"{key}: no kind of certificate has the code {code!r}"
        for key, kinds in named
        for code in kinds or ()
        if code not in codes
    ]
