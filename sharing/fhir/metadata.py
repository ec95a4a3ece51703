"""The CapabilityStatement: what is said of the types is what the routes are made of."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase

from .errors import NotOffered
from .gate import json_response
from .kinds import KINDS, Kind
from .registry import TYPES
from .words import Json, concept

CHANGED = "2026-11-29"
_COMMON = {"_id": "token"}
_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_PLACES = ("authorize", "token", "introspect", "revoke")


def capabilities(request: Any) -> HttpResponseBase:
    """GET metadata: for everybody, and nothing of anybody."""
    if request.method not in ("GET", "HEAD"):
        raise NotOffered()
    return json_response(request, statement(settings.PUBLIC_URL))


def statement(origin: str) -> Json:
    """The CapabilityStatement of the portal at that address."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "portal",
        "url": f"{origin}/fhir/metadata",
        "version": "1.0.0",
        "name": "ImagingSharingPortal",
        "title": "Imaging sharing portal",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": {"name": "Imaging sharing portal"},
        "implementation": {"description": "Imaging sharing portal", "url": f"{origin}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _DOCUMENTATION,
                "security": {
                    "extension": [_oauth(origin)],
                    "service": [concept(_SECURITY, "SMART-on-FHIR")],
                    "description": "A bearer token, or the session of a signed-in person.",
                },
                "resource": [_resource(KINDS[name], origin) for name in TYPES],
            }
        ],
    }


def _oauth(origin: str) -> Json:
    """Where tokens come from, for clients that don't read `.well-known/smart-configuration`."""
    places = [{"url": each, "valueUri": f"{origin}/oauth/{each}"} for each in _PLACES]
    return {"url": _OAUTH, "extension": places}


_DOCUMENTATION = (
    "Whatever is searched, counted or included lies inside what the caller may know of. What may "
    "not be seen answers as what does not exist. Unknown search parameters are ignored, and "
    "refused with Prefer: handling=strict."
)


def _resource(kind: Kind, origin: str) -> Json:
    codes = ["read", "vread", "search-type", *_written_codes(kind)]
    names = {name: param.type for name, param in kind.params.items()}
    if "_lastUpdated" in kind.sorts:
        names = {"_lastUpdated": "date"} | names
    params = [{"name": n, "type": t} for n, t in (_COMMON | names).items()]
    told: Json = {
        "type": kind.name,
        "documentation": kind.documentation,
        "interaction": [{"code": code} for code in codes],
        "versioning": kind.versioning,
        "readHistory": kind.versioning == "versioned-update",
        "updateCreate": False,
        "conditionalRead": "not-match",
        "searchParam": params,
    }
    if kind.includes:
        told["searchInclude"] = ["*", *(f"{kind.name}:{name}" for name in kind.includes)]
    return told


def _written_codes(kind: Kind) -> list[str]:
    names = {"history": "history-instance"}
    return [names.get(each, each) for each in kind.written]
