"""What the proof's routes give."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, String

_MAYBE: dict[str, Any] = {"required": True, "allow_none": True}


class ProofOut(Schema):
    """The person's own proof. While it waits for a photo everything but status and next_step is null."""

    status = String(required=True, metadata={"enum": ["pending_photo", "valid", "revoked"]})
    next_step = String(**_MAYBE)
    title = String(required=True)
    number = String(**_MAYBE)
    issued_on = String(**_MAYBE, metadata={"format": "date"})
    revoked_on = String(**_MAYBE, metadata={"format": "date"})
    pdf_url = String(**_MAYBE, metadata={"description": "十分钟内有效；已撤销的证明，文件上标明“已撤销”"})
    verify_url = String(**_MAYBE, metadata={"description": "公开核验页，可以转发"})
    qr_svg = String(**_MAYBE, metadata={"description": "公开核验页的二维码（data: URI，SVG）"})
    share_text = String(**_MAYBE, metadata={"description": "转发时的一句话，没有姓名"})
    note = String(**_MAYBE)


class VerifyOut(Schema):
    """What anyone may know of a proof."""

    valid = Boolean(required=True)
    status = String(required=True, metadata={"enum": ["valid", "revoked"]})
    title = String(required=True)
    name = String(required=True, metadata={"description": "姓名，已隐去一部分"})
    kind = String(required=True)
    number = String(required=True)
    issued_on = String(required=True, metadata={"format": "date"})
    revoked_on = String(**_MAYBE, metadata={"format": "date"})
    programme = String(required=True)
    authority = String(required=True)
