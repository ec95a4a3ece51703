"""Who may speak for a patient who can't, on what document, and how long."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.consent.errors import ConsentNotFound, ProxyInvalid
from sharing.consent.models import Proxy
from sharing.consent.rules import GUARDIANS, Performer, of_age_on
from sharing.identity.models import Patient
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import region_settings, require


@transaction.atomic
def name_proxy(
    *,
    patient: Patient,
    relation: Performer,
    name: str,
    document: str,
    starts_at: datetime,
    ends_at: datetime | None,
    by: Actor,
    at: datetime,
    document_sha256: str = "",
    incapacity: bool = False,
) -> Proxy:
    """Record who speaks for an own patient; `document` says what shows it.

    `incapacity`: while this holds, the patient does not speak. Raises NotAllowed, ConsentNotFound
    for another's patient, ProxyInvalid for a parent or guardian of somebody who is of age.
    """
    require(by, Duty.RECORD_CONSENT)
    if patient.organization_id != by.organization_id:
        raise ConsentNotFound()
    if relation == Performer.SELF or not name or not document:
        raise ProxyInvalid("Write who speaks for the patient, and what shows it.")
    if ends_at is not None and ends_at <= starts_at:
        raise ProxyInvalid("The right to speak must end after it starts.")
    if relation in GUARDIANS and _of_age(patient, starts_at):
        raise ProxyInvalid("The patient is of age.")
    proxy = Proxy.objects.create(
        patient=patient,
        relation=relation,
        name=name,
        incapacity=incapacity,
        starts_at=starts_at,
        ends_at=ends_at,
        document=document,
        document_sha256=document_sha256,
        recorded_by=by.name,
        recorded_at=at,
    )
    detail = {"proxy": proxy.public_id, "relation": str(relation), "incapacity": incapacity}
    what = What(custodian=by.organization_code, patient=patient.public_id, detail=detail)
    record(who=by.who, action="proxy.name", at=at, what=what)
    return proxy


def proxies_of(*, patient: Patient) -> QuerySet[Proxy]:
    """All who spoke or speak for a patient, newest first."""
    return Proxy.objects.filter(patient=patient).order_by("-starts_at", "-pk")


def _of_age(patient: Patient, at: datetime) -> bool:
    born = patient.birth_date
    return born is not None and of_age_on(born, region_settings().majority) <= at
