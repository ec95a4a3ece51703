"""An organization's SAML identity provider, as its metadata describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sharing.kernel.errors import BadValue

METADATA_MOST = 200_000
"""Characters of a provider's description. A federation's, of thousands of providers, is larger."""
SHORTEST = 2048
_PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True)
class Described:
    """Who it is, where people are sent, and by which certificates it signs: base64, no PEM."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]


def described(metadata: str) -> Described:
    """What a provider's metadata says. Raises BadValue for what describes no single provider."""
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as Parser

    if len(metadata) > METADATA_MOST or metadata.count("EntityDescriptor ") > 1:
        raise BadValue("Give the metadata of one identity provider.")
    try:
        idp: Mapping[str, Any] = Parser.parse(metadata.strip().encode())["idp"]
        found = Described(idp["entityId"], idp["singleSignOnService"]["url"], _signing(idp))
    except (AttributeError, IndexError, KeyError, SyntaxError, TypeError, ValueError):
        raise BadValue("This is no metadata of an identity provider (SAML 2.0).") from None
    if len(found.entity_id) > 300 or len(found.sso_url) > 500:
        raise BadValue("Its entity ID or its address is too long.")
    if not found.certificates or not all(map(_is_strong, found.certificates)):
        raise BadValue("It names no certificate with an RSA key of 2048 bits or an elliptic curve.")
    return found


def _signing(idp: Mapping[str, Any]) -> tuple[str, ...]:
    many = idp.get("x509certMulti", {}).get("signing") or [idp["x509cert"]]
    return tuple(dict.fromkeys("".join(each.split()) for each in many))


def _is_strong(certificate: str) -> bool:
    try:
        key = x509.load_pem_x509_certificate(_PEM.format(certificate).encode()).public_key()
    except ValueError:
        return False
    if isinstance(key, RSAPublicKey):
        return key.key_size >= SHORTEST
    return isinstance(key, EllipticCurvePublicKey)
