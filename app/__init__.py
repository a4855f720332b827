"""The application: `create_app` wires settings, core and the domains. Nothing else knows all of them."""

from __future__ import annotations

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import wiring
from app.core import access, openapi, web
from config.settings import Settings, load


def create_app(settings: Settings | None = None) -> APIFlask:
    """The WSGI application for `settings` (default: from the environment). Raises `SettingsError`."""
    settings = settings or load()
    wiring.start(settings)
    app = web.Application(
        __name__,
        title="住考网络继续学习",
        version="1",
        docs_path=None,
        spec_path=None,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.config.update(MAX_FORM_MEMORY_SIZE=512 * 1024, SETTINGS=settings)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    https = settings.public_url.startswith("https://")
    web.init_app(app, https=https)
    access.init_app(app, wiring.authenticate, wiring.authenticate_staff, https=https)
    openapi.init_app(app)
    wiring.register_views(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    return app
