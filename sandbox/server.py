"""The sandbox's server: loopback only, keep-alive, no delay of small packets, and connections it can reset."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, jsonify
from werkzeug.exceptions import HTTPException

from sandbox import (
    alipay,
    baidu,
    controls,
    faceprint,
    invoice,
    keys,
    mail,
    phone,
    tencent_sms,
    unionpay,
    wechat,
    wechatpay,
)
from sandbox.box import RESET, Box
from sandbox.postman import DEFAULT_RETRIES, Postman
from sandbox.store import Store

HOST = "127.0.0.1"
BODY_LIMIT = 16 * 1024 * 1024


def build(box: Box, postman: Postman) -> Flask:
    """The Flask application of one sandbox."""
    app = Flask(__name__, static_url_path="/_static")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for blueprint in (
        controls.blueprint(box),
        wechatpay.blueprint(box, postman),
        alipay.blueprint(box, postman),
        unionpay.blueprint(box, postman),
        wechat.blueprint(box),
        tencent_sms.blueprint(box),
        invoice.blueprint(box),
        mail.blueprint(box),
        baidu.blueprint(box),
        faceprint.blueprint(box),
        phone.blueprint(box),
    ):
        app.register_blueprint(blueprint)

    @app.get("/_health")
    def health() -> Any:
        return jsonify(status="ok")

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        return jsonify(code=error.name.upper().replace(" ", "_"), message=error.description), error.code or 500

    return app


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the journal holds what tests ask for, and bodies are nobody's business."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self.send_error(413 if length.isdigit() and int(length) > BODY_LIMIT else 411)
            return
        environ = self._environ(self.rfile.read(int(length)))
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answer[:] = [status, headers]
            return lambda data: None

        chunks: Iterable[bytes] = self.server.app(environ, start_response)
        body = b"".join(chunks)
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
        if environ.get(RESET):
            self._reset()
            return
        status, headers = answer
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        bodiless = int(code) in (204, 304)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

    def _reset(self) -> None:
        """Hang up so that the caller sees a reset connection, not an empty answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": HOST,
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[f"HTTP_{key}"] = value
        return environ


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # not HTTPServer's: it asks the name service for the host's name, which may take seconds
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a caller that hung up is not our error
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End the connections that are kept alive: a stopped sandbox answers nobody."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # the other side was first
                connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Running:
    """A running sandbox. `url` has no slash at its end."""

    url: str
    port: int
    box: Box
    postman: Postman
    _server: _Server
    _thread: threading.Thread
    _mail: mail.Sink

    def reset(self) -> None:
        """No trouble, an empty journal, the true time, no notification waiting, no identity told. Orders stay."""
        self.box.knobs.clear()
        self.box.store.clear("baidu", "identity")
        self.box.journal.clear()
        self.box.clock.offset = 0.0
        self.postman.clear()

    def stop(self) -> None:
        """Stop answering, hang up, close the store. Notifications that wait go on at the next start."""
        self.box.stopping.set()
        self._mail.stop()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=5)
        self.postman.stop()
        self.box.store.close()


def start(
    data_dir: Path, port: int = 0, *, notify_retries: tuple[float, ...] | None = None, refund_seconds: float = 0.3
) -> Running:
    """Start a sandbox in threads of this process; `port` 0 takes a free one.

    `notify_retries`: seconds between the tries of a notification (default: SANDBOX_NOTIFY_RETRIES, or
    1, 2, 5, 15, 30). `refund_seconds`: how long a refund takes. Raises SystemExit under PROVIDERS=live.
    """
    if os.environ.get("PROVIDERS") == "live":
        raise SystemExit("the sandbox does not start under PROVIDERS=live: it stands in for real providers")
    if notify_retries is None:
        text = os.environ.get("SANDBOX_NOTIFY_RETRIES", "")
        try:
            notify_retries = tuple(float(part) for part in text.split(",")) if text else DEFAULT_RETRIES
        except ValueError:
            raise SystemExit(f"SANDBOX_NOTIFY_RETRIES={text!r} is not a list of seconds") from None
    keys.ensure(data_dir)
    box = Box(
        data_dir=data_dir,
        store=Store(data_dir / "sandbox" / "state.db"),
        merchants=keys.merchants(data_dir),
        sellers=keys.sellers(data_dir),
        acquired=keys.acquired(data_dir),
        refund_seconds=refund_seconds,
    )
    postman = Postman(box, notify_retries)
    server = _Server(port, build(box, postman))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox", daemon=True
    )
    sink = mail.Sink(box)
    postman.start()
    thread.start()
    bound = int(server.server_address[1])
    return Running(f"http://{HOST}:{bound}", bound, box, postman, server, thread, sink)
