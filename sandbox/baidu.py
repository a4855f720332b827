"""Baidu's face API: access token, 1:1 match, liveness of a picture, name + ID + picture against the source.

The check is SCRIPTED: the badge that `sandbox.faces` draws decides, no face is recognised. It proves the
protocol only. Errors come at HTTP 200 as {error_code, error_msg} (docs/providers.md).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.box import Box, call
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.faces import Marker, make_face, person_of, read_face
from sandbox.keys import AUTHORITIES

PROVIDER = "baidu"
TOKEN_LIVES = 30 * 86400
SAME, OTHER = 95.0, 20.0
ID_NUMBER = re.compile(r"\d{17}[\dXx]")
MESSAGES = {
    4: "Open api request limit reached", 6: "No permission to access data",
    17: "Open api daily request limit reached", 18: "Open api qps request limit reached",
    100: "Invalid parameter", 110: "Access token invalid or no longer valid", 111: "Access token expired",
    222001: "param[] is null", 222013: "param[image] format error", 222015: "param[image_type] format error",
    222020: "param[liveness_control] format error", 222202: "pic not has face", 222203: "image check fail",
    222350: "police picture is none or low quality",
    222351: "id number and name not match or id number not exist", 222352: "name format error",
    222353: "id number format error", 222354: "id number not exist", 222901: "system busy",
    223113: "face is covered", 223114: "face is fuzzy", 223120: "liveness check fail",
}  # fmt: skip
LEVELS = ("NONE", "LOW", "NORMAL", "HIGH")


class Refused(Exception):
    """Baidu says no, with this error_code."""

    def __init__(self, code: int) -> None:
        super().__init__(MESSAGES.get(code, "error"))
        self.code = code


def _answer(data: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), status, mimetype="application/json")


def log_id() -> int:
    """A number for the answer's log."""
    return 10**18 + secrets.randbelow(10**17)


def error(code: int | str) -> Response:
    """Baidu's error answer for its own code."""
    number = int(code)
    return _answer(
        {
            "error_code": number,
            "error_msg": MESSAGES.get(number, "error"),
            "log_id": log_id(),
            "timestamp": 0,
            "cached": 0,
            "result": None,
        }
    )


def _success(box: Box, result: dict[str, Any]) -> Response:
    return _answer(
        {
            "error_code": 0,
            "error_msg": "SUCCESS",
            "log_id": log_id(),
            "timestamp": int(box.clock.now()),
            "cached": 0,
            "result": result,
        }
    )


def check_token(box: Box) -> str:
    """The authority whose access token is on the request. Raises `Refused`."""
    token = request.args.get("access_token", "")
    if not token:
        raise Refused(100)
    known = box.store.get(PROVIDER, "token", token)
    if known is None:
        raise Refused(110)
    if known["until"] <= box.clock.now():
        raise Refused(111)
    return known["authority"]


def name_matches(box: Box, id_number: str, name: str) -> bool:
    """False only where `/_control/baidu/identity` has told another name for this ID number."""
    known = box.store.get(PROVIDER, "identity", id_number.upper())
    return known is None or known["name"] == name


def _json() -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise Refused(222001) from None


def _marker(item: Any) -> Marker:
    """Who is on the picture of one request item, its liveness asked for where the item says so."""
    if not isinstance(item, dict) or not item.get("image"):
        raise Refused(222001)
    if item.get("image_type", "BASE64") != "BASE64":
        raise Refused(222015)
    try:
        picture = base64.b64decode(str(item["image"]), validate=True)
    except ValueError:
        raise Refused(222013) from None
    marker = read_face(picture)
    if marker is None or not marker.face:
        raise Refused(222202)
    level = item.get("liveness_control", "NONE")
    if level not in LEVELS:
        raise Refused(222020)
    if level != "NONE" and not marker.live:
        raise Refused(223120)
    return marker


def blueprint(box: Box) -> Blueprint:
    """`/oauth/2.0/token`, `/rest/2.0/face/…` and `/_control/baidu/identity`, `/_control/face.jpg`."""
    blue = Blueprint("baidu", __name__)
    accounts = {
        box.secret(f"{name}.baidu.api_key"): (name, box.secret(f"{name}.baidu.secret_key")) for name in AUTHORITIES
    }

    def guarded(operation: str) -> Any:
        def decorate(view: Any) -> Any:
            def answered() -> Response:
                try:
                    check_token(box)
                    return view()
                except Refused as no:
                    return error(no.code)

            answered.__name__ = view.__name__
            return call(box, PROVIDER, operation, error)(answered)

        return decorate

    def make_token() -> Response:
        given = request.values
        known = accounts.get(given.get("client_id", ""))
        if given.get("grant_type") != "client_credentials":
            return _answer({"error": "unsupported_grant_type", "error_description": "grant type unknown"}, 400)
        if known is None:
            return _answer({"error": "invalid_client", "error_description": "unknown client id"}, 401)
        authority, secret = known
        if not secrets.compare_digest(secret, given.get("client_secret", "")):
            return _answer({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        token = f"24.{secrets.token_hex(16)}.{TOKEN_LIVES}.{int(box.clock.now()) + TOKEN_LIVES}.282335"
        until = box.clock.now() + TOKEN_LIVES
        box.store.put(PROVIDER, "token", token, {"authority": authority, "until": until})
        return _answer(
            {
                "refresh_token": f"25.{secrets.token_hex(16)}",
                "expires_in": TOKEN_LIVES,
                "session_key": secrets.token_urlsafe(32),
                "access_token": token,
                "scope": "public brain_all_scope vis-faceverify_faceverify_h5-face-liveness vis-faceverify_FACE_auth",
                "session_secret": secrets.token_hex(16),
            }
        )

    blue.add_url_rule(
        "/oauth/2.0/token", view_func=call(box, PROVIDER, "token", error)(make_token), methods=["GET", "POST"]
    )

    @blue.post("/rest/2.0/face/v3/match")
    @guarded("match")
    def match() -> Response:
        items = _json()
        if not isinstance(items, list) or len(items) != 2:
            raise Refused(222001)
        one, other = (_marker(item) for item in items)
        return _success(
            box,
            {
                "score": SAME if one.person == other.person else OTHER,
                "face_list": [{"face_token": secrets.token_hex(16)} for _ in items],
            },
        )

    @blue.post("/rest/2.0/face/v3/faceverify")
    @guarded("liveness")
    def liveness() -> Response:
        items = _json()
        if not isinstance(items, list) or not 1 <= len(items) <= 8:
            raise Refused(222001)
        markers = [_marker(item) for item in items]
        score = max(0.98 if marker.live else 0.01 for marker in markers)
        faces = [
            {"face_token": secrets.token_hex(16), "face_probability": 1, "liveness": {"livemapscore": score}}
            for _ in markers
        ]
        thresholds = {"frr_1e-4": 0.05, "frr_1e-3": 0.3, "frr_1e-2": 0.9}
        return _success(box, {"face_liveness": score, "thresholds": thresholds, "face_list": faces})

    def against_source(data: Any) -> float:
        """The score of picture, name and ID number against the authority's source. Raises `Refused`."""
        marker = _marker(data)
        number, name = data.get("id_card_number"), data.get("name")
        if not isinstance(number, str) or not ID_NUMBER.fullmatch(number):
            raise Refused(222353)
        if not isinstance(name, str) or not name.strip():
            raise Refused(222352)
        if not name_matches(box, number, name):
            raise Refused(222351)
        return SAME if marker.person == person_of(number) else OTHER

    @blue.post("/rest/2.0/face/v3/person/verify")
    @guarded("person_verify")
    def person_verify() -> Response:
        return _success(box, {"score": against_source(_json())})

    @blue.post("/rest/2.0/face/v4/mingjing/verify")
    @guarded("mingjing")
    def mingjing() -> Response:
        data = _json()
        return _success(box, {"score": against_source(data), "verify_status": 0})

    @blue.post("/_control/baidu/identity")
    def identity() -> Response:
        data = control_body()
        number, name = str(data.get("id_number", "")), data.get("name")
        if not ID_NUMBER.fullmatch(number) or not name:
            return refused("PARAM_ERROR", "id_number (18) and name are needed")
        box.store.put(PROVIDER, "identity", number.upper(), {"name": str(name)})
        return jsonify(person=person_of(number))

    @blue.get("/_control/face.jpg")
    def face() -> Response:
        number, person = request.args.get("id_number"), request.args.get("person", "0")
        if number is None and not person.isdigit():
            return refused("PARAM_ERROR", "person is a number, or give id_number")
        who = person_of(number) if number is not None else int(person) % 4096
        live, seen = request.args.get("live") != "0", request.args.get("face") != "0"
        return Response(make_face(who, live=live, face=seen), mimetype="image/jpeg")

    return blue
