"""An event as a FHIR R4 AuditEvent, in the shape of IHE BALP 1.1. Pure.

No profile is claimed: BALP's ask for the caller's network address, which the log does not keep.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

Coding = dict[str, str]
Json = dict[str, Any]
_TERMS = "http://terminology.hl7.org/CodeSystem"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_REST: Coding = {
    "system": f"{_TERMS}/audit-event-type",
    "code": "rest",
    "display": "Restful Operation",
}
_SECURITY: Coding = {"system": _DCM, "code": "110113", "display": "Security Alert"}
_SIGN_IN: Coding = {"system": _DCM, "code": "110114", "display": "User Authentication"}
_ROLES: Coding = {"system": _DCM, "code": "110137", "display": "User Security Attributes Changed"}
_SOURCE: Coding = {"system": _DCM, "code": "110153", "display": "Source Role ID"}
_DESTINATION: Coding = {"system": _DCM, "code": "110152", "display": "Destination Role ID"}
_TYPES = {  # first word of an action -> AuditEvent.type; all others are REST operations
    "member": _ROLES,
    "support": _SECURITY,
    "token": _ROLES,
    "client": _ROLES,
    "password": _SIGN_IN,
    "sign": _SIGN_IN,
    "audit": _SECURITY,
    "glass": _SECURITY,
    "access": _SECURITY,
}
_CREATES = frozenset(
    {"receive", "record", "issue", "invite", "apply", "join", "share", "add", "ask", "make", "note"}
    | {"create"}
)
_DELETES = frozenset({"delete", "erase", "audit.expire"})
_READS = frozenset(
    {
        "discover",
        "report",
        "images",
        "download",
        "send",
        "thumbnail",
        "compare",
        "read_evidence",
        "open",
        "copy_unnamed",
        "find_copy",
    }
)
_INTERACTIONS = {"C": "create", "R": "read", "U": "update", "D": "delete"}
WINDOW = timedelta(minutes=15)


def bundle(events: Iterable[Mapping[str, Any]], *, origin: str, at: str) -> Json:
    """A collection of AuditEvents (FHIR R4 Bundle)."""
    made = [audit_event(event, origin=origin) for event in events]
    entry = [{"fullUrl": f"{origin}/fhir/AuditEvent/{one['id']}", "resource": one} for one in made]
    told: Json = {"resourceType": "Bundle", "type": "collection", "timestamp": at}
    return told | ({"entry": entry} if entry else {})  # FHIR knows no empty lists


def audit_event(event: Mapping[str, Any], *, origin: str) -> Json:
    """One event by value (`services.by_value`); `origin` is the portal's own address."""
    action = str(event["action"]).removesuffix(".refused")
    verb = verb_of(action)
    told: Json = {
        "resourceType": "AuditEvent",
        "id": f"event-{event['id']}",
        "type": _TYPES.get(action.partition(".")[0], _REST),
        "subtype": _subtypes(action, verb, origin),
        "action": verb,
        "recorded": event["at"],
        "outcome": "0" if event["permitted"] else "4",
        "agent": _agents(event, verb, origin),
        "source": {
            "observer": _named("Imaging sharing portal", "devices", origin, origin),
            "type": [
                {
                    "system": f"{_TERMS}/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
    }
    if event["window"]:
        told["period"] = {"start": event["window"], "end": _end(event["window"])}
    if event["reason"].strip():
        told["outcomeDesc"] = event["reason"].strip()
    if event["purpose"]:
        told["purposeOfEvent"] = [_purpose(event["purpose"])]
    entities = list(_entities(event, origin))
    return told | ({"entity": entities} if entities else {})


def verb_of(action: str) -> str:
    """C, R, U, D or E (AuditEvent.action)."""
    last = action.rpartition(".")[2]
    for verb, words in (("C", _CREATES), ("R", _READS), ("D", _DELETES)):
        if last in words or action in words:
            return verb
    return "E" if action.startswith(("audit.", "glass.", "access.")) else "U"


def _subtypes(action: str, verb: str, origin: str) -> list[Coding]:
    own = {"system": f"{origin}/log-actions", "code": action}
    if verb == "E":
        return [own]
    code = _INTERACTIONS[verb]
    return [{"system": "http://hl7.org/fhir/restful-interaction", "code": code}, own]


def _agents(event: Mapping[str, Any], verb: str, origin: str) -> list[Json]:
    """Who asked, their organization, and the portal; what is read flows to the caller."""
    to_caller = verb == "R"
    caller, portal = (_DESTINATION, _SOURCE) if to_caller else (_SOURCE, _DESTINATION)
    is_person = event["actor_kind"] == "user"
    part = {
        "system": f"{_TERMS}/v3-ParticipationType",
        "code": "IRCP" if to_caller else "AUT",
    }
    name = event["actor_name"].strip() or "Somebody without a name"
    who: Json = {
        "type": {"coding": [part if is_person else caller]},
        "who": _named(name, f"actors/{event['actor_kind']}", event["actor_id"], origin),
        "requestor": True,
    }
    if event["purpose"]:
        who["purposeOfUse"] = [_purpose(event["purpose"])]
    server: Json = {
        "type": {"coding": [portal]},
        "who": _named("Imaging sharing portal", "devices", origin, origin),
        "requestor": False,
        "network": {"address": origin, "type": "5"},
    }
    return [who, *_organization(event, origin), server]


def _organization(event: Mapping[str, Any], origin: str) -> list[Json]:
    if not event["organization"]:
        return []
    name = event["organization_name"].strip() or event["organization"]
    place = {"system": f"{_TERMS}/v3-ParticipationType", "code": "PRCP"}
    named = _named(name, "organizations", event["organization"], origin)
    return [{"type": {"coding": [place]}, "who": named, "requestor": False}]


def _entities(event: Mapping[str, Any], origin: str) -> Iterable[Json]:
    if event["patient"]:
        yield _entity(_identified("patients", event["patient"], origin), "1", "1")
    if event["study_uid"]:
        uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{event['study_uid']}"}
        yield _entity({"identifier": uid}, "2", "4") | _details(event["detail"])
    elif event["detail"]:
        yield {"type": _kind("2"), "name": str(event["action"])} | _details(event["detail"])
    if event["consent"]:
        yield _entity(_identified("consents", event["consent"], origin), "2", "4")
    if event["request_id"]:
        system = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
        known = {"identifier": {"value": event["request_id"]}}
        yield {"what": known, "type": {"system": system, "code": "XrequestId"}}


def _entity(what: Json, kind: str, role: str) -> Json:
    return {
        "what": what,
        "type": _kind(kind),
        "role": {"system": f"{_TERMS}/object-role", "code": role},
    }


def _kind(code: str) -> Coding:
    return {"system": f"{_TERMS}/audit-entity-type", "code": code}


def _details(detail: Mapping[str, Any]) -> Json:
    told = [
        {"type": name, "valueString": str(value)}
        for name, value in sorted(detail.items())
        if str(value).strip()
    ]
    return {"detail": told} if told else {}


def _purpose(code: str) -> Json:
    return {"coding": [{"system": f"{_TERMS}/v3-ActReason", "code": code}]}


def _named(display: str, kind: str, value: str, origin: str) -> Json:
    return {"display": display} | (_identified(kind, value, origin) if value else {})


def _identified(kind: str, value: str, origin: str) -> Json:
    return {"identifier": {"system": f"{origin}/{kind}", "value": value}}


def _end(start: str) -> str:
    end = datetime.fromisoformat(start) + WINDOW
    return end.isoformat(timespec="microseconds").replace("+00:00", "Z")
