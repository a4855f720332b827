"""Rosters of made-up people, for demonstrations and for tests of large files: `python -m ops.manage make-roster`.

Names, numbers and certificates are drawn from a seed. The ID numbers have valid checksums and birthdays; their area
codes are Yunnan's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from app.account.id_number import check_character
from app.core.sheet import write_rows
from app.enrol.roster.rows import COLUMNS
from app.policy.schema import Programme

_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志春红海燕德福文学光荣永贵"
_RARE = "喆堃玥犇淼翀昶珺祎旻㛃䶮𬭼𫍯𠅤"  # characters that old systems lose: extension A and the planes beyond
_MINORITY = ("买买提", "阿卜杜拉", "迪丽热巴", "艾合买提", "扎西", "岩温", "罕玉", "玉香")
_MINORITY_LAST = ("吾守尔", "热合曼", "司马义", "次仁", "扁", "叫")
_AREAS = ("530102", "530103", "530111", "530302", "530402", "530502", "530602", "532301", "532501", "532901")


@dataclass(frozen=True)
class MadeUp:
    """One line of a roster, in the order of its columns."""

    name: str
    id_number: str
    phone: str
    kind: str
    certificate_no: str
    issued_on: date
    expires_on: date

    def cells(self) -> list[str]:
        days = [self.issued_on.isoformat(), self.expires_on.isoformat()]
        return [self.name, self.id_number, self.phone, self.kind, self.certificate_no, *days]


def id_number(area: str, born: date, serial: int) -> str:
    """The 18 characters of an ID number with its check character; `serial` 1–999."""
    body = f"{area}{born:%Y%m%d}{serial:03d}"
    return body + check_character(body)


def people(programme: Programme, count: int, *, today: date, seed: int = 1, first: int = 0) -> Iterator[MadeUp]:
    """`count` lines with different people and certificates, most of which expire in the months after `today`; the
    same ones each time, and other people for another range of numbers from `first` on. Every tenth person belongs to
    a minority, every twentieth has a rare character."""
    draw = random.Random(seed)  # noqa: S311 nothing secret
    kinds = [kind for kind in programme.certificate_kinds if "continuing" in kind.business]
    for number in range(first, first + count):
        # serial and area tell 9,990 people apart, a year of birth of their own the next ones: up to 59,940
        born = date(1965 + 6 * draw.randrange(6) + number // 9990 % 6, draw.randint(1, 12), draw.randint(1, 28))
        area = _AREAS[number // 999 % len(_AREAS)]
        kind = kinds[draw.randrange(len(kinds))]
        expires = today + timedelta(days=draw.randrange(20, 180))
        yield MadeUp(
            name=_name(draw, number),
            id_number=id_number(area, born, number % 999 + 1),
            phone=f"1{draw.choice('35789')}{draw.randrange(10):d}{number:08d}",
            kind=kind.title,
            certificate_no=f"滇{kind.code}({expires.year - 2}){number + 1:07d}",
            issued_on=expires - timedelta(days=730),
            expires_on=expires,
        )


def _name(draw: random.Random, number: int) -> str:
    if number % 10 == 7:
        return f"{draw.choice(_MINORITY)}·{draw.choice(_MINORITY_LAST)}"
    given = draw.choice(_RARE) if number % 20 == 3 else "".join(draw.choices(_GIVEN, k=draw.randint(1, 2)))
    return draw.choice(_FAMILY) + given


def write(path: Path, lines: list[MadeUp]) -> None:
    """A roster file of these lines, as the centre would hand it in."""
    write_rows(path, [list(COLUMNS), *(line.cells() for line in lines)], title="名单")
