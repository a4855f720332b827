"""What is drawn by chance, the same for each seed: people, moments, ids."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core import crypto
from app.core.ids import _EPOCH, _PAIRS
from app.policy import load as policy
from app.policy.schema import Programme
from bench.big.copying import ready

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志春红海燕德福文学光荣永贵"
WEIGHTS = {"yunnan": 45, "mohurd": 20, "henan": 15, "qiannan": 12, "yunnan-legacy": 8}
CHANNELS = ("wechat_native", "wechat_jsapi", "alipay_qr", "alipay_wap", "unionpay_b2c")
CHANNEL_WEIGHTS = (40, 22, 18, 12, 8)


@dataclass(frozen=True)
class Place:
    """A programme as the rows need it."""

    key: str
    version: str
    kinds: tuple[str, ...]
    fee_fen: int


def places() -> list[Place]:
    """The programmes that are open, in their last versions."""
    found = {one.key: one for one in policy.open_programmes() if one.key in WEIGHTS}
    return [_place(one) for one in found.values()]


def _place(one: Programme) -> Place:
    kinds = tuple(kind.code for kind in one.certificate_kinds)
    return Place(one.key, one.version.isoformat(), kinds, one.fee.amount_fen if one.fee else 20_000)


def _eight(number: int) -> str:
    """40 bits as eight characters of an id."""
    return f"{_PAIRS[number >> 30]}{_PAIRS[number >> 20 & 1023]}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}"


class Draw:
    """Chance by a seed, around one moment."""

    def __init__(self, seed: int, now: datetime):
        self.chance = random.Random(seed)
        self.now = now
        self._head: tuple[datetime | None, str] = (None, "")

    def ago(self, days: float, power: float = 1.0) -> datetime:
        """A moment of the last so many days; with a greater power sooner ago."""
        return self.now - timedelta(days=days * self.chance.random() ** power)

    def after(self, at: datetime, least: float, most: float) -> datetime:
        """So many hours later, and not after now."""
        return min(at + timedelta(hours=self.chance.uniform(least, most)), self.now)

    def id(self, at: datetime) -> str:
        """An id as `new_id` makes it at that moment."""
        if at is not self._head[0]:  # most moments need several
            head = int(at.timestamp() * 1000) - _EPOCH
            self._head = at, _eight(head)
        return ready(self._head[1] + _eight(self.chance.getrandbits(40)))

    def name(self) -> str:
        """A name of two or three characters."""
        pick = self.chance.choice
        return pick(FAMILY) + pick(GIVEN) + (pick(GIVEN) if self.chance.random() < 0.7 else "")


def sealed(what: str, row_id: str, value: str) -> str:
    """A value as `Sealed` keeps it in that row. Each is sealed for itself, since a ciphertext is bound to its row;
    with a few microseconds each that is no matter."""
    return ready(crypto.fields().seal(value, f"{what}.{row_id}"))


def index(what: str, value: str) -> str:
    """The keyed index of a value."""
    return ready(crypto.index(what, value))


def day_end(at: datetime, days: int) -> datetime:
    """The end of a day some days later, in Shanghai."""
    return datetime.combine((at + timedelta(hours=8, days=days)).date(), datetime.max.time(), UTC) - timedelta(
        hours=8
    )
