"""Enrolments, the orders that pay for them, and what happened to both; the way on to a proof."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.certificate import number as proof_number
from app.certificate.models import Proof
from app.core.clock import shanghai
from app.enrol.models import Enrolment, EnrolmentEvent
from app.exam.models import Attempt
from app.exam.scoring import KeyItem, pack_answers, pack_key
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.service import trade_no
from app.study.models import LessonProgress, progress_id
from bench.big.copying import Table, ready
from bench.big.draw import CHANNEL_WEIGHTS, CHANNELS, Draw, sealed
from bench.big.people import Someone

YEAR = 365
UNPAID_SHARE, REFUND_SHARE = 0.06, 0.015
CHUNKS = 180  # of a lesson
_KEY = pack_key([KeyItem("single", 2, 4, 1)] * 50)
_ANSWERS = pack_answers([])


Paid = tuple[str, str, str]  # a payment of the last weeks, its person, its programme
Lessons = dict[tuple[str, str], list[str]]  # by programme and kind


class Money:
    """Each person has three or four orders, of which most were paid; those of the last half hour may still wait."""

    def __init__(self, draw: Draw, lessons: Lessons):
        self._draw, self._lessons = draw, lessons
        self.paid: list[Paid] = []
        self.order = Table(
            Order,
            "id person_id programme version status amount_fen expires_at created_at paid_at closed_at "
            "paid_attempt_id attempts",
        )
        self.line = Table(OrderLine, "id order_id sku open_sku title amount_fen")
        self.attempt = Table(
            PaymentAttempt,
            "id order_id channel authority out_trade_no status amount_fen captured_fen refunded_fen transaction_id "
            "created_at paid_at closed_at ask_at",
        )
        self.refund = Table(
            Refund, "id order_id attempt_id out_refund_no amount_fen reason status created_at succeeded_at"
        )
        self.event = Table(PaymentEvent, "id order_id kind subject_id action before after at evidence")
        self.enrolment = Table(
            Enrolment,
            "id person_id programme version kind_code roster_entry_id open_entry_id status order_id signed_up_at "
            "paid_at study_deadline passed_at completed_at",
        )
        self.step = Table(EnrolmentEvent, "id enrolment_id at action status reference")
        self.exam = Table(
            Attempt,
            "id enrolment_id person_id programme version kind_code subject number status started_at deadline "
            "accepts_until seen_at finished_at score passed key answers",
        )
        self.proof = Table(
            Proof,
            "id enrolment_id person_id programme version kind_code status number token name_sealed id_number_sealed "
            "earned_at looked_at issued_at",
        )
        self.progress = Table(
            LessonProgress,
            "id enrolment_id lesson_id person_id seconds chunk_seconds needed_chunks rate_percent bitmap "
            "credited_chunks position updated_at completed_at",
        )
        self.tables = (
            self.order, self.line, self.attempt, self.refund, self.event, self.enrolment, self.step, self.exam,
            self.proof, self.progress,
        )  # fmt: skip

    def of(self, who: Someone, orders: int) -> None:
        """So many orders of a person: one training a while ago, one that is younger."""
        since = max((self._draw.now - who.created_at).total_seconds() / 86400, 0.01)
        last = self._draw.ago(min(since, 2 * YEAR))
        entry, kind = who.entries[0]
        if orders > 2 and since > YEAR:
            first = self._draw.ago(since)
            self._training(who, entry, kind, min(first, last - timedelta(days=60)), orders - orders // 2, over=True)
            orders //= 2
            entry, kind = who.entries[-1]
        self._training(who, entry, kind, last, orders, over=False)

    def _training(self, who: Someone, entry: str, kind: str, at: datetime, orders: int, *, over: bool) -> None:
        """An enrolment whose last order counts; those before it were left unpaid."""
        draw, place, chance = self._draw, who.place, self._draw.chance
        row_id = draw.id(at)
        unpaid = not over and chance.random() < UNPAID_SHARE
        order_id, paid_at, when = None, None, at
        for number in range(orders):
            last = number == orders - 1
            order_id, paid_at = self._order(who, row_id, kind, when, last=last, pays=last and not unpaid)
            when = draw.after(when, 0.6, 4)
        self.step.add(draw.id(at), row_id, at, ready("sign_up"), ready("signed_up"), None)
        status, passed_at, completed_at, deadline = "signed_up", None, None, None
        if paid_at is not None:
            status, deadline = "studying", paid_at + timedelta(days=30)
            self.step.add(draw.id(paid_at), row_id, paid_at, ready("pay"), ready("studying"), order_id)
            status, passed_at, completed_at = self._way(who, row_id, kind, paid_at, over)
            if status == "studying" and deadline < draw.now:
                status = "lapsed"
                self.step.add(draw.id(deadline), row_id, deadline, ready("lapse"), ready("lapsed"), None)
        open_ = status in ("signed_up", "studying", "passed")
        self.enrolment.add(
            row_id,
            ready(who.id),
            ready(place.key),
            ready(place.version),
            ready(kind),
            entry,
            entry if open_ and not over else None,
            ready(status),
            order_id,
            at,
            paid_at,
            deadline,
            passed_at,
            completed_at,
        )

    def _order(
        self, who: Someone, enrolment: str, kind: str, at: datetime, *, last: bool, pays: bool
    ) -> tuple[str, datetime | None]:
        draw, place, chance = self._draw, who.place, self._draw.chance
        order_id, attempt_id = draw.id(at), draw.id(at)
        expires = at + timedelta(minutes=30)
        (channel,) = chance.choices(CHANNELS, CHANNEL_WEIGHTS)
        paid_at = draw.after(at, 0.02, 0.4) if pays else None
        waits = last and not pays and expires > draw.now
        status = "paid" if pays else "pending" if waits else "closed"
        closed_at = None if pays or waits else min(expires, draw.now)
        fee = place.fee_fen
        back = fee if pays and chance.random() < REFUND_SHARE else 0
        self.order.add(
            order_id,
            ready(who.id),
            ready(place.key),
            ready(place.version),
            ready(status),
            fee,
            expires,
            at,
            paid_at,
            closed_at,
            attempt_id if pays else None,
            1,
        )
        sku = ready(f"enrolment:{enrolment}")
        self.line.add(draw.id(at), order_id, sku, None if status == "closed" else sku, ready(f"{kind} 继续教育"), fee)
        transaction = f"{chance.getrandbits(80):024d}" if pays else None
        self.attempt.add(
            attempt_id,
            order_id,
            ready(channel),
            ready(f"{place.key}.{channel.partition('_')[0]}"),
            ready(trade_no(order_id, channel)),
            ready("paid" if pays else "waiting" if waits else "closed"),
            fee,
            fee if pays else None,
            back,
            transaction,
            at,
            paid_at,
            closed_at,
            draw.now if waits else None,
        )
        self._happened(order_id, attempt_id, at, paid_at, closed_at, transaction)
        if back and paid_at is not None:
            self._refund(order_id, attempt_id, back, draw.after(paid_at, 1, 200))
        if paid_at is not None and paid_at > draw.now - timedelta(days=20):
            self.paid.append((attempt_id, who.id, place.key))
        return order_id, paid_at

    def _happened(
        self,
        order_id: str,
        attempt_id: str,
        at: datetime,
        paid_at: datetime | None,
        closed_at: datetime | None,
        transaction: str | None,
    ) -> None:
        add, new = self.event.add, self._draw.id
        add(new(at), order_id, ready("attempt"), attempt_id, "open", "created", "waiting", at, "create")
        if paid_at is not None:
            said = f"transaction:{transaction}"
            add(new(paid_at), order_id, ready("attempt"), attempt_id, "pay", "waiting", "paid", paid_at, said)
            add(new(paid_at), order_id, ready("order"), order_id, "pay", "pending", "paid", paid_at, said)
        elif closed_at is not None:
            add(
                new(closed_at),
                order_id,
                ready("attempt"),
                attempt_id,
                "close",
                "waiting",
                "closed",
                closed_at,
                "query",
            )
            add(
                new(closed_at), order_id, ready("order"), order_id, "close", "closing", "closed", closed_at, "expired"
            )

    def _refund(self, order_id: str, attempt_id: str, fen: int, at: datetime) -> None:
        row_id = self._draw.id(at)
        done = self._draw.after(at, 0.01, 24)
        values = (
            order_id,
            attempt_id,
            ready(f"R{row_id}".upper()),
            fen,
            ready("agreed"),
            ready("succeeded"),
            at,
            done,
        )
        self.refund.add(row_id, *values)
        self.event.add(
            self._draw.id(at), order_id, ready("refund"), row_id, "succeed", "processing", "succeeded", done, "query"
        )

    def _way(
        self, who: Someone, row_id: str, kind: str, paid_at: datetime, over: bool
    ) -> tuple[str, datetime | None, datetime | None]:
        """Study, exam, proof: as far as they came. Gives the status and when they passed and had the proof."""
        draw, chance, place = self._draw, self._draw.chance, who.place
        days = (draw.now - paid_at).total_seconds() / 86400
        if chance.random() < 0.25:
            self._study(who, row_id, kind, draw.after(paid_at, 2, 24 * 20), whole=chance.random() < 0.8)
        if days < 3 or chance.random() < 0.15:
            return "studying", None, None
        sat = draw.after(paid_at, 48, 24 * 28)
        passes = chance.random() < 0.9
        score = chance.randrange(60, 101) if passes else chance.randrange(20, 60)
        attempt = draw.id(sat)
        common = (ready(who.id), ready(place.key), ready(place.version), ready(kind))
        ends = sat + timedelta(minutes=90)
        self.exam.add(
            attempt, row_id, *common, ready(kind), 1, ready("handed_in"), sat, ends, ends, sat,
            sat + timedelta(minutes=40), score, passes, _KEY, _ANSWERS,
        )  # fmt: skip
        if not passes:
            return "studying", None, None
        passed_at = sat + timedelta(minutes=40)
        self.step.add(draw.id(passed_at), row_id, passed_at, ready("pass"), ready("passed"), attempt)
        if chance.random() < 0.03:
            return "passed", passed_at, None
        at = passed_at + timedelta(seconds=20)
        self._proof(who, row_id, common, at, over)
        self.step.add(draw.id(at), row_id, at, ready("complete"), ready("completed"), None)
        return "completed", passed_at, at

    def _proof(self, who: Someone, enrolment: str, common: tuple[str, ...], at: datetime, over: bool) -> None:
        draw = self._draw
        row_id = draw.id(at)
        self.proof.add(
            row_id, enrolment, *common, ready("valid"),
            ready(proof_number.make(shanghai(at).date(), who.number * 2 + over)),
            ready(f"{draw.chance.getrandbits(128):032x}"),
            sealed("proof.name", row_id, who.name), sealed("proof.id_number", row_id, who.id_number), at, at, at,
        )  # fmt: skip

    def _study(self, who: Someone, enrolment: str, kind: str, at: datetime, *, whole: bool) -> None:
        for lesson in self._lessons.get((who.place.key, kind), ()):
            chunks = CHUNKS if whole else self._draw.chance.randrange(1, CHUNKS)
            bits = bytes([255] * (chunks // 8)) + bytes([255 << (8 - chunks % 8) & 255] if chunks % 8 else [])
            self.progress.add(
                ready(progress_id(enrolment, lesson)), enrolment, lesson, ready(who.id), CHUNKS * 10, 10, CHUNKS, 100,
                bits, chunks, chunks * 10, at, at if whole else None,
            )  # fmt: skip
