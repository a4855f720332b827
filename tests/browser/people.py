"""The demonstration's trainees, brought over HTTP as far as a test wants to find them."""

from __future__ import annotations

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops.client import Client
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey


def newcomer(stack: Stack, programme: str = "yunnan") -> Journey:
    """Somebody of the programme's roster who has never been here."""
    policy.init(ROOT / "config" / "programmes")
    journey = Journey(Client(stack.base_url), Client(stack.sandbox_url), policy.in_force(programme, utcnow()), print)
    journey.log_in()
    return journey


def activated(stack: Stack, programme: str = "yunnan") -> Journey:
    """With a password of their own and all consents; they may sign up and have not."""
    return agreed(newcomer(stack, programme))


def agreed(journey: Journey) -> Journey:
    """Somebody who has never been here is now as `activated` says."""
    journey.activate()
    journey.client.post("/api/v1/password", {"new_password": OWN_PASSWORD})
    for kind in ("agreement", "face"):
        journey.client.post("/api/v1/consents", {"kind": kind, "version": "1", "agreed": True})
    return journey


def paid(stack: Stack) -> Journey:
    """With photo and face, signed up and paid for; they have not studied."""
    journey = activated(stack)
    journey.face_check("login")
    journey.client.put("/api/v1/photo", files={"photo": ("photo.jpg", journey.face(), "image/jpeg")})
    journey.pay(journey.sign_up())
    return journey
