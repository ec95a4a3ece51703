"""Finding and naming patients."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from sharing.dicom.names import display_name, search_key
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor

from .errors import PatientNotFound
from .models import Patient


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
    custodian only. Later files never rename a patient.
    """
    certain = bool(identifier)
    shown = display_name(name)
    patient, _ = Patient.objects.get_or_create(
        organization=organization,
        issuer=(issuer or organization.patient_id_issuer)[:64] if certain else "unidentified",
        identifier=identifier[:64] if certain else f"{search_key(name)[:50]}|{birth_date or ''}",
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
