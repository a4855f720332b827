"""Providers in trouble during a journey: each is slow, fails or lies for a while, and the trainee arrives even so.

The sandbox does the mischief. What it does to us, and what a person does about it:
slow: some answers come late, some too late for us: what they did is in doubt, and the same is asked for again;
failing: errors, cut lines, lost notifications: a code that never comes is asked for again after its minute, a face is
shown again, a payment is found by our own question;
lying: wrong signatures, a wrong amount, garbage, an SMS reported as lost: nothing of it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ops.client import Client, Surprise

PATIENCE = 60.0  # seconds during which the trainee tries again


@dataclass(frozen=True)
class Blow:
    """From the step `step` on, `times` calls of the provider's `operation` meet `kind` (see sandbox/knobs.py)."""

    step: str
    provider: str
    operation: str
    kind: str
    value: Any = None
    times: int = 1


# a channel's provider, and its operation that makes a payment (a redirect has none)
PAYING: dict[str, tuple[str, str | None]] = {
    "wechat_native": ("wechatpay", "native"),
    "wechat_jsapi": ("wechatpay", "jsapi"),
    "alipay_qr": ("alipay", "precreate"),
    "alipay_wap": ("alipay", None),
    "unionpay_b2c": ("unionpay", None),
}
PAY, CREATE = "the channel's provider", "create"
ONE_FEN = {
    "amount": {"total": 1, "payer_total": 1},
    "total_amount": "0.01",
    "txnAmt": "1",
}  # told by a letter with a wrong signature

KINDS: dict[str, tuple[Blow, ...]] = {
    "slow": (
        Blow("短信激活", "sms", "send", "delay_after", 5),
        Blow("短信激活", "sms", "pull", "delay", 2),
        Blow("实名核验", "baidu", "liveness", "delay_after", 5),
        Blow("实名核验", "baidu", "person_verify", "delay", 2),
        Blow("缴费", "wechat", "code2session", "delay", 2),
        Blow("缴费", PAY, CREATE, "delay_after", 5),
        Blow("缴费", PAY, "query", "delay", 2, 3),
        Blow("缴费", PAY, "notify", "delay", 20),
        Blow("学习", "baidu", "match", "delay", 2),
    ),
    "failing": (
        Blow("短信激活", "sms", "send", "error", 500),
        Blow("短信激活", "sms", "pull", "error", "InternalError.Timeout", 2),
        Blow("实名核验", "baidu", "token", "error", 503),
        Blow("实名核验", "baidu", "liveness", "error", "18"),
        Blow("实名核验", "baidu", "person_verify", "reset_after"),
        Blow("缴费", "wechat", "code2session", "error", 500),
        Blow("缴费", PAY, CREATE, "error", 503),
        Blow("缴费", PAY, CREATE, "reset_after"),
        Blow("缴费", PAY, "query", "error", 500),
        Blow("缴费", PAY, "notify", "lost"),
        Blow("学习", "baidu", "match", "error", 500, 2),
    ),
    "lying": (
        Blow("短信激活", "sms", "send", "undelivered", "UNDELIV"),
        Blow("短信激活", "sms", "pull", "garbage"),
        Blow("实名核验", "baidu", "liveness", "garbage"),
        Blow("实名核验", "baidu", "person_verify", "garbage"),
        Blow("缴费", "wechat", "code2session", "garbage"),
        Blow("缴费", PAY, CREATE, "forged"),
        Blow("缴费", PAY, "notify", "forged"),
        Blow("缴费", PAY, "notify", "alter", ONE_FEN),
        Blow("缴费", PAY, "query", "forged"),
        Blow("缴费", PAY, "query", "garbage"),
        Blow("学习", "baidu", "match", "garbage"),
    ),
}
# an invoice is issued working days after the journey: only an experiment that passes the days goes there
LATER: dict[str, tuple[Blow, ...]] = {
    "slow": (
        Blow("开票", "invoice", "issue", "delay_after", 5),
        Blow("开票", "invoice", "query", "delay", 2),
        Blow("开票", "invoice", "pdf", "delay", 2),
    ),
    "failing": (
        Blow("开票", "invoice", "issue", "error", 500),
        Blow("开票", "invoice", "query", "reset"),
        Blow("开票", "invoice", "pdf", "error", 503),
    ),
    "lying": (
        Blow("开票", "invoice", "issue", "garbage"),
        Blow("开票", "invoice", "query", "garbage"),
        Blow("开票", "invoice", "pdf", "garbage"),
    ),
}
PROVIDERS = ("alipay", "baidu", "sms", "unionpay", "wechat", "wechatpay")


def blows(kind: str, channel: str, provider: str | None) -> tuple[Blow, ...]:
    """The blows of `kind` that a journey paid by `channel` meets, of all providers on its way or of one."""
    name, create = PAYING[channel]
    known = [replace(blow, provider=name) if blow.provider == PAY else blow for blow in KINDS[kind]]
    named = [replace(blow, operation=create or "") if blow.operation == CREATE else blow for blow in known]
    on_the_way = {"sms", "baidu", name} | ({"wechat"} if channel == "wechat_jsapi" else set())
    wanted = on_the_way & {provider} if provider else on_the_way
    return tuple(blow for blow in named if blow.provider in wanted and blow.operation)


class Trouble:
    """Puts blows into the sandbox as the journey's steps begin."""

    def __init__(self, sandbox: Client, blows: Sequence[Blow]):
        self._sandbox = sandbox
        self._blows = blows
        self._placed: list[dict[str, Any]] = []

    def begin(self, step: str) -> None:
        """A step of the journey begins."""
        for blow in self._blows:
            if blow.step == step:
                knob = {name: value for name, value in asdict(blow).items() if name != "step"}
                self._placed.append(self._sandbox.post("/_knobs", knob))

    def end(self) -> None:
        """The journey has arrived. Raises `Surprise` for blows that nobody met: then it has shown nothing."""
        untouched = [knob for knob in self._sandbox.get("/_knobs") if knob in self._placed]
        if untouched or len(self._placed) != len(self._blows):
            names = ", ".join(f"{knob['provider']} {knob['operation']} {knob['kind']}" for knob in untouched)
            raise Surprise(
                f"{len(self._placed)} of {len(self._blows)} troubles were dealt; not met: {names or 'none'}"
            )
