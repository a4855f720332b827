"""Baidu's H5 real-name check (faceprint): token, the person's details, the page on the phone, the results.

The page is SCRIPTED: whoever holds the phone presses 通过 or 不通过. No server callback exists in reality
either: the redirect of the browser proves nothing, the result is asked for (docs/providers.md).
"""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request

from sandbox.baidu import ID_NUMBER, OTHER, PROVIDER, SAME, Refused, check_token, error, log_id, name_matches
from sandbox.box import Box, call
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.faces import PERSONS, make_face, person_of
from sandbox.store import Record
from sandbox.wechatpay_wire import rfc3339

PREFIX = "/rpc/2.0/brain/solution/faceprint"
TOKEN_LIVES = 2 * 3600
RESULTS_KEPT = 3 * 86400
THRESHOLD = 80.0
OUTCOMES = ("pass", "fail", "other")
INVALID = "Token无效或者已过期"


class NotSo(Exception):
    """faceprint's own refusal: {"success": false, "code", "message"}."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _answer(data: dict[str, Any]) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), mimetype="application/json")


def _success(result: Any) -> Response:
    return _answer({"success": True, "result": result, "log_id": str(log_id())})


def blueprint(box: Box) -> Blueprint:
    """`/rpc/2.0/brain/solution/faceprint/…`, the page `/face/print/`, the picture, and the button for tests."""
    blue = Blueprint("faceprint", __name__)

    def guarded(operation: str) -> Any:
        def decorate(view: Any) -> Any:
            def answered() -> Response:
                try:
                    check_token(box)
                    return view()
                except Refused as no:
                    return error(no.code)
                except NotSo as no:
                    return _answer({"success": False, "code": "400", "message": no.message, "log_id": str(log_id())})

            answered.__name__ = view.__name__
            return call(box, PROVIDER, operation, error)(answered)

        return decorate

    def data() -> dict[str, Any]:
        found = request.get_json(silent=True, force=True)
        if not isinstance(found, dict):
            raise Refused(222001)
        return found

    def usable(token: Any) -> Record:
        """A check that may still be answered. Raises `NotSo`."""
        found = box.store.get(PROVIDER, "faceprint", str(token or ""))
        if found is None or found["made"] + TOKEN_LIVES <= box.clock.now() or found["outcome"] is not None:
            raise NotSo(INVALID)
        return found

    def finished(token: Any) -> Record:
        """A check that was answered, within the days that results are kept. Raises `NotSo`."""
        found = box.store.get(PROVIDER, "faceprint", str(token or ""))
        if found is None or found["outcome"] is None or found["done"] + RESULTS_KEPT <= box.clock.now():
            raise NotSo(INVALID)
        return found

    @blue.post(f"{PREFIX}/verifyToken/generate")
    @guarded("faceprint_token")
    def generate() -> Response:
        authority = check_token(box)
        if str(data().get("plan_id", "")) != box.secret(f"{authority}.baidu.plan_id"):
            raise NotSo("方案不存在")
        token = secrets.token_urlsafe(24)[:24]
        box.store.put(PROVIDER, "faceprint", token, {"made": box.clock.now(), "person": None, "outcome": None})
        return _success({"verify_token": token})

    @blue.post(f"{PREFIX}/idcard/submit")
    @guarded("faceprint_submit")
    def submit() -> Response:
        given = data()
        found = usable(given.get("verify_token"))
        number, name = str(given.get("id_no") or ""), str(given.get("id_name") or "").strip()
        if not ID_NUMBER.fullmatch(number) or not name or str(given.get("certificate_type", 0)) != "0":
            raise NotSo("身份信息格式错误")
        person = {"name": name, "number": number.upper()}
        box.store.put(PROVIDER, "faceprint", str(given["verify_token"]), {**found, "person": person})
        return _success(1)

    def press(token: str, outcome: str) -> Record:
        """Answer the check as the person in front of the phone would. Raises `NotSo`."""
        with box.store.changing():
            found = usable(token)
            if found["person"] is None:
                raise NotSo("尚未上报姓名和身份证号")
            person = found["person"]
            who = person_of(person["number"])
            if outcome == "other":
                who = (who + 1) % PERSONS
            named = name_matches(box, person["number"], person["name"])
            live = outcome != "fail"
            passed = outcome == "pass" and named
            score = None if not named or not live else (SAME if outcome == "pass" else OTHER)
            reason = "核验成功" if passed else "身份证姓名不匹配" if not named else "人脸相似度低于阈值"
            found |= {
                "outcome": "pass" if passed else "fail",
                "code": "0" if passed else "222351" if not named else "223120" if not live else "1",
                "message": reason if live else "活体检测未通过",
                "who": who,
                "live": live,
                "score": score,
                "done": box.clock.now(),
            }
            box.store.put(PROVIDER, "faceprint", token, found)
        return found

    @blue.post(f"{PREFIX}/result/detail")
    @guarded("faceprint_detail")
    def detail() -> Response:
        found = finished(data().get("verify_token"))
        if found["outcome"] != "pass":
            return _answer(
                {
                    "success": False,
                    "code": found["code"],
                    "message": found["message"],
                    "log_id": str(log_id()),
                }
            )
        return _success(
            {
                "verify_result": {"score": found["score"], "liveness_score": 0.99, "spoofing": 0.0001},
                "idcard_confirm": {
                    "name": found["person"]["name"],
                    "idcard_number": found["person"]["number"],
                },
            }
        )

    @blue.post(f"{PREFIX}/result/simple")
    @guarded("faceprint_simple")
    def simple() -> Response:
        token = str(data().get("verify_token") or "")
        if finished(token)["outcome"] != "pass":
            raise NotSo("未查询到认证成功的人脸")
        return _success({"image": f"{request.host_url}solution/faceprint/image/query?verify_token={token}"})

    @blue.get("/solution/faceprint/image/query")
    def image() -> Response:
        found = box.store.get(PROVIDER, "faceprint", request.args.get("verify_token", ""))
        if found is None or found["outcome"] is None:
            return refused("NOT_FOUND", INVALID, 404)
        return Response(make_face(found["who"], live=found["live"]), mimetype="image/jpeg")

    @blue.post(f"{PREFIX}/result/getall")
    @guarded("faceprint_all")
    def everything() -> Response:
        token = str(data().get("verify_token") or "")
        found = finished(token)
        at = rfc3339(found["done"]).replace("T", " ")[:19]
        passed = found["outcome"] == "pass"
        one = {
            "order": 1,
            "is_verify_passed": passed,
            "code": found["code"],
            "message": found["message"],
            "verify_time": at,
            "is_charged": True,
            "charge_type": "verify",
            "charge_time": at,
            "verify_detail": {
                "face_image": f"{request.host_url}solution/faceprint/image/query?verify_token={token}",
                "verify_log_id": str(log_id()),
                "score": found["score"],
                "threshold": THRESHOLD,
                "liveness_score": 0.99 if found["live"] else 0.01,
                "is_demote": False,
            },
            "idcard_confirm": {
                "name": found["person"]["name"],
                "idcard_number": found["person"]["number"],
                "idcard_type": "0",
            },
        }
        counts = {"verify_count": 1, "ocr_charge_count": 0, "match_charge_count": 0, "verify_charge_count": 1}
        return _success({**counts, "verify_result": [one]})

    @blue.route("/face/print/", methods=["GET", "POST"])
    def page() -> Response:
        token, message = request.args.get("token", ""), ""
        targets = {"pass": request.args.get("successUrl", ""), "fail": request.args.get("failedUrl", "")}
        if request.method == "POST" and request.form.get("outcome") in OUTCOMES:
            try:
                found = press(token, request.form["outcome"])
            except NotSo as no:
                message = no.message
            else:
                target = targets[found["outcome"]]
                if urlsplit(target).scheme in ("http", "https"):
                    return make_response(redirect(target))
                message = found["message"]
        known = box.store.get(PROVIDER, "faceprint", token)
        open_ = known is not None and known["outcome"] is None
        person = (known or {}).get("person")
        html = render_template("face.html", message=message, open=open_, person=person)
        return make_response(html, 200 if known else 404)

    @blue.post("/_control/baidu/faceprint")
    def control() -> Response:
        given = control_body()
        outcome = given.get("outcome")
        if outcome not in OUTCOMES:
            return refused("PARAM_ERROR", f"outcome is one of {', '.join(OUTCOMES)}")
        try:
            found = press(str(given.get("token") or ""), outcome)
        except NotSo as no:
            return refused("REFUSED", no.message, 409)
        return jsonify(outcome=found["outcome"], message=found["message"])

    return blue
