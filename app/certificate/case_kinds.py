"""What staff look at about proofs."""

from __future__ import annotations

import json

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, noted
from app.cases.models import Case
from app.certificate import queries, service
from app.core.staff import Right


def _evidence(case: Case) -> Evidence:
    row = queries.by_id(case.subject.removeprefix("proof:"))
    return Evidence(
        (
            Fact("印不出的字（国际编码）", str(json.loads(case.facts)["codes"]), bad=True),
            Fact("证明编号", row.number or "未出具"),
        )
    )


def _differs(case: Case) -> Evidence:
    row = queries.by_id(case.subject.removeprefix("proof:"))
    return Evidence(
        (
            Fact("证明上不同的", str(json.loads(case.facts)["differs"]), bad=True),
            Fact("证明编号", row.number or "未出具"),
        )
    )


def _revoke(deed: Deed) -> None:
    proof_id = deed.case.subject.removeprefix("proof:")
    service.revoke(proof_id, "身份信息更正", actor=deed.actor, now=deed.now)


KINDS = (
    Kind(
        name="certificate.identity_differs",
        title="证明与更正后的身份不一致",
        what="学员的姓名或身份证号更正了，已出具的证明仍是原来的文字。请按主管部门的要求保留，或撤销这份证明。",
        right=Right.SUPPORT,
        working_days=3,
        evidence=_differs,
        decisions=(
            noted("keep", "证明保留，已按规定说明"),
            Decision("revoke", "撤销这份证明", _revoke, tone="bad", note_needed=True, second_look=True),
        ),
    ),
    Kind(
        name="proof_name_unwritable",
        title="证明上有印不出的字",
        what="姓名中有字库没有的字，证明上以国际编码标出并加注，不影响效力。请核对姓名是否正确。",
        right=Right.SUPPORT,
        working_days=5,
        evidence=_evidence,
        decisions=(noted(label="已核对，结案"),),
    ),
)
