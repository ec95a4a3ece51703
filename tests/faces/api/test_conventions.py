"""What all of /api/v1/ does alike."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from portal import conventions
from portal.conventions import Retired
from sharing.notify.models import Webhook
from sharing.partners.models import Client, Replay
from sharing.partners.services import issue_token
from tests.cast import Region, make_person, make_study
from tests.sessions import sign_in

HOOKS = "/api/v1/webhooks/"
WISH = {"url": "https://ris.example.org/hook", "kinds": ["study.settled"]}


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.fixture
def ines(region: Region) -> Browser:
    """Riverside's administrator at her browser."""
    return sign_in(Browser(), region.admin.user)


def bearer(region: Region, *scopes: str, code: str = "riverside") -> dict[str, str]:
    """The header of a machine with these scopes."""
    organization = getattr(region, code)
    secret = issue_token(organization=organization, name="RIS", scopes=scopes, at=timezone.now())
    return {"Authorization": f"Bearer {secret}"}


def post(browser: Browser, path: str, body: Any, key: str = "", **headers: str) -> Any:
    """As JSON, with an Idempotency-Key if there is one."""
    given = headers | ({"Idempotency-Key": key} if key else {})
    return browser.post(path, json.dumps(body), content_type="application/json", headers=given)


def test_the_same_request_again_does_nothing_and_answers_the_same(ines: Browser) -> None:
    first, again = (post(ines, HOOKS, WISH, key="k-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Webhook.objects.count() == 1
    assert post(ines, HOOKS, WISH, key="k-2").json()["id"] != first.json()["id"]


def test_a_key_stands_for_one_request_of_one_caller(ines: Browser, region: Region) -> None:
    post(ines, HOOKS, WISH, key="k-1")
    other = post(ines, HOOKS, WISH | {"names_studies": True}, key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    elsewhere = make_person("Lea Fox", region.lakeside, *region.admin.actor.roles)
    theirs = post(sign_in(Browser(), elsewhere.user), HOOKS, WISH, key="k-1")
    assert theirs.status_code == 201
    assert Webhook.objects.count() == 2


def test_what_was_refused_may_be_tried_again_with_its_key(ines: Browser) -> None:
    bad = post(ines, HOOKS, WISH | {"url": "https://127.0.0.1/"}, key="k-1")
    assert (bad.status_code, bad.json()["code"]) == (422, "webhook_invalid")
    assert not Replay.objects.exists()
    assert post(ines, HOOKS, WISH, key="k-1").status_code == 201
    assert post(ines, HOOKS, WISH, key="x" * 256).status_code == 400
    assert post(Browser(), HOOKS, WISH, key="k-1").status_code == 400


def test_an_answer_that_is_kept_is_read_by_its_key_alone(ines: Browser) -> None:
    """It may hold a secret that is shown once."""
    wish = {"name": "PACS", "scopes": ["dicomweb.read"]}
    secret = post(ines, "/api/v1/clients/", wish, key="my-key").json()["secret"]
    row = Replay.objects.get()
    assert secret not in str(vars(row))
    assert "my-key" not in str(vars(row))
    assert bytes(row.answer)[:5] == b"gAAAA"


def test_what_has_changed_since_is_not_changed_again(ines: Browser) -> None:
    address = f"{HOOKS}{post(ines, HOOKS, WISH).json()['id']}/"
    seen = ines.get(address)["ETag"]

    def patch(etag: str, **said: Any) -> Any:
        return ines.patch(
            address, json.dumps(said), content_type="application/json", headers={"If-Match": etag}
        )

    assert patch(seen, paused=True).json()["paused"] is True
    late = patch(seen, paused=False)
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert Webhook.objects.get().paused
    assert ines.delete(address, headers={"If-Match": seen}).status_code == 412
    assert ines.delete(address, headers={"If-Match": ines.get(address)["ETag"]}).status_code == 204
    assert patch("*", paused=True).status_code == 404


def test_a_copy_that_is_right_is_not_sent_again(region: Region) -> None:
    region.study()
    browser, held = Browser(), bearer(region, "studies.read")
    first = browser.get("/api/v1/studies/", headers=held)
    known = held | {"If-None-Match": first["ETag"]}
    again = browser.get("/api/v1/studies/", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    region.study()
    assert browser.get("/api/v1/studies/", headers=known).status_code == 200
    hidden = bearer(region, "studies.read", code="lakeside") | {"If-None-Match": first["ETag"]}
    assert browser.get("/api/v1/studies/", headers=hidden).status_code == 200


def test_only_the_fields_that_were_asked_for_are_sent(region: Region) -> None:
    study, held = region.study(), bearer(region, "studies.read")
    answer = Browser().get("/api/v1/studies/?fields=id,state,nothing", headers=held).json()
    assert answer["results"] == [{"id": study.public_id, "state": "complete"}]
    one = Browser().get(f"/api/v1/studies/{study.public_id}/?fields=id", headers=held).json()
    assert one == {"id": study.public_id}


def test_lists_are_turned_round_and_cut_by_a_cursor(region: Region) -> None:
    held, browser = bearer(region, "studies.read"), Browser()
    made = [make_study(region.pat).public_id for _ in range(5)]
    seen: dict[str, list[str]] = {}
    for order in ("received_at", "-received_at"):
        url: str | None = f"/api/v1/studies/?limit=2&ordering={order}&fields=id"
        while url:
            page = browser.get(url, headers=held).json()
            seen.setdefault(order, []).extend(row["id"] for row in page["results"])
            url = page["next"]
    assert seen == {"received_at": made, "-received_at": made[::-1]}
    bad = browser.get("/api/v1/studies/?ordering=patient__name", headers=held)
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid")


def test_every_answer_says_how_much_is_left_and_too_much_is_refused(
    region: Region, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conventions, "_now", lambda: 1_780_000_010)
    settings.REST_REQUESTS_A_MINUTE = 3
    one, other, browser = bearer(region, "studies.read"), bearer(region, "studies.read"), Browser()
    answers = [browser.get("/api/v1/me/", headers=one) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert [answer["RateLimit-Limit"] for answer in answers] == ["3"] * 5
    assert (answers[3].json()["code"], answers[3]["Retry-After"]) == ("too_many", "10")
    assert all(answer["X-Request-ID"] for answer in answers)
    assert browser.get("/api/v1/me/", headers=other).status_code == 200
    assert "RateLimit-Limit" not in browser.get("/api/v1/me/")


def test_a_route_that_goes_says_so(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Retired(1780000000, "Sat, 01 Jan 2028 00:00:00 GMT", "https://x.example/api/v2/me/")
    monkeypatch.setattr(conventions, "DEPRECATED", {"api:me": gone})
    answer = Browser().get("/api/v1/me/", headers=bearer(region, "studies.read"))
    assert answer["Deprecation"] == "@1780000000"
    assert answer["Sunset"] == gone.until
    assert answer["Link"] == '<https://x.example/api/v2/me/>; rel="successor-version"'


def test_the_house_reads_itself_and_nobody_else(region: Region, ines: Browser) -> None:
    """Organizations, staff, the log, patients, series and images, jobs."""
    study, browser = region.study(), Browser()
    held = bearer(region, "studies.read", "staff.read", "patients.read", "log.read", "jobs.read")
    (own,) = browser.get("/api/v1/organizations/", headers=held).json()["results"]
    assert own["code"] == "riverside"
    assert browser.get("/api/v1/organizations/riverside/", headers=held).status_code == 200
    assert browser.get("/api/v1/organizations/hilltop/", headers=held).status_code == 404
    staff = browser.get("/api/v1/staff/", headers=held).json()["results"]
    assert {row["name"] for row in staff} == {"Ada Brandt", "Mei Tan", "Olga Weiss", "Ines Roth"}
    assert ines.get("/api/v1/staff/").status_code == 200
    assert sign_in(Browser(), region.ada.user).get("/api/v1/staff/").status_code == 404
    (pat,) = browser.get("/api/v1/patients/?q=moreau", headers=held).json()["results"]
    assert (pat["id"], pat["custodian"]["code"]) == (region.pat.public_id, "riverside")
    assert browser.get(f"/api/v1/patients/{pat['id']}/", headers=held).json() == pat
    series = f"/api/v1/studies/{study.public_id}/series/"
    (row,) = browser.get(series, headers=held).json()["results"]
    root = "http://testserver/dicomweb/o/riverside"
    assert row["dicomweb"] == f"{root}/studies/{study.study_uid}/series/{row['series_uid']}"
    images = browser.get(f"{series}{row['series_uid']}/instances/", headers=held)
    assert images.json()["results"] == []
    assert browser.get(f"{series}2.25.999/instances/", headers=held).status_code == 404
    lines = browser.get("/api/v1/audit/?action=member.add", headers=held).json()["results"]
    assert {line["action"] for line in lines} == {"member.add"}
    assert ines.get("/api/v1/audit/").status_code == 404
    assert browser.get("/api/v1/jobs/", headers=held).json()["results"] == []
    foreign = bearer(region, "studies.read", "patients.read", code="lakeside")
    assert browser.get("/api/v1/patients/", headers=foreign).json()["results"] == []
    for path in (series, f"/api/v1/patients/{pat['id']}/"):
        assert browser.get(path, headers=foreign).status_code == 404
    for path in ("staff", "patients", "audit", "jobs", "webhooks", "clients"):
        answer = browser.get(f"/api/v1/{path}/", headers=bearer(region, "dicomweb.read"))
        assert answer.status_code == 403, path


def test_ines_makes_rotates_and_ends_a_client_by_rest(region: Region, ines: Browser) -> None:
    made = post(ines, "/api/v1/clients/", {"name": "PACS", "scopes": ["dicomweb.read"]}).json()
    body = {"grant_type": "client_credentials", "client_id": made["id"]}

    def token(secret: str) -> Any:
        return Browser().post("/oauth/token", body | {"client_secret": secret})

    first = token(made["secret"])
    assert first.json()["scope"] == "dicomweb.read"
    new = post(ines, f"/api/v1/clients/{made['id']}/rotate/", {}).json()["secret"]
    assert [token(each).status_code for each in (made["secret"], new)] == [200, 200]
    newest = post(ines, f"/api/v1/clients/{made['id']}/rotate/", {"at_once": True}).json()
    told = [token(each).status_code for each in (made["secret"], new, newest["secret"])]
    assert told == [401, 401, 200]
    held = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert Browser().get("/api/v1/me/", headers=held).status_code == 200
    assert ines.delete(f"/api/v1/clients/{made['id']}/").status_code == 204
    assert Browser().get("/api/v1/me/", headers=held).status_code == 401
    assert token(newest["secret"]).status_code == 401
    assert ines.get("/api/v1/clients/").json()["results"] == []
    assert Client.objects.get().ended_at is not None


def test_nobody_else_sees_or_makes_clients(region: Region, ines: Browser) -> None:
    made = post(ines, "/api/v1/clients/", {"name": "PACS", "scopes": ["dicomweb.read"]}).json()
    lakeside = make_person("Lea Fox", region.lakeside, *region.admin.actor.roles)
    browser = sign_in(Browser(), lakeside.user)
    assert browser.get("/api/v1/clients/").json()["results"] == []
    assert browser.get(f"/api/v1/clients/{made['id']}/").status_code == 404
    assert browser.delete(f"/api/v1/clients/{made['id']}/").status_code == 404
    ada = sign_in(Browser(), region.ada.user)
    assert ada.get("/api/v1/clients/").status_code == 404
    assert post(ada, "/api/v1/clients/", {"name": "x", "scopes": ["log.read"]}).status_code == 404
