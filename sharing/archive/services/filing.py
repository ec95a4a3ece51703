"""Filing a paper or a photo with a patient: wrapped as DICOM, and received like all that comes."""

from datetime import date, datetime

from sharing.archive.errors import BadPaper, StudyNotFound
from sharing.archive.models import Study
from sharing.archive.rules import Door
from sharing.dicom.errors import BadDicom
from sharing.dicom.wrapping import Whose, wrapped
from sharing.identity.errors import PatientNotFound
from sharing.identity.models import Patient
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .receiving import Incoming, receive_from


def studies_to_file_with(actor: Actor, patient: Patient, *, most: int = 50) -> list[Study]:
    """The patient's studies at the actor's own organization, newest first."""
    own = Study.objects.filter(organization_id=actor.organization_id, patient=patient)
    return list(own.order_by("-study_date", "-pk")[:most])


def file_paper(
    *,
    patient: Patient,
    data: bytes,
    title: str,
    day: date,
    study: str = "",
    by: Actor,
    at: datetime,
) -> Study:
    """A PDF, JPEG or PNG as an object of one of the patient's studies (`study`: its public id), or
    of a study of its own. The study, which tells its readers that it has grown.

    Raises NotAllowed, PatientNotFound, StudyNotFound, BadPaper, and what receiving raises.
    """
    require(by, Duty.UPLOAD)
    if patient.organization_id != by.organization_id:
        raise PatientNotFound()
    whose = _whose(patient, _study(by, patient, study), title, day, by)
    try:
        file = wrapped(data, title=title, whose=whose, at=at)
    except BadDicom as bad:
        raise BadPaper(bad.reason) from bad
    receipt = receive_from(by, door=Door.UPLOAD, files=[Incoming("document", [file])], at=at)
    return Study.objects.get(
        organization_id=by.organization_id, study_uid=receipt.items[0].study_uid
    )


def _study(by: Actor, patient: Patient, public_id: str) -> Study | None:
    if not public_id:
        return None
    own = Study.objects.filter(organization_id=by.organization_id, patient=patient)
    study = own.filter(public_id=public_id).first()
    if study is None:
        raise StudyNotFound()
    return study


def _whose(patient: Patient, study: Study | None, title: str, day: date, by: Actor) -> Whose:
    shown = study.study_date if study else day
    return Whose(
        name=patient.name,
        identifier=patient.identifier,
        issuer=patient.issuer,
        birth_date=f"{patient.birth_date:%Y%m%d}" if patient.birth_date else "",
        sex=patient.sex,
        institution=by.organization_name,
        study_date=f"{shown:%Y%m%d}" if shown else "",
        description=study.description if study else title,
        study_uid=study.study_uid if study else "",
        study_time=study.study_time if study else "",
        accession_number=study.accession_number if study else "",
        referring_physician=study.referring_physician if study else "",
        study_id=study.study_id if study else "",
    )
