"""A mail server, spoken to in SMTP (RFC 5321) over TLS. Whether it took a message is known only when it answers the
end of the message: what is lost before that was not sent, what is lost at that moment is unknown."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol

from app.invoice.providers.protocol import Refused, Unavailable, Unknown

TIMEOUT = 8.0  # seconds for each answer: nobody waits for it but a job
BUSY = range(400, 500)  # "not now"
RFC_5321_EOL = b"\r\n"


@dataclass(frozen=True)
class Letter:
    """`key` makes the message's id: a mail server that gets one twice can see that."""

    key: str
    to: str
    subject: str
    text: str
    file_name: str
    pdf: bytes


class Postbox(Protocol):
    """Where letters are posted. All raise `Unknown` (it may have been taken), `Unavailable` (nothing was taken;
    later), `Refused` (it will not be taken)."""

    def post(self, letter: Letter) -> None: ...


@dataclass(frozen=True)
class Server:
    """`tls`: from the first byte ('implicit'), asked for and insisted on ('starttls'), or none, on this machine."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str
    sender: str


class Smtp:
    """One mail server; `server` says where it is at the moment."""

    def __init__(self, server: Callable[[], Server]):
        self._server = server

    def post(self, letter: Letter) -> None:
        server = self._server()
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = server.sender, letter.to, letter.subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<invoice.{letter.key}@{server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_attachment(letter.pdf, maintype="application", subtype="pdf", filename=letter.file_name)
        data = message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", RFC_5321_EOL)
        line = self._open(server)
        try:
            self._hand_over(line, server.sender, letter.to, data)
        finally:
            line.close()

    def _open(self, server: Server) -> smtplib.SMTP:
        try:
            if server.tls == "implicit":
                line: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=TIMEOUT, context=ssl.create_default_context()
                )
            else:
                line = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
            try:
                if server.tls == "starttls":
                    line.starttls(context=ssl.create_default_context())
                if server.user is not None:
                    line.login(server.user, server.password)
                else:
                    line.ehlo_or_helo_if_needed()
            except BaseException:
                line.close()
                raise
        except smtplib.SMTPResponseException as error:
            raise Unavailable(f"smtp {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(type(error).__name__) from error
        return line

    def _hand_over(self, line: smtplib.SMTP, sender: str, to: str, data: bytes) -> None:
        try:
            for said in (line.mail(sender), line.rcpt(to), line.docmd("DATA")):
                _must(said)
        except UnicodeError as error:  # a mailbox that SMTP without an extension cannot name: nothing was handed over
            raise Refused("mailbox", "not ASCII") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(type(error).__name__) from error
        try:
            body = b"".join(b"." + row if row.startswith(b".") else row for row in data.splitlines(keepends=True))
            line.send(body + (b"" if body.endswith(RFC_5321_EOL) else RFC_5321_EOL) + b"." + RFC_5321_EOL)
            said = line.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise Unknown(type(error).__name__) from error
        _must(said)


def _must(said: tuple[int, bytes]) -> None:
    """Raises `Unavailable` for "not now", `Refused` for "no"."""
    code, text = said
    if code in BUSY:
        raise Unavailable(f"smtp {code}")
    if code not in (250, 251, 354):
        raise Refused(f"smtp {code}", text.decode(errors="replace")[:200])
