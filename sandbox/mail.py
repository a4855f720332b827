"""A mail server that keeps what it gets and sends nothing on: SMTP as far as a client needs it, on a port of this
machine that it writes to `<data dir>/sandbox/smtp.port`."""

from __future__ import annotations

import contextlib
import email
import email.policy
import hashlib
import re
import socket
import socketserver
import struct
import threading
import time
from typing import Any

from flask import Blueprint, Response, jsonify

from sandbox.box import Box

PROVIDER, MESSAGE = "mail", "message"
SIZE = 8 * 1024 * 1024
KNOBS = ("delay", "error", "reset", "reset_after", "hang")
ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 30

    def handle(self) -> None:
        box = self.server.box
        self._say("220 sandbox")
        sender, to = "", ""
        while line := self.rfile.readline(1024):
            word = line.decode("utf-8", "replace").strip()
            verb = word[:4].upper()
            if verb in ("EHLO", "HELO"):
                self._say("250 sandbox")
            elif verb in ("MAIL", "RCPT"):
                found = ADDRESS.search(word)
                if found is None:
                    self._say("501 no address")
                    continue
                sender, to = (found[1], to) if verb == "MAIL" else (sender, found[1])
                self._say("250 fine")
            elif verb == "DATA":
                if not sender or not to:
                    self._say("503 who to whom?")
                elif not self._data(box, sender, to):
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine" if verb in ("RSET", "NOOP") else "502 not here")

    def _data(self, box: Box, sender: str, to: str) -> bool:
        """One message; False: the line is gone."""
        knobs = box.knobs.take(PROVIDER, "message", KNOBS)
        page = box.journal.page
        if "reset" in knobs:
            return self._cut(box, page)
        self._say("354 go on")
        data = b""
        while not data.endswith(b"\r\n.\r\n"):
            row = self.rfile.readline(SIZE)
            if not row or len(data) > SIZE:
                return self._cut(box, page)
            data += row
        if "delay" in knobs:
            box.pause(knobs["delay"].seconds(1))
        if "hang" in knobs:
            box.pause(knobs["hang"].seconds(60))
        if "error" in knobs:
            code = str(knobs["error"].value or 550)
            box.journal.request(page, PROVIDER, "message", "DATA", "", int(code))
            self._say(f"{code} no")
            return True
        self._keep(box, sender, to, data[: -len(b".\r\n")])
        if "reset_after" in knobs:
            return self._cut(box, page)
        box.journal.request(page, PROVIDER, "message", "DATA", "", 250)
        self._say("250 taken")
        return True

    def _keep(self, box: Box, sender: str, to: str, data: bytes) -> None:
        raw = b"".join(row[1:] if row.startswith(b"..") else row for row in data.splitlines(keepends=True))
        message = email.message_from_bytes(raw, policy=email.policy.default)
        body = message.get_body(("plain",))
        files = [
            {
                "name": part.get_filename(),
                "type": part.get_content_type(),
                "sha256": hashlib.sha256(part.get_payload(decode=True) or b"").hexdigest(),  # type: ignore[arg-type]
            }
            for part in message.iter_attachments()
        ]
        kept = {
            "from": sender,
            "to": to,
            "id": message["Message-ID"],
            "subject": message["Subject"],
            "text": body.get_content() if body is not None else "",
            "files": files,
            "at": time.time(),
        }
        box.store.put(PROVIDER, MESSAGE, f"{time.time_ns()}", kept)

    def _cut(self, box: Box, page: int) -> bool:
        box.journal.request(page, PROVIDER, "message", "DATA", "", 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return False

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # who hung up hears nothing
            self.wfile.write(f"{text}\r\n".encode())

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, box: Box) -> None:
        self.box = box
        super().__init__(("127.0.0.1", 0), _Session)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is not our error."""


class Sink:
    """The running mail server."""

    def __init__(self, box: Box) -> None:
        self._server = _Server(box)
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox mail", daemon=True
        )
        thread.start()
        path = box.data_dir / "sandbox" / "smtp.port"
        path.write_text(str(self._server.server_address[1]), encoding="ascii")

    def stop(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


def blueprint(box: Box) -> Blueprint:
    """`/_control/mail`: what came, the newest first."""
    blue = Blueprint("mail", __name__)

    @blue.get("/_control/mail")
    def messages() -> Response:
        return jsonify([kept for _, kept in box.store.all(PROVIDER, MESSAGE, 1000)])

    return blue
