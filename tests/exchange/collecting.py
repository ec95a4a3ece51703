"""Ada's album: what the tests of albums say again and again."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sharing.access.services import (
    decide_one,
)
from sharing.archive.models import Study
from sharing.exchange.models import Album
from sharing.exchange.services import (
    AlbumWanted,
    add_member,
    add_studies,
    albums_seen,
    counts_in,
    make_album,
    studies_in,
)
from sharing.kernel.purposes import Action, Purpose
from tests.cast import NOW, Person, Region

DAY = timedelta(days=1)
ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who may see."""
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


def an_album(region: Region, **said: Any) -> Album:
    """Ada's album for a month."""
    values = {
        "name": "Chest board", "purpose": Purpose.TREATMENT, "until": NOW + 30 * DAY,
    } | said  # fmt: skip
    return make_album(wanted=AlbumWanted(**values), by=region.ada.actor, at=NOW)


def puts(region: Region, album: Album, *studies: Study, at: datetime = NOW, **more: Any) -> Any:
    """Ada puts studies in."""
    by = more.pop("by", region.ada.actor)
    return add_studies(public_id=album.public_id, studies=studies, by=by, at=at)


def lets_in(region: Region, album: Album, at: datetime = NOW, **whom: Any) -> Any:
    """Ada lets Ben in, or whoever is named."""
    values = {"to": region.hilltop, "person": region.ben.user} | whom
    return add_member(public_id=album.public_id, by=region.ada.actor, at=at, **values)


def sees(person: Person, study: Study, at: datetime = NOW) -> bool:
    """The decision; fails when the fence says otherwise."""
    allowed = decide_one(person.actor, Action.IMAGES, study.subject, at=at).allowed
    inside = Study.objects.visible_to(person.actor, at, Action.IMAGES).filter(pk=study.pk)
    assert inside.exists() == allowed
    return allowed


def seen_by(person: Person, album: Album, at: datetime = NOW) -> list[Study] | None:
    """What of the album they see; None: to them there is none."""
    if album not in albums_seen(person.actor, at=at):
        return None
    found = list(studies_in(album, person.actor, at=at))
    assert counts_in([album], person.actor, at=at) == {album.pk: len(found)}
    return found
