"""A session that was left alone or is too old ends; some acts ask again; no guess locks one out."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from portal import devices, stepup
from sharing.kernel.errors import BadValue
from sharing.tenants import services
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Post
from sharing.tenants.services import Limits
from sharing.tenants.sittings import Over, over
from tests.cast import NOW, PASSWORD, Region
from tests.sessions import sign_in

MINUTE, HOUR = 60.0, 3600.0


def moved(client: Client, *, proved: float = 0, seen: float = 0) -> None:
    """As if the person had proved and used the session that many seconds earlier."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - proved
    session["seen_at"] = time.time() - seen
    session.save()


@pytest.mark.parametrize(
    ("began", "seen", "shared", "wanted"),
    [
        (0, 29 * MINUTE, False, None),
        (0, 30 * MINUTE, False, Over.IDLE),
        (0, 5 * MINUTE, True, Over.IDLE),
        (0, 5 * MINUTE - 1, True, None),
        (12 * HOUR, 0, False, Over.LONG),
        (12 * HOUR - 1, 0, True, None),
    ],
)
def test_a_session_is_over_at_its_last_moment_and_not_before(
    began: float, seen: float, *, shared: bool, wanted: Over | None
) -> None:
    """Ends are exclusive, as everywhere."""
    now = 1e9
    assert over(Limits(), began=now - began, seen=now - seen, now=now, shared=shared) == wanted


def test_an_idle_session_ends_and_leads_back_to_where_one_was(
    region: Region, client: Client
) -> None:
    """A page leads to the sign-in, a machine's mount says 401; a pulse keeps nobody signed in."""
    sign_in(client, region.ada.user)
    moved(client, seen=10 * MINUTE)
    assert client.get("/studies/").status_code == 200
    services.set_sitting(limits=Limits(10, 2, 1), by=region.admin.actor, at=NOW)
    moved(client, seen=10 * MINUTE)
    answer = client.get("/studies/?q=x")
    assert answer["Location"] == "/accounts/login/?next=%2Fstudies%2F%3Fq%3Dx"
    assert "nothing was done for a while" in client.get(answer["Location"]).content.decode()
    sign_in(client, region.ada.user)
    moved(client, proved=HOUR)
    assert client.get("/api/v1/me/").status_code == 401
    assert client.get("/studies/")["Location"].startswith("/accounts/login/")
    study = region.study()
    sign_in(client, region.ada.user)
    moved(client, seen=5 * MINUTE)
    client.get(f"/studies/{study.public_id}/state/")
    assert time.time() - client.session["seen_at"] > 4 * MINUTE
    assert client.post("/still-here/").status_code == 204
    assert time.time() - client.session["seen_at"] < MINUTE


def test_limits_are_the_administrators_and_have_limits(region: Region, client: Client) -> None:
    """Each within a day; the page and the service refuse the same."""
    for wrong in (Limits(1, 5, 12), Limits(30, 0, 12), Limits(30, 5, 25)):
        with pytest.raises(BadValue):
            services.set_sitting(limits=wrong, by=region.admin.actor, at=NOW)
    with pytest.raises(NotAllowed):
        services.set_sitting(limits=Limits(), by=region.ada.actor, at=NOW)
    sign_in(client, region.admin.user)
    typed = {"idle_minutes": 20, "shared_minutes": 3, "longest_hours": 25}
    assert client.post("/people/sessions/", typed).status_code == 422
    client.post("/people/sessions/", typed | {"longest_hours": 8})
    assert services.sitting_of(region.admin.actor) == Limits(20, 3, 8)
    assert services.sitting_of(region.ben.actor) == Limits()


def test_a_shared_workstation_ends_sooner_and_is_handed_over_at_one_press(
    region: Region, client: Client
) -> None:
    """The browser says so, and only as the portal signed it; the next person goes on there."""
    sign_in(client, region.ada.user)
    assert "Switch user" not in client.get("/studies/").content.decode()
    client.post("/devices/shared/", {"shared": "yes"})
    assert "Switch user" in client.get("/studies/").content.decode()
    moved(client, seen=6 * MINUTE)
    assert client.get("/studies/").status_code == 302
    sign_in(client, region.ada.user)
    came = {"Referer": "http://testserver/studies/?q=x"}
    answer = client.post("/switch/", headers=came)
    assert answer["Location"] == "/accounts/login/?next=%2Fstudies%2F%3Fq%3Dx"
    assert client.get("/studies/").status_code == 302
    sign_in(client, region.mei.user)
    away = client.post("/switch/", headers={"Referer": "https://evil.example/studies/"})
    assert away["Location"] == "/accounts/login/?next=%2F"
    sign_in(client, region.ada.user)
    client.cookies[stepup.SHARED_COOKIE] = "forged"
    assert "Switch user" not in client.get("/studies/").content.decode()


@pytest.mark.parametrize("route", ["/people/invite/", "/people/sign-in/", "/people/sessions/"])
def test_administration_asks_again_after_a_quarter_of_an_hour(
    region: Region, client: Client, route: str
) -> None:
    """Reading goes on; the act waits for the proof and nothing is done before it."""
    sign_in(client, region.admin.user)
    moved(client, proved=14 * MINUTE)
    assert client.get(route).status_code == 200
    moved(client, proved=15 * MINUTE)
    assert client.get("/people/").status_code == 200
    answer = client.get(route)
    assert answer["Location"] == f"/accounts/reauthenticate/?next={route.replace('/', '%2F')}"
    post = Post.objects.get(user=region.mei.user)
    client.post(f"/people/post/{post.public_id}/deactivate/")
    post.refresh_from_db()
    assert post.state == "active"
    back = client.post(answer["Location"], {"password": PASSWORD})
    assert back["Location"] == route
    assert client.get(route).status_code == 200


def test_exports_and_consents_ask_again_and_reading_does_not(
    region: Region, client: Client
) -> None:
    """A consent after an hour, what leaves after a quarter; scripts are told, not led."""
    sign_in(client, region.olga.user)
    moved(client, proved=16 * MINUTE)
    assert client.get("/log/export/csv/")["Location"].startswith("/accounts/reauthenticate/")
    assert client.get("/log/").status_code == 200
    consent = region.permit()
    sign_in(client, region.mei.user)
    moved(client, proved=16 * MINUTE)
    revoke = f"/consents/{consent.public_id}/revoke/"
    assert client.get(revoke).status_code == 200
    moved(client, proved=61 * MINUTE)
    assert client.get(revoke)["Location"].startswith("/accounts/reauthenticate/")
    answer = client.post(f"/api/v1/consents/{consent.public_id}/revoke/", {}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    consent.refresh_from_db()
    assert consent.state == "active"


def test_guesses_from_elsewhere_do_not_lock_ada_out(region: Region, settings: Any) -> None:
    """Ten thieves use up the tries of strangers; the browser that she always uses has its own."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login_failed": "5/5m/key"}
    cache.clear()
    good = {"login": region.ada.user.email, "password": PASSWORD}
    own = Client()
    assert own.post("/accounts/login/", good).status_code == 302
    own.post("/accounts/logout/")
    assert devices.COOKIE in own.cookies
    for guess in range(6):
        answer = Client().post("/accounts/login/", good | {"password": f"guess {guess} of a thief"})
    assert "Too many" in answer.content.decode()
    assert Client().post("/accounts/login/", good).status_code == 200
    assert own.post("/accounts/login/", good).status_code == 302
    mate = {"login": region.mei.user.email, "password": PASSWORD}
    own.post("/accounts/logout/")
    assert own.post("/accounts/login/", mate).status_code == 302  # a workstation of two
    own.post("/accounts/logout/")
    assert own.post("/accounts/login/", good).status_code == 302
    stolen = Client()
    stolen.cookies[devices.COOKIE] = own.cookies[devices.COOKIE].value
    other = {"login": region.ben.user.email, "password": "x"}
    for _ in range(6):
        answer = stolen.post("/accounts/login/", other)
    assert "Too many" in answer.content.decode()
    cache.clear()
