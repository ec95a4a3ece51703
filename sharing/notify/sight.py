"""Who is told of a share: of those to whom it came only who sees something of it, and how much.

A notice of what the patient keeps from somebody would tell them that it is there.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sharing.access.models import Grant, Share
from sharing.access.previews import seen_by
from sharing.access.rules import Subject
from sharing.archive.models import Study
from sharing.kernel.purposes import Purpose
from sharing.tenants.models import Organization, User
from sharing.tenants.services import physicians_mail, treating_members


def recipients(share: Share, to: Organization) -> Iterable[User]:
    """To whom a share came: the person, those of the team, or all there who treat."""
    if share.to_team is not None:
        return treating_members(share.to_team)
    treating = physicians_mail(to.pk).order_by("pk")
    return treating.filter(pk=share.to_user_id) if share.to_user_id else treating


def in_sight(
    share: Share, to: Organization, people: Iterable[User], *, at: datetime
) -> dict[User, int]:
    """By each person how many of the share's grants open something to them now; not who sees
    nothing. A standing grant counts as one.
    """
    grants = list(Grant.objects.live(at).filter(share=share))
    subjects = _subjects(share, grants)
    seen = seen_by(people, to, Purpose(share.purpose), subjects, at=at)
    counts = {user: sum(_opens(grant, found) for grant in grants) for user, found in seen.items()}
    return {user: count for user, count in counts.items() if count}


def _subjects(share: Share, grants: Sequence[Grant]) -> list[Subject]:
    patients = {grant.patient_id for grant in grants}
    studies = Study.objects.with_owners().filter(
        organization_id=share.custodian_id, patient__in=patients
    )
    subjects = [study.subject for study in studies]
    return [subject for subject in subjects if any(_is_of(grant, subject) for grant in grants)]


def _opens(grant: Grant, seen: Iterable[Subject]) -> bool:
    return any(_is_of(grant, subject) for subject in seen)


def _is_of(grant: Grant, subject: Subject) -> bool:
    same = grant.patient_id == subject.patient_id
    return same and grant.study_uid in ("", subject.study_uid)
