"""Typed settings, read once from the environment. A wrong value stops the start and names itself."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
FIRST_KEY = "k1"
VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){2}")
FONTS = ROOT / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
FRONT = ROOT / "build" / "h5"  # what `make front` builds


class SettingsError(SystemExit):
    """A setting is missing or wrong; the message names it."""


class SecretMissing(Exception):
    """A secret is not there; the message names it. `wiring.start` makes it the end of the start."""


@dataclass(frozen=True)
class Secrets:
    """Secrets by name: an environment variable (`yunnan.wechatpay.api_key` → `YUNNAN_WECHATPAY_API_KEY`),
    or a file of that name in `SECRETS_DIR`. Values never enter a log, a programme file or the repository."""

    directory: Path | None
    environ: Mapping[str, str]

    def get(self, name: str) -> str:
        """The secret's text. Raises `SecretMissing`, naming it."""
        variable = name.upper().replace(".", "_").replace("-", "_")
        if variable in self.environ:
            return self.environ[variable]
        if self.directory is not None:
            path = self.directory / name
            if path.is_file():
                return path.read_text(encoding="utf-8").strip()
        raise SecretMissing(f"secret {name!r} is missing: set {variable}, or put it into SECRETS_DIR")

    def keyring(self, name: str) -> dict[str, bytes]:
        """A keyring `id:base64 id:base64 …` of 32-byte keys; the first one writes, all read. A key without an id is
        `k1`, the first of an installation. Raises `SecretMissing`, `SettingsError`."""
        ring: dict[str, bytes] = {}
        for part in self.get(name).split():
            key_id, colon, text = part.partition(":")
            if not colon:
                key_id, text = FIRST_KEY, part
            if not re.fullmatch(r"[a-z0-9]{1,4}", key_id):
                raise SettingsError(f"secret {name!r}: a key's id is 1 to 4 small letters and digits, not {key_id!r}")
            if key_id in ring:
                raise SettingsError(f"secret {name!r}: two keys are called {key_id!r}")
            try:
                key = base64.b64decode(text, validate=True)
            except ValueError as error:
                raise SettingsError(f"secret {name!r}: key {key_id!r} is not base64") from error
            if len(key) != 32:
                raise SettingsError(f"secret {name!r}: key {key_id!r} must be 32 bytes")
            ring[key_id] = key
        if not ring:
            raise SettingsError(f"secret {name!r} holds no key")
        return ring


@dataclass(frozen=True)
class Smtp:
    """The mail server (`SMTP_URL`): 'implicit' is TLS from the first byte (smtps://), 'starttls' is TLS that is asked
    for and insisted on (smtp://). `user` signs in with the secret `smtp.password`; None: nobody has to. `sender`:
    MAIL_FROM."""

    host: str
    port: int
    tls: Literal["implicit", "starttls"]
    user: str | None
    sender: str


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides. Paths are absolute, times are seconds. `client_version`: of the front end
    that is current, `client_minimum`: the oldest that still works; `android_url`, `ios_url`: where the app is.
    `ffmpeg`: in place of the one that comes in a wheel."""

    data_dir: Path
    database_url: str
    database_connections: int
    redis_url: str
    heartbeat_redis_url: str
    public_url: str
    providers: Literal["sandbox", "live"]
    sandbox_url: str
    programmes_dir: Path
    fonts_dir: Path
    front_dir: Path
    ffmpeg: Path | None
    log_level: str
    log_format: Literal["json", "console"]
    trusted_proxies: int
    rate_limits: int
    demo: bool
    client_version: str
    client_minimum: str
    android_url: str | None
    ios_url: str | None
    smtp: Smtp | None
    secrets: Secrets


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name}={value!r} is not one of {', '.join(allowed)}")
    return value


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit():
        raise SettingsError(f"{name}={text!r} is not a whole number")
    return int(text)


def version_order(version: str) -> tuple[int, ...]:
    """What versions such as '1.10.0' are ordered by."""
    return tuple(int(part) for part in version.split("."))


def _version(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name, default)
    if not VERSION.fullmatch(text):
        raise SettingsError(f"{name}={text!r} is not a version such as 1.2.0")
    return text


def _client(environ: Mapping[str, str]) -> tuple[str, str]:
    """The front end's current version (default: of the one that stands here) and the oldest that still works."""
    ours = json.loads((ROOT / "miniprogram" / "package.json").read_text(encoding="utf-8"))["version"]
    current = _version(environ, "CLIENT_VERSION", ours)
    minimum = _version(environ, "CLIENT_MINIMUM", "0.0.0")
    if version_order(minimum) > version_order(current):
        raise SettingsError(f"CLIENT_MINIMUM={minimum} is newer than the current version, {current}")
    return current, minimum


def _program(environ: Mapping[str, str], name: str) -> Path | None:
    path = Path(environ[name]) if environ.get(name) else None
    if path is not None and not os.access(path, os.X_OK):
        raise SettingsError(f"{name}={path} is no program that can be run")
    return path


def _download(environ: Mapping[str, str], name: str) -> str | None:
    url = environ.get(name)
    if url is not None and not url.startswith("https://"):
        raise SettingsError(f"{name} must start with https://")
    return url


def _rate_limits(environ: Mapping[str, str]) -> int:
    """By how much the limits of app/core/rates.py are multiplied."""
    times = _number(environ, "RATE_LIMITS", 1)
    if times == 0:
        raise SettingsError("RATE_LIMITS multiplies the limits: 1 or more")
    return times


def _smtp(environ: Mapping[str, str]) -> Smtp | None:
    """None: no invoice goes by e-mail."""
    url, sender = environ.get("SMTP_URL"), environ.get("MAIL_FROM")
    if url is None:
        return None
    parts = urlsplit(url)
    try:
        port = parts.port or (465 if parts.scheme == "smtps" else 587)
    except ValueError:
        port = 0
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not port or parts.password:
        raise SettingsError(
            "SMTP_URL must be smtps://user@host:465 or smtp://user@host:587 (with STARTTLS), without a password: "
            "that is the secret smtp.password"
        )
    if sender is None or not re.fullmatch(r"[^@\s<>]+@[A-Za-z0-9.-]+", sender):
        raise SettingsError("MAIL_FROM must name the sender's mailbox, for example invoice@example.com")
    user = unquote(parts.username) if parts.username else None
    return Smtp(parts.hostname, port, "implicit" if parts.scheme == "smtps" else "starttls", user, sender)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (default: the process environment). Raises `SettingsError`."""
    env = os.environ if environ is None else environ
    data_dir = Path(env.get("DATA_DIR", str(ROOT / "data"))).resolve()
    port = _number(env, "PORT", 8000)
    redis_url = env.get("REDIS_URL", f"unix://{data_dir}/redis.sock")
    for name in ("REDIS_URL", "HEARTBEAT_REDIS_URL"):
        if name in env and not env[name].startswith(("redis://", "rediss://", "unix://", "redis+sentinel://")):
            raise SettingsError(f"{name} must start with redis://, rediss://, unix:// or redis+sentinel://")
    database_url = env.get("DATABASE_URL", f"sqlite:///{data_dir}/app.db")
    if not database_url.startswith(("sqlite:///", "postgresql://", "mysql://")):
        raise SettingsError("DATABASE_URL must start with sqlite:///, postgresql:// or mysql://")
    connections = _number(env, "DATABASE_CONNECTIONS", _number(env, "WEB_THREADS", 16) + 8)
    if connections == 0:
        raise SettingsError("DATABASE_CONNECTIONS must be at least 1")
    public_url = env.get("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
    providers = _choice(env, "PROVIDERS", "sandbox", ("sandbox", "live"))
    if providers == "live" and not public_url.startswith("https://"):
        raise SettingsError("PUBLIC_URL must start with https:// under PROVIDERS=live")
    if providers == "live" and "TRUSTED_PROXIES" not in env:
        raise SettingsError(
            "TRUSTED_PROXIES must be said under PROVIDERS=live: how many proxies stand in front (0: none). With a "
            "wrong number everybody seems to come from one address, or from whichever they please"
        )
    client_version, client_minimum = _client(env)
    secrets_dir = Path(env.get("SECRETS_DIR", str(data_dir / "secrets"))).resolve()
    return Settings(
        data_dir=data_dir,
        database_url=database_url,
        database_connections=connections,
        redis_url=redis_url,
        heartbeat_redis_url=env.get("HEARTBEAT_REDIS_URL", redis_url),
        public_url=public_url,
        providers=cast(Literal["sandbox", "live"], providers),
        sandbox_url=env.get("SANDBOX_URL", f"http://127.0.0.1:{port + 1}").rstrip("/"),
        programmes_dir=Path(env.get("PROGRAMMES_DIR", str(ROOT / "config" / "programmes"))).resolve(),
        fonts_dir=Path(env.get("FONTS_DIR", str(FONTS))).resolve(),
        front_dir=Path(env.get("FRONT_DIR", str(FRONT))).resolve(),
        ffmpeg=_program(env, "FFMPEG"),
        log_level=_choice(env, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=cast(Literal["json", "console"], _choice(env, "LOG_FORMAT", "json", ("json", "console"))),
        trusted_proxies=_number(env, "TRUSTED_PROXIES", 0),
        rate_limits=_rate_limits(env),
        demo=_choice(env, "DEMO", "0", ("0", "1")) == "1",
        client_version=client_version,
        client_minimum=client_minimum,
        android_url=_download(env, "ANDROID_URL"),
        ios_url=_download(env, "IOS_URL"),
        smtp=_smtp(env),
        secrets=Secrets(secrets_dir if secrets_dir.is_dir() else None, env),
    )
