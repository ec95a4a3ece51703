"""An identity provider that speaks SAML 2.0: it reads requests, and signs what it is told to say.

Signed by signxml, which shares no line with what the portal checks it by (xmlsec).
"""

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.test import Client
from lxml import etree
from signxml import XMLSigner

PORTAL = "http://testserver"
SSO = "https://sso.{}.example.org/saml"
ENTITY = "https://sso.{}.example.org/metadata"
NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"
}  # fmt: skip
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
MFA = "https://refeds.org/profile/mfa"


@lru_cache
def key_of(name: str) -> tuple[Any, x509.Certificate]:
    """A key pair and its certificate, the same for a name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(whose).issuer_name(whose)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )  # fmt: skip
    return key, made.sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    """As text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def metadata(name: str, *keys: str) -> str:
    """What the provider of that name says of itself; its keys, where it has several."""
    bare = ["".join(pem(key_of(key)[1]).splitlines()[1:-1]) for key in keys or (name,)]
    signs = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data>'
        f"<ds:X509Certificate>{each}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for each in bare
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{ENTITY.format(name)}">'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{NS["samlp"]}">{signs}'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{SSO.format(name)}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


@dataclass
class Answer:
    """What the provider says; a test bends one thing of it."""

    request: str
    code: str = "riverside"
    provider: str = "riverside"
    subject: str = "nora-1"
    format: str = PERSISTENT
    attributes: dict[str, list[str]] = field(default_factory=dict)
    context: str = MFA
    audience: str = ""
    recipient: str = ""
    confirms: str | None = None
    destination: str = ""
    signed_by: str | None = ""
    algorithm: str = "rsa-sha256"
    age: timedelta = timedelta(0)
    proved: timedelta = timedelta(0)

    def tree(self) -> Any:
        """The response, its assertion signed."""
        at = datetime.now(UTC) - self.age
        soon = at + timedelta(minutes=5)
        place = f"{PORTAL}/accounts/saml/{self.code}/acs/"
        audience = self.audience or f"{PORTAL}/accounts/saml/{self.code}/metadata/"
        confirms = self.request if self.confirms is None else self.confirms
        answers = f'InResponseTo="{confirms}"' if confirms else ""
        said = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        issuer = f"<saml:Issuer>{ENTITY.format(self.provider)}</saml:Issuer>"
        assertion = etree.fromstring(
            f'<saml:Assertion xmlns:saml="{NS["saml"]}" ID="_{uuid4().hex}" Version="2.0" '
            f'IssueInstant="{_t(at)}">{issuer}'
            '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>'
            f'<saml:Subject><saml:NameID Format="{self.format}">{self.subject}</saml:NameID>'
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData {answers} Recipient="{self.recipient or place}" '
            f'NotOnOrAfter="{_t(soon)}"/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{_t(at)}" NotOnOrAfter="{_t(soon)}">'
            f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>"
            "</saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_t(at - self.proved)}"><saml:AuthnContext>'
            f"<saml:AuthnContextClassRef>{self.context}</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement>"
            f"<saml:AttributeStatement>{said}</saml:AttributeStatement></saml:Assertion>"
        )
        response = etree.fromstring(
            f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" '
            f'ID="_{uuid4().hex}" Version="2.0" IssueInstant="{_t(at)}" '
            f'Destination="{self.destination or place}" InResponseTo="{self.request}">{issuer}'
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
            "</samlp:Status></samlp:Response>"
        )
        response.append(self._signed(assertion))
        return response

    def _signed(self, assertion: Any) -> Any:
        if self.signed_by is None:
            place = assertion.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
            assertion.remove(place)
            return assertion
        key, certificate = key_of(self.signed_by or self.provider)
        signer = XMLSigner(
            c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
            signature_algorithm=self.algorithm,
        )
        uri = assertion.get("ID")
        return signer.sign(assertion, key=key, cert=pem(certificate), reference_uri=uri)


def _t(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def asked_by(browser: Client, code: str = "riverside", query: str = "") -> tuple[str, Any]:
    """The way to the provider: the request's id, and the request as read."""
    start = browser.get(f"/accounts/saml/{code}/login/{query}")
    assert start.status_code == 302, start.content.decode()
    said = parse_qs(urlsplit(start["Location"]).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(said), -15))
    return request.get("ID"), request


def encoded(tree: Any) -> str:
    """As it is posted."""
    return base64.b64encode(etree.tostring(tree)).decode()


def posted(browser: Client, answer: str, code: str = "riverside") -> Any:
    """The browser brings it: a post from elsewhere, which carries no cookie, then it comes back."""
    came = Client().post(f"/accounts/saml/{code}/acs/", {"SAMLResponse": answer})
    if came.status_code != 302:
        return came
    return browser.get(came["Location"])
