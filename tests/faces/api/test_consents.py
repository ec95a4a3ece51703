"""Consents by REST: what the own patients said, for whose work needs it; withdrawn at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.consent.models import Consent
from sharing.kernel.purposes import Obligation
from tests.cast import Person, Region, make_patient
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

CONSENTS = "/api/v1/consents/"


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def listed(person: Person, query: str = "") -> list[Any]:
    found: list[Any] = browser(person).get(f"{CONSENTS}{query}").json()["results"]
    return found


@pytest.fixture
def consent(region: Region) -> Consent:
    region.at = timezone.now() - timedelta(hours=1)
    return region.permit(obligations=frozenset({Obligation.WATERMARK}), maximum_uses=3)


def test_a_consent_is_read_as_it_was_said(region: Region, consent: Consent) -> None:
    [body] = listed(region.mei)
    assert body == browser(region.mei).get(f"{CONSENTS}{consent.public_id}/").json()
    assert (body["number"], body["version"], body["state"]) == ("C-1001", 1, "active")
    assert body["patient"] == region.pat.public_id
    hilltop = {"kind": "organization", "name": "Hilltop Family Clinic", "role": ""}
    assert body["grantees"] == [hilltop | {"excepted": False}]
    assert body["terms"] == {
        "action": ["discover", "images", "report"],
        "purpose": ["TREAT"],
    }
    assert (body["obligations"], body["maximum_uses"], body["used"]) == (["watermark"], 3, 0)


def test_a_list_is_narrowed_by_patient_and_state(region: Region, consent: Consent) -> None:
    other = make_patient(region.riverside, "RV-2", name="Doe^Jo")
    second = region.permit(patient=other)
    region.revoke(second, at=timezone.now())
    assert [c["id"] for c in listed(region.mei, f"?patient={other.public_id}")] == [
        second.public_id
    ]
    assert [c["id"] for c in listed(region.mei, "?state=active")] == [consent.public_id]


def test_what_is_withdrawn_is_withdrawn_when_it_answers(region: Region, consent: Consent) -> None:
    study, ben = region.study(), browser(region.ben)
    where = reverse("web:study", args=[study.public_id])
    assert ben.get(where).status_code == 200
    url = f"{CONSENTS}{consent.public_id}/revoke/"
    answer = browser(region.mei).post(url, {"why": "By phone."}, content_type="application/json")
    assert (answer.json()["state"], answer.json()["ended_why"]) == ("revoked", "By phone.")
    assert ben.get(where).status_code == 404
    again = browser(region.mei).post(url, {}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "not_now")


def test_who_records_nothing_withdraws_nothing(region: Region, consent: Consent) -> None:
    url = f"{CONSENTS}{consent.public_id}/revoke/"
    for person in (region.ada, region.olga, region.admin, region.ben, region.cleo):
        assert browser(person).post(url, {}, content_type="application/json").status_code == 404
    assert Consent.objects.get().state == "active"


def test_another_organizations_people_meet_what_does_not_exist(
    region: Region, consent: Consent
) -> None:
    for person in (region.ben, region.cleo):
        assert listed(person) == []
        hidden = browser(person).get(f"{CONSENTS}{consent.public_id}/")
        absent = browser(person).get(f"{CONSENTS}nothing/")
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert browser(region.admin).get(CONSENTS).status_code == 404


def test_a_machine_reads_no_consent(region: Region, consent: Consent) -> None:
    machine = token_client(region.riverside, "studies.read", "shares.read")
    assert machine.get(CONSENTS).status_code == 403
    assert machine.get(f"{CONSENTS}{consent.public_id}/").status_code == 403
    assert Client().get(CONSENTS).status_code == 401


def test_a_session_withdraws_only_with_its_key(region: Region, consent: Consent) -> None:
    client = sign_in(Client(enforce_csrf_checks=True), region.mei.user)
    url = f"{CONSENTS}{consent.public_id}/revoke/"
    assert client.post(url, {}, content_type="application/json").status_code == 403
    assert Consent.objects.get().state == "active"


def test_the_document_describes_shares_requests_and_consents(region: Region) -> None:
    paths = browser(region.ada).get("/api/v1/schema/").json()["paths"]
    assert set(paths["/api/v1/shares/"]) == {"get", "post"}
    assert set(paths["/api/v1/shares/{share_id}/"]) == {"get", "delete"}
    for path in ("requests/{request_id}/approve/", "consents/{consent_id}/revoke/"):
        assert set(paths[f"/api/v1/{path}"]) == {"post"}
