"""Guessing at studies (A02): soon an answer that tells nothing, and a line for the officers."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from sharing.archive.services.missing import missed
from sharing.audit.models import Event
from tests.cast import NOW, Region
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

MOST = 3


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    cache.clear()
    settings.MISSES_A_MINUTE = MOST


@pytest.fixture
def cleo(region: Region) -> Client:
    return token_client(region.lakeside, "dicomweb.read")


def metadata(client: Client, uid: str) -> Any:
    return client.get(f"/dicomweb/studies/{uid}/metadata")


def statuses(client: Client, uids: list[str]) -> list[int]:
    return [metadata(client, uid).status_code for uid in uids]


def test_who_guesses_is_told_to_wait_and_the_officers_see_it(region: Region, cleo: Client) -> None:
    assert statuses(cleo, [f"1.2.3.{n}" for n in range(MOST + 2)]) == [404] * MOST + [429] * 2
    told = Event.objects.get(action="access.guess.refused")
    assert (told.organization, told.custodian, told.permitted) == ("lakeside", "lakeside", False)
    assert metadata(cleo, "1.2.3.9").headers["Retry-After"]


def test_hidden_and_absent_count_alike_and_answer_alike(region: Region, cleo: Client) -> None:
    hidden = region.study().study_uid
    assert statuses(cleo, [hidden, "1.2.3.1", hidden, hidden, "1.2.3.2"]) == [404] * 3 + [429] * 2
    bodies = {metadata(cleo, uid).content for uid in (hidden, "1.2.3.3")}
    assert len(bodies) == 1


def test_what_one_may_see_is_given_as_before(region: Region, cleo: Client) -> None:
    study = region.study()
    ada = token_client(region.riverside, "dicomweb.read")
    assert statuses(ada, [f"1.2.3.{n}" for n in range(MOST + 1)])[-1] == 429
    assert metadata(ada, study.study_uid).status_code == 200
    assert metadata(cleo, "1.2.3.1").status_code == 404, "others have a count of their own"


def test_pages_count_with_the_rest(region: Region) -> None:
    client = sign_in(Client(), region.cleo.user)
    hidden = region.study()
    addresses = [f"/studies/{name}/" for name in ("a" * 12, hidden.public_id, "b" * 12, "c" * 12)]
    assert [client.get(one).status_code for one in addresses] == [404, 404, 404, 429]


def test_each_minute_is_counted_anew(region: Region) -> None:
    actor = region.cleo.actor
    at_once = [missed(actor, NOW).code for _ in range(MOST + 1)]
    assert at_once == ["absent"] * MOST + ["too_many_misses"]
    assert missed(actor, NOW + timedelta(minutes=1)).code == "absent"
