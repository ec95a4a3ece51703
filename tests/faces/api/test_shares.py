"""Shares by REST: the pages' rules and refusals, and nothing named that is out of sight."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.access.models import Grant, Share
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action
from tests.cast import Person, Region
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import headers_of, sign_in

SHARES = "/api/v1/shares/"
ALL = frozenset(Action.RESHARE.ladder)
JSON = "application/json"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(organizations=(), named_by_custodian=True, actions=ALL)
    return region.study()


def wish(*studies: Study, days: int = 30, **said: Any) -> dict[str, Any]:
    until = (timezone.now() + timedelta(days=days)).isoformat()
    return {"studies": [s.public_id for s in studies], "to": "hilltop", "until": until} | said


def post(client: Client, body: dict[str, Any], url: str = SHARES) -> Any:
    return client.post(url, body, content_type=JSON)


def listed(client: Client, direction: str) -> list[Any]:
    answer = client.get(f"{SHARES}?direction={direction}")
    assert answer.status_code == 200, answer.content
    found: list[Any] = answer.json()["results"]
    return found


def whole(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.content, headers_of(answer)


def test_ada_shares_and_ben_reads_what_came(region: Region, study: Study) -> None:
    made = post(browser(region.ada), wish(study, note="Second opinion?", may="report"))
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["shared_by"], body["to"]["code"]) == ("Ada Brandt", "hilltop")
    assert body["actions"] == ["discover", "report"]
    assert body["studies"] == [study.study_uid]
    [came] = listed(browser(region.ben), "received")
    assert (came["id"], came["note"]) == (body["id"], "Second opinion?")
    [given] = listed(browser(region.ada), "given")
    assert given["id"] == body["id"]
    assert browser(region.ben).get(f"{SHARES}{body['id']}/").json() == came


def test_what_the_consent_lacks_is_named_and_nobody_gains_access(
    region: Region, study: Study
) -> None:
    answer = post(browser(region.ada), wish(study, purpose="HOPERAT"))
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_covered"
    region.revoke(Consent.objects.get(), at=timezone.now())
    answer = post(browser(region.ada), wish(study))
    assert answer.json()["detail"] == "No consent is on file. Nobody gained access."
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"to": "riverside"}, 422, "another organization"),
        ({"to": "nowhere"}, 422, "another organization"),
        ({"until": "2020-01-01T00:00:00Z"}, 422, "must end in the future"),
        ({"until": "2099-01-01T00:00:00Z"}, 422, "The consent ends"),
        ({"person": "nobody"}, 422, "treats patients there"),
        ({"studies": []}, 400, ""),
        ({"studies": ["nothing"]}, 404, "Nothing found"),
        ({"may": "SECRET"}, 400, ""),
    ],
)
def test_what_the_page_refuses_is_refused_here(
    region: Region, study: Study, said: dict[str, Any], status: int, words: str
) -> None:
    answer = post(browser(region.ada), wish(study, **said))
    assert answer.status_code == status, answer.content
    assert words in answer.content.decode()
    assert b"SECRET" not in answer.content
    assert not Share.objects.exists()


def test_a_preview_says_study_by_study_what_would_change(region: Region, study: Study) -> None:
    region.deny(studies=frozenset({study.study_uid}))
    other = region.study()
    answer = post(browser(region.ada), wish(study, other), f"{SHARES}preview/")
    by_uid = {each["study_uid"]: each for each in answer.json()}
    assert by_uid[study.study_uid]["missing"].startswith("Patient refused Hilltop")
    assert by_uid[other.study_uid] | {"until": None} == {
        "study_uid": other.study_uid,
        "before": False,
        "after": True,
        "consent": "C-1001 v1",
        "until": None,
        "missing": "",
    }
    assert not Share.objects.exists()


def test_a_share_ends_with_all_that_was_shared_on_out_of_it(region: Region, study: Study) -> None:
    made = post(browser(region.ada), wish(study, onward=True)).json()
    on = post(browser(region.ben), wish(study, to="lakeside", days=20))
    assert on.status_code == 201, on.content
    assert browser(region.ada).delete(f"{SHARES}{made['id']}/").status_code == 204
    assert not Grant.objects.filter(revoked_at=None).exists()
    assert listed(browser(region.cleo), "received") == []


def test_who_shared_on_ends_also_what_others_made_out_of_it(region: Region, study: Study) -> None:
    """Out of Ben's share came one of Lakeside's, which is not Ben's to change."""
    assert post(browser(region.ada), wish(study, onward=True)).status_code == 201
    on = post(browser(region.ben), wish(study, to="lakeside", days=20, onward=True))
    again = post(browser(region.cleo), wish(study, to="hilltop", days=10))
    assert (on.status_code, again.status_code) == (201, 201), again.content
    assert browser(region.ben).delete(f"{SHARES}{on.json()['id']}/").status_code == 204
    living = Grant.objects.filter(revoked_at=None).values_list("share__shared_for__code", flat=True)
    assert list(living) == ["riverside"]


def test_hidden_and_absent_are_one_answer_for_every_verb(region: Region, study: Study) -> None:
    made = post(browser(region.ada), wish(study, person=region.ben.user.public_id)).json()
    for person in (region.cleo, region.mei, region.admin):
        client = browser(person)
        for verb in ("get", "delete"):
            hidden = getattr(client, verb)(f"{SHARES}{made['id']}/")
            absent = getattr(client, verb)(f"{SHARES}nothing/")
            assert whole(hidden) == whole(absent)
            assert hidden.status_code == 404
    assert browser(region.ben).delete(f"{SHARES}{made['id']}/").status_code == 404
    assert Grant.objects.filter(revoked_at=None).exists()


def test_a_share_is_not_there_once_the_patient_withdrew(region: Region, study: Study) -> None:
    made = post(browser(region.ada), wish(study, onward=True)).json()
    post(browser(region.ben), wish(study, to="lakeside", days=20))
    ben = browser(region.ben)
    assert len(listed(ben, "received")) == 1
    region.revoke(Consent.objects.get(), at=timezone.now())
    assert listed(ben, "received") == []
    assert ben.get(f"{SHARES}{made['id']}/").status_code == 404
    [given] = listed(ben, "given")
    assert given["studies"] == []


def test_a_clerk_can_t_share_nor_list_what_was_given(region: Region, study: Study) -> None:
    mei = browser(region.mei)
    assert post(mei, wish(study)).status_code == 404
    assert mei.get(f"{SHARES}?direction=given").status_code == 404


def test_a_machine_reads_what_came_and_writes_nothing(region: Region, study: Study) -> None:
    post(browser(region.ada), wish(study))
    reader = token_client(region.hilltop, "shares.read")
    [came] = listed(reader, "received")
    assert came["studies"] == [study.study_uid]
    assert post(reader, wish(study)).status_code == 403
    assert reader.delete(f"{SHARES}{came['id']}/").status_code == 403
    writer = token_client(region.hilltop, "shares.read", "shares.write")
    assert post(writer, wish(study)).status_code == 403
    assert writer.delete(f"{SHARES}{came['id']}/").status_code == 403
    assert token_client(region.hilltop, "studies.read").get(SHARES).status_code == 403
    assert listed(token_client(region.lakeside, "shares.read"), "received") == []
    assert Client().get(SHARES).status_code == 401


def test_a_session_writes_only_with_its_key(region: Region, study: Study) -> None:
    client = sign_in(Client(enforce_csrf_checks=True), region.ada.user)
    for url in (SHARES, f"{SHARES}preview/", "/api/v1/requests/"):
        answer = post(client, wish(study), url)
        assert answer.status_code == 403, url
    assert not Share.objects.exists()


def test_pages_meet_every_share_once(region: Region, study: Study) -> None:
    ids = {post(browser(region.ada), wish(study)).json()["id"] for _ in range(3)}
    seen: list[str] = []
    url = f"{SHARES}?limit=2"
    while url:
        page = browser(region.ben).get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert (len(seen), set(seen)) == (3, ids)
