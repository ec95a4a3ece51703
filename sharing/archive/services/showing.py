"""What pages show of the studies inside the fence: rows with grounds, series, small pictures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Max, Q, QuerySet

from sharing.access.rules import Decision
from sharing.access.services import decide_each, decide_one
from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Series, Study
from sharing.audit.services import record_read
from sharing.dicom.drawing import marked_file
from sharing.identity.errors import PatientNotFound
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .finding import find_studies, open_study
from .listing import SORTS
from .locating import mark_of
from .lookup import named
from .sight import in_sight


@dataclass(frozen=True)
class Shown:
    """A study that the actor may see, why, and what can be offered beside it."""

    study: Study
    decision: Decision
    viewable: bool
    pictured: bool


@dataclass(frozen=True)
class PatientLine:
    """A patient, and how much of them the actor may see."""

    patient: Patient
    studies: int
    latest: date | None


def show(actor: Actor, studies: Sequence[Study], *, at: datetime) -> list[Shown]:
    """Each study with its ground; one whose consent ended in this moment is left out."""
    subjects = [study.subject for study in studies]
    asked = (Action.DISCOVER, Action.IMAGES)
    decided = zip(studies, *decide_each(actor, asked, subjects, at=at), strict=True)
    found = [row for row in decided if row[1].allowed]
    pictured = _pictured([study for study, _, _ in found])
    return [
        Shown(study, known, seen.allowed, seen.allowed and study.pk in pictured)
        for study, known, seen in found
    ]


def _pictured(studies: Sequence[Study]) -> set[int]:
    """The keys of those that have a picture."""
    drawn = Series.objects.filter(study__in=studies, thumbnail__isnull=False)
    return set(drawn.values_list("study_id", flat=True))


def peek(
    actor: Actor,
    *,
    public_id: str,
    at: datetime,
    action: Action = Action.DISCOVER,
    request_id: str = "",
) -> Study:
    """A study for a part of a page that is open already: only a refusal leaves a line in the log.

    Raises StudyNotFound as `open_study` does.
    """
    inside = Study.objects.visible_to(actor, at, action).with_owners()
    study = inside.filter(public_id=public_id).first()
    if study is not None:
        return study
    return open_study(actor, public_id=public_id, at=at, action=action, request_id=request_id).study


def series_of(study: Study) -> list[tuple[Series, bool]]:
    """The series of a study that was opened, each with whether it has a picture; no bytes of it.

    By Series Number (0020,0011), those without one last.
    """
    rows = Series.objects.filter(study=study)
    pictured = set(rows.filter(thumbnail__isnull=False).values_list("pk", flat=True))
    ordered = rows.defer("thumbnail").order_by(F("number").asc(nulls_last=True), "pk")
    return [(series, series.pk in pictured) for series in ordered]


def picture(
    actor: Actor, *, public_id: str, at: datetime, series: str | None = None, request_id: str = ""
) -> bytes:
    """The small picture of a study or of one of its series, ready-made; for who may see images.

    `series` is its UID: a row's number would count what others hold.

    Raises StudyNotFound, also when there is no picture.
    """
    study = peek(actor, public_id=public_id, at=at, action=Action.IMAGES, request_id=request_id)
    rows = Series.objects.filter(study=study, thumbnail__isnull=False)
    if series is not None:
        rows = rows.filter(series_uid=series)
    found = rows.order_by("-frame_count", "pk").values_list("thumbnail", flat=True).first()
    if found is None:
        raise StudyNotFound()
    if study.organization_id == actor.organization_id:
        return bytes(found)
    mark = mark_of(actor, _note_picture(actor, study, at, request_id), at)
    return marked_file(bytes(found), mark) if mark else bytes(found)


def _note_picture(actor: Actor, study: Study, at: datetime, request_id: str) -> Decision:
    """A line for the custodian, before the picture leaves; own people's lists would flood it."""
    decision = decide_one(actor, Action.IMAGES, study.subject, at=at)
    if not decision.allowed:  # ended since the fence was asked
        raise StudyNotFound()
    record_read(
        who=decision.who(actor),
        action="study.thumbnail",
        at=at,
        what=study.subject.what,
        ground=decision.ground,
        request_id=request_id,
    )
    return decision


def studies_to_share(actor: Actor, public_ids: Iterable[str], *, at: datetime) -> list[Study]:
    """The studies of these ids that the actor may share, all of them.

    Raises NotAllowed or StudyNotFound.
    """
    require(actor, Duty.SHARE)
    wanted = set(public_ids)
    inside = Study.objects.visible_to(actor, at, Action.RESHARE).with_owners()
    studies = list(inside.filter(public_id__in=wanted).order_by(*SORTS["-date"]))
    if not wanted or len(studies) != len(wanted):
        raise StudyNotFound()
    return studies


def patients_studies_to_share(
    actor: Actor, patients: Iterable[Patient], *, at: datetime, most: int = 200
) -> list[Study]:
    """What the actor may share of these patients, newest first. Raises NotAllowed."""
    require(actor, Duty.SHARE)
    inside = Study.objects.visible_to(actor, at, Action.RESHARE).with_owners()
    return list(inside.filter(patient__in=list(patients)).order_by(*SORTS["-date"])[:most])


def require_patients(actor: Actor) -> None:
    """Raise NotAllowed unless patients are part of the actor's work, at an organization that works.

    An administrator or an auditor has none, and a suspended organization's machine reads none.
    """
    works = actor.treating or actor.may(Duty.UPLOAD) or actor.may(Duty.RECORD_CONSENT)
    if not (works and actor.active):
        raise NotAllowed()


def patients_in_sight(actor: Actor, *, at: datetime, query: str = "") -> QuerySet[Patient]:
    """The own patients, and those of whom the actor may see a study; by name or identifier."""
    seen = in_sight(actor, at).values("patient_id")
    found = Patient.objects.select_related("organization").filter(
        Q(organization_id=actor.organization_id) | Q(pk__in=seen)
    )
    if query:
        found = found.filter(pk__in=named(query))
    return found.order_by("search_key", "pk")


def patient_in_sight(actor: Actor, *, public_id: str, at: datetime) -> Patient:
    """One of them. Raises PatientNotFound."""
    patient = patients_in_sight(actor, at=at).filter(public_id=public_id).first()
    if patient is None:
        raise PatientNotFound()
    return patient


def patient_lines(actor: Actor, patients: Sequence[Patient], *, at: datetime) -> list[PatientLine]:
    """Each patient with the number and the latest date of the studies in sight."""
    rows = (
        in_sight(actor, at)
        .filter(patient__in=patients)
        .order_by()
        .values_list("patient_id")
        .annotate(count=Count("pk"), latest=Max("study_date"))
    )
    known = {patient_id: (count, latest) for patient_id, count, latest in rows}
    return [PatientLine(each, *known.get(each.pk, (0, None))) for each in patients]


def named_in_log(actor: Actor, public_ids: Iterable[str], *, at: datetime) -> Mapping[str, Study]:
    """The own studies that lines of the access log name, by public id."""
    wanted = {public_id for public_id in public_ids if public_id}
    found = find_studies(actor, at=at, own=True).filter(public_id__in=wanted)
    return {study.public_id: study for study in found}
