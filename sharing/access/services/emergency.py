"""Breaking the glass, ending it, and reviewing it to closure.

Nothing here asks whether there is such a patient before the glass is broken: who may break it,
how often and for how long is decided by the person and the region alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.access.errors import GlassBlocked, GlassInvalid, GlassNotFound, GlassQuota
from sharing.access.models import Glass, GlassPatient, Review
from sharing.access.rules import (
    GLASS_NEXT,
    LEAST_WORDS,
    REVIEW_NEXT,
    GlassEvent,
    GlassReason,
    GlassState,
    ReviewEvent,
    ReviewState,
    in_emergency,
    may_break,
    review_due,
)
from sharing.audit.patterns import family_names
from sharing.audit.rules import SYSTEM, Ground, What, Who
from sharing.audit.services import record
from sharing.dicom.names import search_key
from sharing.identity.models import Patient
from sharing.identity.services import PatientName, patients_named
from sharing.kernel import scope
from sharing.kernel.lifecycle import step
from sharing.outbox.services import promise
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import region_settings, require


@dataclass(frozen=True)
class Emergency:
    """What the person says: of whom, why, for how long; that it is true, and that it is them."""

    patient: PatientName
    reason: GlassReason
    words: str
    hours: int
    attested: bool
    proven: bool


@scope.as_house()  # whom it names is nobody's patient here yet; reviews are others' to do
@transaction.atomic
def break_glass(*, emergency: Emergency, by: Actor, at: datetime) -> Glass:
    """Open one patient's images to one person, for hours. Raises NotAllowed, and when nothing is
    opened GlassInvalid, GlassBlocked or GlassQuota.

    The privacy officers are told by a promise in this transaction.
    """
    if not may_break(by):
        raise NotAllowed()
    settings = region_settings()
    _check(emergency, settings.emergency_hours)
    user = User.objects.select_for_update().get(public_id=by.id)  # two at once are counted
    _check_person(user, settings.emergencies_a_day, at)
    patients = list(patients_named(emergency.patient))
    glass = Glass.objects.create(
        user=user,
        organization_id=by.organization_id,
        issuer=emergency.patient.issuer,
        identifier=emergency.patient.identifier,
        reason=emergency.reason,
        words=emergency.words.strip(),
        hours=emergency.hours,
        starts_at=at,
        ends_at=at + timedelta(hours=emergency.hours),
        flags=_flags(user, patients),
    )
    GlassPatient.objects.bulk_create(GlassPatient(glass=glass, patient=each) for each in patients)
    _owe_reviews(glass, patients, review_due(at, settings.review_days))
    _log(glass, "glass.break", in_emergency(by), at)
    promise("notify.tell_glass", at=at, glass_id=glass.pk)
    return glass


def _check(emergency: Emergency, longest: int) -> None:
    if not emergency.proven:
        raise GlassInvalid("It was not shown that it is you. Nothing was opened.")
    if not emergency.attested:
        raise GlassInvalid("Say that you treat this patient now. Nothing was opened.")
    if len(emergency.words.strip()) < LEAST_WORDS:
        raise GlassInvalid(f"Say why, in at least {LEAST_WORDS} letters. Nothing was opened.")
    if not 1 <= emergency.hours <= longest:
        raise GlassInvalid(f"It can last from 1 to {longest} hours. Nothing was opened.")


def _check_person(user: User, most: int, at: datetime) -> None:
    """The same for whoever asks about whomever."""
    if Review.objects.filter(glass__user=user, state=ReviewState.WAITING, due_at__lte=at).exists():
        raise GlassBlocked()
    lately = Glass.objects.filter(user=user, starts_at__gt=at - timedelta(days=1))
    if lately.count() >= most:
        raise GlassQuota()


def _flags(user: User, patients: Sequence[Patient]) -> str:
    """What the reviewer should see at once: the person themselves, or the same family name."""
    found = set()
    words = set(search_key(user.name).split())
    families = family_names(user.name)
    for patient in patients:
        if len(words) > 1 and words <= set(patient.search_key.split()):
            found.add("self")
        if families & (family_names(patient.latin) | family_names(patient.native)):
            found.add("family")
    return f"|{'|'.join(sorted(found))}|" if found else ""


def _owe_reviews(glass: Glass, patients: Sequence[Patient], due: datetime) -> None:
    """By each custodian; where there is none but the person's own organization, by that one."""
    custodians = {patient.organization_id for patient in patients} - {glass.organization_id}
    for organization_id in sorted(custodians or {glass.organization_id}):
        Review.objects.create(glass=glass, organization_id=organization_id, due_at=due)


def glass_of(actor: Actor, *, public_id: str) -> Glass:
    """One of the actor's own emergency accesses. Raises GlassNotFound."""
    found = Glass.objects.of(actor).filter(public_id=public_id).first()
    if found is None or actor.user_id is None:
        raise GlassNotFound()
    return found


def lasting_glasses(actor: Actor, *, at: datetime) -> list[Glass]:
    """What the actor has open now, with the patients of each."""
    if not may_break(actor):
        return []
    mine = Glass.objects.lasting(at).of(actor).prefetch_related("patients")
    return list(mine.order_by("ends_at", "pk"))


@transaction.atomic
def end_glass(*, public_id: str, by: Actor, at: datetime) -> Glass:
    """The person needs it no longer. Raises GlassNotFound, NotNow."""
    glass = glass_of(by, public_id=public_id)
    return _moved(glass.pk, GlassEvent.END, in_emergency(by), at)


@transaction.atomic
def cut_glass(*, review_id: str, by: Actor, at: datetime) -> Glass:
    """A privacy officer ends what lasts. Raises NotAllowed, GlassNotFound, NotNow."""
    require(by, Duty.GUARD)
    review = review_of(by, public_id=review_id)
    with scope.as_house():  # the access is the other organization's; the review is our right
        return _moved(review.glass_id, GlassEvent.CUT, by.who, at)


def expire_glasses(*, at: datetime) -> int:
    """Mark what has run out, and how many; access ended by the clock already."""
    over = Glass.objects.filter(state=GlassState.OPEN, ends_at__lte=at)
    keys = list(over.order_by("pk").values_list("pk", flat=True)[:500])
    return sum(_expired(key, at) for key in keys)


@transaction.atomic
def _expired(key: int, at: datetime) -> bool:
    if not Glass.objects.select_for_update().filter(pk=key, state=GlassState.OPEN).exists():
        return False  # its person was quicker
    _moved(key, GlassEvent.EXPIRE, SYSTEM, at)
    return True


def _moved(key: int, event: GlassEvent, who: Who, at: datetime) -> Glass:
    glass = Glass.objects.select_for_update().get(pk=key)
    glass.state = step(GLASS_NEXT, GlassState(glass.state), event).value
    glass.ended_at = at
    glass.save(update_fields=["state", "ended_at"])
    _log(glass, f"glass.{event}", who, at)
    return glass


def reviews(actor: Actor) -> QuerySet[Review]:
    """What the actor's organization reviews, the first due first. Raises NotAllowed."""
    require(actor, Duty.READ_LOG)
    return (
        Review.objects.filter(organization_id=actor.organization_id)
        .select_related("glass__user", "glass__organization", "organization")
        .prefetch_related("glass__patients__patient")
        .order_by("due_at", "pk")
    )


def reviews_waiting(actor: Actor) -> QuerySet[Review]:
    """Those that nobody closed. Raises NotAllowed."""
    return reviews(actor).filter(state=ReviewState.WAITING)


def used_here(actor: Actor) -> QuerySet[Glass]:
    """Uses by the own people and of own patients, newest first. Raises NotAllowed."""
    require(actor, Duty.READ_LOG)
    here = actor.organization_id
    touched = Q(organization_id=here) | Q(reviews__organization_id=here)
    found = Glass.objects.filter(touched).distinct().select_related("user", "organization")
    return found.prefetch_related("reviews__organization").order_by("-starts_at", "-pk")


def review_of(actor: Actor, *, public_id: str) -> Review:
    """One of the actor's organization. Raises NotAllowed, GlassNotFound."""
    found = reviews(actor).filter(public_id=public_id).first()
    if found is None:
        raise GlassNotFound()
    return found


@transaction.atomic
def close_review(
    *, public_id: str, verdict: ReviewEvent, remark: str, by: Actor, at: datetime
) -> Review:
    """A privacy officer's verdict, once. Nobody judges their own emergency.

    Raises NotAllowed, GlassNotFound, GlassInvalid without a remark, NotNow when it was closed.
    """
    require(by, Duty.GUARD)
    if not remark.strip():
        raise GlassInvalid("Say in a few words why.")
    review = reviews(by).select_for_update(of=("self",)).filter(public_id=public_id).first()
    if review is None or review.glass.user_id == by.user_id:
        raise GlassNotFound()
    review.state = step(REVIEW_NEXT, ReviewState(review.state), verdict).value
    review.closed_at, review.closed_by, review.remark = at, by.name, remark.strip()
    review.save(update_fields=["state", "closed_at", "closed_by", "remark"])
    _log(review.glass, "glass.review", by.who, at, verdict=review.state)
    return review


def _log(glass: Glass, action: str, who: Who, at: datetime, **detail: str) -> None:
    """A line for each custodian with its patient, and one for the person's own organization."""
    said = {"glass": glass.public_id, "reason": glass.reason, **detail}
    rows = GlassPatient.objects.filter(glass=glass).select_related("patient__organization")
    told = {row.patient.organization.code: row.patient.public_id for row in rows}
    here = Organization.objects.get(pk=glass.organization_id).code
    for custodian, patient in ({here: ""} | told).items():
        what = What(custodian=custodian, patient=patient, detail=said)
        record(who=who, action=action, at=at, what=what, ground=Ground(rule="emergency"))
