"""The pieces that resources are made of, and the code systems they name. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

Json = dict[str, Any]
TERMS = "http://terminology.hl7.org/CodeSystem"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
LOINC = "http://loinc.org"
DICOM_UID = "urn:dicom:uid"
URI = "urn:ietf:rfc:3986"
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def fhir_id(name: str) -> str:
    """A name of ours as an id: FHIR knows no underscore, and our names know no point."""
    return name.replace("_", ".")


def own_name(given: str) -> str:
    """The name of ours that an id stands for; one that is no id names nothing."""
    return given.replace(".", "_") if _ID.fullmatch(given) else ""


def coding(system: str, code: str, display: str = "") -> Json:
    """A Coding."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one code."""
    return {"coding": [coding(system, code, display)]}


def reference(kind: str, key: str, display: str = "") -> Json:
    """A relative Reference to a resource of this face."""
    told = {"reference": f"{kind}/{key}", "type": kind}
    return told | ({"display": display} if display else {})


def display_only(display: str, kind: str = "") -> Json:
    """A Reference to somebody who is no resource here."""
    return {"display": display} | ({"type": kind} if kind else {})


def uid_identifier(uid: str) -> Json:
    """A DICOM UID as the R4 mapping writes it."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def issuer_system(issuer: str, origin: str) -> str:
    """The system of an issuer's identifiers: its OID, or a name below our own address."""
    return f"urn:oid:{issuer}" if _OID.fullmatch(issuer) else f"{origin}/issuers/{quote(issuer)}"


def issuer_of(system: str, origin: str) -> str:
    """The issuer that a system stands for."""
    for mark in ("urn:oid:", f"{origin}/issuers/"):
        if system.startswith(mark):
            return unquote(system.removeprefix(mark))
    return system


def instant(at: datetime) -> str:
    """`2026-11-24T09:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def precise(at: datetime) -> str:
    """The same to the microsecond: what is compared when it comes back."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def told(pairs: Mapping[str, Any]) -> Json:
    """Without what says nothing: FHIR knows no empty values."""
    return {name: value for name, value in pairs.items() if value not in (None, "", [], {})}


def text_of(value: str) -> str:
    """A string as FHIR takes it: no control characters, no spaces around it."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def subset(resource: Json, names: Iterable[str]) -> Json:
    """The resource with these elements only, marked as a part."""
    wanted = {*names} - {"meta"}
    kept = {name: value for name, value in resource.items() if name in wanted}
    meta = dict(resource.get("meta", {}))
    meta["tag"] = [coding(f"{TERMS}/v3-ObservationValue", "SUBSETTED")]
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta} | kept
