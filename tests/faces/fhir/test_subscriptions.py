"""Subscriptions by FHIR: webhooks that are told that there is something new, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from sharing.audit.models import Event
from sharing.kernel import outgoing
from sharing.notify import delivering, hooks
from sharing.notify.errors import WebhookInvalid
from sharing.notify.models import Delivery, Webhook
from sharing.notify.rules import RESTS, Kind
from tests.cast import Region, make_person
from tests.faces.dicomweb.conftest import token_client
from tests.faces.fhir.conftest import Json, browser, found, ids
from tests.notify.receiving import Receiver, checked, deliver_all

FHIR = "application/fhir+json"
LATER = timedelta(minutes=1)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Nothing leaves this process."""
    other = Receiver()
    monkeypatch.setattr(outgoing, "request", other.request)
    return other


@pytest.fixture
def ines(region: Region) -> Client:
    """Riverside's administrator."""
    return browser(region.admin)


def sent(channel: Json | None = None, **values: Any) -> Json:
    """What a RIS sends: it wants to know of new studies."""
    hook = {"type": "rest-hook", "endpoint": "https://ris.example.org/fhir-hook"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "The RIS looks for new studies",
        "criteria": "ImagingStudy?",
        "channel": hook | (channel or {}),
    } | values


def post(client: Client, body: Json) -> Any:
    return client.post("/fhir/Subscription", body, content_type=FHIR)


def put(client: Client, body: Json, etag: str = "") -> Any:
    headers = {"If-Match": etag} if etag else {}
    path = f"/fhir/Subscription/{body['id']}"
    return client.put(path, body, content_type=FHIR, headers=headers)


def answered(client: Client, region: Region) -> Json:
    """A subscription whose endpoint answered, as it is read then."""
    made = post(client, sent())
    assert made.status_code == 201, made.content
    deliver_all(Webhook.objects.latest("pk").made_at)
    told: Json = client.get(f"/fhir/Subscription/{made.json()['id']}").json()
    return told


def settled(region: Region) -> None:
    """A study of Pat's is complete."""
    study = region.study()
    at = Webhook.objects.latest("pk").made_at + LATER
    delivering.settled(study_ids=[study.pk], at=at)
    deliver_all(at)


def test_a_subscription_is_active_when_its_endpoint_answered_and_then_told_by_a_knock_alone(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    made = post(ines, sent())
    told = made.json()
    assert (made.status_code, told["status"]) == (201, "requested")
    assert made["Location"].split("/_history/")[0].endswith(f"/fhir/Subscription/{told['id']}")
    settled(region)
    assert len(receiver.came) == 1  # the first request; what happened before its answer is not told
    read = ines.get(f"/fhir/Subscription/{told['id']}")
    assert read.json()["status"] == "active"
    assert read["ETag"] != made["ETag"]
    settled(region)
    url, headers, body = receiver.came[-1]
    assert (len(receiver.came), url, body) == (2, "https://ris.example.org/fhir-hook", b"")
    assert "Content-Type" not in headers
    row = Webhook.objects.get()
    assert checked(hooks.secret_of(row, row.version), headers, body)
    assert not checked(hooks.secret_of(row, row.version + 1), headers, body)
    assert Event.objects.filter(action="webhook.create").count() == 1


def test_who_does_not_answer_is_told_nothing_and_can_be_asked_again(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    receiver.status = 500
    told = post(ines, sent()).json()
    at = Webhook.objects.get().made_at
    for rest in (timedelta(), *RESTS):
        at += rest
        deliver_all(at)
    path = f"/fhir/Subscription/{told['id']}"
    read = ines.get(path).json()
    assert (read["status"], "eleven" in read["error"]) == ("error", True)
    receiver.status = 200
    assert put(ines, read).status_code == 422  # who asks again says so
    assert put(ines, read | {"status": "requested"}).json()["status"] == "requested"
    assert len(receiver.came) == len(RESTS) + 1
    deliver_all(Delivery.objects.latest("pk").made_at)
    assert ines.get(path).json()["status"] == "active"


def test_it_is_switched_off_moved_and_deleted(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    told = answered(ines, region)
    path = f"/fhir/Subscription/{told['id']}"
    stale = ines.get(path)["ETag"]
    off = put(ines, told | {"status": "off"}, stale)
    assert (off.status_code, off.json()["status"]) == (200, "off")
    assert put(ines, told, stale).status_code == 412
    settled(region)
    assert len(receiver.came) == 1
    assert put(ines, told | {"reason": "Another reason"}).json()["status"] == "active"
    moved = told | {"channel": {"type": "rest-hook", "endpoint": "https://pacs.example.org/"}}
    assert put(ines, moved).json()["status"] == "requested"  # the new address is asked first
    assert ines.delete(path, headers={"If-Match": stale}).status_code == 412
    assert ines.delete(path).status_code == 204
    assert (ines.get(path).status_code, ines.delete(path).status_code) == (404, 404)
    assert put(ines, told).status_code == 404
    settled(region)
    assert len(receiver.came) == 1


def test_an_answer_from_the_old_address_says_nothing_of_the_new_one(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    told = post(ines, sent()).json()
    asked = Webhook.objects.get()
    moved = told | {"channel": {"type": "rest-hook", "endpoint": "https://pacs.example.org/"}}
    assert put(ines, moved).status_code == 200
    delivering._confirm(asked, asked.made_at)
    assert ines.get(f"/fhir/Subscription/{told['id']}").json()["status"] == "requested"


KINDS = {
    "ImagingStudy": [Kind.STUDY_RECEIVED, Kind.STUDY_SETTLED],
    "ImagingStudy?status=available": [Kind.STUDY_SETTLED],
    "DiagnosticReport?": [Kind.REPORT_ADDED],
    "DocumentReference": [Kind.REPORT_ADDED],
    "Consent?": [Kind.CONSENT_CHANGED],
}


def test_criteria_are_kinds_of_events_of_webhooks(region: Region, ines: Client) -> None:
    for criteria, kinds in KINDS.items():
        assert post(ines, sent(criteria=criteria)).json()["criteria"] == criteria
        assert Webhook.objects.latest("pk").kinds == kinds


REFUSED = {
    "criteria that are not served": sent(criteria="ImagingStudy?modality=CT"),
    "criteria of one patient": sent(criteria="ImagingStudy?patient=Patient/x"),
    "another type": sent(criteria="Patient?"),
    "no criteria": sent(criteria=""),
    "another channel": sent({"type": "email"}),
    "a payload": sent({"payload": FHIR}),
    "headers": sent({"header": ["Authorization: Bearer x"]}),
    "no endpoint": sent({"endpoint": ""}),
    "an address of our own": sent({"endpoint": "https://127.0.0.1/hook"}),
    "not secure": sent({"endpoint": "http://ris.example.org/hook"}),
    "no reason": sent(reason=" "),
    "an end": sent(end="2030-01-01T00:00:00Z"),
    "switched off": sent(status="off"),
    "active in other words": sent(status="ACTIVE"),
    "a contact": sent(contact=[{"system": "phone", "value": "1"}]),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_cant_be_served_is_refused_and_says_why(
    region: Region, ines: Client, what: str
) -> None:
    answer = post(ines, REFUSED[what])
    issue = answer.json()["issue"][0]
    assert answer.status_code == 422, what
    assert issue["diagnostics"] in ("webhook_invalid", "resource_invalid")
    assert ("ImagingStudy, " in issue["details"]["text"]) is ("criteria" in what or "type" in what)
    assert "modality=CT" not in answer.content.decode()
    assert not Webhook.objects.exists()


def test_they_are_the_organization_s_and_its_administrators(
    region: Region, ines: Client, ada: Client, receiver: Receiver
) -> None:
    told = answered(ines, region)
    path = f"/fhir/Subscription/{told['id']}"
    assert ada.get("/fhir/Subscription").status_code == 404
    assert post(ada, sent()).status_code == 404
    other = browser(make_person("Lea Fox", region.lakeside, *region.admin.actor.roles))
    assert ids(found(other, "Subscription")) == []
    for answer in (other.get(path), other.delete(path), put(other, told)):
        assert answer.status_code == 404
    reader = token_client(region.riverside, "webhooks.read")
    assert ids(found(reader, "Subscription")) == [told["id"]]
    assert (reader.delete(path).status_code, post(reader, sent()).status_code) == (403, 403)
    writer = token_client(region.riverside, "system/Subscription.cud")
    assert writer.get(path).status_code == 403
    assert post(writer, sent()).status_code == 201
    assert writer.delete(path).status_code == 204


def test_a_webhook_of_the_pages_is_none_and_a_subscription_is_changed_by_fhir(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    told = answered(ines, region)
    row, by = Webhook.objects.get(), region.admin.actor
    url = "https://ris.example.org/hook"
    at = row.made_at
    hooks.create_webhook(url=url, kinds=["study.settled"], names_studies=False, by=by, at=at)
    assert ids(found(ines, "Subscription")) == [told["id"]]
    assert hooks.own_webhooks(by).count() == 2
    with pytest.raises(WebhookInvalid):
        hooks.change_webhook(public_id=row.public_id, by=by, at=at, kinds=["request.made"])
    with pytest.raises(WebhookInvalid):
        hooks.change_webhook(public_id=row.public_id, by=by, at=at, url=url)
    hooks.change_webhook(public_id=row.public_id, by=by, at=at, paused=True)
    assert ids(found(ines, "Subscription?status=off")) == [told["id"]]
    assert "ImagingStudy?" in ines.get(f"/webhooks/{row.public_id}/").content.decode()


def test_they_are_searched_by_what_they_say(
    region: Region, ines: Client, receiver: Receiver
) -> None:
    one = answered(ines, region)["id"]
    other = post(ines, sent(criteria="Consent")).json()["id"]
    for query, wanted in {
        "status=active": [one], "status=requested": [other], "status:not=active": [other],
        "criteria=Imaging": [one], "type=rest-hook": [other, one], "type=email": [],
        "url=https://ris.example.org/fhir-hook": [other, one], "payload=x": [],
        "_sort=_lastUpdated": [one, other], "_summary=true": [other, one],
    }.items():  # fmt: skip
        assert ids(found(ines, f"Subscription?{query}")) == wanted, query
    assert found(ines, "Subscription?_count=1")["total"] == 2
