"""Studies as they were at a moment: what decisions rest on, kept when it changes or goes.

A series is there from its first image on; a study has the modalities and body regions of its
series, and the labels that somebody had set. So nothing is written when images arrive; only what
leaves is kept.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Min, Q

from sharing.access.rules import Subject
from sharing.archive.models import Labelling, Study
from sharing.archive.models.stored import words_in
from sharing.audit.rules import What
from sharing.audit.services import as_it_was, keep_past
from sharing.dicom.regions import regions_of
from sharing.identity.models import Patient
from sharing.tenants.services import organizations_at

Series = Sequence[Mapping[str, str]]


def keep_study(study: Study, at: datetime) -> None:
    """What decisions rest on of a study, as it was until now; inside the changing transaction."""
    keep_past(kind="study", key=study.public_id, value=_by_value(study), at=at)


def subject_at(what: What, *, at: datetime) -> Subject | None:
    """The study that the access log names, as it was then; None: nobody knows such a one."""
    standing = organizations_at([what.custodian], at=at).get(what.custodian)
    patient = Patient.objects.filter(public_id=what.patient).first()
    said = _said_of(what.study, at)
    if standing is None or patient is None or said is None:
        return None
    there = [facts for facts in said["series"].values() if _came(facts["since"], at)]
    return Subject(
        custodian_id=standing.organization.pk,
        custodian=what.custodian,
        patient_id=patient.pk,
        patient=what.patient,
        study=what.study,
        study_uid=what.study_uid,
        study_date=date.fromisoformat(said["study_date"]) if said["study_date"] else None,
        modalities=_modalities(said, there),
        certain=patient.certain,
        body_regions=_regions(said, there),
        labels=_labels(standing.organization.pk, what.study_uid, said, at),
        series=lambda: frozenset(facts["uid"] for facts in there),
        custodian_active=standing.active,
        policy=standing.policy,
    )


def _said_of(public_id: str, at: datetime) -> Mapping[str, Any] | None:
    was = as_it_was(kind="study", keys=[public_id], at=at).get(public_id)
    if was is not None:
        return was
    study = Study.objects.filter(public_id=public_id).first()
    return _by_value(study) if study is not None else None


def _by_value(study: Study) -> dict[str, Any]:
    rows = study.series.annotate(since=Min("instances__received_at")).order_by("pk")
    return {
        "study_date": study.study_date.isoformat() if study.study_date else None,
        "modalities": study.modalities,
        "body_regions": study.body_regions,
        "labels": study.labels,
        "series": {
            row.series_uid: {
                "uid": row.series_uid,
                "modality": row.modality,
                "body_part": row.body_part,
                "since": row.since.isoformat() if row.since else "",
            }
            for row in rows
        },
    }


def _came(since: str, at: datetime) -> bool:
    return not since or datetime.fromisoformat(since) <= at


def _modalities(said: Mapping[str, Any], there: Series) -> frozenset[str]:
    """Of its series then; all of them there, what the study says of itself."""
    if len(there) == len(said["series"]):
        return words_in(said["modalities"])
    return frozenset(facts["modality"] for facts in there if facts["modality"])


def _regions(said: Mapping[str, Any], there: Series) -> frozenset[str]:
    """The same of the parts of the body; what no series says, the study's first image said."""
    if len(there) < len(said["series"]):
        parts = ((facts["body_part"], facts["modality"]) for facts in there)
        found = frozenset(str(region) for part in parts for region in regions_of(*part))
        if found:
            return found
    return words_in(said["body_regions"])


def _labels(
    custodian_id: int, study_uid: str, said: Mapping[str, Any], at: datetime
) -> frozenset[str]:
    """What had been set by then and not been lifted; each labelling says when."""
    ever = Labelling.objects.on(custodian_id, study_uid)
    if not ever.exists():
        return words_in(said["labels"])
    stood = ever.filter(Q(lifted_at=None) | Q(lifted_at__gt=at), set_at__lte=at)
    return frozenset(stood.values_list("label", flat=True))
