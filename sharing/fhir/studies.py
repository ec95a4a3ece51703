"""Studies as ImagingStudy: what the archive holds, with where the images are retrieved."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce

from sharing.archive.services.finding import find_studies, grounds, open_study
from sharing.archive.services.telling import Part, parts_of
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Action

from .directory import organization_ref
from .kinds import Include, Kind, Rows, Sort, register
from .matching import NOTHING, Asking, Given, Match, Param, day, inside, ref, token, unheld
from .patients import patient_ref
from .words import (
    DCM,
    DICOM_UID,
    TERMS,
    URI,
    Json,
    coding,
    concept,
    fhir_id,
    instant,
    reference,
    text_of,
    told,
    uid_identifier,
)

COMPLETE = "complete"
STARTED = "started_day"
_UNKNOWN_DAY = date(1, 1, 1)


def _rows(asking: Asking) -> Rows:
    found = find_studies(asking.actor, at=asking.at)
    return found.annotate(**{STARTED: Coalesce("study_date", _UNKNOWN_DAY)})


def _checked(asking: Asking, page: Sequence[Any]) -> list[Any]:
    """Without those whose consent ended since the page was read."""
    return [found.study for found in grounds(asking.actor, page, at=asking.at)]


def _opened(asking: Asking, name: str) -> Any:
    """With its line in the access log, refused or not. Raises Absent."""
    if not name:
        raise Absent()
    found = open_study(
        asking.actor,
        public_id=name,
        at=asking.at,
        action=Action.DISCOVER,
        request_id=asking.request_id,
    )
    return found.study


def _told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    parts = parts_of(rows)
    return [_study(asking, row, parts[row.pk]) for row in rows]


def study_ref(study: Any) -> Json:
    """A Reference to a study."""
    return reference("ImagingStudy", fhir_id(study.public_id))


def _study(asking: Asking, row: Any, parts: Sequence[tuple[Any, Sequence[Part]]]) -> Json:
    return told(
        {
            "resourceType": "ImagingStudy",
            "id": fhir_id(row.public_id),
            "meta": {"lastUpdated": instant(row.changed_at)},
            "identifier": _identifiers(asking, row),
            "status": "available" if row.state == COMPLETE else "registered",
            "modality": [coding(DCM, code) for code in row.modality_list],
            "subject": patient_ref(row.patient),
            "started": row.study_date.isoformat() if row.study_date else "",
            "referrer": _referrer(row),
            "endpoint": [reference("Endpoint", fhir_id(row.organization.code))],
            "numberOfSeries": row.series_count,
            "numberOfInstances": row.instance_count,
            "description": text_of(row.description),
            "series": [_series(series, instances) for series, instances in parts],
        }
    )


def _identifiers(asking: Asking, row: Any) -> list[Json]:
    found = [uid_identifier(row.study_uid)]
    if row.accession_number.strip():
        system = f"{asking.origin}/organizations/{row.organization.code}/accession-numbers"
        found.append(
            {
                "type": concept(f"{TERMS}/v2-0203", "ACSN"),
                "system": system,
                "value": text_of(row.accession_number),
                "assigner": organization_ref(row.organization),
            }
        )
    return found


def _referrer(row: Any) -> Json:
    words = text_of(row.referring_physician.split("=")[0].replace("^", " "))
    return {"display": words} if words else {}


def _series(row: Any, instances: Sequence[Part]) -> Json:
    region = text_of(row.body_part)
    return told(
        {
            "uid": row.series_uid,
            "number": _number(row.number),
            "modality": coding(DCM, row.modality or "OT"),
            "description": text_of(row.description),
            "numberOfInstances": row.instance_count,
            "bodySite": {"code": region, "display": region} if region else {},
            "laterality": _laterality(row.laterality),
            "instance": [_instance(each) for each in instances],
        }
    )


def _laterality(side: str) -> Json:
    """Laterality (0020,0060), in SNOMED CT as the R4 binding has it."""
    known = {"L": ("7771000", "Left"), "R": ("24028007", "Right")}
    found = known.get(side.strip().upper())
    return coding("http://snomed.info/sct", *found) if found else {}


def _instance(part: Part) -> Json:
    kind = {"system": URI, "code": f"urn:oid:{part.sop_class_uid}"}
    return told({"uid": part.sop_uid, "sopClass": kind, "number": _number(part.number)})


def _number(value: int | None) -> int | None:
    """FHIR's numbers of series and instances have no sign; DICOM's may."""
    return value if value is not None and value >= 0 else None


# --- search -------------------------------------------------------------------------------------
def _uid(given: Given) -> str:
    """A DICOM UID with or without its systems; blank for what names none."""
    system, value = given.token()
    return value.removeprefix("urn:oid:") if system in (None, DICOM_UID, URI) else ""


def _identified(asking: Asking, given: Given) -> Q:
    system, value = given.token()
    found = Q(study_uid=_uid(given)) if _uid(given) else NOTHING
    if system is None:
        return found | Q(accession_number=value)
    mark = f"{asking.origin}/organizations/"
    if system.startswith(mark) and system.endswith("/accession-numbers"):
        code = system.removeprefix(mark).removesuffix("/accession-numbers")
        return Q(organization__code=code, accession_number=value)
    return found


def _below(column: str) -> Match:
    """A UID of something inside the study."""

    def match(asking: Asking, given: Given) -> Q:
        uid = _uid(given)
        return inside(_rows(asking), **{column: uid}) if uid else NOTHING

    return match


def _modality(asking: Asking, given: Given) -> Q:
    system, code = given.token()
    clean = code.isalnum() and system in (None, DCM)
    return Q(modalities__contains=f"|{code}|") if clean else NOTHING


def _body_site(asking: Asking, given: Given) -> Q:
    system, code = given.token()
    if system not in (None, "") or not code:
        return NOTHING
    return inside(_rows(asking), series__body_part__iexact=code)


def _status(asking: Asking, given: Given) -> Q:
    complete = Q(state=COMPLETE)
    known = {"available": complete, "registered": ~complete}
    return known.get(given.token()[1], NOTHING)


def _endpoint(asking: Asking, given: Given) -> Q:
    return Q(organization__code=given.target("Endpoint"))


_PATIENT = ref("Patient", "patient", "public_id")

IMAGING_STUDY = register(
    Kind(
        name="ImagingStudy",
        rows=_rows,
        told=_told,
        opened=_opened,
        checked=_checked,
        params={
            "basedon": unheld("reference"),
            "bodysite": token(_body_site),
            "dicom-class": token(_below("series__instances__sop_class_uid")),
            "encounter": unheld("reference"),
            "endpoint": Param("reference", _endpoint),
            "identifier": token(_identified),
            "instance": token(_below("series__instances__sop_uid")),
            "interpreter": unheld("reference"),
            "modality": token(_modality, present=~Q(modalities="|")),
            "patient": _PATIENT,
            "performer": unheld("reference"),
            "reason": unheld("token"),
            "referrer": unheld("reference"),
            "series": token(_below("series__series_uid")),
            "started": day("study_date"),
            "status": token(_status),
            "subject": _PATIENT,
        },
        summary=(
            "meta", "identifier", "status", "modality", "subject", "started", "referrer",
            "endpoint", "numberOfSeries", "numberOfInstances", "description", "series",
        ),
        required=("status", "subject"),
        includes={
            "patient": Include("Patient", lambda row: [row.patient.public_id]),
            "subject": Include("Patient", lambda row: [row.patient.public_id]),
            "endpoint": Include("Endpoint", lambda row: [row.organization.code]),
        },
        sorts={
            "_lastUpdated": Sort("changed_at"),
            "started": Sort(STARTED),
        },
        default_sort=Sort("received_at", falling=True),
        documentation="The studies that the caller may know of. Opening images asks for more: "
        "DICOMweb decides by itself.",
    )
)  # fmt: skip
TYPES = ("ImagingStudy",)
