"""What ends soon by REST: one list by duty, renewals with the refusals of the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.access.models import Grant, RenewalAsk, Share, Use
from sharing.access.services import share
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.kernel.purposes import Action, Obligation, Purpose
from tests.cast import Person, Region
from tests.sessions import sign_in

DUE, SHARES = "/api/v1/due/", "/api/v1/shares/"
DAY = timedelta(days=1)
ALL = frozenset(Action.RESHARE.ladder)
JSON = "application/json"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def post(person: Person, url: str, body: dict[str, Any]) -> Any:
    return browser(person).post(url, body, content_type=JSON)


@pytest.fixture
def shared(region: Region) -> Callable[..., Share]:
    """Ada shares with Hilltop for ten days."""
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    study = region.study()

    def make(**said: Any) -> Share:
        at = timezone.now() - timedelta(minutes=1)
        values = {"until": at + 10 * DAY, "note": "", "at": at, "by": region.ada.actor} | said
        return share(
            subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT, **values
        )

    return make


def in_days(days: int) -> dict[str, str]:
    return {"until": (timezone.now() + days * DAY).isoformat()}


def test_a_share_that_ends_is_listed_and_goes_on(
    region: Region, shared: Callable[..., Share]
) -> None:
    made = shared()
    due = browser(region.ada).get(DUE).json()
    assert [each["id"] for each in due["ending"]] == [made.public_id]
    assert (due["reviews"], due["consents"], due["to_tell"]) == ([], None, None)
    renew = f"{SHARES}{made.public_id}/renew/"
    outlives = post(region.ada, renew, in_days(200))
    assert (outlives.status_code, outlives.json()["code"]) == (422, "share_invalid")
    goes_on = post(region.ada, renew, in_days(60))
    assert goes_on.status_code == 201, goes_on.content
    assert goes_on.json()["renews"] == made.public_id
    twice = post(region.ada, renew, in_days(60))
    assert (twice.status_code, twice.json()["code"]) == (409, "not_now")
    assert browser(region.ada).get(DUE).json()["ending"] == []


def test_a_standing_share_is_confirmed_and_any_other_is_not(
    region: Region, shared: Callable[..., Share]
) -> None:
    standing, plain = shared(standing=True, until=timezone.now() + 80 * DAY), shared()
    Grant.objects.filter(share=standing).update(review_by=timezone.now() + DAY)
    [listed] = browser(region.ada).get(DUE).json()["reviews"]
    assert listed["id"] == standing.public_id
    told = post(region.ada, f"{SHARES}{standing.public_id}/still-needed/", {})
    assert told.status_code == 200
    assert told.json()["review_by"] > listed["review_by"]
    refused = post(region.ada, f"{SHARES}{plain.public_id}/still-needed/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_now")


def test_a_grantee_asks_once_and_others_find_nothing(
    region: Region, shared: Callable[..., Share]
) -> None:
    ask = f"{SHARES}{shared().public_id}/ask-renewal/"
    assert post(region.ben, ask, {}).status_code == 204
    assert post(region.ben, ask, {}).status_code == 409
    for person in (region.cleo, region.mei):
        assert post(person, ask, {}).status_code == 404
        assert post(person, ask.replace("ask-renewal", "renew"), in_days(5)).status_code == 404
        assert post(person, ask.replace("ask-renewal", "still-needed"), {}).status_code == 404
    assert RenewalAsk.objects.count() == 1
    assert browser(region.olga).get(DUE).status_code == 404


def test_mei_ticks_off_whom_she_told(region: Region) -> None:
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(obligations=frozenset({Obligation.NOTIFY_PATIENT}), ends_at=region.at + 9 * DAY)
    study: Study = region.study()
    open_study(region.ben.actor, public_id=study.public_id, at=timezone.now(), action=Action.IMAGES)
    due = browser(region.mei).get(DUE).json()
    assert (due["ending"], len(due["consents"])) == (None, 1)
    [use] = due["to_tell"]
    assert (use["who"], use["patient"]) == ("Ben Hartley", region.pat.public_id)
    told = f"{DUE}told/{use['id']}/"
    assert post(region.mei, told, {"how": "pigeon"}).status_code == 400
    assert post(region.ada, told, {"how": "phone"}).status_code == 404
    assert post(region.mei, told, {"how": "phone"}).status_code == 204
    assert Use.objects.get().told_how == "phone"
