"""Who may come in through an organization's own sign-in, and as what. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sharing.kernel.errors import BadValue

from .rules import Role

NEVER_MAPPED = frozenset({Role.OPERATOR, Role.CLIENT, Role.BEARER, Role.SUPPORT})
"""No directory of a hospital makes an operator of the region."""
_DOMAIN = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z]{2,63}")
_PROVEN = frozenset({"mfa", "hwk", "swk", "otp", "sc", "fpt", "face"})
"""Of the methods in a token's `amr` (RFC 8176) those that are more than a password."""


_SECOND_FACTORS = frozenset({
    "https://refeds.org/profile/mfa",
    "http://schemas.microsoft.com/claims/multipleauthn",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
})  # fmt: skip
"""Of the ways in which SAML says that somebody signed in, those that are more than a password."""


class Protocol(StrEnum):
    """How the portal and an organization's sign-in speak."""

    OIDC = "oidc"
    SAML = "saml"


@dataclass(frozen=True)
class Arrival:
    """Who the organization's sign-in says has come: from the checked token, never from the browser.

    `verified`: whether the sign-in vouches for the address. `proved_at`: when the person proved it
    there, in seconds; None where the sign-in does not say.
    """

    subject: str
    email: str
    name: str
    verified: bool
    groups: frozenset[str] = field(default_factory=frozenset)
    methods: frozenset[str] = field(default_factory=frozenset)
    proved_at: float | None = None

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return domain_of(self.email)

    @property
    def proven(self) -> bool:
        """Whether a second factor was used there."""
        return bool(self.methods & _PROVEN)


def arrival_of(claims: Mapping[str, Any], *, groups_in: str) -> Arrival:
    """The claims that we read, each of the type it must have; anything else counts as absent."""
    return Arrival(
        subject=_text(claims.get("sub")),
        email=_text(claims.get("email")).strip().lower(),
        name=" ".join(_text(claims.get("name")).split())[:120],
        verified=claims.get("email_verified") is True,
        groups=_texts(claims.get(groups_in)),
        methods=_texts(claims.get("amr")),
        proved_at=_number(claims.get("auth_time")),
    )


def arrival_by_saml(
    attributes: Mapping[str, list[str]],
    *,
    subject: str,
    read: tuple[str, str, str],
    contexts: Iterable[str],
    proved_at: float | None,
) -> Arrival:
    """The same from a signed assertion; `read`: the attributes with address, name and groups.

    An identity provider of the organization vouches for the addresses in the organization's own
    domains, and others are not let in.
    """
    email, name, groups = (attributes.get(each, []) for each in read)
    return Arrival(
        subject=subject,
        email=_text(next(iter(email), "")).strip().lower(),
        name=" ".join(_text(next(iter(name), "")).split())[:120],
        verified=True,
        groups=_texts(groups),
        methods=frozenset({"mfa"}) if _SECOND_FACTORS & set(contexts) else frozenset(),
        proved_at=proved_at,
    )


def roles_for(arrival: Arrival, mapping: Mapping[str, str]) -> frozenset[Role]:
    """The roles that the mapping gives for the groups, and never another."""
    given = {Role(mapping[group]) for group in arrival.groups if group in mapping}
    return frozenset(given - NEVER_MAPPED)


def mapping_of(lines: str) -> dict[str, str]:
    """`pacs-radiologists = radiologist`, one in a line. Raises BadValue."""
    found = {}
    for line in filter(str.strip, lines.splitlines()):
        group, sign, role = (part.strip() for part in line.rpartition("="))
        known = {each.value: each for each in Role if each not in NEVER_MAPPED}
        if not sign or not group or role not in known:
            raise BadValue("Write one group and one role in a line: group = role.")
        found[group] = role
    return found


def domain_of(email: str) -> str:
    """The domain of an address, in small letters; blank where it has none."""
    _, sign, domain = email.rpartition("@")
    return domain.strip().lower() if sign else ""


def parse_domain(text: str) -> str:
    """A domain as people type it. Raises BadValue."""
    domain = text.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(domain):
        raise BadValue("This is not a domain of e-mail addresses.")
    return domain


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts(value: Any) -> frozenset[str]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return frozenset(each for each in values if isinstance(each, str))
