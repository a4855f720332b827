"""The tables of a programme file that say who acts: the authority, the kinds of certificate, the accounts.

Also the base of all tables and the value types. See `app.policy.schema` for how a file is read.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
SecretName = Annotated[str, Meta(pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
DayOfMonth = Annotated[int, Meta(ge=1, le=28)]
Percent = Annotated[int, Meta(ge=1, le=100)]

ActivationMethod = Literal["sms_to_supplied_phone", "real_name_face"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a programme file."""


# --- authority -------------------------------------------------------------------------------------------------


class SecretNames(Rule, frozen=True):
    """Under which names the providers' keys of this authority lie. Names of secrets, never secrets.
    A provider's adapter reads `<name>.<field>` from `config.settings.Secrets`."""

    wechat: SecretName | None  # the mini-program
    wechat_official: SecretName | None  # the official account
    wechatpay: SecretName | None
    alipay: SecretName | None
    unionpay: SecretName | None
    baidu: SecretName | None
    tencent_sms: SecretName | None
    invoice: SecretName | None
    roster: SecretName | None


class SmsTemplates(Rule, frozen=True):
    """The provider's template id of each message; `None`: this programme does not send it."""

    activation_code: Text | None
    password_reset_code: Text | None
    security_notice: Text | None  # a new device, a re-bound WeChat, a changed password
    payment_succeeded: Text | None
    refund_succeeded: Text | None
    invoice_ready: Text | None
    study_deadline_near: Text | None
    photo_decided: Text | None
    extension_decided: Text | None
    make_up_decided: Text | None
    exam_passed: Text | None
    hours_passed: Text | None
    hours_purged: Text | None
    ticket_answered: Text | None


class Quiet(Rule, frozen=True):
    """Hours, in Shanghai, in which nobody's phone rings for what can wait; over midnight if `ends` is the earlier."""

    begins: time
    ends: time

    def __post_init__(self) -> None:
        if self.begins == self.ends:
            raise ValueError('quiet hours that never begin, or never end: write "none", or two times')


class Sms(Rule, frozen=True):
    """`most_a_day`: of the messages that can wait, so many reach one phone on one day; the others come later."""

    sign: Text
    quiet: Quiet | None
    most_a_day: Positive
    templates: SmsTemplates


class WechatTemplate(Rule, frozen=True):
    """A subscribe message of the mini-program. `fields`: the template's keys, in the order of the message's
    parameters (those of the SMS of the same name)."""

    id: Text
    fields: Annotated[tuple[Annotated[str, Meta(pattern=r"^[a-z_]+[0-9]+$")], ...], Meta(min_length=1)]


class WechatTemplates(Rule, frozen=True):
    """The messages for which the mini-program asks leave; `None`: that one goes by SMS only. Codes and notices about
    the account are not among them: these go to the phone."""

    payment_succeeded: WechatTemplate | None
    refund_succeeded: WechatTemplate | None
    invoice_ready: WechatTemplate | None
    study_deadline_near: WechatTemplate | None
    photo_decided: WechatTemplate | None
    extension_decided: WechatTemplate | None
    make_up_decided: WechatTemplate | None
    exam_passed: WechatTemplate | None
    hours_passed: WechatTemplate | None
    hours_purged: WechatTemplate | None
    ticket_answered: WechatTemplate | None


class Contacts(Rule, frozen=True):
    """The telephone number to show beside a trouble of each topic."""

    sign_up: Text
    login: Text
    payment: Text
    payment_technical: Text
    invoice: Text
    photo: Text
    face: Text
    study: Text
    exam: Text
    extension: Text
    make_up: Text
    renewal: Text


class KindContacts(Contacts, frozen=True):
    """The telephone numbers for some kinds of certificate, where they have others."""

    certificate_kinds: Annotated[tuple[Code, ...], Meta(min_length=1)]


class Authority(Rule, frozen=True):
    """In whose name the programme runs: whose merchant, seller, signature, face plan, telephone numbers."""

    name: Text
    site: Text | None
    seller: Text
    regulator: Text
    regulator_site: Text | None
    face_plan: Text | None
    secrets: SecretNames
    sms: Sms
    wechat_templates: WechatTemplates
    contacts: Contacts
    contacts_for_kinds: tuple[KindContacts, ...] | None


# --- who and what ------------------------------------------------------------------------------------------------


class Subject(Rule, frozen=True):
    code: Code
    title: Text


class CertificateKind(Rule, frozen=True):
    """A kind of certificate that can be signed up for. `group` is the entry of the menu it stands under; `family`
    joins sub-kinds of which one has to be ticked. The exam has one paper and its own attempts per subject.
    `business`: what can be done with it, `practice` being nothing but practising."""

    code: Code
    title: Text
    group: Text
    family: Text | None
    business: Annotated[tuple[Literal["continuing", "new", "practice"], ...], Meta(min_length=1)]
    subjects: Annotated[tuple[Subject, ...], Meta(min_length=1)]


class FixedPassword(Rule, frozen=True, tag="fixed", tag_field="kind"):
    value: Text


class LastOfAccount(Rule, frozen=True, tag="last_of_account", tag_field="kind"):
    characters: Positive


class MobileNumber(Rule, frozen=True, tag="mobile_number", tag_field="kind"):
    """The first password is the mobile number that was registered."""


class OwnPassword(Rule, frozen=True, tag="own", tag_field="kind"):
    """There is no first password: the person chose one when registering."""


class FirstPassword(Rule, frozen=True):
    """The first password for holders of some kinds of certificate (`None`: for all others)."""

    certificate_kinds: tuple[Code, ...] | None
    rule: FixedPassword | LastOfAccount | MobileNumber | OwnPassword


class LoginRule(Rule, frozen=True):
    """How one sort of account comes to be and signs in: `registration` is by the roster that is handed over,
    or people register themselves. Of `first_passwords` the first one that fits counts. A first password alone
    never opens an account: see `Activation`."""

    account: Literal["id_number", "taxpayer_number"]
    registration: Literal["roster", "self"]
    first_passwords: Annotated[tuple[FirstPassword, ...], Meta(min_length=1)]
    first_login: tuple[
        Literal["change_password", "personal_details", "invoice_details", "enterprise", "photo", "confirm"], ...
    ]


class Login(Rule, frozen=True):
    person: LoginRule
    enterprise: LoginRule | None


class Activation(Rule, frozen=True):
    methods: Annotated[tuple[ActivationMethod, ...], Meta(min_length=1)]
