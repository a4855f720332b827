"""Tencent Cloud SMS 2021-01-11 at `POST /`: SendSms and the pulling of delivery reports, TC3 signatures checked.

Fields and codes: cloud.tencent.com/document/product/382/55981, /55977, /38773, /59177 (docs/providers.md).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.box import Box, Refused, guarded, taken
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.keys import AUTHORITIES
from sandbox.store import Record

PROVIDER = "sms"
WINDOW = 300
AT_ONCE = 200
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/,]+)/(?P<date>[\d-]+)/(?P<service>\w+)/tc3_request, ?"
    r"SignedHeaders=(?P<headers>[\w;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_MAINLAND = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})")
Answer = dict[str, Any]


def _reply(content: Answer) -> Response:
    data = {"Response": {**content, "RequestId": str(uuid.uuid4())}}
    return Response(json.dumps(data, ensure_ascii=False), mimetype="application/json")


def _error(code: str, message: str = "") -> Response:
    return _reply({"Error": {"Code": code, "Message": message or code}})


def _hash(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def plain_number(phone: str) -> str | None:
    """The eleven digits of a mainland number written in any of the allowed ways, or None."""
    found = _MAINLAND.fullmatch(phone)
    return found.group(1) if found else None


def blueprint(box: Box) -> Blueprint:
    """`POST /` and `/_control/sms`."""
    blue = Blueprint("sms", __name__)
    accounts = {box.secret(f"{name}.tencent_sms.secret_id"): name for name in AUTHORITIES}

    def caller() -> str:
        """The authority whose signature is on the request. Raises `Refused`."""
        found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            raise Refused("AuthFailure.InvalidAuthorization", "The Authorization header is not of TC3's form.")
        authority = accounts.get(found["id"])
        if authority is None:
            raise Refused("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        stamp = request.headers.get("X-TC-Timestamp", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > WINDOW:
            raise Refused("AuthFailure.SignatureExpire", "The signature is older than five minutes.")
        names = found["headers"].split(";")
        day = datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d")
        if {"content-type", "host"} - set(names) or found["service"] != "sms" or found["date"] != day:
            raise Refused("AuthFailure.SignatureFailure", "Host and content type must be signed, for sms, today.")
        signed = "".join(f"{name}:{request.headers.get(name, '').strip().lower()}\n" for name in names)
        exact = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
        payload = hashlib.sha256(request.get_data()).hexdigest()
        key = _hash(("TC3" + box.secret(f"{authority}.tencent_sms.secret_key")).encode(), day)
        key = _hash(_hash(key, "sms"), "tc3_request")
        for header_text in (signed, exact):  # the documentation lowers the values, the SDKs send them as they are
            canonical = f"POST\n/\n\n{header_text}\n{found['headers']}\n{payload}"
            digest = hashlib.sha256(canonical.encode()).hexdigest()
            text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{digest}"
            if hmac.compare_digest(_hash(key, text).hex(), found["signature"]):
                return authority
        raise Refused("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")

    def send(authority: str, data: Answer) -> Response:
        numbers = data.get("PhoneNumberSet")
        if not isinstance(numbers, list) or not numbers:
            raise Refused("MissingParameter", "The request is missing a required parameter `PhoneNumberSet`.")
        if len(numbers) > AT_ONCE:
            raise Refused("LimitExceeded.PhoneNumberCountLimit", "At most 200 numbers in one request.")
        params = data.get("TemplateParamSet") or []
        context = str(data.get("SessionContext") or "")
        if len(context.encode()) >= 512:
            raise Refused("InvalidParameterValue.SessionContextTooLong", "SessionContext is too long.")
        fault = _account_fault(authority, data)
        statuses = []
        for number in numbers:
            code = fault or _number_fault(number)
            if code is None and "per_number" in taken():
                code = str(taken()["per_number"].value or "FailedOperation.PhoneNumberInBlacklist")
            serial = "" if code else _keep(number, data, params, context)
            statuses.append(
                {
                    "SerialNo": serial,
                    "PhoneNumber": number,
                    "Fee": 0 if code else 1,
                    "SessionContext": context,
                    "Code": code or "Ok",
                    "Message": "send failed" if code else "send success",
                    "IsoCode": "CN",
                }
            )
        return _reply({"SendStatusSet": statuses})

    def _account_fault(authority: str, data: Answer) -> str | None:
        if data.get("SmsSdkAppId") != box.secret(f"{authority}.tencent_sms.sdk_app_id"):
            return "UnauthorizedOperation.SmsSdkAppIdVerifyFail"
        if data.get("SignName") != box.secret(f"{authority}.tencent_sms.sign_name"):
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if not str(data.get("TemplateId") or "").isdigit():
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        return None

    def _number_fault(number: Any) -> str | None:
        ok = isinstance(number, str) and plain_number(number) is not None
        return None if ok else "InvalidParameterValue.IncorrectPhoneNumber"

    def _keep(number: str, data: Answer, params: list[str], context: str) -> str:
        now = box.clock.now()
        serial = f"5000:{int(now * 1000)}{secrets.randbelow(10**15):015d}"
        template = str(data["TemplateId"])
        known = box.store.get(PROVIDER, "template", template)
        text = (
            known["text"] if known else f"（模板{template}）" + "，".join(f"{{{n + 1}}}" for n in range(len(params)))
        )
        for position, value in enumerate(params, start=1):
            text = text.replace(f"{{{position}}}", str(value))
        phone = plain_number(number) or ""
        message = {
            "phone": phone, "text": f"【{data['SignName']}】{text}", "params": params, "template_id": template,
            "sign": data["SignName"], "serial_no": serial, "session_context": context, "at": now,
            "sdk_app_id": data["SmsSdkAppId"],
        }  # fmt: skip
        box.store.put(PROVIDER, "message", serial, message)
        if "silent" not in taken():
            failed = taken().get("undelivered")
            report = {
                "UserReceiveTime": int(now),
                "CountryCode": "86",
                "SubscriberNumber": phone,
                "PhoneNumber": f"+86{phone}",
                "SerialNo": serial,
                "ReportStatus": "FAIL" if failed else "SUCCESS",
                "Description": str(failed.value or "UNDELIV") if failed else "DELIVRD",
                # empty unless Tencent's support switches it on for the account, so the product must not lean on it
                "SessionContext": "",
            }
            kept = {"sdk_app_id": data["SmsSdkAppId"], "at": now, "report": report}
            box.store.put(PROVIDER, "unpulled", serial, kept)
            box.store.put(PROVIDER, "report", serial, kept)
        return serial

    def limit_of(data: Answer) -> int:
        limit = data.get("Limit")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
            raise Refused("InvalidParameterValue.InvalidParameters", "Limit is 1 to 100.")
        return limit

    def pull(authority: str, data: Answer) -> Response:
        """Each report is given out once, oldest first, as from a queue."""
        limit = limit_of(data)
        with box.store.changing():
            waiting = [
                (serial, kept)
                for serial, kept in reversed(box.store.all(PROVIDER, "unpulled", 10_000))
                if kept["sdk_app_id"] == data.get("SmsSdkAppId")
            ][:limit]
            for serial, _ in waiting:
                box.store.pop(PROVIDER, "unpulled", serial)
        return _reply({"PullSmsSendStatusSet": [kept["report"] for _, kept in waiting]})

    def pull_number(authority: str, data: Answer) -> Response:
        """The reports of one number in a time range; they may be asked for again."""
        limit, phone = limit_of(data), plain_number(str(data.get("PhoneNumber", "")))
        begin, end = data.get("BeginTime"), data.get("EndTime") or box.clock.now()
        if not isinstance(begin, int) or phone is None:
            raise Refused("InvalidParameterValue.InvalidParameters", "BeginTime and PhoneNumber are needed.")
        found = [
            kept["report"]
            for _, kept in box.store.all(PROVIDER, "report", 10_000)
            if kept["report"]["SubscriberNumber"] == phone
            and begin <= kept["report"]["UserReceiveTime"] <= end
            and kept["sdk_app_id"] == data.get("SmsSdkAppId")
        ]
        return _reply({"PullSmsSendStatusSet": found[:limit]})

    actions: dict[str, tuple[str, Callable[[str, Answer], Response]]] = {
        "SendSms": ("send", send),
        "PullSmsSendStatus": ("pull", pull),
        "PullSmsSendStatusByPhoneNumber": ("pull_number", pull_number),
    }

    def opened() -> tuple[str, Callable[[], Response]]:
        authority, action = caller(), request.headers.get("X-TC-Action", "")
        if action not in actions:
            raise Refused("InvalidAction", f"The action `{action}` is invalid.")
        if request.headers.get("X-TC-Version") != "2021-01-11":
            raise Refused("NoSuchVersion", "The version is not 2021-01-11.")
        data = request.get_json(silent=True)
        if not isinstance(data, dict):
            raise Refused("FailedOperation.JsonParseFail", "The body is not a JSON object.")
        operation, act = actions[action]
        return operation, partial(act, authority, data)

    @blue.post("/")
    def entry() -> Response:
        return guarded(box, PROVIDER, opened, _error, _error)

    @blue.get("/_control/sms")
    def messages() -> Response:
        wanted = request.args.get("phone")
        phone = plain_number(wanted) if wanted else None
        if wanted and phone is None:
            return refused("PARAM_ERROR", "phone is a mainland mobile number")
        found: list[Record] = [
            message
            for _, message in box.store.all(PROVIDER, "message", 10_000 if phone else 200)
            if phone in (None, message["phone"])
        ]
        return jsonify(found)

    @blue.post("/_control/sms/template")
    def template() -> Response:
        data = control_body()
        if not str(data.get("id", "")).isdigit() or not data.get("text"):
            return refused("PARAM_ERROR", "id (digits) and text (with {1}, {2}, …) are needed")
        box.store.put(PROVIDER, "template", str(data["id"]), {"text": str(data["text"])})
        return jsonify(id=str(data["id"]))

    return blue
