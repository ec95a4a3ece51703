"""Links by REST: the pages' rules and refusals; what is secret is said once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.exchange.models import ShareLink
from tests.cast import Person, Region, make_patient
from tests.exchange.giving import DAY, comes_in, lets_links
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

LINKS = "/api/v1/links/"
JSON = "application/json"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    """Pat lets Riverside give links away."""
    region.at = timezone.now() - timedelta(hours=1)
    lets_links(region, region.at)
    return region.study()


def wish(*studies: Study, **said: Any) -> dict[str, Any]:
    until = (timezone.now() + 7 * DAY).isoformat()
    return {"studies": [each.public_id for each in studies], "until": until} | said


def post(client: Client, body: dict[str, Any], url: str = LINKS) -> Any:
    return client.post(url, body, content_type=JSON)


def test_a_link_is_given_said_once_listed_used_and_ended(region: Region, study: Study) -> None:
    ada = browser(region.ada)
    made = post(ada, wish(study, uses=2, may="download", note="See left."))
    assert made.status_code == 201, made.content
    assert "no-store" in made["Cache-Control"]
    said = made.json()
    secret = said["address"].rpartition("#")[2]
    assert (said["state"], said["uses"], said["studies"]) == ("open", 2, [study.study_uid])
    [listed] = ada.get(LINKS).json()["results"]
    assert "address" not in listed
    assert "code" not in listed
    assert secret not in ada.get(f"{LINKS}{said['id']}/").content.decode()
    assert comes_in(Client(), secret, said["code"]).status_code == 302
    assert ada.get(f"{LINKS}{said['id']}/").json()["used"] == 1
    assert ada.delete(f"{LINKS}{said['id']}/").status_code == 204
    assert ada.get(f"{LINKS}{said['id']}/").json()["state"] == "revoked"
    assert comes_in(Client(), secret, said["code"]).status_code == 422


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"uses": 0}, 422, "between once"),
        ({"uses": 99}, 422, "between once"),
        ({"code": "aaaaaa"}, 422, "six letters"),
        ({"until": "2020-01-01T00:00:00Z"}, 422, "future"),
        ({"until": "2099-01-01T00:00:00Z"}, 422, "The consent ends"),
        ({"not_before": "2098-01-01T00:00:00Z"}, 422, "must begin before"),
        ({"studies": ["nothing"]}, 404, "Nothing found"),
        ({"purpose": "HRESCH"}, 400, ""),
    ],
)
def test_what_the_page_refuses_is_refused_here(
    region: Region, study: Study, said: dict[str, Any], status: int, words: str
) -> None:
    answer = post(browser(region.ada), wish(study, **said))
    assert answer.status_code == status, answer.content
    assert words in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_what_no_consent_carries_is_named_before_and_refused(region: Region, study: Study) -> None:
    hers = region.study(make_patient(region.riverside, "RV-2", name="Berg^Anna"))
    ada = browser(region.ada)
    lines = post(ada, wish(study, hers), f"{LINKS}preview/").json()
    assert {each["study_uid"]: each["missing"] for each in lines} == {
        study.study_uid: "", hers.study_uid: "No consent is on file",
    }  # fmt: skip
    refused = post(ada, wish(study, hers))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_covered")
    assert not ShareLink.objects.exists()


def test_a_link_is_not_there_for_who_did_not_give_it(region: Region, study: Study) -> None:
    name = post(browser(region.ada), wish(study)).json()["id"]
    cleo = browser(region.cleo)
    for verb in (cleo.get, cleo.delete):
        known, unknown = verb(f"{LINKS}{name}/"), verb(f"{LINKS}AAAAAAAAAAAAAAAAAAAAAA/")
        assert known.status_code == unknown.status_code == 404
        assert known.json()["code"] == unknown.json()["code"]
    assert cleo.get(LINKS).json()["results"] == []
    assert browser(region.mei).get(LINKS).status_code == 404
    assert post(browser(region.mei), wish(study)).status_code == 404
    assert token_client(region.riverside, "shares.read").get(LINKS).status_code == 403
