"""Production refuses to start when it would be unsafe (reliability.md, rule 21)."""

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, register
from django.db import OperationalError, connection

from portal import rowlevel

log = logging.getLogger(__name__)


@register()
def production_is_safe(app_configs: Any = None, **kwargs: Any) -> list[Error]:
    """Errors that stop any command and the server; none in embedded mode."""
    if not settings.PRODUCTION:
        return []
    return [Error(text, id=f"portal.E{number:03}") for number, text in _mistakes()]


@register(deploy=True)
def second_fence_stands(app_configs: Any = None, **kwargs: Any) -> list[Error]:
    """Errors where the database lets the portal's role pass by row-level security (ADR-008).

    Asked by `check --deploy` and by each web server at its start. A database that is away is told
    by /readyz, and is no reason not to start.
    """
    if not settings.PRODUCTION or not rowlevel.is_there():
        return []
    try:
        return [Error(text, id="portal.E009") for text in rowlevel.mistakes()]
    except OperationalError:
        log.warning("row-level security could not be looked at: the database is away")
        return []
    finally:
        connection.close()


def _mistakes() -> Iterator[tuple[int, str]]:
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure"):
        yield 1, "SECRET_KEY must be set to 50 or more random characters."
    if settings.DEBUG:
        yield 2, "DEBUG must be off."
    if not settings.PUBLIC_HTTPS:
        yield 3, "PUBLIC_URL must start with https://."
    if not settings.REDIS_URL:
        yield 4, "REDIS_URL must be set: production doesn't start its own broker."
    elif not urlsplit(settings.REDIS_URL).password:
        yield 5, "REDIS_URL must carry a password: an open broker takes orders from anybody."
    if databases()["default"]["ENGINE"].endswith("sqlite3"):
        yield 6, "DATABASE_URL must be a PostgreSQL."
    if "*" in settings.ALLOWED_HOSTS:
        yield 7, "PUBLIC_URL must name one host."
    if settings.AUDIT_KEY and not re.fullmatch("[0-9a-fA-F]{64}", settings.AUDIT_KEY):
        yield 8, "AUDIT_KEY must be 64 hex digits."


def databases() -> dict[str, Any]:
    """The configured databases."""
    return dict(settings.DATABASES)
