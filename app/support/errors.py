"""What can go wrong while somebody writes to support; each sentence says what to do next."""

from __future__ import annotations

from app.core.errors import problem

TICKET_CLOSED = problem("ticket_closed", 409, "这个问题已经结束。如还有疑问，请重新写给我们。")
TICKET_TOO_MANY = problem("ticket_too_many", 429, "您今天写得较多，我们会逐条答复。着急的事请直接打电话。")
TICKET_PICTURE_GONE = problem("ticket_picture_gone", 422, "有一张照片没有上传成功，请去掉后重新添加。")
TICKET_PICTURES_MANY = problem("ticket_pictures_many", 422, "一次最多三张照片。")
