"""Asking for access by REST: the same answer whether or not there is such a patient."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.access.models import AccessRequest, Share
from sharing.kernel.purposes import Action
from tests.cast import Person, Region
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

REQUESTS = "/api/v1/requests/"
JSON = "application/json"
ASK = {
    "custodian": "riverside",
    "identifier": "RV-1",
    "birth_date": "1958-05-03",
    "reason": "Follow-up of a nodule",
}


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def post(person: Person, url: str, body: dict[str, Any] | None = None) -> Any:
    return browser(person).post(url, body or {}, content_type=JSON)


def ask(region: Region, **said: Any) -> Any:
    answer = post(region.ben, REQUESTS, ASK | said)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_who_asks_can_t_tell_whether_there_is_such_a_patient(region: Region) -> None:
    there, nobody = ask(region), ask(region, identifier="RV-9")
    differ = {name for name in there if there[name] != nobody[name]}
    assert differ == {"id", "identifier", "asked_at", "expires_at"}
    ben = browser(region.ben)
    shown = [ben.get(f"{REQUESTS}{each['id']}/").json() for each in (there, nobody)]
    assert [set(each) for each in shown] == [set(there)] * 2
    assert [row["id"] for row in ben.get(REQUESTS).json()["results"]] == [nobody["id"], there["id"]]


def test_ada_approves_what_the_consents_cover(region: Region) -> None:
    region.at = timezone.now() - timedelta(hours=1)
    region.permit(actions=frozenset(Action.IMAGES.ladder), modalities=frozenset({"CT"}))
    study, other = region.study(), region.study(modalities="|MR|")
    asked = ask(region)
    [row] = browser(region.ada).get(f"{REQUESTS}?direction=received").json()["results"]
    assert row["id"] == asked["id"]
    body = browser(region.ada).get(f"{REQUESTS}{asked['id']}/").json()
    assert body["patient"] == region.pat.public_id
    missing = {each["study_uid"]: each["missing"] for each in body["studies"]}
    assert missing[study.study_uid] == ""
    assert "does not cover" in missing[other.study_uid]
    until = (timezone.now() + timedelta(days=10)).isoformat()
    answer = post(region.ada, f"{REQUESTS}{asked['id']}/approve/", {"until": until})
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert [g.study_uid for g in Share.objects.get().grants.all()] == [study.study_uid]
    assert browser(region.ben).get(f"{REQUESTS}{asked['id']}/").json()["state"] == "approved"


def test_nothing_is_shared_where_nothing_is_covered(region: Region) -> None:
    region.study()
    asked = ask(region)
    until = (timezone.now() + timedelta(days=10)).isoformat()
    answer = post(region.ada, f"{REQUESTS}{asked['id']}/approve/", {"until": until})
    assert answer.status_code == 422
    assert AccessRequest.objects.get().state == "asked"


def test_a_refusal_and_a_withdrawal_are_read_by_both(region: Region) -> None:
    first, second = ask(region), ask(region)
    refused = post(region.ada, f"{REQUESTS}{first['id']}/refuse/", {"why": "Ask the patient."})
    assert (refused.json()["state"], refused.json()["answer"]) == ("refused", "Ask the patient.")
    withdrawn = post(region.ben, f"{REQUESTS}{second['id']}/withdraw/")
    assert withdrawn.json()["state"] == "withdrawn"
    assert post(region.ben, f"{REQUESTS}{second['id']}/withdraw/").status_code == 409
    assert browser(region.ada).get(f"{REQUESTS}?direction=received").json()["results"] == []


@pytest.mark.parametrize("verb", ["", "approve/", "refuse/", "withdraw/"])
def test_others_meet_one_answer_for_hidden_and_absent(region: Region, verb: str) -> None:
    asked, body = ask(region), {"until": "2030-01-01T00:00:00Z", "why": "No."}
    for person in (region.cleo, region.mei, region.olga):
        client = browser(person)
        answers = []
        for which in (asked["id"], "nothing"):
            url = f"{REQUESTS}{which}/{verb}"
            got = client.post(url, body, content_type=JSON) if verb else client.get(url)
            answers.append((got.status_code, got.content))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert AccessRequest.objects.get().state == "asked"


def test_a_machine_neither_asks_nor_answers(region: Region) -> None:
    machine = token_client(region.hilltop, "studies.read", "shares.read")
    assert machine.get(REQUESTS).status_code == 403
    assert machine.post(REQUESTS, ASK, content_type=JSON).status_code == 403
    assert Client().get(REQUESTS).status_code == 401


def test_words_of_the_wrong_form_are_not_repeated(region: Region) -> None:
    for said in ({"birth_date": "SECRET"}, {"custodian": "SECRET"}, {"reason": ""}):
        answer = post(region.ben, REQUESTS, ASK | said)
        assert answer.status_code in (400, 422)
        assert b"SECRET" not in answer.content
    assert not AccessRequest.objects.exists()
