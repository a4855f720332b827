"""The lists that staff take away: who may have which, and its rows, page by page. Personal data is masked unless the
list was asked for in the clear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from app.account import service as account
from app.account.models import Person
from app.cases import kinds
from app.cases import queries as cases
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.logging import redact_text
from app.core.money import yuan
from app.core.staff import EVERYWHERE, Right, Staff
from app.core.table_file import Cell
from app.enrol import queries as enrolments
from app.enrol.models import Enrolment
from app.pay import queries as orders
from app.pay.models import Order
from app.policy import load as policy
from app.staff import service as staff_service

PAGE = 1_000
Row = Case | Enrolment | Order
Page = Callable[[tuple[datetime, str]], Sequence[Row]]


@dataclass(frozen=True)
class Wanted:
    """What of a list: of which programme (EVERYWHERE: of all that the staff may see), filed, signed up or ordered
    from `since` until before `until`; `clear`: unmasked."""

    programme: str
    since: datetime
    until: datetime
    clear: bool


@dataclass(frozen=True)
class List:
    """`rights`: one of them is needed in the programme (none named: those of the kinds of cases). `page(staff,
    wanted, after)` gives the rows beyond a place, `moment` a row's place in time, `cells` what is told of a page."""

    title: str
    rights: tuple[Right, ...]
    columns: tuple[str, ...]
    page: Callable[[Staff, Wanted, tuple[datetime, str]], Sequence[Row]]
    moment: Callable[[Any], datetime]
    cells: Callable[[Sequence[Any], bool], Iterator[Sequence[Cell]]]


def programmes_of(staff: Staff, rights: Collection[Right]) -> set[str]:
    """The programmes in which the staff have one of these rights."""
    mine = set().union(*(staff.programmes(right) for right in rights))
    every = {one.key for one in policy.all_programmes()}
    return every if EVERYWHERE in mine else mine & every


def places(staff: Staff, what: List) -> set[str]:
    """Of which programmes they may have this list."""
    return programmes_of(staff, what.rights or {kind.right for kind in cases.of_staff(staff)})


def _where(staff: Staff, rights: Collection[Right], wanted: Wanted) -> set[str]:
    mine = programmes_of(staff, rights)
    return mine if wanted.programme == EVERYWHERE else mine & {wanted.programme}


def rows(staff: Staff, what: List, wanted: Wanted) -> Iterator[Sequence[Cell]]:
    """The list, row by row; a page at a time is read."""
    after = (wanted.since, "")
    while found := what.page(staff, wanted, after):
        yield from what.cells(found, wanted.clear)
        if len(found) < PAGE:
            return
        after = (what.moment(found[-1]), str(found[-1].id))


def _day(moment: datetime | None) -> str:
    return f"{shanghai(moment):%Y-%m-%d %H:%M}" if moment is not None else ""


def _title(key: str | None) -> str:
    found = [one.title for one in policy.all_programmes() if one.key == key]
    return found[-1] if found else ""


def _people(ids: Collection[str | None], clear: bool) -> dict[str | None, tuple[str, str, str]]:
    """Name, ID number and phone by person."""
    shown: list[Callable[[str | None], str | None]] = [mask_name, mask_id_number, mask_phone]

    def told(person: Person) -> tuple[str, str, str]:
        values = (person.name, person.id_number, person.phone)
        one, two, three = (value if clear else mask(value) for mask, value in zip(shown, values, strict=True))
        return one or "", two or "", three or ""

    return {person.id: told(person) for person in account.people([one for one in ids if one is not None])}


_NOBODY = ("", "", "")
CASE_STATUS = {"open": "待办", "second_look": "待复核", "waiting": "等待结果", "decided": "已办结"}
ENROLMENT_STATUS = {
    "signed_up": "待缴费", "studying": "学习中", "passed": "已合格", "completed": "已完成", "lapsed": "已过期",
}  # fmt: skip
ORDER_STATUS = {"pending": "待支付", "closing": "关闭中", "paid": "已支付", "closed": "已关闭"}


def _case_page(staff: Staff, wanted: Wanted, after: tuple[datetime, str]) -> Sequence[Row]:
    period = {"since": wanted.since, "until": wanted.until}
    return cases.filed(staff, wanted.programme, after=after, limit=PAGE, **period)


def _case_cells(page: Sequence[Case], clear: bool) -> Iterator[Sequence[Cell]]:
    people = _people([case.person_id for case in page], clear)
    names = staff_service.names({case.decided_by or "" for case in page})
    for case in page:
        kind = kinds.of(case.kind)
        name, id_number, phone = people.get(case.person_id, _NOBODY)
        yield (
            case.id, kind.title if kind else case.kind, _title(case.programme), name, id_number, phone,
            CASE_STATUS[case.status], _day(case.filed_at), _day(case.due_at),
            (case.decision or "") if clear else redact_text(case.decision or ""),
            names.get(case.decided_by or "", ""), _day(case.decided_at),
        )  # fmt: skip


def _enrolment_page(
    rights: Collection[Right], staff: Staff, wanted: Wanted, after: tuple[datetime, str]
) -> Sequence[Row]:
    mine = _where(staff, rights, wanted)
    return enrolments.signed_up(mine, since=wanted.since, until=wanted.until, after=after, limit=PAGE)


def _enrolment_cells(page: Sequence[Enrolment], clear: bool) -> Iterator[Sequence[Cell]]:
    people = _people({row.person_id for row in page}, clear)
    for row in page:
        name, id_number, phone = people.get(row.person_id, _NOBODY)
        yield (
            row.id, _title(row.programme), row.kind_code, name, id_number, phone,
            ENROLMENT_STATUS.get(row.status, row.status), _day(row.signed_up_at), _day(row.paid_at),
            _day(row.study_deadline), _day(row.passed_at), _day(row.completed_at),
        )  # fmt: skip


def _order_page(
    rights: Collection[Right], staff: Staff, wanted: Wanted, after: tuple[datetime, str]
) -> Sequence[Row]:
    mine = _where(staff, rights, wanted)
    return orders.ordered(mine, since=wanted.since, until=wanted.until, after=after, limit=PAGE)


def _order_cells(page: Sequence[Order], clear: bool) -> Iterator[Sequence[Cell]]:
    people = _people({order.person_id for order in page}, clear)
    kept = orders.kept_attempts(page)
    for order in page:
        name, id_number, phone = people.get(order.person_id, _NOBODY)
        attempt = kept.get(order.id)
        yield (
            order.id, _title(order.programme), name, id_number, phone, yuan(order.amount_fen),
            ORDER_STATUS.get(order.status, order.status), _day(order.created_at), _day(order.paid_at),
            orders.CHANNEL_TITLES.get(attempt.channel, attempt.channel) if attempt else "",
            attempt.out_trade_no if attempt else "", (attempt.transaction_id or "") if attempt else "",
            yuan(attempt.refunded_fen or 0) if attempt else "",
        )  # fmt: skip


_ENROLMENT_RIGHTS = (Right.TEACHING, Right.SUPPORT)
_ORDER_RIGHTS = (Right.FINANCE,)
LISTS = {
    "cases": List(
        "工作件",
        (),
        (
            "编号", "队列", "项目", "姓名", "证件号码", "手机号", "状态", "提交时间", "应办结", "决定", "办理人",
            "办结时间",
        ),
        _case_page,
        lambda case: case.filed_at,
        _case_cells,
    ),
    "enrolments": List(
        "报名",
        _ENROLMENT_RIGHTS,
        (
            "报名编号", "项目", "证书类别", "姓名", "证件号码", "手机号", "状态", "报名时间", "缴费时间", "学习截止",
            "合格时间", "完成时间",
        ),
        partial(_enrolment_page, _ENROLMENT_RIGHTS),
        lambda row: row.signed_up_at,
        _enrolment_cells,
    ),
    "orders": List(
        "订单",
        _ORDER_RIGHTS,
        (
            "订单号", "项目", "姓名", "证件号码", "手机号", "金额（元）", "状态", "下单时间", "支付时间", "支付方式",
            "商户单号", "平台流水号", "已退（元）",
        ),
        partial(_order_page, _ORDER_RIGHTS),
        lambda order: order.created_at,
        _order_cells,
    ),
}  # fmt: skip
