"""One uploaded file of a multipart body, read into memory within the view's limit: never spooled to disk in clear."""

from __future__ import annotations

import io
from typing import IO, Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from app.core.errors import TOO_LARGE, UNSUPPORTED_TYPE
from app.core.web import refuse_nul
from app.face.errors import PHOTO_MISSING

MAX_PICTURE = 5 * 1024 * 1024
MAX_BODY = MAX_PICTURE + 16 * 1024  # the picture, its part's headers, and a few short fields
MAX_PARTS = 8
MAX_FIELD = 256 * 1024  # also bounds the parser's own buffer, which is filled 64 KB at a time


def _in_memory(*_args: Any, **_kwargs: Any) -> IO[bytes]:
    return io.BytesIO()


def read_upload(name: str) -> tuple[bytes, dict[str, str]]:
    """The file called `name`, and the text fields. A body whose declared length is over the view's limit is refused
    before it is read, one without a declared length when it passes the limit. Raises `too_large`,
    `unsupported_type` (not multipart), `bad_request` (a NUL in a name or a text), `photo_missing`."""
    if request.mimetype != "multipart/form-data":
        raise UNSUPPORTED_TYPE()
    parser = FormDataParser(stream_factory=_in_memory, max_form_memory_size=MAX_FIELD, max_form_parts=MAX_PARTS)
    try:
        _, form, files = parser.parse(
            request.stream, request.mimetype, request.content_length, dict(request.mimetype_params)
        )
    except RequestEntityTooLarge as error:
        raise TOO_LARGE("照片超过 5 MB，请压缩后再上传，或用手机重新拍一张普通照片。") from error
    refuse_nul(form, files)
    file = files.get(name)
    data = b"" if file is None else file.stream.read()
    if not data:
        raise PHOTO_MISSING(fields={name: PHOTO_MISSING.sentence})
    if len(data) > MAX_PICTURE:
        raise TOO_LARGE("照片超过 5 MB，请压缩后再上传，或用手机重新拍一张普通照片。")
    return data, dict(form.items())
