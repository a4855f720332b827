"""Handles for tests and for the phone page: trouble, the journal, the clock."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.box import Box
from sandbox.knobs import UnknownKnob


def refused(code: str, message: str, status: int = 400) -> Response:
    """A control's own error answer."""
    response = jsonify(code=code, message=message)
    response.status_code = status
    return response


def body() -> dict[str, Any]:
    """The request's JSON object; an empty one where there is none."""
    data = request.get_json(silent=True)
    return data if isinstance(data, dict) else {}


def blueprint(box: Box) -> Blueprint:
    """`/_knobs`, `/_log`, `/_control/clock`."""
    blue = Blueprint("controls", __name__)

    @blue.get("/_knobs")
    def knobs() -> Response:
        return jsonify(box.knobs.report())

    @blue.post("/_knobs")
    def add() -> Response:
        data = body()
        unknown = set(data) - {"provider", "operation", "kind", "value", "times"}
        if unknown:
            return refused("UNKNOWN_KEY", f"unknown: {', '.join(sorted(unknown))}")
        try:
            knob = box.knobs.add(
                str(data.get("provider", "")),
                str(data.get("operation", "*")),
                str(data.get("kind", "")),
                data.get("value"),
                data.get("times", 1),
            )
        except UnknownKnob as error:
            return refused("UNKNOWN_KNOB", str(error))
        return jsonify(knob)

    @blue.delete("/_knobs")
    def clear() -> Response:
        box.knobs.clear()
        return Response(status=204)

    @blue.get("/_log")
    def log() -> Response:
        return jsonify(box.journal.report())

    @blue.delete("/_log")
    def forget() -> Response:
        box.journal.clear()
        return Response(status=204)

    @blue.route("/_control/clock", methods=["GET", "POST"])
    def clock() -> Response:
        if request.method == "POST":
            offset = body().get("offset")
            if isinstance(offset, bool) or not isinstance(offset, int | float):
                return refused("PARAM_ERROR", "offset is a number of seconds")
            box.clock.offset = float(offset)
        return jsonify(offset=box.clock.offset, now=box.clock.now())

    return blue
