"""The public keys of a client: given by value, or fetched from where it publishes them."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from sharing.kernel import outgoing
from sharing.kernel.errors import AddressRefused, NotReached
from sharing.partners.errors import ClientInvalid
from sharing.partners.models import Client

ALGORITHMS = ("RS384", "ES384")
"""SMART App Launch 2.2, 5.2.3: these two, and no other."""
MOST_KEYS = 20
KEPT_SECONDS = 600
FETCHED_EVERY = 60
"""A key that is not known is looked for again, but not for each forged name of a key."""
_LIMITS = outgoing.Limits(seconds=5, body=64 * 1024)


def check_keys(jwks: Any) -> dict[str, Any]:
    """A key set that can be used: public keys only, each with its name. Raises ClientInvalid."""
    try:
        keys = list(_usable(jwks).values())
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ClientInvalid("This is no set of public keys (JWKS).") from error
    if not keys:
        raise ClientInvalid("Give at least one RSA key of 2048 bits or more, or a P-384 key.")
    return {"keys": [key.as_dict(private=False) for key in keys]}


def key_of(client: Client, kid: str, algorithm: str) -> RSAKey | ECKey | None:
    """The client's key of that name and fit for that algorithm."""
    keys = _usable(client.jwks) if client.jwks else _fetched(client, kid)
    key = keys.get(kid)
    wanted = "RSA" if algorithm == "RS384" else "EC"
    return key if key is not None and key.key_type == wanted else None


def _usable(jwks: Any) -> dict[str, RSAKey | ECKey]:
    """By name. A key that is weak, private, symmetric or nameless is none."""
    found: dict[str, RSAKey | ECKey] = {}
    for raw in list(jwks["keys"])[:MOST_KEYS]:
        if not isinstance(raw, Mapping) or "d" in raw or not isinstance(raw.get("kid"), str):
            continue
        if raw.get("kty") not in ("RSA", "EC") or raw.get("use", "sig") != "sig":
            continue
        key = KeySet.import_key_set({"keys": [dict(raw)]}).keys[0]
        if isinstance(key, RSAKey | ECKey) and _is_strong(key):
            found[raw["kid"]] = key
    return found


def _is_strong(key: RSAKey | ECKey) -> bool:
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= 2048
    return key.curve_name == "P-384"


def _fetched(client: Client, kid: str) -> dict[str, RSAKey | ECKey]:
    name = f"partners:jwks:{client.pk}"
    kept = cache.get(name)
    keys = _read(kept)
    if kid not in keys and client.jwks_url and cache.add(f"{name}:asked", 1, FETCHED_EVERY):
        kept = _fetch(client.jwks_url)
        if kept is not None:
            cache.set(name, kept, KEPT_SECONDS)
            keys = _read(kept)
    return keys


def _fetch(url: str) -> bytes | None:
    """What stands there now; None where nothing usable answers."""
    try:
        answer = outgoing.request(
            "GET", url, headers={"Accept": "application/json"}, limits=_LIMITS
        )
    except (AddressRefused, NotReached):
        return None
    return answer.body if answer.status == 200 else None


def _read(kept: bytes | None) -> dict[str, RSAKey | ECKey]:
    try:
        return _usable(json.loads(kept)) if kept else {}
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return {}
