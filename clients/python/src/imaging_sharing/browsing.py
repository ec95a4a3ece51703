"""A person signs in with their browser: authorization code with PKCE, back to 127.0.0.1 (RFC 8252).

The browser comes back to a port of this machine that is open for that one answer. What comes back
is taken once, when it bears the state that was sent and the portal's own name (RFC 9207).
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from .errors import PortalError, Refused
from .tokens import Person

WAITS = 300.0
"""Seconds in which the person answers."""
BACK = "/callback"
_PAGE = b"<!doctype html><meta charset=utf-8><title>Done</title><p>Done. You can close this window."
Opener = Callable[[str], object]


def sign_in(url: str, client: str, *, scopes: str, opened: Opener, waits: float = WAITS) -> Person:
    """The tokens of whoever allows it; `opened` is given the address to open in a browser.

    Raises Refused where they don't, PortalError where nobody answers.
    """
    here = url.rstrip("/")
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _Listening() as listening:
        back = f"http://127.0.0.1:{listening.server_port}{BACK}"
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": back,
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        } | ({"scope": scopes} if scopes else {})
        opened(f"{here}/oauth/authorize?{urlencode(asked)}")
        code = _code(listening.answer(state, waits), here)
    return _swapped(here, client, {"code": code, "redirect_uri": back, "code_verifier": verifier})


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _code(told: dict[str, str], here: str) -> str:
    """The code of a yes of that portal."""
    if told.get("iss") != here:
        raise PortalError("The answer is not from this portal.")
    if "code" not in told:
        raise Refused(403, told.get("error", "error"), "It was not allowed.", None)
    return told["code"]


def _swapped(here: str, client: str, form: dict[str, str]) -> Person:
    person = Person(here, client)
    body = {"grant_type": "authorization_code", "client_id": client, **form}
    answer = httpx.post(person.endpoint, data=body, timeout=60.0, follow_redirects=False)
    person.took(answer)
    return person


class _Listening(HTTPServer):
    """A port of this machine alone, open until the answer came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[dict[str, str]] = []

    def answer(self, state: str, waits: float) -> dict[str, str]:
        """What came back with that state; what comes with another one is nobody's."""
        until = time.monotonic() + waits
        while (left := until - time.monotonic()) > 0:
            self.timeout = left
            self.handle_request()
            for told in self.told:
                if secrets.compare_digest(told.get("state", "").encode(), state.encode()):
                    return told
            self.told.clear()
        raise PortalError("Nobody signed in.")


class _Handler(BaseHTTPRequestHandler):
    """One request from the browser."""

    server: _Listening
    timeout = 10.0

    def do_GET(self) -> None:
        """Take what the portal sent along, and say so; anything else is not here."""
        address = urlsplit(self.path)
        found = address.path == BACK
        if found:
            said = parse_qs(address.query)
            self.server.told.append({name: values[0] for name, values in said.items()})
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_PAGE if found else b"")

    def log_message(self, *told: Any) -> None:
        """Nothing: the address holds a code."""
