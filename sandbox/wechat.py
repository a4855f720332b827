"""The WeChat mini-program server API: login, access token, phone number, QR codes, subscribe messages.

Errors come at HTTP 200 as {errcode, errmsg}, as in reality (docs/providers.md).
"""

from __future__ import annotations

import base64
import io
import json
import re
import secrets
from typing import Any
from urllib.parse import urlencode

import segno
from flask import Blueprint, Response, jsonify, redirect, request

from sandbox.box import Box, call, merge, taken
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.keys import AUTHORITIES

PROVIDER = "wechat"
CODE_LIVES = 300
TOKEN_LIVES = 7200
REFRESH_EARLY = 300
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~%]{1,32}")
MESSAGES = {
    -1: "system error", 40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid", 40013: "invalid appid", 40029: "invalid code", 40125: "invalid appsecret",
    40163: "code been used", 40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked", 41001: "access_token missing", 41030: "invalid page", 42001: "access_token expired",
    40052: "invalid action name", 40053: "invalid action info", 43004: "require subscribe",
    43101: "user refuse to accept the msg", 45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit", 47001: "data format error", 47003: "argument invalid!",
}  # fmt: skip


class Refused(Exception):
    """WeChat says no, with this errcode."""

    def __init__(self, code: int) -> None:
        super().__init__(MESSAGES.get(code, "error"))
        self.code = code


def _answer(data: dict[str, Any], mimetype: str = "application/json") -> Response:
    return Response(json.dumps(data, ensure_ascii=False), mimetype=mimetype)


def _error(code: int | str) -> Response:
    number = int(code)
    return _answer({"errcode": number, "errmsg": MESSAGES.get(number, "error")})


def _body() -> dict[str, Any]:
    try:
        data = json.loads(request.get_data())
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Refused(47001)
    return data


def blueprint(box: Box) -> Blueprint:
    """`/sns`, `/cgi-bin`, `/wxa` and `/_control/wechat`."""
    blue = Blueprint("wechat", __name__)
    apps = {
        box.secret(f"{name}.{kind}.appid"): box.secret(f"{name}.{kind}.secret")
        for name in AUTHORITIES
        for kind in ("wechat", "wechat_official")
    }
    first_app = next(iter(apps))

    def guarded(operation: str) -> Any:
        def decorate(view: Any) -> Any:
            def answered() -> Response:
                try:
                    response = view()
                except Refused as error:
                    return _error(error.code)
                knob = taken().get("alter")
                if knob is not None and response.mimetype != "image/png":
                    return _answer(merge(json.loads(response.get_data()), knob.value))
                return response

            answered.__name__ = view.__name__
            return call(box, PROVIDER, operation, _error)(answered)

        return decorate

    def check_app(appid: Any, secret: Any) -> str:
        if appid not in apps:
            raise Refused(40013)
        if not isinstance(secret, str) or not secrets.compare_digest(apps[appid], secret):
            raise Refused(40125)
        return appid

    def check_token() -> str:
        """The appid whose access token is on the request. Raises `Refused`."""
        token = request.args.get("access_token", "")
        if not token:
            raise Refused(41001)
        known = box.store.get(PROVIDER, "token", token)
        if known is None:
            raise Refused(40001)
        if known["until"] <= box.clock.now():
            raise Refused(42001)
        return known["appid"]

    @blue.get("/sns/jscode2session")
    @guarded("code2session")
    def code2session() -> Response:
        appid = check_app(request.args.get("appid"), request.args.get("secret"))
        code = request.args.get("js_code", "")
        with box.store.changing():
            login = box.store.pop(PROVIDER, "login_code", code)
            if login is None:
                used = box.store.get(PROVIDER, "used_code", code) is not None
                raise Refused(40163 if used else 40029)
            box.store.put(PROVIDER, "used_code", code, {})
        if login["until"] <= box.clock.now() or login["appid"] != appid:
            raise Refused(40029)
        session_key = base64.b64encode(secrets.token_bytes(16)).decode()
        # the real one sends JSON as text/plain
        return _answer({"session_key": session_key, "openid": login["openid"]}, "text/plain")

    @blue.get("/connect/oauth2/authorize")
    def authorize() -> Response:
        """WeChat's page for `snsapi_base`: nobody is asked anything, the browser goes back with a code."""
        asked, state = request.args, request.args.get("state", "")
        back = asked.get("redirect_uri", "")
        fits = asked.get("response_type") == "code" and asked.get("scope") == "snsapi_base"
        if asked.get("appid") not in apps or not fits or not back.startswith(("http://", "https://")):
            return Response("redirect_uri 参数错误", 400, content_type="text/plain; charset=utf-8")
        if not re.fullmatch(r"[A-Za-z0-9]{0,128}", state):
            return Response("state 参数错误", 400, content_type="text/plain; charset=utf-8")
        user = box.store.get(PROVIDER, "web_user", "now") or {"openid": "o-web-user-of-the-sandbox-1"}
        code = f"1{secrets.token_urlsafe(30)[:31]}"
        known = {"openid": user["openid"], "appid": asked["appid"], "until": box.clock.now() + CODE_LIVES}
        box.store.put(PROVIDER, "web_code", code, known)
        sign = "&" if "?" in back else "?"
        return redirect(f"{back}{sign}{urlencode({'code': code, 'state': state})}", 302)  # type: ignore[return-value]

    @blue.get("/sns/oauth2/access_token")
    @guarded("web_openid")
    def web_openid() -> Response:
        appid = check_app(request.args.get("appid"), request.args.get("secret"))
        code = request.args.get("code", "")
        with box.store.changing():
            known = box.store.pop(PROVIDER, "web_code", code)
            if known is None:
                raise Refused(40163 if box.store.get(PROVIDER, "used_code", code) is not None else 40029)
            box.store.put(PROVIDER, "used_code", code, {})
        if known["until"] <= box.clock.now() or known["appid"] != appid:
            raise Refused(40029)
        tokens = {name: secrets.token_urlsafe(64) for name in ("access_token", "refresh_token")}
        scope = {"openid": known["openid"], "scope": "snsapi_base"}
        return _answer({**tokens, "expires_in": TOKEN_LIVES, **scope}, "text/plain")

    @blue.post("/cgi-bin/stable_token")
    @guarded("token")
    def stable_token() -> Response:
        data = _body()
        appid = check_app(data.get("appid"), data.get("secret"))
        if data.get("grant_type") != "client_credential":
            raise Refused(47003)
        now = box.clock.now()
        with box.store.changing():
            current = box.store.get(PROVIDER, "current_token", appid)
            force = data.get("force_refresh") is True
            if current is None or force or current["until"] - now < REFRESH_EARLY:
                if current is not None and force:
                    box.store.pop(PROVIDER, "token", current["token"])
                current = {"token": f"90_{secrets.token_urlsafe(96)}", "until": now + TOKEN_LIVES}
                box.store.put(PROVIDER, "current_token", appid, current)
                # the one before stays good to its own end, while the new one spreads
                kept = {"appid": appid, "until": current["until"]}
                box.store.put(PROVIDER, "token", current["token"], kept)
        return _answer({"access_token": current["token"], "expires_in": int(current["until"] - now)})

    @blue.post("/wxa/business/getuserphonenumber")
    @guarded("phone")
    def phone_number() -> Response:
        appid = check_token()
        known = box.store.pop(PROVIDER, "phone_code", str(_body().get("code", "")))
        if known is None or known["until"] <= box.clock.now():
            raise Refused(40029)
        stamp = {"timestamp": int(box.clock.now()), "appid": appid}
        info = {
            "phoneNumber": known["phone"],
            "purePhoneNumber": known["phone"],
            "countryCode": "86",
            "watermark": stamp,
        }
        return _answer({"errcode": 0, "errmsg": "ok", "phone_info": info})

    @blue.post("/wxa/getwxacodeunlimit")
    @guarded("qrcode")
    def code_unlimited() -> Response:
        appid = check_token()
        data = _body()
        scene, page = data.get("scene"), data.get("page") or ""
        if not isinstance(scene, str) or not _SCENE.fullmatch(scene):
            raise Refused(40169)
        if not isinstance(page, str) or page.startswith("/") or "?" in page:
            raise Refused(41030)
        box.store.put(PROVIDER, "wxacode", scene, {"appid": appid, "page": page, "at": box.clock.now()})
        # the real one is a round code that only WeChat reads; this one says what it stands for
        picture = io.BytesIO()
        segno.make(f"wxacode://{appid}/{page}?scene={scene}", error="m").save(picture, kind="png", scale=8)
        return Response(picture.getvalue(), mimetype="image/png")

    @blue.post("/cgi-bin/message/subscribe/send")
    @guarded("subscribe")
    def subscribe_send() -> Response:
        check_token()
        data = _body()
        openid, template = data.get("touser"), data.get("template_id")
        if not isinstance(openid, str) or box.store.get(PROVIDER, "user", openid) is None:
            raise Refused(40003)
        content = data.get("data")
        wrong = not isinstance(content, dict) or not all(
            isinstance(part, dict) and str(part.get("value", "")) for part in content.values()
        )
        if wrong or not content or not isinstance(template, str):
            raise Refused(47003)
        with box.store.changing():
            key = f"{openid}/{template}"
            grant = box.store.get(PROVIDER, "grant", key)
            if grant is None or grant["times"] < 1:
                raise Refused(43101)
            box.store.put(PROVIDER, "grant", key, {"times": grant["times"] - 1})
            message = {"openid": openid, "template_id": template, "data": content, "at": box.clock.now()}
            message["page"] = str(data.get("page") or "")
            box.store.put(PROVIDER, "message", secrets.token_hex(8), message)
        return _answer({"errcode": 0, "errmsg": "ok", "msgid": secrets.randbelow(2**53)})

    @blue.post("/cgi-bin/qrcode/create")
    @guarded("scene")
    def scene_code() -> Response:
        check_token()
        data = _body()
        scene = ((data.get("action_info") or {}).get("scene") or {}).get("scene_str")
        seconds = data.get("expire_seconds", 60)
        if data.get("action_name") != "QR_STR_SCENE" or not isinstance(scene, str) or not 1 <= len(scene) <= 64:
            raise Refused(40053)
        if not isinstance(seconds, int) or not 1 <= seconds <= 2592000:
            raise Refused(40052)
        ticket = secrets.token_urlsafe(48)
        box.store.put(PROVIDER, "scene", ticket, {"scene": scene, "until": box.clock.now() + seconds})
        url = f"http://weixin.qq.com/q/{ticket[:22]}"
        return _answer({"ticket": ticket, "expire_seconds": seconds, "url": url})

    @blue.post("/cgi-bin/message/template/send")
    @guarded("template")
    def template_send() -> Response:
        appid, data = check_token(), _body()
        openid, key = data.get("touser"), str(data.get("client_msg_id") or secrets.token_hex(8))
        if not isinstance(openid, str) or box.store.get(PROVIDER, "follower", f"{appid}/{openid}") is None:
            raise Refused(43004)
        if not isinstance(data.get("template_id"), str) or not isinstance(data.get("data"), dict) or not data["data"]:
            raise Refused(47003)
        with box.store.changing():
            if box.store.get(PROVIDER, "template_key", f"{openid}/{key}") is None:
                box.store.put(PROVIDER, "template_key", f"{openid}/{key}", {})
                message = {"openid": openid, "template_id": data["template_id"], "data": data["data"], "page": ""}
                box.store.put(PROVIDER, "message", secrets.token_hex(8), {**message, "at": box.clock.now()})
        return _answer({"errcode": 0, "errmsg": "ok", "msgid": secrets.randbelow(2**53)})

    @blue.post("/_control/wechat/login_code")
    def login_code() -> Response:
        openid = str(control_body().get("openid") or f"o{secrets.token_urlsafe(30)[:27]}")
        code = f"0{secrets.token_urlsafe(30)[:31]}"
        known = {"openid": openid, "appid": first_app, "until": box.clock.now() + CODE_LIVES}
        box.store.put(PROVIDER, "login_code", code, known)
        box.store.put(PROVIDER, "user", openid, {"at": box.clock.now()})
        return jsonify(code=code, openid=openid)

    @blue.post("/_control/wechat/web_user")
    def web_user() -> Response:
        """Whose phone the browser of WeChat is on from now on."""
        openid = str(control_body().get("openid") or f"o{secrets.token_urlsafe(30)[:27]}")
        box.store.put(PROVIDER, "web_user", "now", {"openid": openid})
        return jsonify(openid=openid)

    @blue.post("/_control/wechat/phone_code")
    def phone_code() -> Response:
        phone = str(control_body().get("phone") or "")
        if not re.fullmatch(r"1[3-9]\d{9}", phone):
            return refused("PARAM_ERROR", "phone is eleven digits")
        code = secrets.token_urlsafe(32)
        box.store.put(PROVIDER, "phone_code", code, {"phone": phone, "until": box.clock.now() + CODE_LIVES})
        return jsonify(code=code)

    @blue.post("/_control/wechat/subscribe")
    def subscribe() -> Response:
        data = control_body()
        openid, template = data.get("openid"), data.get("template_id")
        times = data.get("times", 1)
        if not openid or not template or not isinstance(times, int):
            return refused("PARAM_ERROR", "openid and template_id are needed")
        with box.store.changing():
            grant = box.store.get(PROVIDER, "grant", f"{openid}/{template}") or {"times": 0}
            box.store.put(PROVIDER, "grant", f"{openid}/{template}", {"times": grant["times"] + times})
        return jsonify(times=grant["times"] + times)

    @blue.get("/_control/wechat/codes")
    def codes() -> Response:
        return jsonify([{"scene": scene, **code} for scene, code in box.store.all(PROVIDER, "wxacode", 100)])

    @blue.get("/_control/wechat/messages")
    def messages() -> Response:
        wanted = request.args.get("openid")
        found = [m for _, m in box.store.all(PROVIDER, "message", 1000) if wanted in (None, m["openid"])]
        return jsonify(found)

    return blue
