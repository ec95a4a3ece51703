"""What every removal does: lock the own study, respect its holds, write the journal, owe erasure.

All of it happens in the caller's transaction, so that a crash leaves the old world or the new one.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from sharing.access.services import end_shares
from sharing.archive import documents
from sharing.archive.errors import OnHold, RemovalInvalid, StudyNotFound
from sharing.archive.indexing import reindex_studies
from sharing.archive.models import (
    Conflict,
    Damage,
    Erasure,
    Hold,
    Instance,
    Removal,
    Series,
    Study,
    Withheld,
)
from sharing.archive.rules import NEXT, SETTLE_AFTER, RemovalKind, StudyEvent, StudyState, Why
from sharing.audit.rules import Ground, What, Who
from sharing.audit.services import record
from sharing.kernel.lifecycle import step
from sharing.kernel.tokens import public_id as new_public_id
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .past import keep_study
from .renditions import drop_renditions


@dataclass(frozen=True)
class Order:
    """Why something is to leave, at whose word, and when."""

    why: Why
    words: str
    by: Who
    at: datetime
    public_id: str = field(default_factory=new_public_id)

    def checked(self, allowed: Sequence[Why]) -> "Order":
        """With its words tidied. Raises RemovalInvalid."""
        words = " ".join(self.words.split())
        if self.why not in allowed or len(words) > 300:
            raise RemovalInvalid()
        if self.why == Why.OTHER and not words:
            raise RemovalInvalid("Say in a few words why.")
        return replace(self, words=words)


def own_study(actor: Actor, *, public_id: str, at: datetime, duty: Duty) -> Study:
    """A study of the actor's own organization. Raises NotAllowed, StudyNotFound."""
    require(actor, duty)
    inside = Study.objects.visible_to(actor, at).with_owners()
    found = inside.filter(organization_id=actor.organization_id, public_id=public_id).first()
    if found is None:
        raise StudyNotFound()
    return found


def lock_own(actor: Actor, *, public_id: str, at: datetime, duty: Duty) -> Study:
    """The same, locked to the end of the transaction."""
    return lock(own_study(actor, public_id=public_id, at=at, duty=duty).pk)


def lock(study_id: int) -> Study:
    """A study's row, locked. Raises StudyNotFound when it went in the meantime."""
    rows = Study.objects.select_for_update(of=("self",)).with_owners()
    study = rows.filter(pk=study_id).first()
    if study is None:
        raise StudyNotFound()
    return study


def check_free(study: Study) -> None:
    """Raise OnHold while a legal hold is in force. The study is locked, and so are its holds:
    placing one takes the same lock."""
    if Hold.objects.bind(study.organization_id, study.study_uid):
        raise OnHold()


@contextmanager
def attempt(study: Study | None, *, action: str, by: Who, at: datetime) -> Iterator[None]:
    """A transaction. Where a hold ends it, that somebody tried is in the log after the rollback."""
    try:
        with transaction.atomic():
            yield
    except OnHold:
        if study is not None:
            ground = Ground(permitted=False, rule="on_hold", reason="The study is on legal hold")
            what = study.subject.what
            record(who=by, action=f"{action}.refused", at=at, what=what, ground=ground)
        raise


def journal(
    organization_id: int,
    what: What,
    kind: RemovalKind,
    order: Order,
    *,
    instances: int,
    of: str = "",
) -> Removal:
    """The line of the journal, its event, and the promise to write it into the store as well."""
    removal = Removal.objects.create(
        public_id=order.public_id,
        organization_id=organization_id,
        kind=kind,
        of=of,
        study_uid=what.study_uid,
        study=what.study,
        patient=what.patient,
        instances=instances,
        reason=order.why,
        words=order.words,
        by_kind=order.by.kind,
        by_id=order.by.id,
        by_name=order.by.name,
        at=order.at,
    )
    detail: dict[str, object] = {"removal": removal.public_id, "instances": instances}
    if kind != RemovalKind.RETURNED:
        detail["why"] = str(order.why)
    record(who=order.by, action=ACTIONS[kind], at=order.at, what=replace(what, detail=detail))
    promise("archive.write_journal", at=order.at, removal_id=removal.pk)
    return removal


ACTIONS = {
    RemovalKind.DELETED: "study.delete",
    RemovalKind.REJECTED: "study.reject",
    RemovalKind.SUPERSEDED: "study.supersede",
    RemovalKind.RETURNED: "study.take_back",
}


def owe_erasure(organization_id: int, packs: Iterable[str], at: datetime) -> None:
    """Bytes of these packs are needed no more: promise to make them go."""
    for pack in sorted({pack for pack in packs if pack}):
        erasure, _ = Erasure.objects.get_or_create(
            pack=pack, done_at=None, defaults={"organization_id": organization_id, "asked_at": at}
        )
        promise("archive.erase", at=at, erasure_id=erasure.pk)


def withhold(
    study: Study, rows: QuerySet[Instance], removal: Removal, *, refused: bool
) -> list[Withheld]:
    """Take these instances of a locked study out, and keep their bytes for a time.

    Call `count_again` at the end: a study of which nothing is left goes.
    """
    keep_study(study, removal.at)
    columns = ("series__series_uid", "sop_uid", "sha256", "blob", "offset", "length")
    purge_at = removal.at + timedelta(days=settings.REJECTED_KEEP_DAYS)
    damaged = {row.sop_uid: row for row in _damages(study.organization_id, rows)}
    kept = []
    for series_uid, sop_uid, sha256, *place in rows.values_list(*columns):
        if sop_uid in damaged:  # the instance itself points at nothing
            left = damaged[sop_uid]
            place = [left.blob, left.offset, left.length]
        kept.append(
            Withheld(
                removal=removal,
                organization_id=study.organization_id,
                study_uid=study.study_uid,
                series_uid=series_uid,
                sop_uid=sop_uid,
                sha256=sha256,
                blob=place[0],
                offset=place[1],
                length=place[2],
                refused=refused,
                purge_at=purge_at,
            )
        )
    _damages(study.organization_id, rows).delete()
    Withheld.objects.bulk_create(kept, batch_size=200)
    touched = list(rows.values_list("series_id", flat=True).distinct())
    owe_erasure(study.organization_id, drop_renditions(rows), removal.at)
    rows.delete()
    _count_series(touched)
    return kept


def _damages(organization_id: int, rows: QuerySet[Instance]) -> QuerySet[Damage]:
    return Damage.objects.filter(
        organization_id=organization_id, sop_uid__in=rows.values("sop_uid")
    )


def _count_series(touched: Sequence[int]) -> None:
    transaction.on_commit(partial(documents.drop, touched))
    for series in Series.objects.filter(pk__in=touched):
        facts = series.instances.aggregate(instances=Count("pk"), frames=Sum("frames"))
        series.instance_count, series.frame_count = facts["instances"], facts["frames"] or 0
        series.version, series.thumbnail = F("version") + 1, None
        series.save(update_fields=["instance_count", "frame_count", "version", "thumbnail"])


def count_again(study: Study, at: datetime) -> None:
    """After instances left: empty series go, an empty study goes, another settles anew."""
    study.series.filter(instances=None).delete()
    series = study.series.order_by("pk").values_list("modality", "instance_count")
    if not series:  # what is withheld of it can still be taken back: as a new study
        end_shares(custodian_id=study.organization_id, study_uid=study.study_uid, at=at)
        study.delete()
        return
    study.refresh_from_db(fields=["state"])
    study.series_count = len(series)
    study.instance_count = sum(count for _, count in series)
    words = "|".join(dict.fromkeys(word for word, _ in series if word))
    study.modalities = f"|{words}|" if words else "|"
    study.state = step(NEXT, StudyState(study.state), StudyEvent.RECEIVE)
    study.changed_at = at
    study.save(
        update_fields=["series_count", "instance_count", "modalities", "state", "changed_at"]
    )
    reindex_studies([study])
    promise("archive.settle_study", at=at, delay=SETTLE_AFTER, study_id=study.pk)


def forget_study(study: Study, at: datetime) -> set[str]:
    """Delete a locked study's rows and end its shares; the packs that held any of its bytes."""
    keep_study(study, at)
    instances = Instance.objects.filter(series__study=study)
    organization_id, uid = study.organization_id, study.study_uid
    conflicts = Conflict.objects.filter(organization_id=organization_id).filter(
        Q(study_uid=uid) | Q(sop_uid__in=instances.values("sop_uid"))
    )
    withheld = Withheld.objects.filter(organization_id=organization_id, study_uid=uid)
    damages = _damages(organization_id, instances)
    packs = {
        blob
        for rows in (instances, conflicts, withheld, damages)
        for blob in rows.order_by().values_list("blob", flat=True).distinct()
    }
    packs |= drop_renditions(instances)
    series = list(study.series.values_list("pk", flat=True))
    transaction.on_commit(partial(documents.drop, series))
    conflicts.delete()
    withheld.exclude(blob="").update(blob="", purged_at=at)  # refused they stay
    damages.delete()
    instances.delete()
    study.delete()
    end_shares(custodian_id=organization_id, study_uid=uid, at=at)
    return packs
