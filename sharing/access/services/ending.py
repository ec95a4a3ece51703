"""Ending a share: at once, with all that was shared on out of it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from sharing.access.errors import ShareNotFound
from sharing.access.models import Grant, Relationship, Share
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import record
from sharing.kernel import scope
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, Duty


def shares_made(actor: Actor, *, at: datetime) -> QuerySet[Share]:
    """The shares with something alive in them: those of the actor's organization's making, and
    all of what it is the custodian of; newest first. One that was renewed stands there as the
    newer one. Raises NotAllowed.
    """
    return _ours(actor, Grant.objects.live(at)).filter(renewed_by=None)


def _ours(actor: Actor, grants: QuerySet[Grant]) -> QuerySet[Share]:
    if not (actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG)):
        raise NotAllowed()
    here = Q(custodian_id=actor.organization_id) | Q(shared_for_id=actor.organization_id)
    return (
        Share.objects.filter(here, pk__in=grants.values("share_id"))
        .select_related(
            "custodian", "shared_by", "shared_for", "to_organization", "to_user", "to_team"
        )
        .prefetch_related("grants__patient")
        .order_by("-shared_at", "-pk")
    )


def share_made(actor: Actor, *, public_id: str, at: datetime) -> Share:
    """One that lives or rests, renewed or not. Raises NotAllowed, ShareNotFound."""
    found = _ours(actor, Grant.objects.unended(at)).filter(public_id=public_id).first()
    if found is None:
        raise ShareNotFound()
    return found


@transaction.atomic
def revoke_share(*, public_id: str, by: Actor, at: datetime) -> int:
    """End a share and whatever was shared on out of it; how many grants ended.

    What it renews may live for a while yet, and what renews it goes on: they end with it.
    Raises NotAllowed, ShareNotFound.
    """
    made = share_made(by, public_id=public_id, at=at)
    if not (by.may(Duty.SHARE) or by.may(Duty.GUARD)):
        raise NotAllowed()  # an auditor reads
    ended = end_grants(Grant.objects.unended(at).filter(share__in=_line_of(made)), at=at)
    for grant in ended:
        record(who=by.who, action="study.unshare", at=at, what=_what(grant))
    return len(ended)


def _line_of(share: Share) -> set[int]:
    """The keys of the share, of those that it renews and of those that renew it."""
    line, level = {share.pk}, {share.pk}
    while level:
        beside = Share.objects.filter(Q(renews__in=level) | Q(renewed_by__in=level))
        level = set(beside.values_list("pk", flat=True)) - line
        line |= level
    return line


@scope.as_house()  # what others shared on out of them ends too, and is theirs to change
def end_grants(grants: QuerySet[Grant], *, at: datetime) -> list[Grant]:
    """End these grants and their children; call it inside a transaction."""
    ended: list[Grant] = []
    level = _locked(grants)
    while level:
        ended += level
        keys = [grant.pk for grant in level]
        Grant.objects.filter(pk__in=keys).update(revoked_at=at)
        level = _locked(Grant.objects.filter(parent__in=keys, revoked_at=None))
    return ended


def _locked(grants: QuerySet[Grant]) -> list[Grant]:
    related = grants.select_related("patient", "custodian", "share")
    return list(related.select_for_update(of=("self",)).order_by("pk"))


def _what(grant: Grant) -> What:
    return What(
        custodian=grant.custodian.code,
        patient=grant.patient.public_id,
        study_uid=grant.study_uid,
        detail={"share": grant.share.public_id, "standing": not grant.study_uid},
    )


@scope.as_house()  # what was given is the custodians', and the person is of another house
@transaction.atomic
def end_given(*, user_id: int, organization_id: int, at: datetime) -> int:
    """End what was given to a person by name at an organization that they left, and what tied them
    to a patient there; how much.
    """
    given = Grant.objects.filter(
        user_id=user_id, organization_id=organization_id, revoked_at=None, ends_at__gt=at
    )
    ended = end_grants(given, at=at)
    for grant in ended:
        record(who=SYSTEM, action="study.unshare", at=at, what=_what(grant))
    ties = Relationship.objects.filter(
        user_id=user_id, organization_id=organization_id, ends_at__gt=at
    )
    rows = ties.select_related("custodian", "patient").select_for_update(of=("self",))
    return len(ended) + sum(_untied(tie, at) for tie in rows.order_by("pk"))


def _untied(tie: Relationship, at: datetime) -> int:
    tie.ends_at = max(at, tie.starts_at)
    tie.ended_at, tie.ended_by, tie.ended_why = at, SYSTEM.name, "They left the organization."
    tie.save(update_fields=["ends_at", "ended_at", "ended_by", "ended_why"])
    detail = {"tie": tie.public_id, "kind": tie.kind}
    what = What(tie.custodian.code, tie.patient.public_id, study_uid=tie.study_uid, detail=detail)
    record(who=SYSTEM, action="tie.end", at=at, what=what)
    return 1
