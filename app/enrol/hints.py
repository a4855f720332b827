"""Sentences for the screen that carry the programme's numbers and telephones."""

from __future__ import annotations

from dataclasses import dataclass

from app.enrol.errors import REFUSALS
from app.policy import rules
from app.policy.schema import Programme


@dataclass(frozen=True)
class Hint:
    """Something to tell the person: a stable code, and a sentence that says what to do next."""

    code: str
    sentence: str


def refusal_sentence(programme: Programme, code: str, kind_code: str) -> str:
    """The sentence of a refusal, with the programme's numbers, for a kind of certificate."""
    phone = rules.contacts(programme, kind_code).sign_up
    days = programme.sign_up.expired_refuse_after_days
    if code == "certificate_expired_too_long":
        return f"证书到期已超过 {days} 天，不能网上报名缴费。请拨打 {phone} 咨询如何重新取证。"
    return f"{REFUSALS[code].sentence.rstrip('。')}；如有疑问请拨打 {phone}。"


def warning_hint(programme: Programme, code: str, kind_code: str) -> Hint:
    """The sentence of a warning (a code of `rules.SignUpWarning`), to be shown before paying."""
    phone = rules.contacts(programme, kind_code).renewal
    kept = "，缴费后不退" if programme.fee and not programme.fee.refundable_after_success else ""
    sentences = {
        "certificate_void": f"证书到期未换证，已经失效，学完也不能再换证{kept}。请先拨打 {phone} 确认再缴费。",
        "certificate_expired": f"证书已经到期，请尽快学完、考完，并在换证期内办理换证。咨询电话 {phone}。",
        "certificate_expires_soon": f"证书快到期了，请在到期前学完、考完并换证，过期即失效。咨询电话 {phone}。",
    }
    return Hint(code, sentences[code])


def terms(programme: Programme) -> list[str]:
    """What to know before paying: how long there is to pay, whether it can be had back, when the invoice comes.
    Yunnan manual, step 2 (二) 3–4 and (三) 3."""
    fee, rule = programme.fee, programme.invoice
    if fee is None:
        return []
    phone = programme.authority.contacts.payment
    kept = f"缴费成功后可以申请退款，请拨打 {phone}。"
    said = [
        f"提交订单后请在 {fee.order_minutes} 分钟内付款，过时订单自动关闭，可以重新提交。",
        kept if fee.refundable_after_success else "缴费成功后不退费，请核对证书无误再付款。",
    ]
    if rule is None:
        return [*said, "这个项目不开具发票。"]
    days = f"{rule.after_payment.at_least} 至 {rule.after_payment.at_most} 个工作日"
    if rule.issued == "automatic":
        said.append(f"电子发票自动开具，付款后 {days}可以在“发票”里下载。")
    else:
        said.append(f"需要发票的，付款后在“发票”里申请，申请后 {days}开具。")
    if rule.details_fixed_once_paid:
        said.append("付款后开票信息不能再改，请先核对。")
    return said
