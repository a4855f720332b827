"""UnionPay's wire, 5.1.0: what is signed and how, whose certificate is believed, how an answer is written.

Wire facts: docs/providers.md, UnionPay.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtensionNotFound,
    NameOID,
    load_pem_x509_certificate,
)

VERSION = "5.1.0"
RSA = "01"  # signMethod: RSA with a certificate
OWNER = "中国银联股份有限公司"  # third part of the signing certificate's common name
SMALLEST_KEY = 2048  # bits
REMEMBERED = 16  # certificates whose chain was found good: UnionPay signs with one or two at a time

# a value may hold an ampersand between braces or brackets
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9]*)=((?:\{[^}]*\}|\[[^\]]*\]|[^&])*)(?:&|\Z)")


class NotSigned(Exception):
    """UnionPay did not sign this, or its certificate is not believed; the message says which."""


def content(fields: Mapping[str, str]) -> bytes:
    """What is signed: the SHA-256 of every field but the signature, by name, as lower-case hexadecimal text."""
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "signature")
    return hashlib.sha256(text.encode()).hexdigest().encode()


def signature_good(key: RSAPublicKey, fields: Mapping[str, str]) -> bool:
    """Whether `key` signed these fields with SHA-256. Base64 in another spelling (decoders are lenient) is not
    good."""
    signature = fields.get("signature", "")
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, content(fields), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return base64.b64encode(raw).decode() == signature


def parsed(body: bytes) -> dict[str, str]:
    """The fields of an answer: `name=value` joined by `&`, nothing escaped. Raises ValueError."""
    text, fields, place = body.decode("utf-8"), {}, 0
    while place < len(text):
        found = _PAIR.match(text, place)
        if found is None or found[1] in fields:
            raise ValueError("not an answer")
        fields[found[1]] = found[2]
        place = found.end()
    return fields


class Signer:
    """The merchant's key and the number of its certificate, out of the PFX that the authority hands out."""

    def __init__(self, pfx: str, password: str):
        key, certificate, _ = load_key_and_certificates(base64.b64decode(pfx), password.encode())
        if not isinstance(key, RSAPrivateKey) or certificate is None:
            raise ValueError("the PFX holds no RSA key with its certificate")
        self._key, self.cert_id = key, str(certificate.serial_number)

    def signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields that are not empty, with certificate number and signature."""
        full = {name: value for name, value in fields.items() if value} | {
            "version": VERSION,
            "encoding": "UTF-8",
            "signMethod": RSA,
            "certId": self.cert_id,
        }
        signature = self._key.sign(content(full), PKCS1v15(), SHA256())
        return full | {"signature": base64.b64encode(signature).decode()}


class Trust:
    """Whose signatures are believed: certificates of UnionPay itself, issued by the middle authority, which the root
    issued; each valid at the moment, and signed with SHA-256. The root is believed because it was configured."""

    def __init__(self, root: str, middle: str):
        self._root = load_pem_x509_certificate(root.encode())
        self._middle = load_pem_x509_certificate(middle.encode())
        self._good: dict[str, tuple[Certificate, RSAPublicKey]] = {}
        _issued_by(self._root, self._middle)
        for authority in (self._root, self._middle):
            _an_authority(authority)

    def verified(self, fields: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        """The fields, if UnionPay signed them. Raises `NotSigned`."""
        if fields.get("version") != VERSION or fields.get("signMethod") != RSA:
            raise NotSigned("version or signMethod")
        if not signature_good(self.key_of(fields.get("signPubKeyCert", ""), now), fields):
            raise NotSigned("signature")
        return fields

    def key_of(self, pem: str, now: datetime) -> RSAPublicKey:
        """The key of a certificate that came with a message. Raises `NotSigned`."""
        if pem not in self._good:
            found = self._checked(pem)
            if len(self._good) >= REMEMBERED:
                self._good.clear()
            self._good[pem] = found
        certificate, key = self._good[pem]
        for one in (certificate, self._middle, self._root):
            if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
                raise NotSigned("a certificate is not valid now")
        return key

    def _checked(self, pem: str) -> tuple[Certificate, RSAPublicKey]:
        try:
            certificate = load_pem_x509_certificate(pem.encode())
        except ValueError as error:
            raise NotSigned("no certificate") from error
        _issued_by(self._middle, certificate)
        key = certificate.public_key()
        if not _is_unionpays(certificate):
            raise NotSigned("a certificate of somebody else")
        if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
            raise NotSigned("a weak key")
        return certificate, key


def _is_unionpays(certificate: Certificate) -> bool:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    parts = str(names[0].value).split("@") if len(names) == 1 else []
    return len(parts) >= 3 and parts[2] == OWNER


def _issued_by(issuer: Certificate, certificate: Certificate) -> None:
    try:
        strong = isinstance(certificate.signature_hash_algorithm, SHA256)
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise NotSigned("a certificate of another issuer") from error
    if not strong:
        raise NotSigned("a certificate that is not signed with SHA-256")


def _an_authority(certificate: Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(BasicConstraints).value
    except ExtensionNotFound as error:
        raise NotSigned("not an authority's certificate") from error
    if not constraints.ca:
        raise NotSigned("not an authority's certificate")
