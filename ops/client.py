"""An HTTP client that behaves as a phone: it keeps its token, and, if told to be patient, tries again while the
product is away (a process was killed, the network dropped). Every write of the API can be sent twice."""

from __future__ import annotations

import time
from typing import Any

import requests

AWAY = (502, 503, 504)


class Surprise(Exception):
    """The product answered something that the path does not expect."""


class Client:
    """`patience`: seconds during which a call is tried again (0: the first failure is a surprise)."""

    def __init__(self, base_url: str, patience: float = 0.0):
        self.base_url = base_url.rstrip("/")
        self.patience = patience
        self.token: str | None = None
        self.retries = 0
        self._http = requests.Session()

    def raw(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request; tries again while the product is away, within the patience."""
        url = path if path.startswith("http") else self.base_url + path
        headers = dict(kwargs.pop("headers", {}))
        if self.token and url.startswith(self.base_url):
            headers["Authorization"] = f"Bearer {self.token}"
        deadline = time.monotonic() + self.patience
        while True:
            try:
                response = self._http.request(method, url, headers=headers, timeout=15, **kwargs)
                if response.status_code not in AWAY or time.monotonic() > deadline:
                    return response
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    raise Surprise(f"{method} {path}: {type(error).__name__}: {error}") from error
            self.retries += 1
            time.sleep(0.3)

    def call(self, method: str, path: str, *, expect: int | tuple[int, ...] = 200, **kwargs: Any) -> Any:
        """The JSON of an answer with the expected status. Raises `Surprise` on any other."""
        response = self.raw(method, path, **kwargs)
        expected = (expect,) if isinstance(expect, int) else expect
        if response.status_code not in expected:
            raise Surprise(f"{method} {path}: {response.status_code} {response.text[:400]}")
        return response.json() if response.content else None

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        """POST `json` (an empty object if None); 200, 201 and 202 are expected unless `expect` says otherwise."""
        kwargs.setdefault("expect", (200, 201, 202))
        if "files" not in kwargs:
            kwargs["json"] = {} if json is None else json
        return self.call("POST", path, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        if "files" not in kwargs:
            kwargs["json"] = {} if json is None else json
        return self.call("PUT", path, **{"expect": (200, 201)} | kwargs)
