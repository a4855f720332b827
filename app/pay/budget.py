"""The time budget of scheduled jobs lives in the core: every domain that calls providers keeps to it."""

from app.core.budget import SECONDS, Budget

__all__ = ["SECONDS", "Budget"]
