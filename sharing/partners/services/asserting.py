"""A machine proves who it is by a signed assertion (RFC 7523, SMART backend services)."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc import jws
from joserfc.errors import JoseError

from sharing.partners.errors import AssertionRefused
from sharing.partners.models import Client, UsedAssertion

from .keys import ALGORITHMS, key_of

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LASTS = timedelta(minutes=5)
LEEWAY = timedelta(seconds=60)
"""Clocks of two houses disagree by so much; what has expired has expired."""
LONGEST = 8 * 1024


def token_address() -> str:
    """What an assertion is for: its `aud`."""
    return f"{settings.PUBLIC_URL}/oauth/token"


def client_by_assertion(assertion: str, *, at: datetime) -> Client:
    """The client that signed it, just now and for us; it is used up. Raises AssertionRefused."""
    signature = _parsed(assertion)
    client = _named(signature)
    header, claims = signature.headers(), _claims(signature)
    _check_header(header, client)
    key = key_of(client, header["kid"], header["alg"])
    if key is None:
        raise AssertionRefused()
    try:
        jws.deserialize_compact(assertion, key, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError) as error:
        raise AssertionRefused() from error
    expires = _check_claims(claims, client, at)
    _use(client, claims["jti"], expires, at)
    return client


def _parsed(assertion: str) -> jws.CompactSignature:
    if len(assertion) > LONGEST or not assertion.isascii():
        raise AssertionRefused()
    try:
        return jws.extract_compact(assertion.encode())
    except (JoseError, ValueError) as error:
        raise AssertionRefused() from error


def _claims(signature: jws.CompactSignature) -> dict[str, Any]:
    try:
        claims = json.loads(signature.payload)
    except ValueError as error:
        raise AssertionRefused() from error
    if not isinstance(claims, dict):
        raise AssertionRefused()
    return claims


def _named(signature: jws.CompactSignature) -> Client:
    """Who it says it is: one of our machines that has keys."""
    issuer = _claims(signature).get("iss")
    client = Client.objects.filter(client_id=issuer, ended_at=None).first()
    if not isinstance(issuer, str) or client is None or not (client.jwks or client.jwks_url):
        raise AssertionRefused()
    return client


def _check_header(header: Mapping[str, Any], client: Client) -> None:
    """An algorithm of the two, a named key, nothing that must be understood and isn't."""
    good = header.get("alg") in ALGORITHMS and isinstance(header.get("kid"), str)
    typed = str(header.get("typ", "JWT")).upper() == "JWT"
    elsewhere = "jku" in header and header["jku"] != client.jwks_url
    if not good or not typed or elsewhere or "crit" in header or "jwk" in header:
        raise AssertionRefused()


def _check_claims(claims: Mapping[str, Any], client: Client, at: datetime) -> datetime:
    """By the client, about itself, for our token endpoint, good now and not for long: till when."""
    aud = claims.get("aud")
    meant = aud == token_address() or aud == [token_address()]
    same = claims.get("iss") == claims.get("sub") == client.client_id
    jti = claims.get("jti")
    expires = _moment(claims.get("exp"))
    if not meant or not same or not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise AssertionRefused()
    if expires is None or not at < expires <= at + LASTS + LEEWAY:
        raise AssertionRefused()
    for name in ("iat", "nbf"):
        moment = _moment(claims[name]) if name in claims else at
        if moment is None or moment > at + LEEWAY:
            raise AssertionRefused()
    return expires


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _use(client: Client, jti: str, expires: datetime, at: datetime) -> None:
    """The database says whether it is the first time, however many come at once."""
    fingerprint = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                client=client,
                fingerprint=fingerprint,
                used_at=at,
                expires_at=expires,
            )
    except IntegrityError as error:
        raise AssertionRefused() from error
