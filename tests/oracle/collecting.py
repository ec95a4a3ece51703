"""Acts about albums: made, filled, let into, taken out of, closed.

Which grants an album makes is read from the portal, as with any share; which of them have ended is
the model's own: by the study that was taken out, the member who was removed, the album closed.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sharing.access.models import Grant
from sharing.exchange.models import AlbumMember
from sharing.exchange.services import (
    AlbumWanted,
    add_member,
    add_studies,
    close_album,
    make_album,
    remove_member,
    share_again,
    take_out,
)
from sharing.kernel.purposes import Action, Purpose
from tests.oracle import facts
from tests.oracle.doing import acting, one
from tests.oracle.region import DAY, HOMES, Twice

KEEPERS = {"riverside": "ada", "hilltop": "kim", "lakeside": "cleo"}
THERE = {"riverside": ("rory",), "hilltop": ("ben", "kim"), "lakeside": ("kim", "cleo")}


@dataclass
class AlbumTwice:
    """An album: who keeps it, with which one other organization, and what it gave to whom."""

    name: str
    home: str
    there: str
    members: dict[str, facts.Whom] = field(default_factory=dict)  # by the portal's name
    given: list[tuple[str, str, facts.Grant]] = field(default_factory=list)  # member, study


def makes_an_album(both: Twice, rng: Random) -> None:
    """For two organizations: nobody else ever reads its name."""
    home, there = rng.sample(HOMES, 2)
    wanted = AlbumWanted(
        name=both.words("Board", home, there),
        purpose=rng.choice([Purpose.TREATMENT] * 5 + [Purpose.OPERATIONS]),
        until=both.at + rng.randint(2, 6) * DAY,
        actions=rng.choice([Action.IMAGES, Action.DOWNLOAD]).ladder,
        note=both.words("For Thursday.", home, there),
    )
    made = make_album(wanted=wanted, by=acting(both, KEEPERS[home], home), at=both.at)
    both.albums.append(AlbumTwice(made.public_id, home, there))


def puts_a_study_in(both: Twice, rng: Random) -> None:
    """One that the organization holds."""
    album = _some(both, rng)
    own = [key for key, each in both.world.studies.items() if each.custodian == album.home]
    study = both.fresh(one(rng, own))
    add_studies(public_id=album.name, studies=[study], by=_keeper(both, album), at=both.at)
    _note(both, album)


def lets_somebody_in(both: Twice, rng: Random) -> None:
    """All of an organization, a person of it, or Hilltop's care team."""
    album = _some(both, rng)
    home = rng.choice([album.there] * 4 + [album.home])
    person = rng.choice([None, *THERE[home]])
    team = both.teams["care_team"] if home == "hilltop" and rng.random() < 0.4 else None
    add_member(
        public_id=album.name, to=both.homes[home], team=team,
        person=both.users[person] if person and not team else None,
        by=_keeper(both, album), at=both.at,
    )  # fmt: skip
    row = AlbumMember.objects.filter(album__public_id=album.name).latest("pk")
    whom = facts.Whom("practitioner" if person else "organization", home, person or "")
    album.members[row.public_id] = facts.Whom("team", home, team="care_team") if team else whom
    _note(both, album)


def opens_what_is_covered_now(both: Twice, rng: Random) -> None:
    """What consents came to cover since."""
    album = _some(both, rng)
    share_again(public_id=album.name, by=_keeper(both, album), at=both.at)
    _note(both, album)


def takes_a_study_out(both: Twice, rng: Random) -> None:
    """And its members lose what the album gave of it."""
    album = _some(both, rng)
    key = one(rng, sorted({study for _, study, _ in album.given}))
    take_out(public_id=album.name, study=both.fresh(key), by=_keeper(both, album), at=both.at)
    _end(album, study=key)


def removes_somebody(both: Twice, rng: Random) -> None:
    """And they lose what the album gave them."""
    album = _some(both, rng)
    member = one(rng, list(album.members))
    by = _keeper(both, album)
    remove_member(public_id=album.name, member_id=member, by=by, at=both.at)
    del album.members[member]
    _end(album, member=member)


def closes_an_album(both: Twice, rng: Random) -> None:
    """For good."""
    album = _some(both, rng)
    close_album(public_id=album.name, by=_keeper(both, album), at=both.at)
    _end(album)


def _some(both: Twice, rng: Random) -> AlbumTwice:
    found: AlbumTwice = one(rng, both.albums)
    return found


def _keeper(both: Twice, album: AlbumTwice) -> Any:
    return acting(both, KEEPERS[album.home], album.home)


def _note(both: Twice, album: AlbumTwice) -> None:
    """The model learns of the grants that are new."""
    keys = {(row.organization_id, row.study_uid): key for key, row in both.studies.items()}
    made = Grant.objects.filter(of_album__member__album__public_id=album.name)
    fresh = made.exclude(pk__in=both.grants).select_related("of_album__member", "patient")
    for row in fresh.order_by("pk"):
        member, study = row.of_album.member.public_id, keys[row.custodian_id, row.study_uid]
        known = facts.Grant(
            both.name_of(row.patient), study, album.members[member], row.purpose, row.action_set,
            both.at, row.ends_at,
        )  # fmt: skip
        both.grants[row.pk] = known
        both.world.grants.append(known)
        album.given.append((member, study, known))


def _end(album: AlbumTwice, *, member: str = "", study: str = "") -> None:
    for whose, what, grant in album.given:
        if member in ("", whose) and study in ("", what):
            grant.revoked = True
