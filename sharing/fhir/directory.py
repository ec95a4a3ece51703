"""Organizations, their endpoints, and the people who treat patients there."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from sharing.tenants.rules import Role
from sharing.tenants.services import organizations_in_sight, people_in_sight, roles_of_people

from .kinds import Include, Kind, Rows, register
from .matching import EVERYTHING, NOTHING, Asking, Given, Param, ref, text, token, unheld
from .words import TERMS, Json, coding, concept, fhir_id, reference, text_of, told

_KINDS = {
    "hospital": ("prov", "Healthcare Provider", "Hospital"),
    "clinic": ("prov", "Healthcare Provider", "Clinic"),
    "imaging_centre": ("prov", "Healthcare Provider", "Imaging centre"),
    "operator": ("other", "Other", "Operator of the region"),
}
_SNOMED = "http://snomed.info/sct"
_ROLES = {  # what people do in the region's words, and in SNOMED CT where it has one
    Role.RADIOLOGIST: ("66862007", "Radiologist"),
    Role.PHYSICIAN: ("309343006", "Physician"),
    Role.TECHNOLOGIST: ("159016003", "Radiographer"),
}


def organization_ref(organization: Any) -> Json:
    """A Reference to an organization."""
    return reference("Organization", fhir_id(organization.code), organization.name)


# --- Organization -------------------------------------------------------------------------------
def _organizations(asking: Asking) -> Rows:
    return organizations_in_sight(asking.actor)


def _organizations_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_organization(asking, row) for row in rows]


def _organization(asking: Asking, row: Any) -> Json:
    code, display, words = _KINDS[row.kind]
    kind = concept(f"{TERMS}/organization-type", code, display) | {"text": words}
    return told(
        {
            "resourceType": "Organization",
            "id": fhir_id(row.code),
            "identifier": [{"system": f"{asking.origin}/organizations", "value": row.code}],
            "active": True,
            "type": [kind],
            "name": text_of(row.name),
            "alias": [text_of(row.native_name)] if row.native_name.strip() else [],
            "address": [{"country": row.country}],
            "endpoint": [reference("Endpoint", fhir_id(row.code))],
        }
    )


def _by_code(asking: Asking, given: Given) -> Q:
    system, code = given.token()
    known = system in (None, f"{asking.origin}/organizations")
    return Q(code=code) if known else NOTHING


def _active(asking: Asking, given: Given) -> Q:
    return EVERYTHING if given.token()[1] == "true" else NOTHING


def _kind(asking: Asking, given: Given) -> Q:
    return Q(kind__in=[kind for kind, said in _KINDS.items() if said[0] == given.token()[1]])


ORGANIZATION = register(
    Kind(
        name="Organization",
        rows=_organizations,
        told=_organizations_told,
        key="code",
        params={
            "identifier": token(_by_code),
            "name": text("name", "native_name"),
            "active": token(_active),
            "type": token(_kind),
            "address-country": text("country"),
            "endpoint": token(lambda asking, given: Q(code=given.target("Endpoint"))),
            "partof": unheld("reference"),
        },
        summary=("meta", "identifier", "active", "type", "name", "partOf", "endpoint"),
        includes={"endpoint": Include("Endpoint", lambda row: [row.code])},
        documentation="The active organizations of the region.",
    )
)


# --- Endpoint -----------------------------------------------------------------------------------
def _endpoints_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_endpoint(asking, row) for row in rows]


def _endpoint(asking: Asking, row: Any) -> Json:
    kind = coding(f"{TERMS}/endpoint-connection-type", "dicom-wado-rs", "DICOM WADO-RS")
    return {
        "resourceType": "Endpoint",
        "id": fhir_id(row.code),
        "status": "active",
        "connectionType": kind,
        "name": f"DICOMweb of {text_of(row.name)}",
        "managingOrganization": organization_ref(row),
        "payloadType": [{"text": "DICOM"}],
        "payloadMimeType": ["application/dicom"],
        "address": f"{asking.origin}/dicomweb/o/{row.code}",
    }


def _connection(asking: Asking, given: Given) -> Q:
    return EVERYTHING if given.token()[1] == "dicom-wado-rs" else NOTHING


ENDPOINT = register(
    Kind(
        name="Endpoint",
        rows=_organizations,
        told=_endpoints_told,
        key="code",
        params={
            "connection-type": token(_connection),
            "organization": Param(
                "reference", lambda asking, given: Q(code=given.target("Organization"))
            ),
            "status": token(
                lambda asking, given: EVERYTHING if given.token()[1] == "active" else NOTHING
            ),
            "name": text("name"),
            "identifier": unheld("token"),
        },
        summary=(
            "meta", "status", "connectionType", "name", "managingOrganization", "payloadType",
            "payloadMimeType", "address",
        ),
        required=("status", "connectionType", "payloadType", "address"),
        includes={"organization": Include("Organization", lambda row: [row.code])},
        documentation="Where each organization's images are retrieved by DICOMweb.",
    )
)  # fmt: skip


# --- Practitioner, PractitionerRole -------------------------------------------------------------
def _roles(asking: Asking) -> Rows:
    return people_in_sight(asking.actor)


def _practitioners(asking: Asking) -> Rows:
    """One row for each person, whatever the number of their roles."""
    return people_in_sight(asking.actor, each_once=True)


def _practitioners_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_practitioner(asking, row.user) for row in rows]


def _practitioner(asking: Asking, user: Any) -> Json:
    return {
        "resourceType": "Practitioner",
        "id": fhir_id(user.public_id),
        "identifier": [{"system": f"{asking.origin}/people", "value": user.public_id}],
        "active": True,
        "name": [_name(user.name)],
    }


def _name(name: str) -> Json:
    *given, family = text_of(name).split(" ")
    return told({"text": text_of(name), "family": family, "given": given})


def practitioner_ref(user: Any) -> Json:
    """A Reference to a person."""
    return reference("Practitioner", fhir_id(user.public_id), text_of(user.name))


def _by_person(column: str) -> Param:
    def match(asking: Asking, given: Given) -> Q:
        system, value = given.token()
        known = system in (None, f"{asking.origin}/people")
        return Q(**{column: value}) if known else NOTHING

    return token(match)


PRACTITIONER = register(
    Kind(
        name="Practitioner",
        rows=_practitioners,
        told=_practitioners_told,
        key="user__public_id",
        params={
            "identifier": _by_person("user__public_id"),
            "name": text("user__name"),
            "family": text("user__name"),
            "given": text("user__name"),
            "active": token(_active),
        },
        summary=("meta", "identifier", "active", "name"),
        documentation="People who treat patients, for those who may name them in shares and "
        "consents; own staff for administrators; always oneself.",
    )
)


def _roles_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    held = roles_of_people(asking.actor, rows)
    return [_role(asking, row, held[row.user_id, row.organization_id]) for row in rows]


def _role(asking: Asking, row: Any, roles: Sequence[str]) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": fhir_id(row.place),
        "active": True,
        "practitioner": practitioner_ref(row.user),
        "organization": organization_ref(row.organization),
        "code": [_role_code(asking, Role(role)) for role in roles],
    }


def _role_code(asking: Asking, role: Role) -> Json:
    codes = [coding(f"{asking.origin}/roles", role.value, role.words)]
    if role in _ROLES:
        codes.append(coding(_SNOMED, *_ROLES[role]))
    return {"coding": codes}


def _by_role(asking: Asking, given: Given) -> Q:
    system, code = given.token()
    if system not in (None, f"{asking.origin}/roles", _SNOMED):
        return NOTHING
    roles = [role.value for role in Role if code in (role.value, _ROLES.get(role, ("",))[0])]
    return Q(place__in=people_in_sight(asking.actor, roles=roles).values("place"))


PRACTITIONER_ROLE = register(
    Kind(
        name="PractitionerRole",
        rows=_roles,
        told=_roles_told,
        key="place",
        params={
            "practitioner": ref("Practitioner", "user", "public_id"),
            "organization": ref("Organization", "organization", "code"),
            "role": token(_by_role),
            "active": token(_active),
        },
        summary=("meta", "active", "practitioner", "organization", "code"),
        includes={
            "practitioner": Include("Practitioner", lambda row: [row.user.public_id]),
            "organization": Include("Organization", lambda row: [row.organization.code]),
        },
        documentation="What these people are at which organization.",
    )
)
TYPES = ("Organization", "Endpoint", "Practitioner", "PractitionerRole")
