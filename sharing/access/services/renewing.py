"""What ends soon, and letting it go on: renewals, asks for them, reviews of standing shares.

A renewal is a new share with new grants; the rows of the old one stay as they are, so that a past
access is explained by what held then. A review moves a date of a grant that lives, and what the
grant was is kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from sharing.access.errors import ShareInvalid, ShareNotFound
from sharing.access.models import Grant, RenewalAsk, Share
from sharing.access.rules import FOREVER, Subject
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .foreseeing import Preview, preview_share
from .past import keep_grant
from .sharing import REVIEWED_EVERY, share

SOON = timedelta(days=30)


def shares_ending(actor: Actor, *, at: datetime, within: timedelta = SOON) -> QuerySet[Share]:
    """The living shares of the organization's own making of which something ends soon and nothing
    goes on, the soonest first. Raises NotAllowed.
    """
    ending = Grant.objects.live(at).filter(ends_at__lte=at + within)
    return _ours(actor).filter(_has(ending), renewed_by=None).order_by("ends", "pk")


def shares_to_review(actor: Actor, *, at: datetime, within: timedelta = SOON) -> QuerySet[Share]:
    """The standing shares whose review is due soon, and those that rest because it was missed.

    Raises NotAllowed.
    """
    due = Grant.objects.filter(
        review_by__lte=at + within,
        review_by__lt=F("ends_at"),
        ends_at__gt=at,
        parent=None,
        revoked_at=None,
    )
    return _ours(actor).filter(_has(due), renewed_by=None).order_by("review", "pk")


def own_share(actor: Actor, *, public_id: str) -> Share:
    """One that the actor's organization made. Raises NotAllowed, ShareNotFound."""
    found = _ours(actor).filter(public_id=public_id).first()
    if found is None:
        raise ShareNotFound()
    return found


def actions_of(made: Share) -> tuple[Action, ...]:
    """What a share gave, from the weakest on; prefetch its grants."""
    given: frozenset[str] = next((g.action_set for g in made.grants.all()), frozenset())
    return tuple(action for action in Action if action in given)


def preview_renewal(made: Share, subjects: Sequence[Subject], *, at: datetime) -> list[Preview]:
    """What consents carry of it, asked as if it would never end: they set the limit."""
    if not subjects or made.to_organization is None:
        return []
    return preview_share(
        subjects=subjects,
        to=made.to_organization,
        purpose=Purpose(made.purpose),
        until=FOREVER - timedelta(days=1),
        by=made.shared_for_id or made.custodian_id,
        at=at,
        actions=actions_of(made),
        person=made.to_user,
        team=made.to_team,
    )


@transaction.atomic
def renew_share(
    *, public_id: str, subjects: Sequence[Subject], until: datetime, by: Actor, at: datetime
) -> Share:
    """A new share of the same studies with the same grantee, for the same purpose and actions.

    `subjects` are those of the share that the actor may still share; of a standing share all of
    its patients. Raises what `share` raises, ShareNotFound, and NotNow when it is renewed already.
    """
    old = own_share(by, public_id=public_id)
    Share.objects.select_for_update().get(pk=old.pk)
    if Share.objects.filter(renews=old).exists():
        raise NotNow()
    grants = list(old.grants.filter(revoked_at=None).order_by("pk"))
    if not grants or old.to_organization is None:
        raise ShareInvalid("This share was ended. Share anew.")
    first = grants[0]
    return share(
        subjects=_meant(grants, subjects),
        to=old.to_organization,
        purpose=Purpose(old.purpose),
        until=until,
        note=old.note,
        by=by,
        at=at,
        actions=tuple(action for action in Action if action in first.action_set),
        person=old.to_user,
        team=old.to_team,
        standing=not first.study_uid,
        renews=old,
    )


@transaction.atomic
def recertify(*, public_id: str, by: Actor, at: datetime) -> datetime:
    """The standing share is still needed: it rests no sooner than after the next quarter.

    What was shared on out of it has the same review. Until when. Raises NotAllowed, ShareNotFound,
    and NotNow for one that rests already: that one is renewed, so that its gap stays a gap.
    """
    made = own_share(by, public_id=public_id)
    standing = made.grants.live(at).filter(study_uid="", parent=None)
    level = list(
        standing.select_related("patient", "custodian", "share").select_for_update(of=("self",))
    )
    if not level or made.custodian_id != by.organization_id:
        raise NotNow()
    until = at + REVIEWED_EVERY
    for grant in level:
        record(who=by.who, action="study.recertify", at=at, what=_what(grant, until))
    while level:
        keys = [grant.pk for grant in level]
        for grant in level:
            keep_grant(grant, at)
        Grant.objects.filter(pk__in=keys).update(review_by=until)
        level = list(Grant.objects.live(at).filter(parent__in=keys).select_for_update())
    return until


@transaction.atomic
def ask_renewal(*, public_id: str, by: Actor, at: datetime) -> RenewalAsk:
    """Somebody to whom a share came still needs it. Raises ShareNotFound, NotNow when asked."""
    living = Grant.objects.live(at).meaning(by).filter(purpose=by.purpose)
    found = Share.objects.filter(public_id=public_id, album="").filter(_has(living)).first()
    if found is None or by.user_id is None:
        raise ShareNotFound()
    asker = User.objects.select_for_update().get(public_id=by.id)
    if RenewalAsk.objects.filter(share=found, asked_by=asker).exists():
        raise NotNow()
    made = RenewalAsk.objects.create(
        share=found, asked_by=asker, asked_for_id=by.organization_id, asked_at=at
    )
    what = What(custodian=found.custodian.code, detail={"share": found.public_id})
    record(who=by.who, action="study.ask_renewal", at=at, what=what)
    promise("notify.tell_renewal_asked", at=at, ask_id=made.pk)
    return made


def _ours(actor: Actor) -> QuerySet[Any]:
    """Those made for the actor's organization, each with its soonest end and review.

    A link is none of them: a link that ends is followed by a new one. Nor what an album gave,
    which goes on with the album.
    """
    require(actor, Duty.SHARE)
    here = actor.organization_id
    made_here = Q(shared_for_id=here) | Q(shared_for=None, custodian_id=here)
    living = Q(grants__revoked_at=None)
    return (
        Share.objects.filter(made_here, to_organization__isnull=False, album="")
        .annotate(
            ends=Min("grants__ends_at", filter=living),
            review=Min("grants__review_by", filter=living),
        )
        .select_related(
            "custodian", "shared_by", "shared_for", "to_organization", "to_user", "to_team"
        )
        .prefetch_related("grants__patient", "renewal_asks__asked_by")
    )


def _has(grants: QuerySet[Grant]) -> Exists:
    return Exists(grants.filter(share=OuterRef("pk")))


def _meant(grants: Sequence[Grant], subjects: Sequence[Subject]) -> list[Subject]:
    """Of the subjects those that the share gave, by study or by patient."""
    named = {(grant.patient_id, grant.study_uid) for grant in grants}
    return [
        subject
        for subject in subjects
        if named & {(subject.patient_id, subject.study_uid), (subject.patient_id, "")}
    ]


def _what(grant: Grant, until: datetime) -> What:
    return What(
        custodian=grant.custodian.code,
        patient=grant.patient.public_id,
        detail={"share": grant.share.public_id, "review_by": until.isoformat()},
    )
