"""A sandbox of its own for these tests, a receiver for its notifications, and the stock SDKs pointed at it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from wechatpayv3 import WeChatPay, WeChatPayType

from sandbox import keys, server


class Receiver:
    """Takes notifications and answers them with `statuses` in turn (the last one for good)."""

    def __init__(self) -> None:
        self.letters: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [204]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if len(outer.statuses) > 1 else outer.statuses[0]
                outer.letters.append((dict(self.headers.items()), body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/notify"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait(self, count: int, seconds: float = 3) -> list[tuple[dict[str, str], bytes]]:
        """The letters, once there are at least `count`."""
        until = time.monotonic() + seconds
        while len(self.letters) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.letters) >= count, f"{len(self.letters)} of {count} notifications came"
        return list(self.letters)


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets; making them takes a second."""
    path = tmp_path_factory.mktemp("keys")
    keys.ensure(path)
    return path


@pytest.fixture(scope="module")
def data_dir(made_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with secrets, and nothing of another module's."""
    return Path(shutil.copytree(made_keys, tmp_path_factory.mktemp("sandbox"), dirs_exist_ok=True))


@pytest.fixture(scope="module")
def running(data_dir: Path) -> Iterator[server.Running]:
    """One sandbox for the module."""
    made = server.start(data_dir, notify_retries=(0.05, 0.1), refund_seconds=0.05)
    yield made
    made.stop()


@pytest.fixture
def sandbox(running: server.Running) -> Iterator[server.Running]:
    """The sandbox without trouble."""
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where notifications go."""
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def secret(data_dir: Path) -> Callable[[str], str]:
    """A secret of the authority yunnan."""
    return lambda name: keys.secret(data_dir, f"yunnan.{name}")


def wechat_pay(data_dir: Path, url: str, notify_url: str, timeout: float = 3) -> Any:
    """The stock SDK in public-key mode, its gateway exchanged."""

    def get(name: str) -> str:
        return keys.secret(data_dir, f"yunnan.wechatpay.{name}")

    client = WeChatPay(
        WeChatPayType.NATIVE,
        get("mchid"),
        get("merchant_private_key"),
        get("merchant_serial"),
        get("appid"),
        get("api_v3_key"),
        notify_url=notify_url,
        public_key=get("platform_public_key"),
        public_key_id=get("platform_public_key_id"),
        timeout=timeout,
    )
    client._core._gate_way = url
    return client


@pytest.fixture
def pay_client(data_dir: Path, sandbox: server.Running, receiver: Receiver) -> Any:
    """WeChat Pay's SDK."""
    return wechat_pay(data_dir, sandbox.url, receiver.url)


@pytest.fixture
def control(sandbox: server.Running) -> Callable[..., requests.Response]:
    """Post to a control of the sandbox."""

    def post(path: str, **data: Any) -> requests.Response:
        return requests.post(sandbox.url + path, json=data, timeout=5)

    return post
