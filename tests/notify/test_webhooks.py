"""Webhooks: who is told what, signed by whom, how often, and never a word about the patient."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from sharing.access.services import ask_access, share
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import record
from sharing.kernel import outgoing
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Purpose
from sharing.notify import delivering, hooks
from sharing.notify.errors import WebhookInvalid, WebhookNotFound
from sharing.notify.models import Delivery, Webhook
from sharing.notify.rules import (
    DELIVERY_NEXT,
    RESTS,
    SUBSCRIBED,
    DeliveryEvent,
    DeliveryState,
    rest_after,
)
from sharing.tenants.errors import NotAllowed
from tests.cast import NOW, Person, Region, make_person
from tests.notify.receiving import Receiver, checked, deliver_all

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL = [kind.value for kind in SUBSCRIBED]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Nothing leaves this process."""
    other = Receiver()
    monkeypatch.setattr(outgoing, "request", other.request)
    return other


def hook(person: Person, kinds: list[str] = ALL, at: datetime = NOW, **said: Any) -> hooks.Made:
    """A webhook of that administrator's organization."""
    values = {"url": "https://ris.example.org/hook", "names_studies": False} | said
    return hooks.create_webhook(**values, kinds=kinds, by=person.actor, at=at)


def arrived(region: Region, uid: str = "2.25.1") -> None:
    """Images of a study of Pat's came, says the log."""
    what = What(custodian="riverside", patient=region.pat.public_id, study="abc", study_uid=uid)
    record(who=SYSTEM, action="study.receive", at=NOW, what=what)


def test_arrivals_are_told_once_signed_and_without_the_patient(
    region: Region, receiver: Receiver
) -> None:
    made = hook(region.admin)
    arrived(region)
    assert delivering.read_log(at=NOW) == 1
    assert delivering.read_log(at=NOW) == 0
    deliver_all()
    ((url, headers, body),) = receiver.came
    assert url == "https://ris.example.org/hook"
    told = json.loads(body)
    assert (told["type"], told["organization"]) == ("study.received", "riverside")
    assert told["data"] == {
        "study": "abc",
        "url": "http://testserver/api/v1/studies/abc/",
    }
    assert headers["Webhook-Id"] == told["id"]
    assert checked(made.secret, headers, body)
    assert not checked(made.secret, headers, body + b" ")
    assert not checked(made.secret, headers | {"Webhook-Timestamp": "1"}, body)
    for word in ("Moreau", "RV-1", "2.25.1", region.pat.public_id):
        assert word not in body.decode()
    assert made.secret not in str([vars(row) for row in Webhook.objects.all()])


def test_a_webhook_names_the_study_where_that_was_wanted(
    region: Region, receiver: Receiver
) -> None:
    hook(region.admin, names_studies=True)
    arrived(region)
    delivering.read_log(at=NOW)
    deliver_all()
    assert json.loads(receiver.came[0][2])["data"]["study_uid"] == "2.25.1"


def test_nobody_else_is_told_and_nothing_of_before(region: Region, receiver: Receiver) -> None:
    lakeside = make_person("Lea Fox", region.lakeside, *region.admin.actor.roles)
    hook(lakeside)
    delivering.read_log(at=NOW)
    arrived(region)
    hook(region.admin, at=NOW + HOUR)
    delivering.read_log(at=NOW)
    assert not Delivery.objects.exists()


def test_each_kind_reaches_whom_it_concerns(region: Region, receiver: Receiver) -> None:
    hilltop = make_person("Hal Fox", region.hilltop, *region.admin.actor.roles)
    hook(region.admin)
    hook(hilltop, url="https://hilltop.example.org/hook")
    study = region.study()
    consent = region.permit(organizations=(region.hilltop,), named_by_custodian=True)
    made = share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + 30 * DAY, note="", by=region.ada.actor, at=NOW,
    )  # fmt: skip
    asked = ask_access(
        custodian=region.riverside, identifier="RV-1", birth_date=region.pat.birth_date,
        reason="Cough", by=region.ben.actor, at=NOW,
    )  # fmt: skip
    delivering.shared(share_id=made.pk, at=NOW)
    region.revoke(consent, at=NOW + HOUR)
    delivering.asked(request_id=asked.pk, at=NOW)
    for _ in range(2):
        delivering.settled(study_ids=[study.pk], at=NOW)
    study.series.create(series_uid="2.25.9", modality="SR", instance_count=1)
    delivering.settled(study_ids=[study.pk], at=NOW)
    delivering.read_log(at=NOW + HOUR)
    deliver_all(NOW + HOUR)
    by_url: dict[str, list[str]] = {}
    for url, _, body in receiver.came:
        by_url.setdefault(url, []).append(json.loads(body)["type"])
        assert "Cough" not in body.decode()
        assert "RV-1" not in body.decode()
    assert by_url["https://hilltop.example.org/hook"] == ["study.shared"]
    assert sorted(by_url["https://ris.example.org/hook"]) == [
        "consent.changed", "consent.changed", "report.added", "request.made", "study.settled",
        "study.shared",
    ]  # fmt: skip


def test_a_share_of_which_nothing_is_seen_any_more_is_told_to_the_custodian_alone(
    region: Region,
) -> None:
    """Pat withdrew before the bell was answered."""
    hook(region.admin)
    hook(make_person("Hal Fox", region.hilltop, *region.admin.actor.roles))
    consent = region.permit(organizations=(region.hilltop,), named_by_custodian=True)
    made = share(
        subjects=[region.study().subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + 30 * DAY, note="", by=region.ada.actor, at=NOW,
    )  # fmt: skip
    region.revoke(consent)
    assert delivering.shared(share_id=made.pk, at=NOW) == 1
    assert Delivery.objects.get().webhook.organization == region.riverside


def test_only_the_kinds_that_were_chosen_are_told(region: Region, receiver: Receiver) -> None:
    hook(region.admin, kinds=["request.made"])
    arrived(region)
    delivering.read_log(at=NOW)
    assert not Delivery.objects.exists()


def test_what_nobody_takes_is_sent_again_and_at_last_given_up(
    region: Region, receiver: Receiver
) -> None:
    made = hook(region.admin)
    hooks.try_webhook(public_id=made.webhook.public_id, by=region.admin.actor, at=NOW)
    answers: list[int | None] = [500, None, 302, 404, 429, 503, 500, 500, 500, 500, 500]
    assert len(answers) == len(RESTS) + 1
    at = NOW
    for status in answers:
        receiver.status = status
        row = Delivery.objects.get()
        assert row.state == DeliveryState.WAITING
        at = max(at, row.next_at or at)
        deliver_all(at)
    row = Delivery.objects.get()
    assert (row.state, row.tried, row.status, row.failure) == ("dead", len(answers), 500, "status")
    assert at - NOW > DAY
    deliver_all(at + 10 * DAY)
    assert len(receiver.came) == len(answers)
    assert len({headers["Webhook-Id"] for _, headers, _ in receiver.came}) == 1
    receiver.status = 204
    hooks.send_again(
        public_id=made.webhook.public_id, delivery_id=row.public_id, by=region.admin.actor, at=at
    )
    deliver_all(at)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED
    assert receiver.came[-1][2] == receiver.came[0][2]


def test_a_delivery_that_rings_twice_is_sent_once(region: Region, receiver: Receiver) -> None:
    made = hook(region.admin)
    row = hooks.try_webhook(public_id=made.webhook.public_id, by=region.admin.actor, at=NOW)
    for _ in range(2):
        delivering.deliver(delivery_id=row.pk, at=NOW)
    assert receiver.kinds == ["webhook.test"]


def test_for_a_day_after_a_rotation_both_secrets_sign(region: Region, receiver: Receiver) -> None:
    made = hook(region.admin)
    name = made.webhook.public_id
    new = hooks.rotate_webhook(public_id=name, by=region.admin.actor, at=NOW)
    assert new.secret != made.secret
    for at in (NOW, NOW + DAY - HOUR, NOW + DAY):
        hooks.try_webhook(public_id=name, by=region.admin.actor, at=at)
        deliver_all(at)
    old = [checked(made.secret, headers, body) for _, headers, body in receiver.came]
    assert old == [True, True, False]
    assert all(checked(new.secret, headers, body) for _, headers, body in receiver.came)


def test_a_paused_and_an_ended_webhook_are_told_nothing(region: Region, receiver: Receiver) -> None:
    one, other = hook(region.admin), hook(region.admin)
    by = region.admin.actor
    hooks.try_webhook(public_id=other.webhook.public_id, by=by, at=NOW)
    hooks.change_webhook(public_id=one.webhook.public_id, by=by, at=NOW, paused=True)
    hooks.end_webhook(public_id=other.webhook.public_id, by=by, at=NOW)
    arrived(region)
    delivering.read_log(at=NOW)
    deliver_all()
    assert receiver.came == []
    with pytest.raises(WebhookNotFound):
        hooks.own_webhook(by, other.webhook.public_id)


def test_only_the_administrators_of_the_house_touch_it(region: Region) -> None:
    made = hook(region.admin)
    name = made.webhook.public_id
    for person in (region.ada, region.mei, region.ben):
        with pytest.raises(NotAllowed):
            hook(person)
        with pytest.raises(NotAllowed):
            hooks.end_webhook(public_id=name, by=person.actor, at=NOW)
    other = make_person("Lea Fox", region.lakeside, *region.admin.actor.roles).actor
    acts: list[Callable[[], Any]] = [
        lambda: hooks.own_webhook(other, name),
        lambda: hooks.change_webhook(public_id=name, by=other, at=NOW, paused=True),
        lambda: hooks.rotate_webhook(public_id=name, by=other, at=NOW),
        lambda: hooks.try_webhook(public_id=name, by=other, at=NOW),
        lambda: hooks.end_webhook(public_id=name, by=other, at=NOW),
        lambda: hooks.deliveries_of(other, name),
        lambda: hooks.send_again(public_id=name, delivery_id="x", by=other, at=NOW),
    ]
    for act in acts:
        with pytest.raises(WebhookNotFound):
            act()


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("http://ris.example.org/", ALL),
        ("https://127.0.0.1/", ALL),
        ("https://10.0.0.1/", ALL),
        ("https://ris.example.org/", []),
        ("https://ris.example.org/", ["webhook.test"]),
        ("https://ris.example.org/", ["everything"]),
    ],
)
def test_a_webhook_goes_to_a_public_address_and_is_told_of_something(
    region: Region, url: str, kinds: list[str]
) -> None:
    with pytest.raises(WebhookInvalid):
        hook(region.admin, kinds=kinds, url=url)


def test_the_life_of_a_delivery_is_the_table() -> None:
    """Every state meets every event; rests grow, and end."""
    for state in DeliveryState:
        for event in DeliveryEvent:
            if state != DeliveryState.WAITING and event != DeliveryEvent.AGAIN:
                with pytest.raises(NotNow):
                    delivering.step(DELIVERY_NEXT, state, event)
            else:
                assert delivering.step(DELIVERY_NEXT, state, event) in DeliveryState
    assert list(RESTS) == sorted(RESTS)
    assert rest_after(len(RESTS) + 1) is None


def test_deliveries_are_forgotten_after_a_month(region: Region, receiver: Receiver) -> None:
    made = hook(region.admin)
    hooks.try_webhook(public_id=made.webhook.public_id, by=region.admin.actor, at=NOW)
    deliver_all()
    assert delivering.forget(at=NOW + 29 * DAY) == 0
    assert delivering.forget(at=NOW + 31 * DAY) == 1
