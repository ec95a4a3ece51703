"""What the archive holds in words: structured reports and encapsulated documents.

Every one is a DocumentReference; those that report on the study are DiagnosticReports too. Who may
read reports sees them, who may only know of the study does not.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from sharing.archive.services.finding import open_study
from sharing.archive.services.telling import (
    ENCAPSULATED,
    DocumentFacts,
    document_facts,
    documents_in_sight,
)
from sharing.kernel.errors import Absent
from sharing.kernel.purposes import Action

from .directory import organization_ref
from .kinds import Include, Kind, Rows, Sort, register
from .matching import EVERYTHING, NOTHING, Asking, Given, Match, Param, day, moment, ref, token
from .matching import unheld as none
from .patients import patient_ref
from .studies import study_ref
from .words import (
    DCM,
    LOINC,
    TERMS,
    URI,
    Json,
    coding,
    concept,
    fhir_id,
    instant,
    text_of,
    told,
    uid_identifier,
)

_PDF = ENCAPSULATED[0]
_SR = "1.2.840.10008.5.1.4.1.1.88"
REPORTS = (*ENCAPSULATED, f"{_SR}.11", f"{_SR}.22", f"{_SR}.33", f"{_SR}.34")
"""Basic, Enhanced, Comprehensive and Comprehensive 3D text, PDF and CDA: what a person reads."""
_IMAGING = (LOINC, "18748-4", "Diagnostic imaging study")
_SCHEMES = {"LN": LOINC, "DCM": DCM, "SCT": "http://snomed.info/sct"}
_LENGTH_OF_NAME = 22
_STUDY = "series__study"


def _rows(asking: Asking) -> Rows:
    return documents_in_sight(asking.actor, at=asking.at)


def _reports(asking: Asking) -> Rows:
    return _rows(asking).filter(sop_class_uid__in=REPORTS)


def _opened(rows: Any) -> Any:
    """Reading one opens its study for its report: that is in the log, refused or not."""

    def opened(asking: Asking, name: str) -> Any:
        study = open_study(
            asking.actor,
            public_id=name[:_LENGTH_OF_NAME],
            at=asking.at,
            action=Action.REPORT,
            request_id=asking.request_id,
        )
        row = rows(asking).filter(name=name, series__study=study.study).first()
        if row is None:
            raise Absent()
        return row

    return opened


def _code(facts: DocumentFacts) -> Json:
    scheme, value = facts.code
    title = text_of(facts.title)
    if scheme in _SCHEMES:
        return told({"coding": [coding(_SCHEMES[scheme], value, title)], "text": title})
    return told(concept(*_IMAGING) | {"text": title})


def _address(asking: Asking, row: Any) -> str:
    study = row.series.study
    root = f"{asking.origin}/dicomweb/o/{study.organization.code}/studies/{study.study_uid}"
    return f"{root}/series/{row.series.series_uid}/instances/{row.sop_uid}"


def _attachments(asking: Asking, row: Any, facts: DocumentFacts) -> list[Json]:
    """The object as DICOM, and a PDF as such."""
    address, title = _address(asking, row), text_of(facts.title)
    found = [{"contentType": "application/dicom", "url": address, "title": title}]
    if row.sop_class_uid == _PDF:
        url = f"{address}/rendered"
        found.insert(0, {"contentType": "application/pdf", "url": url, "title": title})
    return [told(each) for each in found]


# --- DocumentReference --------------------------------------------------------------------------
def _documents_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_document(asking, row) for row in rows]


def _document(asking: Asking, row: Any) -> Json:
    facts, study = document_facts(row), row.series.study
    kind = {"system": URI, "code": f"urn:oid:{row.sop_class_uid}"}
    return told(
        {
            "resourceType": "DocumentReference",
            "id": fhir_id(row.name),
            "meta": {"lastUpdated": instant(row.received_at)},
            "masterIdentifier": uid_identifier(row.sop_uid),
            "status": "current",
            "docStatus": "final" if facts.complete else "preliminary",
            "type": _code(facts),
            "category": [concept(*_IMAGING)],
            "subject": patient_ref(study.patient),
            "date": instant(row.received_at),
            "custodian": organization_ref(study.organization),
            "description": text_of(facts.title),
            "content": [
                {"attachment": each, "format": kind} for each in _attachments(asking, row, facts)
            ],
            "context": {"related": [study_ref(study)]},
        }
    )


def _uid(column: str) -> Match:
    def match(asking: Asking, given: Given) -> Q:
        return Q(**{column: given.token()[1].removeprefix("urn:oid:")})

    return match


def _is(*codes: str) -> Match:
    return lambda asking, given: EVERYTHING if given.token()[1] in codes else NOTHING


def _content(asking: Asking, given: Given) -> Q:
    known = {"application/pdf": Q(sop_class_uid=_PDF), "application/dicom": EVERYTHING}
    return known.get(given.token()[1], NOTHING)


def _nothing(*, references: str = "", tokens: str = "", dates: str = "") -> dict[str, Param]:
    """Parameters of R4 of which the archive holds nothing."""
    kinds = (("reference", references), ("token", tokens), ("date", dates))
    return {name: none(kind) for kind, names in kinds for name in names.split()}


_PATIENT = ref("Patient", f"{_STUDY}__patient", "public_id")
_OF_BOTH = {
    "patient": _PATIENT,
    "subject": _PATIENT,
    "identifier": token(_uid("sop_uid")),
}
_INCLUDES = {
    "patient": Include("Patient", lambda row: [row.series.study.patient.public_id]),
    "subject": Include("Patient", lambda row: [row.series.study.patient.public_id]),
}
_SORTS = {"_lastUpdated": Sort("received_at")}

DOCUMENT_REFERENCE = register(
    Kind(
        name="DocumentReference",
        rows=_rows,
        told=_documents_told,
        key="name",
        opened=_opened(_rows),
        params=_OF_BOTH
        | {
            "category": token(_is(_IMAGING[1])),
            "contenttype": token(_content),
            "custodian": ref("Organization", f"{_STUDY}__organization", "code"),
            "date": moment("received_at"),
            "format": token(_uid("sop_class_uid")),
            "related": ref("ImagingStudy", _STUDY, "public_id"),
            "status": token(_is("current")),
        }
        | _nothing(
            references="authenticator author encounter relatesto",
            tokens="event facility language relation security-label setting",
            dates="period",
        ),
        summary=(
            "meta", "masterIdentifier", "status", "docStatus", "type", "category", "subject",
            "date", "custodian", "description", "content",
        ),
        required=("status", "content"),
        includes=_INCLUDES
        | {
            "related": Include("ImagingStudy", lambda row: [row.series.study.public_id]),
            "custodian": Include("Organization", lambda row: [row.series.study.organization.code]),
        },
        sorts=_SORTS,
        default_sort=Sort("received_at", falling=True),
        documentation="Structured reports and encapsulated documents of the studies whose reports "
        "the caller may read.",
    )
)  # fmt: skip


# --- DiagnosticReport ---------------------------------------------------------------------------
def _reports_told(asking: Asking, rows: Sequence[Any]) -> list[Json]:
    return [_report(asking, row) for row in rows]


def _report(asking: Asking, row: Any) -> Json:
    facts, study = document_facts(row), row.series.study
    return told(
        {
            "resourceType": "DiagnosticReport",
            "id": fhir_id(row.name),
            "meta": {"lastUpdated": instant(row.received_at)},
            "identifier": [uid_identifier(row.sop_uid)],
            "status": "final" if facts.complete else "partial",
            "category": [concept(f"{TERMS}/v2-0074", "RAD", "Radiology")],
            "code": _code(facts),
            "subject": patient_ref(study.patient),
            "effectiveDateTime": study.study_date.isoformat() if study.study_date else "",
            "issued": instant(row.received_at),
            "performer": [organization_ref(study.organization)],
            "imagingStudy": [study_ref(study)],
            "presentedForm": _attachments(asking, row, facts),
        }
    )


DIAGNOSTIC_REPORT = register(
    Kind(
        name="DiagnosticReport",
        rows=_reports,
        told=_reports_told,
        key="name",
        opened=_opened(_reports),
        params=_OF_BOTH
        | {
            "category": token(_is("RAD")),
            "date": day(f"{_STUDY}__study_date"),
            "issued": moment("received_at"),
            "performer": ref("Organization", f"{_STUDY}__organization", "code"),
        }
        | _nothing(
            references="based-on encounter media result results-interpreter specimen",
            tokens="conclusion",
        ),
        summary=(
            "meta", "identifier", "status", "category", "code", "subject", "effectiveDateTime",
            "issued", "performer", "imagingStudy",
        ),
        required=("status", "code"),
        includes=_INCLUDES
        | {"performer": Include("Organization", lambda row: [row.series.study.organization.code])},
        sorts=_SORTS,
        default_sort=Sort("received_at", falling=True),
        documentation="What of these reports on its study, for a person to read.",
    )
)  # fmt: skip
TYPES = ("DiagnosticReport", "DocumentReference")
