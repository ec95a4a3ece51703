"""Studies and people put into an album and taken out: which grants that makes, and which it ends.

Each study opens to each member whom a consent lets the sharer name, by an ordinary share. Who needs
none gets none: the custodian's own people, and those of the organization that has the album, see
what the ordinary decision lets them see.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.models import Grant
from sharing.access.rules import Facts
from sharing.access.services import (
    Preview,
    Wanted,
    end_grants,
    facts_on_file,
    foresee,
    give,
    is_there,
)
from sharing.archive.models import Study
from sharing.audit.rules import What
from sharing.audit.services import record, record_all
from sharing.exchange.errors import AlbumInvalid, AlbumNotFound
from sharing.exchange.models import Album, AlbumGrant, AlbumMember, AlbumStudy
from sharing.exchange.rules import LONGEST_ALBUM, MOST_IN_ALBUM, MOST_MEMBERS
from sharing.kernel.purposes import Action
from sharing.tenants.models import Organization, Team, User
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .albums import AlbumWanted, locked, make_album, members_of, studies_in, what_of


@dataclass(frozen=True)
class Line:
    """One study for one member: open to them already, to be opened, or what is missing for it."""

    study: Study
    member: AlbumMember
    preview: Preview

    @property
    def covered(self) -> bool:
        """Whether the member may see it, once it is given."""
        return self.preview.after.allowed

    @property
    def open(self) -> bool:
        """Whether the member sees it now."""
        return self.preview.before.allowed


def foresee_album(
    album: Album, members: Iterable[AlbumMember], studies: Sequence[Study], *, at: datetime
) -> list[Line]:
    """Each study for each member who needs a grant for it: covered, or what is missing."""
    facts = facts_on_file([study.subject for study in studies])
    return [line for member in members for line in _lines(album, member, studies, facts, at)]


def who_would(
    album: Album, *, to: Organization, person: User | None, team: Team | None
) -> AlbumMember:
    """A member as it would be, for a preview. Raises AlbumInvalid for a person and a team."""
    if person is not None and team is not None:
        raise AlbumInvalid("Name a person or a team, not both.")
    return AlbumMember(
        album=album, owner_id=album.organization_id, organization=to, user=person, team=team
    )


@transaction.atomic
def start_album(*, wanted: AlbumWanted, studies: Sequence[Study], by: Actor, at: datetime) -> Album:
    """A new album with these studies in it. Raises NotAllowed, AlbumInvalid, NotCovered."""
    album = make_album(wanted=wanted, by=by, at=at)
    if studies:
        add_studies(public_id=album.public_id, studies=studies, by=by, at=at)
    return album


@transaction.atomic
def add_studies(*, public_id: str, studies: Sequence[Study], by: Actor, at: datetime) -> list[Line]:
    """Put studies in, and open each to the members for whom a consent covers it.

    Who is left without one stands in the answer. Raises NotAllowed, AlbumNotFound, AlbumInvalid,
    ShareWidens, and NotCovered when the actor may not share a study, or when one is covered for
    none of the members who need it; then nothing is put in.
    """
    require(by, Duty.SHARE)
    album = locked(by, public_id=public_id, at=at)
    fresh = _not_yet(album, studies)
    if not fresh:
        raise AlbumInvalid("They are in the album already." if studies else "Choose a study.")
    if len(_to_share(fresh, by, at)) != len(fresh):
        raise NotCovered()
    lines = foresee_album(album, members_of(album), fresh, at=at)
    for study in fresh:
        _check_some([line for line in lines if line.study == study])
    entries = {study: _put_in(album, study, by, at) for study in fresh}
    _give(album, lines, entries, by, at)
    _log(by, "album.add_study", album, entries.values(), at)
    return lines


@transaction.atomic
def add_member(
    *,
    public_id: str,
    to: Organization,
    person: User | None = None,
    team: Team | None = None,
    by: Actor,
    at: datetime,
) -> list[Line]:
    """Let somebody in, and open to them what a consent covers of the studies that are there.

    Raises as `add_studies` does, ShareInvalid for who is not there, and NotCovered when no study
    that is there is covered for them.
    """
    require(by, Duty.SHARE)
    album = locked(by, public_id=public_id, at=at)
    member = who_would(album, to=to, person=person, team=team)
    _check_new(album, member)
    _check_there(album, member)
    shareable = studies_in(album, by, at=at)
    lines = foresee_album(album, [member], _to_share(shareable, by, at), at=at)
    _check_some(lines)
    member.added_at = at
    member.save()
    _give(album, lines, _entries_of(album), by, at)
    _log_member(by, "album.add_member", album, member, at)
    return lines


@transaction.atomic
def share_again(*, public_id: str, by: Actor, at: datetime) -> int:
    """Open to the members what a consent came to cover since; how many were opened.

    Raises NotAllowed, AlbumNotFound, ShareWidens.
    """
    require(by, Duty.SHARE)
    album = locked(by, public_id=public_id, at=at)
    studies = _to_share(studies_in(album, by, at=at), by, at)
    lines = foresee_album(album, members_of(album), studies, at=at)
    return _give(album, [line for line in lines if not line.open], _entries_of(album), by, at)


@transaction.atomic
def prolong_album(*, public_id: str, until: datetime, by: Actor, at: datetime) -> Album:
    """Let the album go on longer, and what it gave, as far as consents cover it by now.

    Raises NotAllowed, AlbumNotFound, AlbumInvalid, ShareWidens.
    """
    require(by, Duty.SHARE)
    album = locked(by, public_id=public_id, at=at)
    if not album.ends_at < until <= at + LONGEST_ALBUM:
        raise AlbumInvalid("It can end later than now, and within a year.")
    album.ends_at = until
    album.save(update_fields=["ends_at"])
    studies = _to_share(studies_in(album, by, at=at), by, at)
    lines = foresee_album(album, members_of(album), studies, at=at)
    entries = _entries_of(album)
    going_on = [line for line in lines if line.covered and _lives(line, entries, at)]
    for line in going_on:
        end_grants(_given(line, entries), at=at)
    _give(album, going_on, entries, by, at)
    record(who=by.who, action="album.prolong", at=at, what=what_of(album, by))
    return album


@transaction.atomic
def take_out(*, public_id: str, study: Study, by: Actor, at: datetime) -> None:
    """Take a study out, and end what it gave, at once. Raises AlbumNotFound."""
    album = locked(by, public_id=public_id, at=at)
    entry = album.studies.filter(
        custodian_id=study.organization_id, study_uid=study.study_uid, left_at=None
    ).first()
    if entry is None:
        raise AlbumNotFound()
    end_grants(Grant.objects.filter(of_album__entry=entry, revoked_at=None), at=at)
    entry.left_at = at
    entry.save(update_fields=["left_at"])
    _log(by, "album.take_out", album, [entry], at)


@transaction.atomic
def remove_member(*, public_id: str, member_id: str, by: Actor, at: datetime) -> AlbumMember:
    """Remove a member, and end what they were given, at once. Raises AlbumNotFound."""
    album = locked(by, public_id=public_id, at=at)
    member = next((each for each in members_of(album) if each.public_id == member_id), None)
    if member is None:
        raise AlbumNotFound()
    end_grants(Grant.objects.filter(of_album__member=member, revoked_at=None), at=at)
    member.left_at = at
    member.save(update_fields=["left_at"])
    _log_member(by, "album.remove_member", album, member, at)
    return member


def _lines(
    album: Album, member: AlbumMember, studies: Sequence[Study], facts: Facts, at: datetime
) -> Iterator[Line]:
    """Of a member who is there: who left is given nothing, and waits for nobody's consent."""
    there = is_there(member.organization, person=member.user, team=member.team)
    if member.organization_id == album.organization_id or not there:
        return
    needed = [study for study in studies if study.organization_id != member.organization_id]
    wanted = _wanted(album, member)
    subjects = [study.subject for study in needed]
    previews = foresee(subjects, wanted, at, facts, by=album.organization_id)
    for study, preview in zip(needed, previews, strict=True):
        yield Line(study, member, preview)


def _given(line: Line, entries: dict[Study, AlbumStudy]) -> QuerySet[Grant]:
    """What the album gave this member of this study, and nobody ended."""
    entry = entries[line.study]
    return Grant.objects.filter(
        of_album__member=line.member, of_album__entry=entry, revoked_at=None
    )


def _lives(line: Line, entries: dict[Study, AlbumStudy], at: datetime) -> bool:
    return _given(line, entries).filter(ends_at__gt=at).exists()


def _wanted(album: Album, member: AlbumMember, until: datetime | None = None) -> Wanted:
    return Wanted(
        member.organization,
        album.for_purpose,
        until or album.ends_at,
        album.action_list,
        person=member.user,
        team=member.team,
        album=album.name,
    )


def _give(
    album: Album,
    lines: Sequence[Line],
    entries: dict[Study, AlbumStudy],
    by: Actor,
    at: datetime,
) -> int:
    """Share what is covered: one share for each member, custodian and end; how many grants."""
    shares: dict[tuple[AlbumMember, int, datetime], list[Study]] = {}
    for line in lines:
        if line.covered:
            until = min(album.ends_at, line.preview.after.basis.until or album.ends_at)
            shares.setdefault((line.member, line.study.organization_id, until), []).append(
                line.study
            )
    for (member, _, until), studies in shares.items():
        _share(_wanted(album, member, until), member, studies, entries, by, at)
    return sum(map(len, shares.values()))


def _share(
    wanted: Wanted,
    member: AlbumMember,
    studies: Sequence[Study],
    entries: dict[Study, AlbumStudy],
    by: Actor,
    at: datetime,
) -> None:
    made = give([study.subject for study in studies], wanted, note="", by=by, at=at)
    by_study = {(study.organization_id, study.study_uid): entries[study] for study in studies}
    AlbumGrant.objects.bulk_create(
        AlbumGrant(grant=grant, member=member, entry=by_study[grant.custodian_id, grant.study_uid])
        for grant in made.grants.all()
    )


def _not_yet(album: Album, studies: Sequence[Study]) -> list[Study]:
    """Of the studies those that are not in it. Raises AlbumInvalid when it would hold too many."""
    present = set(album.studies.filter(left_at=None).values_list("custodian_id", "study_uid"))
    fresh = [study for study in studies if (study.organization_id, study.study_uid) not in present]
    if len(present) + len(fresh) > MOST_IN_ALBUM:
        raise AlbumInvalid(f"An album holds {MOST_IN_ALBUM} studies at most.")
    return fresh


def _check_new(album: Album, member: AlbumMember) -> None:
    present = members_of(album)
    if len(present) >= MOST_MEMBERS:
        raise AlbumInvalid(f"An album has {MOST_MEMBERS} members at most.")
    named = {(each.organization_id, each.user_id, each.team_id) for each in present}
    if (member.organization_id, member.user_id, member.team_id) in named:
        raise AlbumInvalid("They are in the album already.")


def _check_there(album: Album, member: AlbumMember) -> None:
    """The own people see what they see, whoever of them is named."""
    own = member.organization_id == album.organization_id
    if not own and not is_there(member.organization, person=member.user, team=member.team):
        raise ShareInvalid("Choose somebody who treats patients there.")


def _check_some(lines: Sequence[Line]) -> None:
    """Raises NotCovered where somebody needs a consent and nobody has one."""
    if lines and not any(line.covered for line in lines):
        lacking = sorted({line.preview.missing for line in lines})
        raise NotCovered(f"{'. '.join(lacking)}. Nobody gained access.")


def _to_share(inside: Iterable[Study], by: Actor, at: datetime) -> list[Study]:
    """Of what is in the album, what the actor may share on."""
    keys = [study.pk for study in inside]
    found = Study.objects.visible_to(by, at, Action.RESHARE).filter(pk__in=keys)
    return list(found.with_owners().order_by("-study_date", "-pk"))


def _entries_of(album: Album) -> dict[Study, AlbumStudy]:
    """By study the rows of those that are in it."""
    present = {
        (entry.custodian_id, entry.study_uid): entry for entry in album.studies.filter(left_at=None)
    }
    uids = {uid for _, uid in present}
    return {
        study: present[study.organization_id, study.study_uid]
        for study in Study.objects.filter(study_uid__in=uids)
        if (study.organization_id, study.study_uid) in present
    }


def _put_in(album: Album, study: Study, by: Actor, at: datetime) -> AlbumStudy:
    return AlbumStudy.objects.create(
        album=album,
        custodian_id=study.organization_id,
        patient_id=study.patient_id,
        study_uid=study.study_uid,
        added_by=by.name,
        added_at=at,
    )


def _log_member(by: Actor, action: str, album: Album, member: AlbumMember, at: datetime) -> None:
    whom = {"member": member.whom.name, "organization": member.organization.code}
    what = what_of(album, by)
    record(who=by.who, action=action, at=at, what=replace(what, detail={**what.detail, **whom}))


def _log(by: Actor, action: str, album: Album, entries: Iterable[AlbumStudy], at: datetime) -> None:
    whats = (
        What(
            custodian=entry.custodian.code,
            patient=entry.patient.public_id,
            study_uid=entry.study_uid,
            detail={"album": album.public_id, "name": album.name},
        )
        for entry in entries
    )
    record_all(who=by.who, action=action, at=at, whats=whats)
