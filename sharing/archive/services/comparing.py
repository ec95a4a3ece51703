"""Earlier studies beside the one that is read: of the same patient, only what the actor may see.

Two patients never meet in one viewer: who the same patient is, is asked here and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Series, Study
from sharing.archive.models.stored import words_in
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor

from .finding import Found, open_study
from .showing import peek

MOST = 50
WITHOUT_PICTURE = frozenset({"SR", "KO", "PR", "SEG", "DOC", "REG", "RTSTRUCT", "RTPLAN"})


@dataclass(frozen=True)
class Earlier:
    """Another study of the patient, and whether it is what one would compare with."""

    study: Study
    proposed: bool
    pictured: bool


def of_same_patient(actor: Actor, study: Study, *, at: datetime) -> QuerySet[Study]:
    """The studies of the study's patient whose images the actor may see, at every organization.

    Elsewhere the same patient is who has the same identifier of the same issuer, for certain, and
    no other birth date; a name may be written in two ways.
    """
    patient = study.patient
    same = Q(patient=patient)
    if patient.certain:
        born = Q(patient__birth_date=patient.birth_date) | Q(patient__birth_date=None)
        same |= Q(
            patient__issuer=patient.issuer,
            patient__identifier=patient.identifier,
            patient__certain=True,
        ) & (born if patient.birth_date else Q())
    return Study.objects.visible_to(actor, at, Action.IMAGES).with_owners().filter(same)


def earlier_than(actor: Actor, study: Study, *, at: datetime) -> list[Earlier]:
    """The patient's other studies with pictures, newest first; the newest fitting one proposed."""
    others = of_same_patient(actor, study, at=at).exclude(pk=study.pk)
    found = list(others.order_by(F("study_date").desc(nulls_last=True), "-pk")[:MOST])
    shown = [each for each in found if pictures_of(each)]
    best = next((each for each in shown if _fits(each, study)), None)
    pictured = set(
        Series.objects.filter(study__in=shown, thumbnail__isnull=False).values_list(
            "study_id", flat=True
        )
    )
    return [Earlier(each, each is best, each.pk in pictured) for each in shown]


def pictures_of(study: Study) -> list[str]:
    """The modalities of a study that are pictures."""
    return [word for word in study.modality_list if word not in WITHOUT_PICTURE]


def _fits(other: Study, study: Study) -> bool:
    """The same kind of picture of the same region, and not a later one."""
    is_later = bool(other.study_date and study.study_date and other.study_date > study.study_date)
    same_kind = _share(pictures_of(other), pictures_of(study))
    regions = words_in(other.body_regions), words_in(study.body_regions)
    return not is_later and same_kind and (_share(*regions) or not all(regions))


def _share(some: Iterable[str], others: Iterable[str]) -> bool:
    return bool(set(some) & set(others))


def open_beside(
    actor: Actor, *, public_id: str, other: str, at: datetime, request_id: str = ""
) -> Found:
    """Another study of the same patient, opened and logged as a study of its own.

    Raises StudyNotFound for another patient's, the same as for what is hidden or absent.
    """
    study = peek(actor, public_id=public_id, at=at, action=Action.IMAGES, request_id=request_id)
    if not of_same_patient(actor, study, at=at).filter(public_id=other).exists():
        raise StudyNotFound()
    return open_study(actor, public_id=other, at=at, action=Action.IMAGES, request_id=request_id)
