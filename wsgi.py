"""The WSGI entry point."""

from app import create_app
from app.core import heap

heap.bound()
app = create_app()
