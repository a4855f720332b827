"""The schema holds the rules of the other four manuals without a line of code for one of them. These are not their
files: where a manual says nothing, yunnan's values stand in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from app.core.clock import SHANGHAI
from app.policy import load, rules
from app.policy.schema import Programme


def at(text: str) -> datetime:
    """'2021-01-02 03:04:05' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def kind(code: str, title: str, *business: str) -> dict[str, Any]:
    return {
        "code": code,
        "title": title,
        "group": "三类人员",
        "family": "none",
        "business": list(business),
        "subjects": [{"code": code, "title": title}],
    }


def no_side_paths(document: dict[str, Any]) -> None:
    for name in ("extension", "make_up", "renewal"):
        document[name] = "none"


@pytest.fixture
def older_yunnan(document: dict[str, Any]) -> Programme:
    """Two first passwords, uploaded forms, renewal up to three months after the expiry, for some kinds only."""
    document["key"] = "yunnan-legacy"
    document["login"]["person"]["first_passwords"] = [
        {"certificate_kinds": ["C1", "C2", "C3", "TJ", "XHG"], "rule": {"kind": "last_of_account", "characters": 6}},
        {"certificate_kinds": "none", "rule": {"kind": "fixed", "value": "12345678"}},
    ]
    document["photo"]["size"] = "half_length"
    document["study"]["clients"] = ["app"]
    document["extension"]["form"] = document["make_up"]["form"] = "uploaded"
    document["proof"]["title"] = "回执"
    document["renewal"] |= {"months_after": 3, "by": "receipt_upload", "certificate_kinds": ["A", "B", "ZL"]}
    return load.parse(document, "yunnan-legacy")


@pytest.fixture
def henan(document: dict[str, Any]) -> Programme:
    """Signed up by certificate number or for a new one, reviewed photos, the exam at a centre, nothing to pay."""
    no_side_paths(document)
    document |= {"key": "henan", "stages": ["sign_up", "photo", "study", "exam"]}
    document |= {"fee": "none", "invoice": "none", "face": "none", "exam": "none", "proof": "none"}
    document["study"]["period"] = {"kind": "calendar_year"}
    document["centre_exam"] = {"prints": ["sign_up_form", "promise", "admission_ticket"], "result_confirmed": True}
    document["activation"]["methods"] = ["sms_to_supplied_phone"]
    document["login"]["enterprise"] = "none"
    document["login"]["person"] |= {
        "first_login": ["personal_details"],
        "first_passwords": [{"certificate_kinds": "none", "rule": {"kind": "own"}}],
    }
    document["photo"] |= {"reviewed": True, "changed_by": "trainee_when_returned"}
    document["sign_up"] |= {
        "by": ["person"],
        "source": "certificate_number",
        "withdrawable_until": "confirmed",
        "new_certification_steps": [
            "commitments", "employment", "city", "institution", "post", "resume", "promise",
            "id_card_front", "id_card_back", "diploma",
        ],
    }  # fmt: skip
    return load.parse(document, "henan")


@pytest.fixture
def qiannan(document: dict[str, Any]) -> Programme:
    """Monthly windows, reviewed materials, 40 hours, sittings, practice for special trades."""
    no_side_paths(document)
    document["key"] = "qiannan"
    document["stages"] = ["sign_up", "materials", "payment", "study", "exam", "proof"]
    document |= {"photo": "none", "invoice": "none"}
    document["sign_up"] |= {
        "by": ["person"],
        "source": "registered_enterprise",
        "window": {
            "kind": "monthly",
            "opens_day": 1,
            "opens_at": time(9),
            "closes_day": 22,
            "closes_at": time(17),
            "exam_months": ["this", "next"],
        },
        "materials": {"formats": ["pdf", "doc", "docx"], "max_bytes": 2 * 1024 * 1024},
    }
    document["authority"]["secrets"]["alipay"] = "qiannan.alipay"
    document["fee"]["channels"]["web"] = ["wechat_native", "alipay_qr"]
    document["study"] |= {
        "period": {
            "kind": "until_before_exam",
            "opens_day": 1,
            "opens_at": time(9),
            "days_before": 1,
            "closes_at": time(12),
        },
        "class_hours": {"total": 40, "general": 0, "general_counts_again_in_year": False},
    }
    document["exam"]["sittings"] = {"opens_day": 20, "opens_at": time(9), "days_before": 1, "closes_at": time(12)}
    document["certificate_kinds"] = [
        kind("A", "安全员A类", "new", "continuing"),
        kind("C3", "安全员C3", "new", "continuing"),
        kind("TZ", "特种作业", "continuing"),
    ]
    document["practice"] = {"certificate_kinds": ["TZ"]}
    return load.parse(document, "qiannan")


@pytest.fixture
def mohurd(document: dict[str, Any]) -> Programme:
    """A calendar year, 32 hours, captures, no limit of attempts, an audit after the exam, a photo at registration."""
    no_side_paths(document)
    document["key"] = "mohurd"
    document["stages"] = ["sign_up", "payment", "study", "exam", "hours_audit", "proof"]
    document["login"]["person"] |= {
        "first_login": ["personal_details", "photo"],
        "first_passwords": [{"certificate_kinds": "none", "rule": {"kind": "mobile_number"}}],
    }
    document["sign_up"] |= {"source": "national_register", "window": {"kind": "calendar_year", "years_back": 1}}
    document["fee"]["per"] = "order"
    document["invoice"]["issued"] = "on_request"
    document["photo"] |= {"changed_by": "nobody", "max_bytes": 80 * 1024}
    document["face"]["action_seconds"] = 3
    document["study"] |= {
        "period": {"kind": "calendar_year"},
        "class_hours": {"total": 32, "general": 10, "general_counts_again_in_year": True},
        "captures": {"per_hour_at_least": 2, "per_hour_at_most": 4, "minutes_apart": 8},
        "audit": {"takes": {"at_least": 3, "at_most": 5}, "purge_keeps_exam_score": True},
    }
    document["exam"] |= {"attempts": "none", "minutes": 60, "paper": [{"type": "single", "count": 50, "score": 2}]}
    document["proof"] |= {"title": "学时证明", "new_one_voids_old": True}
    return load.parse(document, "mohurd")


def test_the_older_yunnan_has_first_passwords_by_kind_and_a_late_renewal(older_yunnan: Programme) -> None:
    def password(*kinds: str) -> str | None:
        return rules.first_password(
            older_yunnan.login.person, account="530102199001011234", mobile=None, certificate_kinds=kinds
        )

    assert (password("TJ"), password("A")) == ("011234", "12345678")
    window = rules.renewal_window(older_yunnan, date(2021, 7, 1), kind="A")
    assert window == (date(2021, 4, 1), date(2021, 10, 1))
    assert rules.renewal_window(older_yunnan, date(2021, 7, 1), kind="TJ") is None


def test_henan_has_no_money_and_no_exam_of_its_own(henan: Programme) -> None:
    assert rules.next_stage(henan, "exam") is None
    assert rules.first_password(henan.login.person, account="4101", mobile="138", certificate_kinds=()) is None
    assert not rules.face_check_due(henan, "login", None, at("2021-01-01 00:00:00"))
    assert rules.make_up_refusal(henan, attempts_used=5, passed=False) == "no_make_up"
    now = at("2021-01-01 00:00:00")
    assert rules.extension_refusal(henan, deadline=now, passed=False, times_used=0, now=now) == "no_extension"
    assert rules.renewal_window(henan, date(2021, 7, 1)) is None
    for ask in (lambda: rules.price_fen(henan, 1), lambda: rules.is_pass(henan, 60)):
        with pytest.raises(rules.NoSuchRule):
            ask()


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        ("2021-03-01 08:59:59", "sign_up_closed"),
        ("2021-03-01 09:00:00", None),
        ("2021-03-22 17:00:00", None),
        ("2021-03-22 17:00:01", "sign_up_closed"),
        ("2021-03-31 12:00:00", "sign_up_closed"),
    ],
)
def test_qiannan_signs_up_from_the_first_to_the_twenty_second(
    qiannan: Programme, now: str, refusal: str | None
) -> None:
    assert rules.sign_up_refusal(qiannan, None, at(now)) == refusal


def test_qiannan_studies_until_noon_of_the_day_before_the_exam(qiannan: Programme) -> None:
    paid, exam_day = at("2021-02-20 10:00:00"), date(2021, 3, 25)
    assert rules.study_opens_at(qiannan, paid, exam_day=exam_day) == at("2021-03-01 09:00:00")
    assert rules.study_opens_at(qiannan, at("2021-03-02 10:00:00"), exam_day=exam_day) == at("2021-03-02 10:00:00")
    assert rules.study_deadline(qiannan, paid, exam_day=exam_day) == at("2021-03-24 12:00:00")
    with pytest.raises(ValueError, match="exam_day"):
        rules.study_deadline(qiannan, paid)
    with pytest.raises(ValueError, match="exam_day"):
        rules.study_opens_at(qiannan, paid)


def test_mohurd_studies_for_a_calendar_year_and_sits_until_passed(mohurd: Programme) -> None:
    paid = at("2021-06-01 10:00:00")
    assert rules.study_deadline(mohurd, paid, year=2020) == rules.end_of_day(date(2020, 12, 31))
    with pytest.raises(ValueError, match="year"):
        rules.study_deadline(mohurd, paid)
    years = [rules.sign_up_refusal(mohurd, None, paid, year=year) for year in (2019, 2020, 2021, 2022)]
    assert years == ["year_not_offered", None, None, "year_not_offered"]
    assert rules.sign_up_refusal(mohurd, None, paid) == "year_not_offered"
    assert rules.attempts_left(mohurd, 99) is None
    assert rules.next_stage(mohurd, "exam") == "hours_audit"
    assert rules.price_fen(mohurd, 2) == 20000
    person = mohurd.login.person
    assert rules.first_password(person, account="1101", mobile="13800138000", certificate_kinds=()) == "13800138000"
