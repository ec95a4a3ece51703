"""Requests drawn at random: every route of the resolver, every method, ids of everybody.

What a request asks for is drawn from what is on file, own and foreign alike, and crossed: the
study of one in the path, the series of another. Forms are filled with guesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from sharing.access.models import AccessRequest, Glass, Review, Share, Use
from sharing.archive.models import Batch, Conflict, HeldStudy, Hold, Removal, Upload
from sharing.consent.models import Consent
from sharing.exchange.models import Album, AlbumMember, ShareLink
from sharing.notify.models import Notice
from sharing.tenants.models import Membership
from tests.oracle.canaries import Canaries
from tests.oracle.region import HOMES

METHODS = ("GET",) * 20 + ("HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NEVER = frozenset({"account_logout", "account_login"})  # ends or begins a session: not ours to try
KIND_OF = {
    "patient": "patient", "patient-emergency": "patient", "new-consent": "patient",
    "consent-preview": "patient", "accounting": "patient", "accounting-paper": "patient",
    "consent": "consent", "revoke-consent": "consent", "consent-evidence": "consent",
    "end-share": "share", "answer-request": "request", "approve-request": "request",
    "refuse-request": "request", "withdraw-request": "request", "emergency": "glass",
    "end-emergency": "glass", "review-emergency": "review", "cut-emergency": "review",
    "receipt": "batch", "take-back": "removal", "album": "album", "album-again": "album",
    "prolong-album": "album", "close-album": "album", "album-member": "album",
    "remove-member": "album", "take-out": "album",
}  # fmt: skip
ACCEPTS = (
    "*/*", "text/html", "application/json", "application/dicom+json", "image/png", "image/jpeg",
    'multipart/related; type="application/dicom"',
    'multipart/related; type="application/octet-stream"', "application/octet-stream",
    "application/dicom", 'multipart/related; type="application/dicom+xml"', "text/csv",
)  # fmt: skip
MACHINES = ("dicomweb:", "api:", "fhir:")
FHIR_KINDS = {
    "Patient": "patient", "Practitioner": "user", "Consent": "consent",
    "Organization": "home", "Endpoint": "home",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One request."""

    route: str
    method: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    raw: bytes = b""
    kind: str = ""
    """A body that is no form, and its media type."""

    @property
    def typed(self) -> bytes:
        """All that it says by itself: an answer may repeat it."""
        return repr((self.path, self.body)).encode().lower() + self.raw.lower()


def parameters() -> list[tuple[str, tuple[str, ...]]]:
    """(name, parameters) of every route that Django resolves."""
    return sorted(set(_walk(get_resolver(), (), ())))


def _walk(
    resolver: URLResolver, spaces: tuple[str, ...], outer: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        regex = getattr(pattern.pattern, "regex", None)
        named = (*outer, *pattern.pattern.converters, *(regex.groupindex if regex else ()))
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _walk(pattern, inner, named)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield ":".join((*spaces, pattern.name)), tuple(dict.fromkeys(named))


@dataclass
class Pool:
    """The ids of everything on file, by kind."""

    both: Canaries
    rng: Random
    ids: dict[str, list[Any]] = field(default_factory=dict)

    def refill(self) -> None:
        """As it is now."""
        both = self.both
        self.ids = {
            "study": [row.public_id for row in both.studies.values()],
            "patient": [row.public_id for row in both.patients.values()],
            "consent": _names(Consent), "share": _names(Share), "request": _names(AccessRequest),
            "glass": _names(Glass), "review": _names(Review), "batch": _names(Batch),
            "removal": _names(Removal), "hold": _names(Hold), "album": _names(Album),
            "upload": _names(Upload), "held": _names(HeldStudy),
            "member": _names(AlbumMember), "link": _names(ShareLink), "use": _names(Use),
            "membership": list(Membership.objects.values_list("pk", flat=True)),
            "conflict": list(Conflict.objects.values_list("pk", flat=True)) or [1],
            "notice": list(Notice.objects.values_list("pk", flat=True)) or [1],
            "uid": [held.study for held in both.held.values()],
            "user": [user.public_id for user in both.users.values()],
            "team": [team.public_id for team in both.teams.values()],
        }  # fmt: skip

    def one(self, kind: str) -> Any:
        """One of a kind; or of any kind, or nobody's."""
        if self.rng.random() < 0.1:
            kind = self.rng.choice(sorted(self.ids))
        return self.rng.choice(self.ids[kind] or ["AAAAAAAAAAAAAAAAAAAAAA"])

    def word(self) -> str:
        """A mark that somebody could have heard of, or a part of one."""
        texts = [name for pair in self.both.names.values() for name in pair if name]
        text = self.rng.choice([*texts, *self.ids["uid"], "QXZ", "*", "?", "Pat", "Hil", ""])
        return self.rng.choice([text, text.lower(), f"*{text[1:]}", f"{text[:5]}*"])


def _names(model: Any) -> list[str]:
    return list(model.objects.values_list("public_id", flat=True))


def question(pool: Pool, routes: list[tuple[str, tuple[str, ...]]]) -> Question:
    """One request to one of the routes."""
    rng = pool.rng
    name, params = rng.choice(routes)
    held = rng.choice(list(pool.both.held.values()))
    given = {param: _value(pool, name, param, held) for param in params}
    method = rng.choice(METHODS)
    try:
        path = reverse(name, kwargs=given)
    except Exception:  # noqa: BLE001 - the route takes fewer parameters: it is two in one
        given.pop("organization", None)
        path = reverse(name, kwargs=given)
    asked = _query(pool, name) if rng.random() < 0.5 else {}
    query = f"?{urlencode(asked)}" if asked else ""
    body = _form(pool) if method in ("POST", "PUT", "PATCH") else {}
    headers = {"Accept": rng.choice(ACCEPTS) if rng.random() < 0.4 else "*/*"}
    if rng.random() < 0.1:
        headers["If-None-Match"] = "*"
    if rng.random() < 0.2:
        headers["Accept-Encoding"] = "gzip"
    return Question(name, method, path + query, body, headers)


def _value(pool: Pool, name: str, param: str, held: Any) -> Any:
    """What stands in the path for one parameter."""
    rng = pool.rng
    crossed = rng.choice(list(pool.both.held.values())) if rng.random() < 0.3 else held
    if param == "resource_id":
        return _fhir_id(pool, name)
    if param in ("study", "series", "instance"):
        return getattr(crossed, param)
    fixed = {
        "frames": ["1", "1", "1,1", "2"], "bulk": ["7FE00010", "00204000"],
        "organization": list(HOMES), "code": list(HOMES), "provider_id": list(HOMES),
        "form": ["csv", "pdf", "json", "xlsx"],
        "side": ["old", "new"], "number": [1, 2], "secret": ["x:y"], "key": ["x"],
        "uidb36": ["1"], "pk": [1, 2], "version": ["1", "1.revoked"],
        "event": ["approve", "refuse", "withdraw", "end"],
    }  # fmt: skip
    if param in fixed:
        return rng.choice(fixed[param])
    kinds = {
        "membership_id": "membership", "conflict_id": "conflict", "notice_id": "notice",
        "hold_id": "hold", "study_id": "study", "upload_id": "upload", "batch_id": "batch",
        "album_id": "album", "member_id": "member", "share_id": "share", "link_id": "link",
        "use_id": "use",
    }  # fmt: skip
    value = pool.one(kinds.get(param) or KIND_OF.get(name.split(":")[-1], "study"))
    if param.endswith("_id") and kinds.get(param) in ("membership", "conflict", "notice"):
        return value if isinstance(value, int) else 1
    return str(value)


def _fhir_id(pool: Pool, name: str) -> str:
    """Somebody's name for something, as FHIR writes it."""
    kind = FHIR_KINDS.get(name.removeprefix("fhir:").partition("-")[0], "study")
    made = pool.rng.choice(HOMES) if kind == "home" else str(pool.one(kind))
    place = f"-{pool.rng.choice(HOMES)}" if name.startswith("fhir:PractitionerRole") else ""
    return made.replace("_", ".") + place


def _fhir_query(pool: Pool) -> dict[str, Any]:
    """Parameters of R4's searches, one way further, with what they lead to."""
    rng = pool.rng
    keys = [
        "patient", "subject", "identifier", "name", "family", "series", "instance", "modality",
        "patient.name", "patient.identifier", "subject:Patient.name", "_id", "birthdate",
        "started", "organization.name", "practitioner.name", "role", "status", "actor",
    ]  # fmt: skip
    value = rng.choice([pool.word(), str(pool.one(rng.choice(sorted(pool.ids)))), "2026", "CT"])
    extras = {
        "_include": "*", "_summary": rng.choice(["count", "true"]), "_count": rng.choice([1, 50]),
        "_total": "accurate", "_sort": "-started", "modality:not": "XX", "started:missing": "true",
    }  # fmt: skip
    more = {key: extras[key] for key in rng.sample(sorted(extras), 2)}
    return {rng.choice(keys): value.replace("_", ".")} | more


def _query(pool: Pool, name: str) -> dict[str, Any]:
    """Filters, wildcards, pages: of DICOMweb, of the REST face, of the pages' lists."""
    rng = pool.rng
    if name.startswith("fhir:"):
        return _fhir_query(pool)
    if name.startswith("dicomweb:"):
        keys = [
            "PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber", "StudyDescription",
            "ReferringPhysicianName", "SeriesInstanceUID", "SOPInstanceUID", "00100010", "StudyID",
            "ModalitiesInStudy", "IssuerOfPatientID", "SeriesDescription", "ImageComments",
        ]  # fmt: skip
        found: dict[str, Any] = {rng.choice(keys): pool.word()}
        extras = {
            "includefield": "all", "fuzzymatching": "true", "limit": rng.choice([0, 1, 100]),
            "offset": rng.choice([0, 1, 2, 1000]), "StudyDate": "20261101-20261231",
            "viewport": "64,64", "window": "100,200,linear", "quality": "90",
        }  # fmt: skip
        found |= {key: extras[key] for key in rng.sample(sorted(extras), 2)}
        return found
    keys = [
        "q", "page", "patient", "study", "studies", "to", "person", "from", "until", "sort",
        "modality", "custodian", "organization", "shared", "state", "who", "action", "cursor",
        "date_from", "date_to", "identifier", "limit", "after",
    ]  # fmt: skip
    return {key: _guess(pool) for key in rng.sample(keys, rng.randint(1, 4))}


def _guess(pool: Pool) -> Any:
    """Something that a field could hold."""
    kinds = sorted(pool.ids)
    return pool.rng.choice(
        [
            pool.one(pool.rng.choice(kinds)), pool.word(), pool.rng.choice(HOMES), "2026-12-24",
            "1", "on", "yes", "TREAT", "images", "permit", "life", "mistake",
        ]
    )  # fmt: skip


def _form(pool: Pool) -> dict[str, Any]:
    """Guesses for the fields of all the portal's forms."""
    names = pool.rng.sample(field_names(), 12)
    return {name: _guess(pool) for name in names}


def field_names() -> list[str]:
    """The fields of every form of the pages, and of the REST face."""
    from importlib import import_module
    from pkgutil import iter_modules

    from django import forms

    package = import_module("sharing.web.forms")
    found = {"studies", "study", "patient", "to", "public_id", "organization", "why", "acting"}
    for module in iter_modules(package.__path__):
        for each in vars(import_module(f"sharing.web.forms.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, forms.BaseForm):
                found |= set(getattr(each, "base_fields", {}))
    assert apps.ready
    return sorted(found)
