"""Albums by REST: the pages' rules and refusals."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.kernel.purposes import Action
from tests.cast import Person, Region, make_patient
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

ALBUMS = "/api/v1/albums/"
ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})
JSON = "application/json"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


def post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, body, content_type=JSON)


def made(ada: Client, *studies: Study) -> str:
    """The address of an album that Ada made."""
    until = (timezone.now() + timedelta(days=7)).isoformat()
    body = {"name": "Chest board", "until": until, "studies": [s.public_id for s in studies]}
    answer = post(ada, ALBUMS, body)
    assert answer.status_code == 201, answer.content
    return f"{ALBUMS}{answer.json()['id']}/"


def test_an_album_is_made_filled_read_and_closed(region: Region, study: Study) -> None:
    ada, ben, other = browser(region.ada), browser(region.ben), region.study()
    album = made(ada, study)
    person = {"to": "hilltop", "person": region.ben.user.public_id}
    [line] = post(ada, f"{album}members/", person).json()
    assert line == {
        "study": study.public_id, "organization": "hilltop", "member": "Ben Hartley",
        "covered": True, "missing": "",
    }  # fmt: skip
    put_in = post(ada, f"{album}studies/", {"studies": [other.public_id]})
    assert (put_in.status_code, len(put_in.json())) == (201, 1)
    [came] = ben.get(ALBUMS).json()["results"]
    assert came == ben.get(album).json()
    assert set(came["studies"]) == {study.public_id, other.public_id}
    assert [each["person"] for each in came["members"]] == ["Ben Hartley"]
    later = {"until": (timezone.now() + timedelta(days=20)).isoformat()}
    said = ada.patch(album, later, content_type=JSON).json()["until"]
    assert datetime.fromisoformat(said) == datetime.fromisoformat(later["until"])
    assert ben.patch(album, later, content_type=JSON).status_code == 404
    assert ada.delete(f"{album}studies/{study.public_id}/").status_code == 204
    assert ben.get(album).json()["studies"] == [other.public_id]
    assert ada.delete(f"{album}members/{came['members'][0]['id']}/").status_code == 204
    assert ben.get(album).status_code == 404
    assert ada.delete(album).status_code == 204
    assert ada.get(album).status_code == 404


def test_refusals_are_those_of_the_pages(region: Region, study: Study) -> None:
    ada, cleo = browser(region.ada), browser(region.cleo)
    album = made(ada, study)
    post(ada, f"{album}members/", {"to": "hilltop"})
    hers = region.study(make_patient(region.riverside, "RV-2", name="Berg^Anna"))
    refused = post(ada, f"{album}studies/", {"studies": [hers.public_id]})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_covered")
    twice = post(ada, f"{album}members/", {"to": "hilltop"})
    assert (twice.status_code, twice.json()["code"]) == (422, "album_invalid")
    unknown = cleo.get(f"{ALBUMS}AAAAAAAAAAAAAAAAAAAAAA/")
    assert cleo.get(album).status_code == unknown.status_code == 404
    assert cleo.get(album).json()["code"] == unknown.json()["code"]
    for verb in (cleo.delete, browser(region.ben).delete):
        assert verb(album).status_code == 404
    nowhere = post(ada, f"{album}members/", {"to": "nowhere"})
    assert nowhere.status_code == 422
    assert ada.get(album).json()["studies"] == [study.public_id]


def test_machines_keep_no_albums(region: Region, study: Study) -> None:
    machine = token_client(region.riverside, "studies.read", "shares.read")
    assert machine.get(ALBUMS).status_code == 403
    assert Client().get(ALBUMS).status_code == 401
