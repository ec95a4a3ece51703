"""Albums: making one, those that the actor may know of, what of one is in sight, closing one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from sharing.access.models import Grant
from sharing.access.rules import Subject
from sharing.access.services import SHARED_ACTIONS, end_grants
from sharing.archive.models import Study
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.exchange.errors import AlbumInvalid, AlbumNotFound
from sharing.exchange.models import Album, AlbumMember, AlbumStudy
from sharing.exchange.rules import LONGEST_ALBUM
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import TeamMember, User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

PURPOSES = (Purpose.TREATMENT, Purpose.OPERATIONS)


@dataclass(frozen=True)
class AlbumWanted:
    """What an album is called, for what its members look, what they may do, until when."""

    name: str
    purpose: Purpose
    until: datetime
    actions: tuple[Action, ...] = SHARED_ACTIONS
    note: str = ""


@transaction.atomic
def make_album(*, wanted: AlbumWanted, by: Actor, at: datetime) -> Album:
    """An empty album of the actor's organization. Raises NotAllowed, AlbumInvalid."""
    require(by, Duty.SHARE)
    _check(wanted, by, at)
    album = Album.objects.create(
        organization_id=by.organization_id,
        name=wanted.name.strip(),
        note=wanted.note,
        purpose=wanted.purpose,
        actions="|" + "|".join(wanted.actions) + "|",
        made_by=User.objects.get(public_id=by.id),
        made_at=at,
        ends_at=wanted.until,
    )
    record(who=by.who, action="album.make", at=at, what=what_of(album, by))
    return album


def may_keep(actor: Actor, album: Album) -> bool:
    """Whether the actor is one of those who fill it: who share, at the organization that has it."""
    return album.organization_id == actor.organization_id and actor.may(Duty.SHARE)


def may_end(actor: Actor, album: Album) -> bool:
    """Whether the actor may take out of it and close it: the privacy officers too."""
    ends = actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG)
    return album.organization_id == actor.organization_id and ends


def albums_seen(actor: Actor, *, at: datetime) -> QuerySet[Album]:
    """The open albums of the actor's organization, for who keeps them; and those that the actor is
    in, as long as a study of theirs is in sight: an album without one is not there. Newest first.
    """
    member = _members(actor).filter(album=OuterRef("pk"))
    inside = Q(Exists(member), Exists(_entries(actor, at)), purpose=actor.purpose)
    if actor.may(Duty.SHARE) or actor.may(Duty.READ_LOG):
        inside |= Q(organization_id=actor.organization_id)
    related = ("organization", "made_by")
    return Album.objects.open(at).filter(inside).select_related(*related).order_by("-pk")


def album_seen(actor: Actor, *, public_id: str, at: datetime) -> Album:
    """One of them. Raises AlbumNotFound."""
    album = albums_seen(actor, at=at).filter(public_id=public_id).first()
    if album is None:
        raise AlbumNotFound()
    return album


def albums_kept(actor: Actor, *, at: datetime) -> QuerySet[Album]:
    """Those that the actor may fill, newest first. Raises NotAllowed."""
    require(actor, Duty.SHARE)
    return albums_seen(actor, at=at).filter(organization_id=actor.organization_id)


def albums_with(actor: Actor, subject: Subject, *, at: datetime) -> list[Album]:
    """Those of the actor's that hold this study."""
    held = AlbumStudy.objects.filter(
        album=OuterRef("pk"),
        custodian_id=subject.custodian_id,
        study_uid=subject.study_uid,
        left_at=None,
    )
    return list(albums_seen(actor, at=at).filter(Exists(held)))


def studies_in(album: Album, actor: Actor, *, at: datetime) -> QuerySet[Study]:
    """What of the album the actor may see by the ordinary decision, newest first."""
    inside = Study.objects.visible_to(actor, at).filter(Exists(_holding(album)))
    return inside.with_owners().order_by("-study_date", "-pk")


def counts_in(albums: Sequence[Album], actor: Actor, *, at: datetime) -> dict[int, int]:
    """By each album's key how many of its studies are in the actor's sight, and no more."""
    found = dict.fromkeys((album.pk for album in albums), 0)
    rows = AlbumStudy.objects.filter(album__in=albums, left_at=None).filter(
        Exists(_seen(actor, at))
    )
    for (key,) in rows.values_list("album_id"):
        found[key] += 1
    return found


def members_of(album: Album) -> list[AlbumMember]:
    """Who is in it now, in the order in which they came."""
    present = album.members.filter(left_at=None)
    return list(present.select_related("organization", "user", "team").order_by("pk"))


@transaction.atomic
def close_album(*, public_id: str, by: Actor, at: datetime) -> Album:
    """Close it, and end what it gave, at once. Raises AlbumNotFound."""
    album = locked(by, public_id=public_id, at=at)
    end_grants(Grant.objects.filter(of_album__member__album=album, revoked_at=None), at=at)
    album.closed_at, album.closed_by = at, by.name
    album.save(update_fields=["closed_at", "closed_by"])
    record(who=by.who, action="album.close", at=at, what=what_of(album, by))
    return album


def locked(by: Actor, *, public_id: str, at: datetime) -> Album:
    """An album that the actor may end things of, locked: two who change it take turns.

    Raises AlbumNotFound, also when it was closed while this one waited.
    """
    seen = album_seen(by, public_id=public_id, at=at)
    album = Album.objects.open(at).select_for_update().filter(pk=seen.pk).first()
    if album is None or not may_end(by, album):
        raise AlbumNotFound()
    return album


def what_of(album: Album, by: Actor) -> What:
    """The album as the access log names it: by its name and not by what is in it."""
    return What(
        custodian=by.organization_code, detail={"album": album.public_id, "name": album.name}
    )


def _check(wanted: AlbumWanted, by: Actor, at: datetime) -> None:
    if by.user_id is None:
        raise AlbumInvalid("Only a person can make an album.")
    if not wanted.name.strip():
        raise AlbumInvalid("Give the album a name.")
    if wanted.purpose not in PURPOSES:
        raise AlbumInvalid("An album is for treatment or for operations.")
    if wanted.until <= at:
        raise AlbumInvalid("The album must end in the future.")
    if wanted.until > at + LONGEST_ALBUM:
        raise AlbumInvalid("An album lasts a year at most.")
    if not wanted.actions or Action.RESHARE in wanted.actions:
        raise AlbumInvalid("Say what its members may do; they share nothing on out of it.")


def _members(actor: Actor) -> QuerySet[AlbumMember]:
    """The rows by which the actor is in an album, by the membership of this moment."""
    present = AlbumMember.objects.filter(left_at=None, organization_id=actor.organization_id)
    if actor.user_id is None:
        return present.filter(user=None, team=None) if actor.treating else present.none()
    teams = TeamMember.objects.filter(user_id=actor.user_id, ended_at=None).values("team_id")
    whom = Q(user=None, team=None) | Q(user_id=actor.user_id) | Q(team_id__in=teams)
    return present.filter(whom)


def _seen(actor: Actor, at: datetime) -> QuerySet[Study]:
    """The study that an entry names, where the actor may know of it."""
    return Study.objects.visible_to(actor, at).filter(
        organization_id=OuterRef("custodian_id"),
        patient_id=OuterRef("patient_id"),
        study_uid=OuterRef("study_uid"),
    )


def _entries(actor: Actor, at: datetime) -> QuerySet[AlbumStudy]:
    present = AlbumStudy.objects.filter(album=OuterRef("pk"), left_at=None)
    return present.filter(Exists(_seen(actor, at)))


def _holding(album: Album) -> QuerySet[AlbumStudy]:
    return album.studies.filter(
        left_at=None,
        custodian_id=OuterRef("organization_id"),
        patient_id=OuterRef("patient_id"),
        study_uid=OuterRef("study_uid"),
    )
