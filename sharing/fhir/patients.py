"""Patients, as their custodians know them: nobody is merged here."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from sharing.archive.services.telling import patients_known
from sharing.dicom.names import search_key

from .directory import organization_ref
from .kinds import Include, Kind, Rows, register
from .matching import EVERYTHING, NOTHING, Asking, Given, Param, day, ref, token, unheld
from .words import TERMS, Json, fhir_id, issuer_of, issuer_system, reference, text_of, told

_GENDERS = {"M": "male", "F": "female", "O": "other"}  # Patient's Sex (0010,0040)


def patient_ref(patient: Any) -> Json:
    """A Reference to a patient, without the name: whoever may know it, reads it there."""
    return reference("Patient", fhir_id(patient.public_id))


def _rows(asking: Asking) -> Rows:
    return patients_known(asking.actor, at=asking.at)


def _told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_patient(asking, row) for row in rows]


def _patient(asking: Asking, row: Any) -> Json:
    return told(
        {
            "resourceType": "Patient",
            "id": fhir_id(row.public_id),
            "identifier": _identifiers(asking, row),
            "active": True,
            "name": _names(row),
            "gender": _GENDERS.get(row.sex, "unknown"),
            "birthDate": row.birth_date.isoformat() if row.birth_date else "",
            "managingOrganization": organization_ref(row.organization),
        }
    )


def _identifiers(asking: Asking, row: Any) -> list[Json]:
    """None for a patient of uncertain identity: what is kept there is no identifier."""
    if not row.certain:
        return []
    kind = {"coding": [{"system": f"{TERMS}/v2-0203", "code": "MR"}]}
    system = issuer_system(row.issuer, asking.origin)
    return [{"use": "usual", "type": kind, "system": system, "value": text_of(row.identifier)}]


def _names(row: Any) -> list[Json]:
    """The groups of a person name (PN) that hold one: alphabetic, then ideographic."""
    alphabetic, ideographic = (*row.name.split("="), "", "")[:2]
    groups = ((alphabetic, " "), (ideographic, ""))
    return [_name(group, glue) for group, glue in groups if group.strip("^ ")]


def _name(group: str, glue: str) -> Json:
    """Family, given, middle, prefix and suffix; Chinese is said with the family first, unspaced."""
    parts = (text_of(part) for part in (*group.split("^"), "", "", "", "", ""))
    family, given, middle, prefix, suffix, *_ = parts
    spoken = (prefix, given, middle, family, suffix) if glue else (family, given, middle)
    return told(
        {
            "use": "official",
            "text": glue.join(filter(None, spoken)),
            "family": family,
            "given": [part for part in (given, middle) if part],
            "prefix": [prefix] if prefix else [],
            "suffix": [suffix] if suffix else [],
        }
    )


def identified(prefix: str = "") -> Param:
    """A patient's identifier with its issuer, along `prefix`."""

    def match(asking: Asking, given: Given) -> Q:
        system, value = given.token()
        found = Q(**{f"{prefix}identifier": value, f"{prefix}certain": True})
        if system:
            found &= Q(**{f"{prefix}issuer": issuer_of(system, asking.origin)})
        return found if system != "" else NOTHING

    return token(match, present=Q(**{f"{prefix}certain": True}))


def _named(asking: Asking, given: Given) -> Q:
    key = search_key(given.text)
    if given.modifier == "exact":
        return Q(latin=given.text) | Q(native=given.text) | Q(search_key=key)
    if not key:
        return NOTHING
    begins = Q(search_key__startswith=key) | Q(search_key__contains=f" {key}")
    return Q(search_key__contains=key) if given.modifier == "contains" else begins


_NAME = Param("string", _named, modifiers=frozenset({"exact", "contains"}))


def _gender(asking: Asking, given: Given) -> Q:
    codes = [code for code, word in _GENDERS.items() if word == given.token()[1]]
    if given.token()[1] == "unknown":
        return ~Q(sex__in=list(_GENDERS))
    return Q(sex__in=codes)


def _active(asking: Asking, given: Given) -> Q:
    return EVERYTHING if given.token()[1] == "true" else NOTHING


PATIENT = register(
    Kind(
        name="Patient",
        rows=_rows,
        told=_told,
        params={
            "identifier": identified(),
            "name": _NAME,
            "family": _NAME,
            "given": _NAME,
            "birthdate": day("birth_date"),
            "gender": token(_gender),
            "organization": ref("Organization", "organization", "code"),
            "active": token(_active),
            "general-practitioner": unheld("reference"),
            "link": unheld("reference"),
            "deceased": unheld("token"),
        },
        summary=(
            "meta", "identifier", "active", "name", "gender", "birthDate", "managingOrganization",
        ),
        includes={"organization": Include("Organization", lambda row: [row.organization.code])},
        documentation="The own patients, and those of whom a study may be known.",
    )
)  # fmt: skip
TYPES = ("Patient",)
