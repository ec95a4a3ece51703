"""Rejecting images: they leave their study and are refused when they come again (IHE IOCM).

Their bytes are kept for REJECTED_KEEP_DAYS, so that a mistake can be taken back; then purged.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from sharing.archive.errors import BlobUnavailable, RemovalInvalid, StudyNotFound
from sharing.archive.models import Conflict, Hold, Instance, Removal, Study, Withheld
from sharing.archive.rules import WHY_REJECT, Door, RemovalKind, Why
from sharing.audit.rules import What
from sharing.blobs import BlobMissing, store
from sharing.blobs.store import pieces
from sharing.tenants.models import Organization
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .leaving import (
    Order,
    attempt,
    check_free,
    count_again,
    journal,
    lock_own,
    owe_erasure,
    own_study,
    withhold,
)
from .receiving import Incoming, receive


def study_to_reject_from(actor: Actor, *, public_id: str, at: datetime) -> Study:
    """The study that a page asks about. Raises NotAllowed, StudyNotFound."""
    return own_study(actor, public_id=public_id, at=at, duty=Duty.REJECT)


def numbered(study: Study, *, series_uid: str, numbers: Iterable[int]) -> list[str]:
    """The SOP Instance UIDs of these instance numbers of one series of a study that was opened.

    Raises RemovalInvalid when one of the numbers is not there.
    """
    wanted = set(numbers)
    rows = Instance.objects.filter(
        series__study=study, series__series_uid=series_uid, number__in=wanted
    )
    found = list(rows.values_list("number", "sop_uid"))
    if {number for number, _ in found} != wanted:
        raise RemovalInvalid("The series has no image of one of these numbers.")
    return [sop_uid for _, sop_uid in found]


def reject_images(
    actor: Actor,
    *,
    public_id: str,
    series_uids: Sequence[str],
    sop_uids: Sequence[str] = (),
    why: Why,
    words: str = "",
    at: datetime,
) -> Removal:
    """Reject whole series of an own study, or single instances of them.

    Raises NotAllowed, StudyNotFound, RemovalInvalid, or OnHold, which is in the log afterwards.
    """
    order = Order(why, words, actor.who, at).checked(WHY_REJECT)
    study = study_to_reject_from(actor, public_id=public_id, at=at)
    with attempt(study, action="study.reject", by=actor.who, at=at):
        locked = lock_own(actor, public_id=public_id, at=at, duty=Duty.REJECT)
        return reject_locked(locked, order, series_uids, sop_uids)


def reject_locked(
    study: Study, order: Order, series_uids: Sequence[str], sop_uids: Sequence[str] = ()
) -> Removal:
    """The rejection itself, in the caller's transaction. Raises OnHold, RemovalInvalid."""
    check_free(study)
    rows = Instance.objects.filter(series__study=study, series__series_uid__in=series_uids)
    if sop_uids:
        rows = rows.filter(sop_uid__in=sop_uids)
    count = rows.count()
    if not count or (sop_uids and count != len(set(sop_uids))):
        raise RemovalInvalid("Choose images of this study.")
    removal = journal(
        study.organization_id, study.subject.what, RemovalKind.REJECTED, order, instances=count
    )
    withhold(study, rows, removal, refused=True)
    count_again(study, order.at)
    return removal


def rejections(actor: Actor) -> QuerySet[Removal]:
    """The own organization's rejections of which something can still be taken back, newest first.

    Raises NotAllowed.
    """
    require(actor, Duty.REJECT)
    found = Removal.objects.filter(
        organization_id=actor.organization_id,
        kind=RemovalKind.REJECTED,
        withheld__purged_at=None,
        withheld__returned_at=None,
    )
    return found.distinct().order_by("-at", "-pk")


def take_back(actor: Actor, *, public_id: str, at: datetime) -> int:
    """Receive again what a rejection withheld; how many came back.

    One transaction: the refusal ends, and the bytes are received as any others, with all checks.
    Raises NotAllowed, StudyNotFound when nothing of it is left, BlobUnavailable.
    """
    removal = rejections(actor).filter(public_id=public_id).select_related("organization").first()
    if removal is None:
        raise StudyNotFound()
    with transaction.atomic():
        rows = removal.withheld.select_for_update().filter(purged_at=None, returned_at=None)
        kept = list(rows)
        if not kept:
            raise StudyNotFound()
        Withheld.objects.filter(pk__in=[row.pk for row in kept]).update(returned_at=at, blob="")
        _receive_again(removal.organization, actor, kept, at)
        code = removal.organization.code
        what = What(code, removal.patient, removal.study, removal.study_uid)
        order = Order(Why.MISTAKE, "", actor.who, at)
        journal(
            removal.organization_id,
            what,
            RemovalKind.RETURNED,
            order,
            instances=len(kept),
            of=removal.public_id,
        )
        owe_erasure(removal.organization_id, {row.blob for row in kept}, at)
    return len(kept)


def _receive_again(
    organization: Organization, actor: Actor, kept: Iterable[Withheld], at: datetime
) -> None:
    receive(
        organization=organization,
        door=Door.AGAIN,
        sender=actor.name,
        files=(incoming(row) for row in kept),
        by=actor.who,
        at=at,
    )


def incoming(row: Withheld | Conflict) -> Incoming:
    """Bytes that the store holds, as a file on its way in."""
    return Incoming(row.sop_uid, stored_pieces(row.blob, row.offset, row.length))


def stored_pieces(blob: str, offset: int, length: int) -> Iterable[bytes]:
    """A range of the store in pieces. Raises BlobUnavailable rather than giving fewer bytes."""
    left = length
    try:
        for piece in pieces(store(), blob, offset, length):
            left -= len(piece)
            yield piece
    except BlobMissing as error:
        raise BlobUnavailable() from error
    if left:
        raise BlobUnavailable()


def purge(*, at: datetime) -> int:
    """Let go of the bytes that were kept long enough, but for studies on hold; how many."""
    due = Withheld.objects.filter(purge_at__lte=at, purged_at=None, returned_at=None)
    keys = due.order_by("organization_id", "study_uid").values_list("organization_id", "study_uid")
    purged = sum(_purge_study(*key, at=at) for key, _ in groupby(keys))
    return purged + _purge_conflicts(at)


@transaction.atomic
def _purge_study(organization_id: int, study_uid: str, *, at: datetime) -> int:
    _lock_by_uid(organization_id, study_uid)
    if Hold.objects.bind(organization_id, study_uid):
        return 0
    rows = Withheld.objects.select_for_update().filter(
        organization_id=organization_id,
        study_uid=study_uid,
        purge_at__lte=at,
        purged_at=None,
        returned_at=None,
    )
    packs = set(rows.values_list("blob", flat=True))
    count = rows.update(blob="", purged_at=at)
    owe_erasure(organization_id, packs, at)
    return count


def _lock_by_uid(organization_id: int, study_uid: str) -> None:
    """Whoever places a hold takes the same lock; a study that is gone can't be held any more."""
    rows = Study.objects.filter(organization_id=organization_id, study_uid=study_uid)
    list(rows.select_for_update().values_list("pk", flat=True))


def _purge_conflicts(at: datetime) -> int:
    """What a person decided against is kept as long as what was rejected."""
    before = at - timedelta(days=settings.REJECTED_KEEP_DAYS)
    due = Conflict.objects.filter(decided_at__lte=before).exclude(blob="")
    keys = due.order_by("organization_id", "study_uid").values_list("organization_id", "study_uid")
    return sum(_purge_conflicts_of(*key, before=before, at=at) for key, _ in groupby(keys))


@transaction.atomic
def _purge_conflicts_of(
    organization_id: int, study_uid: str, *, before: datetime, at: datetime
) -> int:
    _lock_by_uid(organization_id, study_uid)
    if Hold.objects.bind(organization_id, study_uid):
        return 0
    rows = Conflict.objects.filter(
        organization_id=organization_id, study_uid=study_uid, decided_at__lte=before
    ).exclude(blob="")
    packs = set(rows.values_list("blob", flat=True))
    count = rows.update(blob="")
    owe_erasure(organization_id, packs, at)
    return count
