"""Baidu's face services over its SDK (baidu-aip 4.16.13); wire facts and sources: docs/providers.md, Baidu.

The SDK is corrected in four places: it sends pictures and ID numbers without checking the certificate, waits 60 s,
falls back in silence to another signing when the token lacks a scope, and fetches a token per thread.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import structlog
from aip import AipFace

from app.core.breaker import Breaker
from app.face.providers.protocol import FaceRefused, Page, PageResult, ProviderUnavailable, Reason

log = structlog.get_logger(__name__)

API = "https://aip.baidubce.com"
PAGE = "https://brain.baidu.com"
FACEPRINT = API + "/rpc/2.0/brain/solution/faceprint/"
TIMEOUT = (2.0, 4.0)  # seconds to connect, to answer: two calls stay well under what a phone waits for
MAX_PICTURE = 5 * 1024 * 1024
JSON_HEADERS = {"Content-Type": "application/json"}

TOKEN_CODES = {"100", "110", "111"}  # the access token is no longer good
_REASONS: dict[str, Reason] = {
    "222202": "no_face",
    "222203": "poor_quality",
    "222304": "poor_quality",
    "223113": "poor_quality",
    "223114": "poor_quality",
    "223115": "poor_quality",
    "223116": "poor_quality",
    "223120": "not_live",
    "222350": "no_reference",
    "222351": "identity_mismatch",
    "222352": "identity_mismatch",
    "222353": "identity_mismatch",
    "222354": "identity_mismatch",
    "222355": "no_reference",
    "222360": "identity_mismatch",
    **{str(code): "poor_quality" for code in range(223121, 223128)},
}


class CheckedSession(requests.Session):
    """Checks certificates and keeps to the time-outs, whatever the SDK passes; an error status is an error. A host
    that does not answer is left alone for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._breaker = Breaker("baidu", requests.RequestException)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["verify"] = True
        kwargs["timeout"] = TIMEOUT
        with self._breaker:
            response = super().request(method, url, *args, **kwargs)
            response.raise_for_status()
            return response


class _Sdk(AipFace):  # type: ignore[misc]
    """The SDK, pointed at `api` and corrected."""

    def __init__(self, app_id: str, api_key: str, secret_key: str, api: str):
        super().__init__(app_id, api_key, secret_key)
        self._api = api
        self._token_lock = threading.Lock()
        self._AipBase__accessTokenUrl = api + "/oauth/2.0/token"
        self.s = self._AipBase__client = CheckedSession()

    def _request(self, url: str, data: str, headers: dict[str, str] | None = None) -> Any:
        return super()._request(url.replace(API, self._api, 1), data, headers)

    def _auth(self, refresh: bool = False) -> Any:
        with self._token_lock:
            if refresh and time.time() - self._authObj.get("time", 0) < 5:
                refresh = False  # another thread has just fetched it
            return super()._auth(refresh)

    def _isPermission(self, authObj: dict[str, Any]) -> bool:
        if "access_token" not in authObj:
            raise ProviderUnavailable(f"no access token: {authObj.get('error')}")
        return True


class BaiduFace:
    """One authority's client. `base` is set under the sandbox only, where one host stands for all of Baidu's."""

    def __init__(self, *, app_id: str, api_key: str, secret_key: str, plan_id: str, base: str | None = None):
        self._plan_id = plan_id
        self._base = base
        self._sdk = _Sdk(app_id, api_key, secret_key, base or API)

    # --- pictures ----------------------------------------------------------------------------------------------

    def liveness(self, picture: bytes) -> float:
        body = [{"image": _text(picture), "image_type": "BASE64"}]
        return _number(self._picture_call("faceverify", lambda: self._sdk.faceverify(body)), "face_liveness")

    def match(self, live: bytes, reference: bytes, *, reference_is_photo: bool) -> float:
        body = [
            {"image": _text(live), "image_type": "BASE64", "face_type": "LIVE"},
            {
                "image": _text(reference),
                "image_type": "BASE64",
                "face_type": "CERT" if reference_is_photo else "LIVE",
            },
        ]
        return _number(self._picture_call("match", lambda: self._sdk.match(body)), "score")

    def verify_person(self, live: bytes, *, name: str, id_number: str) -> float:
        options = {"quality_control": "LOW", "liveness_control": "NORMAL"}
        answer = self._picture_call(
            "person/verify", lambda: self._sdk.personVerify(_text(live), "BASE64", id_number, name, options)
        )
        return _number(answer, "score")

    # --- the page (H5) -----------------------------------------------------------------------------------------

    def open_page(self, *, name: str, id_number: str, success_url: str, failed_url: str) -> Page:
        try:
            result = self._page_call("verifyToken/generate", {"plan_id": self._plan_id})
            token = result.get("verify_token") if isinstance(result, dict) else None
            if not isinstance(token, str) or not token:
                raise ProviderUnavailable("verifyToken/generate: no verify_token")
            who = {"verify_token": token, "id_name": name, "id_no": id_number, "certificate_type": 0}
            self._page_call("idcard/submit", who)
        except _Negative as said:  # a wrong plan, a wrong form of the ID number: ours to mend, not the person's
            log.error("face_page_refused", code=said.code)
            raise ProviderUnavailable(f"faceprint: {said.code}") from said
        query = urlencode({"token": token, "successUrl": success_url, "failedUrl": failed_url})
        return Page(token, f"{self._base or PAGE}/face/print/?{query}")

    def page_result(self, reference: str) -> PageResult | None:
        try:
            result = self._page_call("result/detail", {"verify_token": reference})
        except _Negative as said:
            self._raise_if_failed(reference, said)
            return None
        try:
            verdict, person = result["verify_result"], result["idcard_confirm"]
            return PageResult(
                name=str(person["name"]),
                id_number=str(person["idcard_number"]),
                match=_number(verdict, "score"),
                liveness=_number(verdict, "liveness_score"),
            )
        except (KeyError, TypeError) as error:
            raise ProviderUnavailable("result/detail: no verdict") from error

    def _raise_if_failed(self, reference: str, said: _Negative) -> None:
        """result/detail refuses both before the person has finished and after a failure: getall tells them apart."""
        try:
            result = self._page_call("result/getall", {"verify_token": reference})
        except _Negative:
            return
        try:
            passed = [bool(one["is_verify_passed"]) for one in result["verify_result"]]
        except (KeyError, TypeError) as error:
            raise ProviderUnavailable("result/getall: no verdicts") from error
        if not passed:
            return
        if any(passed):
            raise ProviderUnavailable("result/getall: passed, but result/detail says no")
        raise FaceRefused(_REASONS.get(said.code, "low_score"), said.code)

    def page_picture(self, reference: str) -> bytes:
        try:
            result = self._page_call("result/simple", {"verify_token": reference})
        except _Negative as said:
            raise ProviderUnavailable(f"result/simple: {said.code}") from said
        image = result.get("image") if isinstance(result, dict) else None
        if not isinstance(image, str) or not image:
            raise ProviderUnavailable("result/simple: no image")
        if image.startswith("http"):
            return self._download(image)
        try:
            return base64.b64decode(image, validate=True)
        except binascii.Error as error:
            raise ProviderUnavailable("result/simple: not base64") from error

    # --- wire --------------------------------------------------------------------------------------------------

    def _answer(self, what: str, call: Any) -> dict[str, Any]:
        """The JSON object of one call; a token that is no longer good is fetched again once."""
        for last in (False, True):
            try:
                answer = call()
            except (requests.RequestException, ValueError, AttributeError, KeyError, TypeError) as error:
                # the SDK parses before it looks: garbage raises whatever its first access raises
                log.warning("face_provider_unavailable", operation=what, error=type(error).__name__)
                raise ProviderUnavailable(what) from error
            if not isinstance(answer, dict):
                raise ProviderUnavailable(f"{what}: not an object")
            if str(answer.get("error_code")) in TOKEN_CODES and not last:
                try:
                    self._sdk._auth(True)
                except (requests.RequestException, ValueError) as error:
                    raise ProviderUnavailable("oauth") from error
                continue
            return answer
        raise AssertionError("unreachable")

    def _picture_call(self, what: str, call: Any) -> dict[str, Any]:
        answer = self._answer(what, call)
        code = str(answer.get("error_code", "missing"))
        if code in _REASONS:
            raise FaceRefused(_REASONS[code], code)
        result = answer.get("result")
        if code != "0" or not isinstance(result, dict):
            log.warning("face_provider_unavailable", operation=what, code=code)
            raise ProviderUnavailable(f"{what}: {code}")
        return result

    def _page_call(self, what: str, body: dict[str, Any]) -> Any:
        """The `result` of a call of the page's API. Raises `_Negative` for its own "no"."""
        answer = self._answer(what, lambda: self._sdk.post(FACEPRINT + what, json.dumps(body), dict(JSON_HEADERS)))
        if answer.get("success") is True:
            return answer.get("result")
        if answer.get("success") is False and not answer.get("error_code"):
            raise _Negative(str(answer.get("code", "missing"))[:16])
        log.warning("face_provider_unavailable", operation=what, code=str(answer.get("error_code", "missing")))
        raise ProviderUnavailable(f"{what}: {answer.get('error_code')}")

    def _download(self, url: str) -> bytes:
        """The picture behind an address of the provider's own hosts, and of no other."""
        parts = urlsplit(url)
        own = parts.scheme == "https" and (
            parts.hostname == "brain.baidu.com" or (parts.hostname or "").endswith(".bcebos.com")
        )
        if self._base is not None and url.startswith(self._base + "/"):
            own = True
        if not own:
            raise ProviderUnavailable("result/simple: an address elsewhere")
        try:
            with self._sdk.s.get(url, stream=True, allow_redirects=False) as response:
                picture: bytes = response.raw.read(MAX_PICTURE + 1, decode_content=True)
        except requests.RequestException as error:
            raise ProviderUnavailable("result/simple: download") from error
        if len(picture) > MAX_PICTURE:
            raise ProviderUnavailable("result/simple: too large")
        return picture


class _Negative(Exception):
    """The page's API says no, in its own shape: {"success": false, "code", "message"}."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def _number(values: Any, name: str) -> float:
    value = values.get(name) if isinstance(values, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProviderUnavailable(f"no {name}")
    return float(value)
