"""Shares as those may know of them to whom they came: only while a study of theirs is in sight.

A share whose consent ended opens nothing, and is not there; what a list names is inside the fence.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from sharing.access.errors import ShareNotFound
from sharing.access.models import Grant, Share
from sharing.access.services import share_made
from sharing.archive.models import Study
from sharing.tenants.rules import Actor, Duty

from .showing import patients_studies_to_share


def shares_received(actor: Actor, *, at: datetime) -> QuerySet[Share]:
    """The shares by which studies in sight came to the actor for this purpose, newest first."""
    mine = Grant.objects.live(at).meaning(actor).filter(purpose=actor.purpose)
    seen = Study.objects.visible_to(actor, at).filter(
        organization_id=OuterRef("custodian_id"), patient_id=OuterRef("patient_id")
    )
    named = Exists(seen.filter(study_uid=OuterRef("study_uid")))
    inside = Q(named) | (Q(study_uid="") & Q(Exists(seen)))
    return (
        Share.objects.filter(pk__in=mine.filter(inside).values("share_id"))
        .select_related(
            "custodian", "shared_by", "shared_for", "to_organization", "to_user", "to_team"
        )
        .prefetch_related("grants")
        .order_by("-shared_at", "-pk")
    )


def share_in_sight(actor: Actor, *, public_id: str, at: datetime) -> Share:
    """One that came to the actor, or that the actor's organization made or may end.

    Raises ShareNotFound.
    """
    found = shares_received(actor, at=at).filter(public_id=public_id).first()
    if found is not None:
        return found
    if not (actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG)):
        raise ShareNotFound()
    return share_made(actor, public_id=public_id, at=at)


def studies_to_renew(actor: Actor, made: Share, *, at: datetime) -> list[Study]:
    """Those of a share that the actor may share now; of a standing one all of its patients."""
    grants = [grant for grant in made.grants.all() if grant.revoked_at is None]
    patients = {grant.patient_id: grant.patient for grant in grants}
    named = {(grant.patient_id, grant.study_uid) for grant in grants}
    found = patients_studies_to_share(actor, patients.values(), at=at)
    return [
        study
        for study in found
        if named & {(study.patient_id, study.study_uid), (study.patient_id, "")}
    ]


def named_in_sight(actor: Actor, shares: Iterable[Share], *, at: datetime) -> dict[int, list[str]]:
    """By the key of each share the UIDs of its studies that the actor may know of."""
    grants = [(share.pk, grant) for share in shares for grant in share.grants.all()]
    uids = {grant.study_uid for _, grant in grants}
    seen = Study.objects.visible_to(actor, at).filter(study_uid__in=uids)
    known = set(seen.values_list("organization_id", "study_uid"))
    found: dict[int, list[str]] = {}
    for key, grant in grants:
        if grant.revoked_at is None and (grant.custodian_id, grant.study_uid) in known:
            found.setdefault(key, []).append(grant.study_uid)
    return found
