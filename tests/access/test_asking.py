"""Asking for access: nobody learns from the portal whether there is such a patient."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sharing.access import asking
from sharing.access.asking import NEXT, RequestEvent, RequestState
from sharing.access.errors import AskedTooMuch, AskInvalid, NotCovered, RequestNotFound
from sharing.access.models import AccessRequest, Share
from sharing.access.services import (
    approve_request,
    ask_access,
    decide_one,
    expire_requests,
    refuse_request,
    remind_requests,
    requests_to_answer,
    withdraw_request,
)
from sharing.audit.models import Event
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Action
from sharing.notify.models import Notice
from sharing.notify.services import tell_answered, tell_asked
from sharing.tenants.errors import NotAllowed
from tests.cast import NOW, Region
from tests.sessions import sign_in

DAY = timedelta(days=1)
BORN = date(1958, 5, 3)


def asked(region: Region, **said: Any) -> AccessRequest:
    """Ben asks Riverside for what it holds of Pat."""
    values: dict[str, Any] = {
        "custodian": region.riverside,
        "identifier": "RV-1",
        "birth_date": BORN,
        "reason": "Follow-up of a nodule.",
        "by": region.ben.actor,
        "at": NOW,
    }
    return ask_access(**(values | said))


@pytest.mark.parametrize("state", RequestState)
@pytest.mark.parametrize("event", RequestEvent)
def test_every_state_meets_every_event(state: RequestState, event: RequestEvent) -> None:
    after = {
        RequestEvent.APPROVE: RequestState.APPROVED,
        RequestEvent.REFUSE: RequestState.REFUSED,
        RequestEvent.WITHDRAW: RequestState.WITHDRAWN,
        RequestEvent.EXPIRE: RequestState.EXPIRED,
    }
    if state == RequestState.ASKED:
        assert step(NEXT, state, event) == after[event]
    else:
        with pytest.raises(NotNow):
            step(NEXT, state, event)


def test_the_answer_to_who_asks_is_the_same_whether_or_not_there_is_such_a_patient(
    region: Region,
) -> None:
    """The same bytes and statements; what was typed, the row's name and the minute differ."""
    region.study()
    answers, costs = [], []
    for identifier, born in (
        ("RV-1", "3 May 1958"),
        ("RV-1", "4 May 1958"),
        ("QQ-9", "3 May 1958"),
    ):
        AccessRequest.objects.all().delete()
        ben = sign_in(Client(), region.ben.user)
        form = {
            "custodian": "riverside",
            "identifier": identifier,
            "birth_date": born,
            "reason": "Follow-up.",
        }
        with CaptureQueriesContext(connection) as spent:
            posted = ben.post("/requests/new/", form)
            said = [query["sql"] for query in spent.captured_queries]
        page = ben.get("/requests/").content.decode()
        for typed in (identifier, born):
            page = page.replace(typed, "typed")
        for pattern in (r'"\w{64}"', r"requests/[\w-]{22}/", r"\d\d:\d\d"):
            page = re.sub(pattern, "", page)
        answers.append((posted.status_code, posted.url, page))
        costs.append([re.sub(r"'[^']*'|\d+|NULL", "?", statement) for statement in said])
    assert answers[0] == answers[1] == answers[2]
    assert costs[0] == costs[1] == costs[2]
    assert any('"outbox_job"' in statement for statement in costs[0])


def test_approval_makes_a_share_with_ben_alone_inside_the_consent(region: Region) -> None:
    study, made = region.study(), asked(region)
    answer: dict[str, Any] = {
        "public_id": made.public_id,
        "subjects": [study.subject],
        "until": NOW + 30 * DAY,
        "by": region.ada.actor,
        "at": NOW,
    }
    with pytest.raises(NotCovered, match="No consent is on file"):
        approve_request(**answer)
    region.permit(organizations=(), named_by_custodian=True)
    for other in (region.ben, region.cleo):
        with pytest.raises((RequestNotFound, NotAllowed)):
            approve_request(**(answer | {"by": other.actor}))
    assert AccessRequest.objects.get().state == RequestState.ASKED
    assert approve_request(**answer).state == RequestState.APPROVED
    assert decide_one(region.ben.actor, Action.IMAGES, study.subject, at=NOW).allowed
    assert Share.objects.get().to_user == region.ben.user
    with pytest.raises(RequestNotFound):
        approve_request(**answer)
    actions = Event.objects.filter(action__startswith="request.").values_list("action", flat=True)
    assert sorted(actions) == ["request.approve", "request.ask"]


def test_what_names_no_patient_can_be_refused_and_never_approved(region: Region) -> None:
    study, made = region.study(), asked(region, identifier="QQ-9")
    region.permit(organizations=(), named_by_custodian=True)
    with pytest.raises(AskInvalid):
        approve_request(
            public_id=made.public_id,
            subjects=[study.subject],
            until=NOW + DAY,
            by=region.ada.actor,
            at=NOW,
        )
    with pytest.raises(AskInvalid):
        refuse_request(public_id=made.public_id, why=" ", by=region.ada.actor, at=NOW)
    refused = refuse_request(
        public_id=made.public_id, why="Please call us.", by=region.ada.actor, at=NOW
    )
    assert (refused.state, refused.answer) == (RequestState.REFUSED, "Please call us.")
    tell_answered(request_id=made.pk, at=NOW)
    assert Notice.objects.get(user=region.ben.user).text == "Your request for access was answered."


def test_who_is_asked_is_told_and_reminded_and_then_it_expires(region: Region) -> None:
    made = asked(region)
    tell_asked(request_id=made.pk, at=NOW)
    assert remind_requests(at=NOW + 7 * DAY - timedelta(seconds=1)) == 0
    assert [remind_requests(at=NOW + 7 * DAY) for _ in range(2)] == [1, 0]
    tell_asked(request_id=made.pk, at=NOW + 7 * DAY)
    told = Notice.objects.filter(user=region.ada.user, kind="asked")
    assert told.count() == 2
    assert not any("RV-1" in notice.text or "nodule" in notice.text for notice in told)
    over = NOW + asking.ANSWERED_WITHIN
    assert not requests_to_answer(region.ada.actor, at=over).exists()  # before any task ran
    with pytest.raises(NotNow):
        withdraw_request(public_id=made.public_id, by=region.ben.actor, at=over)
    assert [expire_requests(at=over) for _ in range(2)] == [1, 0]
    assert AccessRequest.objects.get().state == RequestState.EXPIRED


def test_nobody_asks_their_way_through_a_list(region: Region) -> None:
    for number in range(asking.ASKS_A_DAY):
        asked(region, identifier=f"QQ-{number}")
    with pytest.raises(AskedTooMuch):
        asked(region)
    asked(region, at=NOW + DAY)


def test_who_treats_nobody_asks_nothing_and_nobody_asks_themselves(region: Region) -> None:
    for person in (region.mei, region.olga, region.admin):
        with pytest.raises(NotAllowed):
            asked(region, by=person.actor)
    with pytest.raises(AskInvalid):
        asked(region, custodian=region.hilltop)


def test_ada_answers_on_the_page_and_ben_reads_the_refusal(region: Region) -> None:
    region.study()
    made = asked(region)
    AccessRequest.objects.update(expires_at=NOW + 3650 * DAY)
    ada, ben = sign_in(Client(), region.ada.user), sign_in(Client(), region.ben.user)
    where = f"/requests/{made.public_id}/"
    assert where in ada.get("/").content.decode()
    page = ada.get(where).content.decode()
    assert "No consent is on file" in page
    assert "Follow-up of a nodule." in page
    assert ben.get(where).status_code == 404
    assert ada.post(f"{where}refuse/", {"why": "Please call us."}).status_code == 302
    shown = ben.get("/").content.decode()
    assert "Refused" in shown
    assert "“Please call us.”" in shown


BY: dict[RequestEvent, Any] = {
    RequestEvent.APPROVE: lambda region, row: approve_request(
        public_id=row.public_id, subjects=[region.extra["study"].subject], until=NOW + 30 * DAY,
        by=region.ada.actor, at=NOW,
    ),
    RequestEvent.REFUSE: lambda region, row: refuse_request(
        public_id=row.public_id, why="Ask the patient.", by=region.ada.actor, at=NOW
    ),
    RequestEvent.WITHDRAW: lambda region, row: withdraw_request(
        public_id=row.public_id, by=region.ben.actor, at=NOW
    ),
    RequestEvent.EXPIRE: lambda region, row: expire_requests(at=NOW + 14 * DAY),
}  # fmt: skip


@pytest.mark.parametrize("first", RequestEvent)
@pytest.mark.parametrize("second", RequestEvent)
def test_a_request_is_answered_once_whoever_comes_second(
    region: Region, first: RequestEvent, second: RequestEvent
) -> None:
    """By the services, on the row: the first answer stays, with its share or without."""
    region.permit(organizations=(), named_by_custodian=True)
    region.extra["study"] = region.study()
    row = asked(region)
    BY[first](region, row)
    row.refresh_from_db()
    state, shares = row.state, Share.objects.count()
    assert state == NEXT[(RequestState.ASKED, first)] != RequestState.ASKED
    assert shares == (1 if first == RequestEvent.APPROVE else 0)
    if second == RequestEvent.EXPIRE:
        assert BY[second](region, row) == 0
    else:
        with pytest.raises((NotNow, RequestNotFound)):
            BY[second](region, row)
    row.refresh_from_db()
    assert (row.state, Share.objects.count()) == (state, shares)
