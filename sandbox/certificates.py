"""UnionPay's certificates in the sandbox: a root, a middle authority, what they issue, what nobody may believe."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    load_key_and_certificates,
    serialize_key_and_certificates,
)
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    Name,
    NameAttribute,
    NameOID,
    load_der_x509_certificate,
    load_pem_x509_certificate,
    random_serial_number,
)

Issuer = tuple[str, RSAPrivateKey]  # its certificate (PEM) and key
OWNER = "041@8310000000083040@中国银联股份有限公司@00016494"
SOMEBODY = "041@8310000000083041@某某科技有限公司@00016495"
YEARS = timedelta(days=3650)


def _name(common: str) -> Name:
    return Name([NameAttribute(NameOID.COUNTRY_NAME, "CN"), NameAttribute(NameOID.COMMON_NAME, common)])


def _made(
    common: str,
    key: RSAPrivateKey,
    issuer: Issuer | None,
    *,
    ca: bool = False,
    begins: timedelta = timedelta(days=-1),
    ends: timedelta = YEARS,
) -> Certificate:
    name, now = _name(common), datetime.now(UTC)
    builder = (
        CertificateBuilder()
        .subject_name(name)
        .issuer_name(load_pem_x509_certificate(issuer[0].encode()).subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return builder.sign(issuer[1] if issuer else key, SHA256())


def _weakened(certificate: Certificate, issuer: RSAPrivateKey) -> Certificate:
    """The same, signed with SHA-1: no library signs one any more, so the algorithm's name is changed in its bytes."""
    strong, weak = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    content = certificate.tbs_certificate_bytes.replace(strong, weak)
    signature = issuer.sign(content, PKCS1v15(), SHA1())  # noqa: S303
    whole = certificate.public_bytes(Encoding.DER).replace(strong, weak)
    return load_der_x509_certificate(whole.replace(certificate.signature, signature))


def _pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def authority(common: str, key: RSAPrivateKey, issuer: Issuer | None = None) -> str:
    """An authority's certificate; a root where no issuer is named."""
    return _pem(_made(common, key, issuer, ca=True))


def platform(key: RSAPrivateKey, issuer: Issuer) -> str:
    """What the platform signs with."""
    return _pem(_made(OWNER, key, issuer))


def pfx(key: RSAPrivateKey, issuer: Issuer, password: str) -> str:
    """The merchant's key and certificate, as base64 of a PFX."""
    certificate = _made("041@Z2026@00040000:SIGN@00000001", key, issuer)
    encryption = BestAvailableEncryption(password.encode())
    return base64.b64encode(serialize_key_and_certificates(b"sign", key, certificate, None, encryption)).decode()


def certificate_of(text: str, password: str) -> str:
    """The certificate in a PFX."""
    _, certificate, _ = load_key_and_certificates(base64.b64decode(text), password.encode())
    if certificate is None:
        raise ValueError("no certificate in the PFX")
    return _pem(certificate)


def bad(key: RSAPrivateKey, foreign: RSAPrivateKey, issuer: Issuer) -> dict[str, str]:
    """Certificates of the platform's key, each with one thing wrong. `forged` is of the foreign key and issuer."""
    stranger = (authority("SANDBOX OCA1", foreign), foreign)
    day = timedelta(days=1)
    return {
        "forged": platform(foreign, stranger),
        "other_issuer": platform(key, stranger),
        "other_owner": _pem(_made(SOMEBODY, key, issuer)),
        "expired": _pem(_made(OWNER, key, issuer, begins=-2 * day, ends=-day)),
        "early": _pem(_made(OWNER, key, issuer, begins=day)),
        "weak_issuer": _pem(_weakened(_made(OWNER, key, issuer), issuer[1])),
    }
