"""Tokens that renew themselves: a machine's by its secret or its key, a person's by a sign-in.

They live five minutes. Each is an httpx authentication: it asks for the next one when the one it
has is about to end, or is not taken any more, and sends it to that portal and nowhere else.
"""

import json
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from .errors import PortalError, Refused

LEEWAY = 20.0
"""Seconds before its end in which a token is renewed already."""
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Flow = Generator[httpx.Request, httpx.Response, None]
_TIMEOUT = httpx.Timeout(60.0).as_dict()


class Store:
    """Where what is renewed is kept between runs: here, nowhere."""

    @contextmanager
    def alone(self) -> Iterator[dict[str, Any]]:
        """Nobody else renews meanwhile; what another one kept last."""
        yield {}

    def keep(self, told: dict[str, Any]) -> None:
        """Keep it."""


class Tokens(httpx.Auth):
    """What all kinds of them do."""

    requires_response_body = True

    def __init__(self, url: str, client: str, scopes: str) -> None:
        self.endpoint = f"{url.rstrip('/')}/oauth/token"
        self.client, self.scopes = client, scopes
        self.token, self.ends = "", 0.0
        self.store = Store()

    def auth_flow(self, request: httpx.Request) -> Flow:
        """httpx's own: the request with a token, and once more where the token was not taken."""
        if time.time() > self.ends - LEEWAY:
            yield from self._renew()
        used = self.token
        answer = yield self._marked(request)
        if answer.status_code == 401:
            yield from self._renew(used)
            yield self._marked(request)

    def _marked(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _renew(self, used: str = "") -> Flow:
        """The next token; or the one that another command got while we waited for it."""
        with self.store.alone() as kept:
            if kept.get("token", used) != used and kept["ends"] - LEEWAY > time.time():
                self.take(kept)
                return
            self.take(kept)
            answer = yield httpx.Request(
                "POST", self.endpoint, data=self.asked(), extensions={"timeout": _TIMEOUT}
            )
            self.took(answer)
            self.store.keep(self.told())

    def took(self, answer: httpx.Response) -> None:
        """Read the token endpoint's answer. Raises Refused."""
        kind = answer.headers.get("content-type", "")
        told = answer.json() if "json" in kind else {}
        if answer.status_code != httpx.codes.OK:
            detail = told.get("error_description") or "The portal gives no token: sign in again."
            raise Refused(answer.status_code, str(told.get("error", "error")), detail, None)
        ends = time.time() + float(told["expires_in"])
        self.take(told | {"token": told["access_token"], "ends": ends})

    def take(self, told: dict[str, Any]) -> None:
        """Go on with what was told or kept."""
        self.token, self.ends = told.get("token", self.token), told.get("ends", self.ends)

    def told(self) -> dict[str, Any]:
        """What is to be kept of it."""
        return {"token": self.token, "ends": self.ends}

    def asked(self) -> dict[str, str]:
        """The form by which the next one is asked for."""
        raise NotImplementedError


class Machine(Tokens):
    """Of a client with a secret, or better with a key: a private JWK, as a file or a dict."""

    def __init__(
        self,
        url: str,
        client: str,
        *,
        secret: str = "",
        key: Path | str | dict[str, Any] | None = None,
        scopes: str = "",
    ) -> None:
        super().__init__(url, client, scopes)
        self._secret, self._key = secret, None if key is None else _private(key)

    def asked(self) -> dict[str, str]:
        """Client credentials, proved."""
        proof = {"client_id": self.client, "client_secret": self._secret}
        if self._key is not None:
            proof = {"client_assertion_type": KIND, "client_assertion": self._assertion()}
        wanted = {"scope": self.scopes} if self.scopes else {}
        return {"grant_type": "client_credentials", **proof, **wanted}

    def _assertion(self) -> str:
        """As SMART backend services sign it: good for two minutes, and once."""
        from joserfc import jws

        key: Any = self._key
        algorithm = "ES384" if key.key_type == "EC" else "RS384"
        who = {"iss": self.client, "sub": self.client, "aud": self.endpoint}
        claims = who | {"exp": int(time.time()) + 120, "jti": secrets.token_urlsafe(24)}
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        return str(jws.serialize_compact(header, json.dumps(claims), key, [algorithm]))


def _private(key: Path | str | dict[str, Any]) -> Any:
    """The key, from a JWK. Raises PortalError."""
    try:
        from joserfc import errors, jwk
    except ImportError:
        raise PortalError("A key needs: pip install 'imaging-sharing[keys]'") from None
    try:
        told = key if isinstance(key, dict) else json.loads(Path(key).read_text(encoding="utf-8"))
        kinds: dict[str, Any] = {"EC": jwk.ECKey, "RSA": jwk.RSAKey}
        made = kinds[told["kty"]].import_key(told)
    except (errors.JoseError, OSError, ValueError, KeyError, TypeError):
        raise PortalError("The key is a private JWK of RSA or P-384.") from None
    if not made.is_private or not made.kid:
        raise PortalError("The key is a private JWK with the kid that the portal knows.")
    return made


class Person(Tokens):
    """Of somebody who let this app act for them; each refresh token is used once."""

    def __init__(self, url: str, client: str, refresh: str = "") -> None:
        super().__init__(url, client, "")
        self.refresh = refresh

    def asked(self) -> dict[str, str]:
        """The next token for the last refresh token."""
        if not self.refresh:
            raise PortalError("Sign in again: imaging-sharing login")
        told = {"grant_type": "refresh_token", "refresh_token": self.refresh}
        return told | {"client_id": self.client}

    def take(self, told: dict[str, Any]) -> None:
        """The refresh token too."""
        super().take(told)
        self.refresh = told.get("refresh_token", told.get("refresh", self.refresh))

    def told(self) -> dict[str, Any]:
        """The same."""
        return super().told() | {"refresh": self.refresh}
