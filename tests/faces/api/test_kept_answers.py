"""A kept answer is told again while it holds, and no longer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from sharing.access.models import Share
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.exchange.models import Album, ShareLink
from sharing.kernel.purposes import Action
from tests.cast import Person, Region
from tests.exchange.giving import DAY, lets_links
from tests.sessions import sign_in

SHARES, LINKS, ALBUMS = (f"/api/v1/{kind}/" for kind in ("shares", "links", "albums"))


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside name who sees it, and give links away."""
    region.at = timezone.now() - timedelta(hours=1)
    everything = frozenset(Action.RESHARE.ladder)
    region.permit(organizations=(), named_by_custodian=True, actions=everything)
    lets_links(region, region.at)
    return region.study()


def sender(person: Person, url: str, body: dict[str, Any]) -> Callable[[], Any]:
    """The same request, again and again: the person's, with one key."""
    client = sign_in(Client(), person.user)
    headers = {"Idempotency-Key": f"once:{url}"}

    def send() -> Any:
        return client.post(url, body, content_type="application/json", headers=headers)

    return send


def wish(study: Study, **said: Any) -> dict[str, Any]:
    until = (timezone.now() + 7 * DAY).isoformat()
    return {"studies": [study.public_id], "until": until} | said


def withdraw(region: Region) -> None:
    for consent in Consent.objects.filter(state="active"):
        region.revoke(consent, at=timezone.now())


def made_twice(send: Callable[[], Any]) -> dict[str, Any]:
    """What was made, once for both."""
    first, again = send(), send()
    assert first.status_code == again.status_code == 201, first.content
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    told = first.json()
    assert isinstance(told, dict)
    return told


def assert_over(answer: Any, *untold: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (409, "answer_over"), answer.content
    assert "Idempotent-Replayed" not in answer
    assert all(each not in answer.content.decode() for each in untold)


@pytest.mark.parametrize("how", ["withdrawn", "ended"])
def test_a_link_is_not_told_again_once_it_opens_nothing(
    region: Region, study: Study, how: str
) -> None:
    send = sender(region.ada, LINKS, wish(study))
    made = made_twice(send)
    ada, where = sign_in(Client(), region.ada.user), f"{LINKS}{made['id']}/"
    assert ada.get(where).json()["opens"] is True
    if how == "ended":
        assert ada.delete(where).status_code == 204
    else:
        withdraw(region)
    assert ada.get(where).json()["opens"] is False
    assert_over(send(), made["address"], made["code"], study.study_uid)
    assert ShareLink.objects.count() == 1


def test_ben_is_not_told_again_what_he_shared_on_once_pat_withdrew(
    region: Region, study: Study
) -> None:
    given = sender(region.ada, SHARES, wish(study, to="hilltop", onward=True))()
    assert given.status_code == 201, given.content
    sooner = (timezone.now() + 5 * DAY).isoformat()
    send = sender(region.ben, SHARES, wish(study, to="lakeside", until=sooner))
    assert made_twice(send)["studies"] == [study.study_uid]
    withdraw(region)
    assert_over(send(), study.study_uid, "Lakeside")
    assert Share.objects.count() == 2


def test_a_share_that_ended_is_not_told_again(region: Region, study: Study) -> None:
    send = sender(region.ada, SHARES, wish(study, to="hilltop"))
    made = made_twice(send)
    sign_in(Client(), region.ada.user).delete(f"{SHARES}{made['id']}/")
    assert_over(send(), study.study_uid)


def test_a_renewal_stands_for_the_new_share_and_not_for_the_old(
    region: Region, study: Study
) -> None:
    ada = sign_in(Client(), region.ada.user)
    old = sender(region.ada, SHARES, wish(study, to="hilltop"))().json()
    until = {"until": (timezone.now() + 20 * DAY).isoformat()}
    send = sender(region.ada, f"{SHARES}{old['id']}/renew/", until)
    new = made_twice(send)
    ada.delete(f"{SHARES}{new['id']}/")
    assert_over(send(), study.study_uid)


def test_what_was_put_into_an_album_is_not_told_again_once_it_is_closed(
    region: Region, study: Study
) -> None:
    made = sender(region.ada, ALBUMS, wish(study, name="Board", studies=[]))().json()
    put = sender(region.ada, f"{ALBUMS}{made['id']}/members/", {"to": "hilltop"})
    first, again = put(), put()
    assert first.status_code == again.status_code == 201, first.content
    assert again["Idempotent-Replayed"] == "true"
    sign_in(Client(), region.ada.user).delete(f"{ALBUMS}{made['id']}/")
    assert_over(put())
    assert Album.objects.count() == 1


def test_a_preview_is_always_of_now(region: Region, study: Study) -> None:
    send = sender(region.ada, f"{SHARES}preview/", wish(study, to="hilltop"))
    assert send().json()[0]["after"] is True
    withdraw(region)
    answer = send()
    assert "Idempotent-Replayed" not in answer
    assert answer.json()[0]["after"] is False


def test_what_tells_nothing_is_done_once_whatever_came_after(region: Region, study: Study) -> None:
    """An answer without a body holds nothing that could be told too late."""
    given = sender(region.ada, SHARES, wish(study, to="hilltop"))().json()
    send = sender(region.ben, f"{SHARES}{given['id']}/ask-renewal/", {})
    assert send().status_code == 204
    withdraw(region)
    again = send()
    assert (again.status_code, again["Idempotent-Replayed"]) == (204, "true")
