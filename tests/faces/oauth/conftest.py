"""Machines and apps of Riverside, as an administrator made them, and how they ask for tokens."""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from sharing.partners.services import Made, Wish, create_client
from tests.cast import Region

TOKEN = "/oauth/token"
AUD = "http://testserver/oauth/token"
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BACK = "https://app.example.org/back"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().strip("=")


@pytest.fixture(scope="session")
def rsa() -> RSAKey:
    """A machine's RSA key."""
    return RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)


@pytest.fixture(scope="session")
def ec() -> ECKey:
    """A machine's P-384 key."""
    return ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"}, private=True)


@dataclass
class Machine:
    """A backend service: who it is, and what it signs with."""

    made: Made
    key: Any
    algorithm: str
    browser: Browser = field(default_factory=Browser)
    number: int = 0

    def assertion(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good one, but for what is said. None takes a claim out."""
        self.number += 1
        me, now = self.made.client.client_id, int(time.time())
        said = {"iss": me, "sub": me, "aud": AUD, "exp": now + 240, "jti": f"{me}-{self.number}"}
        said = {name: value for name, value in (said | claims).items() if value is not None}
        head = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"} | (header or {})
        return signed(head, said, self.key)

    def ask(self, assertion: str, **more: str) -> Any:
        """The token endpoint's answer."""
        body = {
            "grant_type": "client_credentials",
            "client_assertion_type": KIND,
            "client_assertion": assertion,
            "scope": "system/ImagingStudy.rs",
        }
        return self.browser.post(TOKEN, body | more)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    """A JWS as the library makes it, whatever the algorithm."""
    import json

    registry = jws.JWSRegistry(algorithms=["RS384", "ES384", "RS256", "HS256", "PS384"])
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, registry=registry)


@pytest.fixture
def machine(region: Region, rsa: RSAKey, ec: ECKey) -> Callable[..., Machine]:
    """Makes a backend service of Riverside."""

    def make(algorithm: str = "ES384", **wish: Any) -> Machine:
        key: Any = ec if algorithm == "ES384" else rsa
        values = {"name": "PACS", "scopes": ("system/ImagingStudy.rs", "dicomweb.write")}
        if "jwks_url" not in wish:
            values["jwks"] = {"keys": [key.as_dict(private=False)]}
        made = create_client(wish=Wish(**(values | wish)), by=region.admin.actor, at=timezone.now())
        return Machine(made, key, algorithm)

    return make


@pytest.fixture
def app(region: Region) -> Callable[..., Made]:
    """Makes an app of Riverside."""

    def make(**wish: Any) -> Made:
        values = {
            "name": "Ward rounds",
            "app": True,
            "public": True,
            "redirects": (BACK,),
            "scopes": ("studies.read", "user/ImagingStudy.rs"),
        }
        return create_client(wish=Wish(**(values | wish)), by=region.admin.actor, at=timezone.now())

    return make
