"""Makes, at the first start, every secret that the product and the sandbox need. Never overwrites one.

`python -m sandbox.keys DATA_DIR` writes them. Real keys of real providers replace the files by hand
(or by environment variables) before PROVIDERS=live.
"""

from __future__ import annotations

import base64
import os
import secrets
import string
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.x509 import load_pem_x509_certificate

from sandbox import certificates

AUTHORITIES = ("yunnan",)
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Merchant:
    """One WeChat Pay merchant as the platform knows it: it holds the merchant's public key only."""

    authority: str
    mchid: str
    appid: str
    official_appid: str
    serial: str
    public_key: RSAPublicKey
    api_v3_key: bytes
    platform_key: RSAPrivateKey
    foreign_key: RSAPrivateKey
    platform_key_id: str


@dataclass(frozen=True)
class Seller:
    """One Alipay application as the platform knows it."""

    authority: str
    app_id: str
    seller_id: str
    public_key: RSAPublicKey
    platform_key: RSAPrivateKey
    foreign_key: RSAPrivateKey


@dataclass(frozen=True)
class Acquired:
    """One UnionPay merchant as the platform knows it: its certificate's number and public key. `certificate`: what
    the platform signs with, `bad`: certificates that nobody may believe, by what is wrong with them."""

    authority: str
    mer_id: str
    cert_id: str
    public_key: RSAPublicKey
    platform_key: RSAPrivateKey
    foreign_key: RSAPrivateKey
    certificate: str
    bad: dict[str, str]


def _digits(count: int) -> str:
    return str(secrets.randbelow(9) + 1) + "".join(secrets.choice(string.digits) for _ in range(count - 1))


def _text(count: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(count))


def _key32() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _private_pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _new_private() -> str:
    return _private_pem(generate_private_key(public_exponent=65537, key_size=2048))


def _write(path: Path, make: Callable[[], str]) -> str:
    """The text of `path`; made and written whole (0600) where it is missing. Two starters agree on one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its value counts
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def _load_private(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA private key")
    return key


def _load_public(pem: str) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("not an RSA public key")
    return key


def ensure(data_dir: Path) -> None:
    """Write each missing secret into `<data_dir>/secrets/<name>`, the sandbox's own into `<data_dir>/sandbox/`."""
    public, private = data_dir / "secrets", data_dir / "sandbox"
    for name in ("app.secret_key", "app.index_key"):
        _write(public / name, _key32)
    for name in ("app.field_keys", "app.photo_keys"):
        _write(public / name, lambda: f"k1:{_key32()}")
    for authority in AUTHORITIES:
        pay, mine = f"{authority}.wechatpay.", f"{authority}.wechatpay."
        merchant = _write(public / f"{pay}merchant_private_key", _new_private)
        platform = _write(private / f"{mine}platform_private_key", _new_private)
        _write(private / f"{mine}foreign_private_key", _new_private)
        _write(
            private / f"{mine}merchant_public_key",
            lambda pem=merchant: _public_pem(_load_private(pem).public_key()),  # type: ignore[misc]
        )
        _write(
            public / f"{pay}platform_public_key",
            lambda pem=platform: _public_pem(_load_private(pem).public_key()),  # type: ignore[misc]
        )
        appid = _write(public / f"{pay}appid", lambda: "wx" + secrets.token_hex(8))
        official = _write(public / f"{authority}.wechat_official.appid", lambda: "wx" + secrets.token_hex(8))
        simple: dict[str, Callable[[], str]] = {
            f"{pay}mchid": lambda: "16" + _digits(8),
            f"{pay}merchant_serial": lambda: secrets.token_hex(20).upper(),
            f"{pay}api_v3_key": lambda: _text(32),
            f"{pay}platform_public_key_id": lambda: "PUB_KEY_ID_01" + _digits(26),
            f"{authority}.wechat.appid": lambda value=appid: value,  # type: ignore[misc]
            f"{authority}.wechat.secret": lambda: secrets.token_hex(16),
            f"{pay}official_appid": lambda value=official: value,  # type: ignore[misc]
            f"{authority}.wechat_official.secret": lambda: secrets.token_hex(16),
            f"{authority}.baidu.app_id": lambda: _digits(8),
            f"{authority}.baidu.api_key": lambda: _text(24),
            f"{authority}.baidu.secret_key": lambda: _text(32),
            f"{authority}.baidu.plan_id": lambda: _digits(5),
            f"{authority}.tencent_sms.secret_id": lambda: "AKID" + _text(32),
            f"{authority}.tencent_sms.secret_key": lambda: _text(32),
            f"{authority}.tencent_sms.sdk_app_id": lambda: "1400" + _digits(6),
            f"{authority}.invoice.app_key": lambda: _digits(8),
            f"{authority}.invoice.app_secret": lambda: secrets.token_hex(8).upper(),
            f"{authority}.invoice.access_token": lambda: secrets.token_hex(16),
            f"{authority}.invoice.tax_number": lambda: "339902999999789113",  # the vendor's test account
            f"{authority}.invoice.address": lambda: "昆明市西山区",
            f"{authority}.invoice.phone": lambda: "0871-64123240",
            f"{authority}.invoice.clerk": lambda: "张三",
            f"{authority}.tencent_sms.sign_name": lambda: "住考网络",
        }
        for name, make in simple.items():
            _write(public / name, make)
        _ensure_alipay(public, private, f"{authority}.alipay.")
        _ensure_unionpay(public, private, f"{authority}.unionpay.")


def _ensure_alipay(public: Path, private: Path, name: str) -> None:
    """An application's own key, the platform's, and one that is nobody's."""
    app = _write(public / f"{name}app_private_key", _new_private)
    platform = _write(private / f"{name}alipay_private_key", _new_private)
    _write(private / f"{name}foreign_private_key", _new_private)
    _write(private / f"{name}app_public_key", lambda: _public_pem(_load_private(app).public_key()))
    _write(public / f"{name}alipay_public_key", lambda: _public_pem(_load_private(platform).public_key()))
    _write(public / f"{name}app_id", lambda: "2021" + _digits(12))
    _write(public / f"{name}seller_id", lambda: "2088" + _digits(12))


def secret(data_dir: Path, name: str) -> str:
    """The text of the secret `name` (written by `ensure`). Raises FileNotFoundError."""
    return (data_dir / "secrets" / name).read_text(encoding="utf-8").strip()


def merchants(data_dir: Path) -> dict[str, Merchant]:
    """Every merchant of the sandbox, by mchid."""
    found = {}
    for authority in AUTHORITIES:
        own = data_dir / "sandbox" / f"{authority}.wechatpay."
        shared = f"{authority}.wechatpay."
        merchant = Merchant(
            authority=authority,
            mchid=secret(data_dir, shared + "mchid"),
            appid=secret(data_dir, shared + "appid"),
            official_appid=secret(data_dir, shared + "official_appid"),
            serial=secret(data_dir, shared + "merchant_serial"),
            public_key=_load_public(Path(f"{own}merchant_public_key").read_text(encoding="utf-8")),
            api_v3_key=secret(data_dir, shared + "api_v3_key").encode(),
            platform_key=_load_private(Path(f"{own}platform_private_key").read_text(encoding="utf-8")),
            foreign_key=_load_private(Path(f"{own}foreign_private_key").read_text(encoding="utf-8")),
            platform_key_id=secret(data_dir, shared + "platform_public_key_id"),
        )
        found[merchant.mchid] = merchant
    return found


def sellers(data_dir: Path) -> dict[str, Seller]:
    """Every Alipay application of the sandbox, by its id."""
    found = {}
    for authority in AUTHORITIES:
        own, shared = data_dir / "sandbox" / f"{authority}.alipay.", f"{authority}.alipay."
        seller = Seller(
            authority=authority,
            app_id=secret(data_dir, shared + "app_id"),
            seller_id=secret(data_dir, shared + "seller_id"),
            public_key=_load_public(Path(f"{own}app_public_key").read_text(encoding="utf-8")),
            platform_key=_load_private(Path(f"{own}alipay_private_key").read_text(encoding="utf-8")),
            foreign_key=_load_private(Path(f"{own}foreign_private_key").read_text(encoding="utf-8")),
        )
        found[seller.app_id] = seller
    return found


def _ensure_unionpay(public: Path, private: Path, name: str) -> None:
    """A small authority, the platform's certificate, and the merchant's PFX; the platform keeps no key of the
    merchant's."""
    keys = {}
    for who in ("root", "middle", "platform", "foreign"):
        keys[who] = _load_private(_write(private / f"{name}{who}_private_key", _new_private))
    root = _write(public / f"{name}root_certificate", lambda: certificates.authority("SANDBOX CS CA", keys["root"]))
    middle = _write(
        public / f"{name}middle_certificate",
        lambda: certificates.authority("SANDBOX OCA1", keys["middle"], issuer=(root, keys["root"])),
    )
    _write(private / f"{name}certificate", lambda: certificates.platform(keys["platform"], (middle, keys["middle"])))
    password = _write(public / f"{name}sign_pfx_password", lambda: _digits(6))
    pfx = _write(
        public / f"{name}sign_pfx",
        lambda: certificates.pfx(_load_private(_new_private()), (middle, keys["middle"]), password),
    )
    _write(private / f"{name}merchant_certificate", lambda: certificates.certificate_of(pfx, password))
    _write(public / f"{name}mer_id", lambda: "8026" + _digits(11))


def acquired(data_dir: Path) -> dict[str, Acquired]:
    """Every UnionPay merchant of the sandbox, by its number."""
    found = {}
    for name in AUTHORITIES:
        own, shared = data_dir / "sandbox", data_dir / "secrets"

        def read(directory: Path, what: str, name: str = name) -> str:
            return (directory / f"{name}.unionpay.{what}").read_text(encoding="utf-8").strip()

        merchant = load_pem_x509_certificate(read(own, "merchant_certificate").encode())
        platform_key = _load_private(read(own, "platform_private_key"))
        foreign_key = _load_private(read(own, "foreign_private_key"))
        middle = (read(shared, "middle_certificate"), _load_private(read(own, "middle_private_key")))
        one = Acquired(
            authority=name,
            mer_id=read(shared, "mer_id"),
            cert_id=str(merchant.serial_number),
            public_key=_load_public(_public_pem(merchant.public_key())),  # type: ignore[arg-type]
            platform_key=platform_key,
            foreign_key=foreign_key,
            certificate=read(own, "certificate"),
            bad=certificates.bad(platform_key, foreign_key, middle),
        )
        found[one.mer_id] = one
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m sandbox.keys DATA_DIR")
    ensure(Path(sys.argv[1]).resolve())
