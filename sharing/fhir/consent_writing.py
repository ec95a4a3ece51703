"""Create and update of Consent, by the consent desk's own verbs."""

from typing import Any

from sharing.consent.services import (
    amend_consent,
    mark_error,
    record_consent,
    revoke_consent,
    said_by,
    versions_of,
)
from sharing.identity.services import own_patient
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Duty
from sharing.tenants.services import require

from .consent_terms import Read, read_consent
from .consents import CONSENT, READERS, consent_of, stands, version_of
from .errors import ResourceInvalid, VersionStale
from .matching import Asking
from .words import Json
from .writing import Writer

WHY = "Told by FHIR."
"""Why a consent ended: R4 has no place where a partner could say it."""
_ENDS = {"inactive": revoke_consent, "entered-in-error": mark_error}


def create(asking: Asking, body: Json) -> Json:
    """Raises NotAllowed, ResourceInvalid, Absent, and what the desk raises."""
    require(asking.actor, Duty.RECORD_CONSENT)
    read = read_consent(asking, body)
    if read.status != "active":
        raise ResourceInvalid()
    patient = own_patient(asking.actor, public_id=read.patient)
    made = record_consent(patient=patient, said=read.said, by=asking.actor, at=asking.at)
    return _now(asking, made.public_id)


def update(asking: Asking, name: str, body: Json, version: str) -> Json:
    """A new version, or the end: `inactive` withdraws. The ETag that was read must be sent.

    Raises VersionStale, and what `create` raises.
    """
    require(asking.actor, Duty.RECORD_CONSENT)
    row = versions_of(asking.actor, chain=name)[0]
    if version != version_of(row, asking.at):
        raise VersionStale()
    read = read_consent(asking, body)
    if read.patient != row.patient.public_id:
        raise ResourceInvalid()
    _apply(asking, row, read)
    return _now(asking, name)


def _apply(asking: Asking, row: Any, read: Read) -> None:
    if read.status == "active":
        amend_consent(consent=row, said=read.said, by=asking.actor, at=asking.at)
        return
    end = _ENDS.get(read.status)
    if end is None or read.said.extent != said_by(row).extent:
        raise ResourceInvalid()  # an end that also says something new: which of the two is meant?
    end(consent=row, by=asking.actor, why=WHY, at=asking.at)


def versions(asking: Asking, name: str) -> list[Json]:
    """All that its name ever stood for, the newest first."""
    if not any(asking.actor.may(duty) for duty in READERS):
        raise NotAllowed()
    found: list[Json] = []
    for row in versions_of(asking.actor, chain=name):
        if not stands(row, asking.at) and version_of(row, asking.at) != str(row.version):
            found.append(consent_of(asking, row))
        found.append(consent_of(asking, row, as_said=True))
    return found


def _now(asking: Asking, name: str) -> Json:
    row = CONSENT.find(asking, name)
    if row is None:
        raise NotAllowed()
    return consent_of(asking, row)


WRITER = Writer(create, update, versions)
