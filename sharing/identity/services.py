"""Finding and naming patients."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from sharing.dicom.names import display_name, search_key
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor

from .errors import PatientNotFound
from .models import Patient

UNIDENTIFIED = "unidentified"
"""The issuer of those whom no identifier names: their identity is uncertain."""


@transaction.atomic
def identify(
    *,
    organization: Organization,
    identifier: str,
    issuer: str,
    name: str,
    birth_date: date | None,
    sex: str,
) -> Patient:
    """The custodian's patient of that identifier, made when new.

    Without an issuer in the file the organization's own is meant. Without an identifier nobody
    is known: each such name and birth date is a patient of uncertain identity, visible to the
    custodian only. The same goes for an identifier that comes with another name and another birth
    date than its patient has: it is not believed. Later files never rename a patient.
    """
    named = _named(organization, identifier, issuer, name, birth_date)
    known = Patient.objects.filter(
        organization=organization, issuer=named[0], identifier=named[1]
    ).first()
    if known is not None and _contradicts(known, name, birth_date):
        named = UNIDENTIFIED, f"{identifier[:20]}|{search_key(name)[:30]}|{birth_date}"
    certain = named[0] != UNIDENTIFIED
    shown = display_name(name)
    patient, _ = Patient.objects.get_or_create(
        organization=organization,
        issuer=named[0],
        identifier=named[1],
        defaults={
            "name": name[:324],
            "latin": shown[0][:200],
            "native": shown[1][:120],
            "search_key": search_key(name)[:400],
            "birth_date": birth_date,
            "sex": sex[:1],
            "certain": certain,
        },
    )
    return patient


def is_named(
    patient: Patient,
    *,
    organization: Organization,
    identifier: str,
    issuer: str,
    name: str,
    birth_date: date | None,
) -> bool:
    """Whether `identify` would find this very patient."""
    named = _named(organization, identifier, issuer, name, birth_date)
    if (patient.issuer, patient.identifier) == named:
        return not _contradicts(patient, name, birth_date)
    same_person = (patient.search_key, patient.birth_date) == (search_key(name)[:400], birth_date)
    return not patient.certain and same_person and patient.identifier.startswith(identifier[:20])


def _contradicts(patient: Patient, name: str, birth_date: date | None) -> bool:
    """Another name and another birth date: one of them alone is a typing error or a marriage."""
    key = search_key(name)[:400]
    other_name = bool(key and patient.search_key) and key != patient.search_key
    other_date = birth_date is not None and patient.birth_date not in (None, birth_date)
    return other_name and other_date


def _named(
    organization: Organization, identifier: str, issuer: str, name: str, birth_date: date | None
) -> tuple[str, str]:
    """The issuer and the identifier that a file's patient goes by."""
    if not identifier:
        return UNIDENTIFIED, f"{search_key(name)[:50]}|{birth_date or ''}"
    return (issuer or organization.patient_id_issuer)[:64], identifier[:64]


def own_patients(actor: Actor, *, query: str = "") -> QuerySet[Patient]:
    """The acting organization's own patients, by name or identifier."""
    found = Patient.objects.filter(organization_id=actor.organization_id)
    if query:
        by_name = found.filter(search_key__contains=search_key(query))
        found = by_name | found.filter(identifier__istartswith=query)
    return found.order_by("search_key", "pk")


def own_patient(actor: Actor, *, public_id: str) -> Patient:
    """One of the acting organization's own patients. Raises PatientNotFound."""
    try:
        return Patient.objects.select_related("organization").get(
            public_id=public_id, organization_id=actor.organization_id
        )
    except Patient.DoesNotExist:
        raise PatientNotFound() from None
