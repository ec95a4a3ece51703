"""What a token may carry: our own scopes, and SMART's (App Launch 2.2) in terms of them. Pure.

A scope only narrows: whoever speaks still needs the role, and what is seen is the fence's answer.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

SCOPES: Mapping[str, str] = {
    "studies.read": "See the studies that may be seen, without their images",
    "studies.delete": "Delete the organization’s own studies",
    "dicomweb.read": "Search and retrieve images by DICOMweb",
    "dicomweb.write": "Store images by DICOMweb",
    "uploads.write": "Upload studies",
    "patients.read": "Read the organization’s own patients",
    "staff.read": "Read who works at the organization",
    "people.write": "Keep the organization’s people by SCIM",
    "shares.read": "Read what is shared",
    "shares.write": "Share studies, and end shares",
    "links.read": "Read links to studies",
    "links.write": "Make and end links to studies",
    "albums.read": "Read albums",
    "albums.write": "Make and change albums",
    "requests.read": "Read requests for access",
    "requests.write": "Ask for access, and answer such requests",
    "consents.read": "Read consents",
    "consents.write": "Record and withdraw consents",
    "explain.read": "Ask why somebody may see a study or not",
    "jobs.read": "Read what became of uploads and other work",
    "webhooks.read": "Read webhooks and what was delivered",
    "webhooks.write": "Set webhooks up and send again",
    "clients.read": "Read which clients the organization has",
    "clients.write": "Create, rotate and end clients",
    "log.read": "Read the organization’s access log",
    "log.witness": "Witness that the access log only grows",
}
"""Each with the words that a person reads before they allow it."""

OFFICE_SCOPES = frozenset({
    "people.write", "staff.read", "clients.read", "clients.write", "webhooks.read",
    "webhooks.write", "log.witness",
})  # fmt: skip
"""What machines of the region's operator may carry: none of it leads to a patient."""

LETTERS = "cruds"
MEANS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ImagingStudy", "rs"): ("studies.read",),
    ("ImagingStudy", "c"): ("dicomweb.write",),
    ("ImagingStudy", "d"): ("studies.delete",),
    ("DiagnosticReport", "rs"): ("studies.read",),
    ("DocumentReference", "rs"): ("studies.read",),
    ("Patient", "rs"): ("patients.read", "studies.read"),
    ("Organization", "rs"): ("studies.read",),
    ("Practitioner", "rs"): ("staff.read", "studies.read"),
    ("PractitionerRole", "rs"): ("staff.read", "studies.read"),
    ("Endpoint", "rs"): ("studies.read",),
    ("Consent", "rs"): ("consents.read",),
    ("Consent", "cu"): ("consents.write",),
    ("AuditEvent", "rs"): ("log.read",),
    ("Subscription", "rs"): ("webhooks.read",),
    ("Subscription", "cud"): ("webhooks.write",),
}
"""Which scopes of ours open these interactions with a resource of FHIR.

`studies.read` opens what a list of studies tells anyway: of whom, where and by whom they are.
"""
WIDENS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ImagingStudy", "rs"): ("studies.read", "dicomweb.read"),
    ("ImagingStudy", "c"): ("dicomweb.write", "uploads.write"),
    ("ImagingStudy", "d"): ("studies.delete",),
    ("Patient", "rs"): ("patients.read",),
    ("Practitioner", "rs"): ("staff.read",),
    ("Consent", "rs"): ("consents.read",),
    ("Consent", "cu"): ("consents.write",),
    ("AuditEvent", "rs"): ("log.read",),
    ("Subscription", "rs"): ("webhooks.read",),
    ("Subscription", "cud"): ("webhooks.write",),
}
"""What of our own a SMART scope opens besides, where it carries all these letters."""
RESOURCES = tuple(dict.fromkeys(resource for resource, _ in MEANS))
_SMART = re.compile(r"(user|system)/(\*|[A-Z][A-Za-z]{2,40})\.(c?r?u?d?s?|read|write|\*)")
_FIRST = {"read": "rs", "write": "cud", "*": LETTERS}
"""SMART's first version, which its second one lets live on."""


@lru_cache(maxsize=512)
def smart(scope: str) -> tuple[str, str, str] | None:
    """(`user` or `system`, resource, letters) of a SMART scope; None for anything else.

    Scopes for one patient or with a search behind them are not known here, so nobody is granted
    more than was asked for.
    """
    found = _SMART.fullmatch(scope)
    if found is None or not found[3]:
        return None
    if found[2] not in ("*", *RESOURCES):
        return None
    return found[1], found[2], _FIRST.get(found[3], found[3])


def is_known(scope: str, *, person: bool) -> bool:
    """Whether a client may be given it: a person's app asks for `user/`, a machine `system/`."""
    found = smart(scope)
    return scope in SCOPES if found is None else (found[0] == "user") is person


@lru_cache(maxsize=512)
def expanded(scopes: str) -> frozenset[str]:
    """What a token's scope opens: itself, and our own scopes that SMART's stand for."""
    carried = frozenset(scopes.split())
    ours = {
        own
        for (resource, letters), owned in WIDENS.items()
        if all(_by_smart(carried, resource, letter) for letter in letters)
        for own in owned
    }
    return carried | ours


def allows(carried: Iterable[str], resource: str, letter: str) -> bool:
    """Whether the scopes of a token open one interaction with a FHIR resource.

    By SMART's own scope, or by the scope of ours that stands for the same.
    """
    held = frozenset(carried)
    ours = (
        own
        for (name, on), owned in MEANS.items()
        if name == resource and letter in on
        for own in owned
    )
    return _by_smart(held, resource, letter) or any(own in held for own in ours)


def _by_smart(carried: frozenset[str], resource: str, letter: str) -> bool:
    found = (smart(scope) for scope in carried)
    return any(f and f[1] in ("*", resource) and letter in f[2] for f in found)


def in_words(scope: str) -> str:
    """What a person reads before they allow it."""
    found = smart(scope)
    if found is None:
        return SCOPES.get(scope, scope)
    what = "all that the FHIR interface has" if found[1] == "*" else f"{found[1]} by FHIR"
    verbs = {"c": "create", "r": "read", "u": "change", "d": "delete", "s": "search"}
    done = ", ".join(verbs[letter] for letter in found[2])
    return f"{done.capitalize()}: {what}"


def is_within(scope: str, given: Iterable[str]) -> bool:
    """Whether a scope that is asked for is one that the client has, or a part of one."""
    held = frozenset(given)
    found = smart(scope)
    if scope in held or found is None:
        return scope in held
    level, resource, letters = found
    wide = [f for f in map(smart, held) if f is not None and f[0] == level]
    return all(any(f[1] in ("*", resource) and x in f[2] for f in wide) for x in letters)
