"""Guesses from elsewhere lock nobody out: a browser that has signed in before has tries of its own.

Tries of a password are counted by address. Who never signed in on a browser shares one count with
everybody else who tries that address; the person's own browsers each have theirs, told by a signed
cookie (OWASP: device cookies). A passkey and an organization's own sign-in are not counted at all.
"""

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

COOKIE = "known_device"
LASTS = 180 * 86400


def counted_as(request: HttpRequest, login: str) -> str:
    """Under which name a try at that address is counted."""
    login = login.lower()
    said = _read(request)
    if said is not None and said.get("for") == _mark(login):
        return f"device:{said['name']}:{login}"
    return f"anybody:{login}"


def remember(request: HttpRequest, response: Any, login: str) -> None:
    """The person has signed in on this browser."""
    said = _read(request) or {}
    mark = _mark(login.lower())
    name = said["name"] if said.get("for") == mark else secrets.token_hex(8)
    response.set_cookie(
        COOKIE,
        signing.dumps({"for": mark, "name": name}, salt=COOKIE),
        max_age=LASTS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, Any] | None:
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=LASTS)
    except signing.BadSignature:
        return None
    return found if isinstance(found, dict) else None


def _mark(login: str) -> str:
    """Tells the address again and does not say it."""
    return hashlib.sha256(f"{settings.SECRET_KEY}{login}".encode()).hexdigest()[:32]
