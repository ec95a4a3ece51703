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
MOST = 12
"""People whom one browser knows, the last ones."""


def counted_as(request: HttpRequest, login: str) -> str:
    """Under which name a try at that address is counted."""
    login = login.lower()
    name = _known(request).get(_mark(login))
    return f"device:{name}:{login}" if name else f"anybody:{login}"


def remember(request: HttpRequest, response: Any, login: str) -> None:
    """The person has signed in on this browser, as others may have at a shared workstation."""
    known, mark = _known(request), _mark(login.lower())
    known = {mark: known.pop(mark, secrets.token_hex(8))} | known
    response.set_cookie(
        COOKIE,
        signing.dumps(dict(list(known.items())[:MOST]), salt=COOKIE),
        max_age=LASTS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=LASTS)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def _mark(login: str) -> str:
    """Tells the address again and does not say it."""
    return hashlib.sha256(f"{settings.SECRET_KEY}{login}".encode()).hexdigest()[:32]
