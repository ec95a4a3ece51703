"""Sharing inside what was permitted, and sharing on inside what was shared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from sharing.access.errors import NotCovered, ShareInvalid, ShareWidens
from sharing.access.models import Grant, PassedOn, RenewalAsk, Share
from sharing.access.rules import (
    Ask,
    Subject,
    is_carried,
)
from sharing.audit.services import record
from sharing.kernel import scope
from sharing.kernel.purposes import Action, Purpose
from sharing.outbox.services import promise
from sharing.tenants.models import Organization, Team, User
from sharing.tenants.rules import Actor, Duty, OrganizationState, TeamKind
from sharing.tenants.services import (
    physicians_mail,
    require,
    teams,
    treating_members,
)

from .by_value import facts_of_grants
from .deciding import decide_many
from .foreseeing import SHARED_ACTIONS, Wanted, foresee
from .on_file import facts_on_file

REVIEWED_EVERY = timedelta(days=91)
"""So often the custodian says of a standing grant that it is still needed; else it rests."""
LONGEST_STANDING = timedelta(days=366)


@dataclass(frozen=True)
class Gift:
    """A share as it came to somebody: until when, and whether they asked that it goes on."""

    share: Share
    ends_at: datetime
    asked: bool


@transaction.atomic
def share(
    *,
    subjects: Sequence[Subject],
    to: Organization,
    purpose: Purpose,
    until: datetime,
    note: str,
    by: Actor,
    at: datetime,
    actions: Sequence[Action] = SHARED_ACTIONS,
    person: User | None = None,
    team: Team | None = None,
    standing: bool = False,
    renews: Share | None = None,
) -> Share:
    """Share studies with an organization, a team or a person, inside what the patients permitted.

    `standing` shares all that the custodian holds and will hold of their patients; of what it
    holds now at least one study must be covered. Who is not the custodian shares on: inside the
    grant by which it came to them. `renews` is the share that this one lets go on.

    Raises NotAllowed, ShareInvalid, NotCovered when for any of the studies no consent carries
    the share, or ShareWidens; then nothing is shared.
    """
    wanted = Wanted(to, purpose, until, tuple(actions), person, standing, team)
    return give(subjects, wanted, note=note, by=by, at=at, renews=renews)


@transaction.atomic
def give(
    subjects: Sequence[Subject],
    wanted: Wanted,
    *,
    note: str,
    by: Actor,
    at: datetime,
    renews: Share | None = None,
) -> Share:
    """Share what is wanted; raises what `share` raises."""
    require(by, Duty.SHARE)
    _check(subjects, wanted, by, at)
    parents = _parents(subjects, wanted, by, at)
    _check_covered(subjects, wanted, by, at)
    made = _write(subjects, wanted, note, by, at, parents, renews)
    for subject in subjects:
        action = "study.renew" if renews else "study.share"
        record(who=by.who, action=action, at=at, what=subject.what)
    if wanted.to is not None:
        promise("notify.tell_shared", at=at, share_id=made.pk)
    return made


def end_shares(*, custodian_id: int, study_uid: str, at: datetime) -> int:
    """End every share of a study that its custodian removed; how many.

    The rows stay as history. A study that comes under the same UID later is a new one, and none
    of them opens it.
    """
    grants = Grant.objects.filter(custodian_id=custodian_id, study_uid=study_uid, revoked_at=None)
    return grants.update(revoked_at=at)


def shares_of_study(
    *, custodian_id: int, patient_id: int, study_uid: str, at: datetime
) -> QuerySet[Grant]:
    """The live grants on one study of one custodian, newest first."""
    return (
        Grant.objects.live(at)
        .about(custodian=custodian_id, patient=patient_id, study_uid=study_uid)
        .select_related("organization", "user", "team", "share__shared_by")
        .order_by("-starts_at", "-pk")
    )


def gifts_for(
    actor: Actor, *, custodian_id: int, patient_id: int, study_uid: str, at: datetime
) -> list[Gift]:
    """The shares by which this study came to the actor, with their notes and ends, newest first.

    One that was renewed stands there as the newer one.
    """
    grants = Grant.objects.live(at).meaning(actor).filter(purpose=actor.purpose)
    found = grants.about(custodian=custodian_id, patient=patient_id, study_uid=study_uid)
    related = found.filter(share__renewed_by=None).select_related(
        "share__shared_by", "share__shared_for", "share__custodian"
    )
    asks = RenewalAsk.objects.filter(share__in=found.values("share"), asked_by_id=actor.user_id)
    asked = set(asks.values_list("share_id", flat=True))
    return [
        Gift(grant.share, grant.ends_at, grant.share_id in asked)
        for grant in related.order_by("-pk")
    ]


def treating_team(*, organization: Organization, public_id: str) -> Team:
    """A department or care team there. Raises ShareInvalid."""
    found = teams(organization_id=organization.pk).filter(public_id=public_id).first()
    if found is None or not _is_of(found, organization):
        raise ShareInvalid("Choose a department of that organization, with people in it.")
    return found


def treating_person(*, organization: Organization, public_id: str) -> User:
    """Somebody who treats patients there. Raises ShareInvalid."""
    found = physicians_mail(organization.pk).filter(public_id=public_id).first()
    if found is None:
        raise ShareInvalid("Choose somebody who treats patients there.")
    return found


def _check(subjects: Sequence[Subject], wanted: Wanted, by: Actor, at: datetime) -> None:
    if by.user_id is None:
        raise ShareInvalid("Only a person can share.")
    if not subjects:
        raise ShareInvalid("Choose at least one study.")
    if wanted.to is not None:
        _check_whom(wanted.to, wanted, by)
    if wanted.until <= at:
        raise ShareInvalid("The share must end in the future.")
    if wanted.standing and wanted.until > at + LONGEST_STANDING:
        raise ShareInvalid("A share of future studies lasts a year at most.")
    if len({subject.custodian_id for subject in subjects}) > 1:
        raise ShareInvalid("Share the studies of one custodian at a time.")
    decisions = decide_many(by, Action.RESHARE, subjects, at=at)
    if not all(decision.allowed for decision in decisions):
        raise NotCovered()


def _check_whom(to: Organization, wanted: Wanted, by: Actor) -> None:
    if to.pk == by.organization_id or to.state != OrganizationState.ACTIVE:
        raise ShareInvalid("Choose another organization of the region.")
    if wanted.team is not None and not _is_of(wanted.team, to):
        raise ShareInvalid("Choose a department of that organization, with people in it.")
    if wanted.person is not None and not _treats(wanted.person, to):
        raise ShareInvalid("Choose somebody who treats patients there.")


def is_there(to: Organization, *, person: User | None, team: Team | None) -> bool:
    """Whether something can be given to them now: people leave, departments end."""
    inside = (person is None or _treats(person, to)) and (team is None or _is_of(team, to))
    return to.state == OrganizationState.ACTIVE and inside


def _treats(person: User, to: Organization) -> bool:
    return physicians_mail(to.pk).filter(pk=person.pk).exists()


def _is_of(team: Team, to: Organization) -> bool:
    """Whether the team is one that treats patients there."""
    here = team.organization_id == to.pk and team.ended_at is None
    return here and team.kind != TeamKind.PROJECT and treating_members(team).exists()


def _check_covered(subjects: Sequence[Subject], wanted: Wanted, by: Actor, at: datetime) -> None:
    previews = foresee(subjects, wanted, at, by=by.organization_id)
    covered = [preview.after.allowed for preview in previews]
    if not (any(covered) if wanted.standing else all(covered)):
        lacking = sorted({preview.missing for preview in previews if preview.missing})
        raise NotCovered(f"{'. '.join(lacking)}. Nobody gained access.")


def _parents(
    subjects: Sequence[Subject], wanted: Wanted, by: Actor, at: datetime
) -> dict[Subject, Grant | None]:
    """The grant out of which each study is shared on; None for the custodian's own."""
    if subjects[0].custodian_id == by.organization_id:
        return dict.fromkeys(subjects)
    return {subject: _parent(subject, wanted, by, at) for subject in subjects}


@scope.as_house()  # the sharer's own grant is locked, which is the custodian's to change
def _parent(subject: Subject, wanted: Wanted, by: Actor, at: datetime) -> Grant:
    """A grant of the sharer's that the new one stays inside. Raises ShareWidens with the reason."""
    given = (
        Grant.objects.select_for_update(of=("self",))
        .live(at)
        .meaning(by)
        .coming_through()
        .about(
            custodian=subject.custodian_id,
            patient=subject.patient_id,
            study_uid=subject.study_uid,
        )
        .filter(actions__contains=f"|{Action.RESHARE}|")
    )
    facts, ask = facts_on_file([subject]), Ask(by, wanted.actions[-1], subject, at)
    grants = list(given.with_whom().order_by("-ends_at", "pk"))
    refusals = {
        grant: _widening(grant, wanted)
        for grant, value in zip(grants, facts_of_grants(grants), strict=True)
        if is_carried(ask, facts, value)
    }
    inside = next((grant for grant, why in refusals.items() if why is None), None)
    if inside is not None:
        return inside
    raise ShareWidens(next(iter(refusals.values()), None) or ShareWidens.message)


def _widening(grant: Grant, wanted: Wanted) -> str | None:
    """By what the share would give more than the sharer's own grant; None: it does not."""
    more = [action for action in wanted.actions if action not in grant.action_set]
    if more:
        return f"You may not {more[0].words} yourself, so you can't give it. Nobody gained access."
    if wanted.purpose != grant.purpose:
        return "It was shared with you for another purpose. Nobody gained access."
    if wanted.until > grant.ends_at:
        return "It was shared with you for a shorter time. Nobody gained access."
    if wanted.standing and grant.study_uid:
        return "Only single studies were shared with you. Nobody gained access."
    return None


def _write(
    subjects: Sequence[Subject],
    wanted: Wanted,
    note: str,
    by: Actor,
    at: datetime,
    parents: dict[Subject, Grant | None],
    renews: Share | None,
) -> Share:
    sharer = User.objects.get(public_id=by.id)
    made = Share.objects.create(
        custodian_id=subjects[0].custodian_id,
        shared_by=sharer,
        shared_for_id=by.organization_id,
        to_organization=wanted.to,
        to_user=wanted.person,
        to_team=wanted.team,
        purpose=wanted.purpose,
        note=note,
        album=wanted.album,
        shared_at=at,
        renews=renews,
    )
    grants = Grant.objects.bulk_create(_rows(made, subjects, wanted, at, parents))
    PassedOn.objects.bulk_create(_ways(grants, by))
    return made


def _rows(
    made: Share,
    subjects: Sequence[Subject],
    wanted: Wanted,
    at: datetime,
    parents: dict[Subject, Grant | None],
) -> Iterable[Grant]:
    """One row for each study, or for each patient where it stands for the future too."""
    meant = {subject.patient_id: subject for subject in reversed(subjects)}
    for subject in meant.values() if wanted.standing else subjects:
        parent = parents[subject]
        review = at + REVIEWED_EVERY if wanted.standing else None
        yield Grant(
            share=made,
            parent=parent,
            custodian_id=subject.custodian_id,
            patient_id=subject.patient_id,
            study_uid="" if wanted.standing else subject.study_uid,
            grantee_kind=wanted.grantee.kind,
            organization=wanted.to,
            user=wanted.person,
            team=wanted.team,
            purpose=wanted.purpose,
            actions="|" + "|".join(wanted.actions) + "|",
            starts_at=at,
            ends_at=wanted.until,
            review_by=parent.review_by if parent is not None else review,
            rooted_at=parent.root if parent is not None else None,
        )


def _ways(grants: Sequence[Grant], by: Actor) -> Iterable[PassedOn]:
    """Through whom each came that is shared on: as its parent, and through the sharer's own."""
    shared_on = [grant for grant in grants if grant.parent_id is not None]
    ways: dict[int, set[int]] = {}
    for row in PassedOn.objects.filter(grant__in=[grant.parent_id for grant in shared_on]):
        ways.setdefault(row.grant_id, set()).add(row.organization_id)
    return [
        PassedOn(grant=grant, organization_id=there)
        for grant in shared_on
        for there in sorted({by.organization_id, *ways.get(grant.parent_id or 0, ())})
    ]
