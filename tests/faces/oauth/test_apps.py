"""An app acts for a person: by a code with PKCE, as they may, in their name and its own."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser

from sharing.access.rules import may_break
from sharing.audit.models import Event
from sharing.partners.errors import ClientInvalid
from sharing.partners.models import AccessToken, Grant
from sharing.partners.services import Made, actor_for_token, end_client
from sharing.partners.validator import PartnersValidator
from sharing.tenants.models import Membership, User
from tests.cast import NOW, Region
from tests.sessions import sign_in

from .conftest import BACK, CHALLENGE, TOKEN, VERIFIER

Apps = Callable[..., Made]


def asked(made: Made, **said: str) -> dict[str, str]:
    """What an app sends a person's browser along with."""
    values = {
        "response_type": "code",
        "client_id": made.client.client_id,
        "redirect_uri": BACK,
        "scope": "studies.read user/ImagingStudy.rs",
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (values | said).items() if value}


def allowed(person: User, made: Made, answer: str = "allow", **said: str) -> Any:
    """The person reads, and answers."""
    browser = sign_in(Browser(), person)
    query = asked(made, **said)
    page = browser.get("/oauth/authorize", query)
    if page.status_code != 200:
        return page
    return browser.post("/oauth/authorize", query | {"answer": answer})


def code_in(answer: Any) -> str:
    """What came back to the app."""
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def swapped(made: Made, code: str, **said: str) -> Any:
    """The token endpoint's answer to a code."""
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": made.client.client_id,
        "code_verifier": VERIFIER,
    }
    return Browser().post(TOKEN, body | said)


def refreshed(made: Made, token: str) -> Any:
    """The token endpoint's answer to a refresh token."""
    body = {"grant_type": "refresh_token", "refresh_token": token}
    return Browser().post(TOKEN, body | {"client_id": made.client.client_id})


def token_of(person: User, made: Made) -> dict[str, Any]:
    """The whole way."""
    told: dict[str, Any] = swapped(made, code_in(allowed(person, made))).json()
    return told


def held(told: dict[str, Any]) -> dict[str, str]:
    """As a request's header."""
    return {"Authorization": f"Bearer {told['access_token']}"}


def test_ada_lets_an_app_act_and_both_are_in_the_log(region: Region, app: Apps) -> None:
    made, study = app(), region.study()
    page = sign_in(Browser(), region.ada.user).get("/oauth/authorize", asked(made)).content.decode()
    assert "Ward rounds" in page
    assert "See the studies that may be seen" in page
    answer = allowed(region.ada.user, made)
    back = parse_qs(urlsplit(answer["Location"]).query)
    assert (back["state"], back["iss"]) == (["xyz"], ["http://testserver"])
    told = swapped(made, back["code"][0]).json()
    assert (told["expires_in"], told["scope"]) == (300, "studies.read user/ImagingStudy.rs")
    me = Browser().get("/api/v1/me/", headers=held(told)).json()
    assert (me["kind"], me["name"], me["client"]) == (
        "user",
        "Ada Brandt",
        {"id": made.client.client_id, "name": "Ward rounds"},
    )
    url = f"/api/v1/studies/{study.public_id}/"
    assert Browser().get(url, headers=held(told)).status_code == 200
    assert sign_in(Browser(), region.ada.user).get(url).status_code == 200
    lines = Event.objects.filter(action="study.discover", study=study.public_id).order_by("pk")
    assert [(line.actor_id, line.client) for line in lines] == [
        (region.ada.user.public_id, made.client.client_id),
        (region.ada.user.public_id, ""),
    ]


def test_an_app_never_reaches_beyond_its_scope_nor_beyond_its_person(
    region: Region, app: Apps
) -> None:
    told = token_of(region.ada.user, app())
    own = region.study()
    browser = Browser()
    assert (
        browser.get("/api/v1/studies/", headers=held(told)).json()["results"][0]["id"]
        == own.public_id
    )
    for path in ("/api/v1/shares/", "/api/v1/requests/", "/api/v1/consents/", "/api/v1/log/heads/"):
        assert browser.get(path, headers=held(told)).status_code == 403, path
    assert browser.post("/api/v1/shares/", {}, headers=held(told)).status_code == 403
    assert browser.post("/api/v1/uploads/", headers=held(told)).status_code == 403
    assert browser.get("/studies/", headers=held(told)).status_code == 401
    assert not may_break(actor_for_token(told["access_token"], at=NOW))


def test_an_app_loses_what_its_person_loses(region: Region, app: Apps) -> None:
    told = token_of(region.ada.user, app())
    assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 200
    Membership.objects.filter(user=region.ada.user).update(ended_at=NOW)
    assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 401


def test_who_signs_out_everywhere_or_changes_the_password_ends_apps(
    region: Region, app: Apps
) -> None:
    for change in ({"sessions_from": "another"}, {"password": "another"}):
        made = app()
        told = token_of(region.ada.user, made)
        assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 200
        User.objects.filter(pk=region.ada.user.pk).update(**change)
        assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 401
        assert refreshed(made, told["refresh_token"]).status_code in (400, 401)
        region.ada.user.refresh_from_db()


def test_the_page_lets_the_browser_go_back_to_the_app_alone(region: Region, app: Apps) -> None:
    """Browsers hold a redirect after a form to the page's own form-action."""
    page = sign_in(Browser(), region.ada.user).get("/oauth/authorize", asked(app()))
    assert "form-action 'self' https://app.example.org;" in page["Content-Security-Policy"] + ";"
    assert "script-src 'self'" in page["Content-Security-Policy"]


def test_ada_says_no(region: Region, app: Apps) -> None:
    answer = allowed(region.ada.user, app(), answer="refuse")
    assert "error=access_denied" in answer["Location"]
    assert parse_qs(urlsplit(answer["Location"]).query)["iss"] == ["http://testserver"]
    assert not Grant.objects.exists()


REDIRECTS = (
    "https://app.example.org/back/", "https://app.example.org/back?x=1", "https://app.example.org",
    "https://app.example.org/back#x", "https://app.example.org/back/../evil",
    "http://app.example.org/back",
    "https://app.example.org:444/back", "https://evil.example.org/back",
    "https://app.example.org.evil.org/back",
    "https://app.example.org@evil.org/back", "https://evil@app.example.org/back",
    "//app.example.org/back",
    "https:/app.example.org/back", "https://app.example.org\\@evil.org/back",
    "https://app.example.org/BACK",
    "https://app.example.org/back;x", "https://app.example.org/%62ack", "https://app.example.org/back%00",
    "javascript:alert(1)", "data:text/html,x", "app:back",
    "https://app.example.org/back,https://evil.org",
    "https://app.example.org/back https://evil.org", " https://app.example.org/back", "HTTPS://evil.org",
    "https://xn--app.example.org/back", "https://app.example.org%2eevil.org/back", "https://127.0.0.1/back",
    "http://localhost/back", "http://[::1]/back", "/back", "back", "https://", "http://127.0.0.1:8000/back",
    "https://app.example.org/back?", "https://app.example.org/back/.", "ftp://app.example.org/back",
    "https://app.example.org/back\n", "https://app.example.org//back", "https://app.example.org/./back",
)  # fmt: skip


def test_a_code_goes_to_no_address_but_a_registered_one(region: Region, app: Apps) -> None:
    """Forty that are nearly it: a page says so, and nothing is sent there."""
    made = app()
    browser = sign_in(Browser(), region.ada.user)
    assert len(REDIRECTS) == 40
    for address in REDIRECTS:
        answer = browser.get("/oauth/authorize", asked(made, redirect_uri=address))
        assert answer.status_code == 400, address
        assert "Location" not in answer
        posted = browser.post(
            "/oauth/authorize", asked(made, redirect_uri=address) | {"answer": "allow"}
        )
        assert posted.status_code == 400, address
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"response_type": "token"},
        {"response_type": "code token"},
        {"scope": "consents.write"},
        {"scope": "system/ImagingStudy.rs"},
    ],
)
def test_what_an_app_may_not_ask_for_gives_no_code(
    region: Region, app: Apps, said: dict[str, str]
) -> None:
    """No PKCE, or one that proves nothing; a token in an address; a scope that it doesn't have."""
    answer = allowed(region.ada.user, app(), **said)
    assert "error=" in answer["Location"]
    assert not Grant.objects.exists()


def test_a_code_is_swapped_once_by_its_app_with_its_verifier(region: Region, app: Apps) -> None:
    made, other = app(), app(name="Other")
    for said in ({"code_verifier": "b" * 43}, {"code_verifier": ""}, {"redirect_uri": f"{BACK}/"}):
        assert swapped(made, code_in(allowed(region.ada.user, made)), **said).status_code in (
            400,
            401,
        )
    code = code_in(allowed(region.ada.user, made))
    assert swapped(other, code).status_code in (400, 401)
    assert swapped(made, code).status_code == 200
    assert swapped(made, code).status_code in (400, 401)


@pytest.mark.parametrize("swaps", [0, 2])
def test_a_code_used_twice_ends_what_it_gave(region: Region, app: Apps, swaps: int) -> None:
    """However often its tokens were swapped since; the answer is the same, and the log says so."""
    made, other = app(), app(name="Other")
    code = code_in(allowed(region.ada.user, made))
    told = swapped(made, code).json()
    for _ in range(swaps):
        told = refreshed(made, told["refresh_token"]).json()
    apart = token_of(region.ada.user, made)
    second = swapped(made, code)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert second.content == swapped(made, "never-was").content
    assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 401
    assert refreshed(made, told["refresh_token"]).status_code in (400, 401)
    assert Browser().get("/api/v1/me/", headers=held(apart)).status_code == 200
    [line] = Event.objects.filter(action="code.reuse")
    assert (line.actor_id, line.custodian) == (made.client.client_id, "riverside")
    assert [swapped(who, code).status_code for who in (made, other)] == [400, 400]
    assert Event.objects.filter(action="code.reuse").count() == 1


def test_a_code_that_was_overheard_ends_nothing(region: Region, app: Apps) -> None:
    """Without the verifier, or by another app, who has the code can't even do harm."""
    made, other = app(), app(name="Other")
    code = code_in(allowed(region.ada.user, made))
    told = swapped(made, code).json()
    for who, verifier in ((made, "b" * 43), (made, ""), (other, VERIFIER)):
        assert swapped(who, code, code_verifier=verifier).status_code in (400, 401)
    assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 200
    assert not Event.objects.filter(action="code.reuse").exists()


def test_a_code_used_twice_at_the_same_moment_gives_nothing_to_either(
    region: Region, app: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's use shows when this one takes the code away."""
    made, codes = app(), Grant.objects.all()
    code, give = code_in(allowed(region.ada.user, made)), PartnersValidator._create_refresh_token

    def meanwhile(*args: Any) -> Any:
        codes.delete()
        return give(*args)

    monkeypatch.setattr(PartnersValidator, "_create_refresh_token", meanwhile)
    assert swapped(made, code).json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()
    assert Event.objects.filter(action="code.reuse").count() == 1


def test_a_refresh_token_is_used_once_and_its_second_use_ends_the_family(
    region: Region, app: Apps
) -> None:
    made = app()
    first = token_of(region.ada.user, made)
    second = refreshed(made, first["refresh_token"])
    assert second.status_code == 200
    assert Browser().get("/api/v1/me/", headers=held(second.json())).status_code == 200
    assert refreshed(made, first["refresh_token"]).status_code in (400, 401)
    assert Browser().get("/api/v1/me/", headers=held(second.json())).status_code == 401
    assert refreshed(made, second.json()["refresh_token"]).status_code in (400, 401)


def test_nobody_of_another_organization_lets_it_act(region: Region, app: Apps) -> None:
    made = app()
    for person in (region.ben.user, region.cleo.user):
        answer = sign_in(Browser(), person).get("/oauth/authorize", asked(made))
        assert answer.status_code == 400
    assert Browser().get("/oauth/authorize", asked(made)).status_code == 302


def test_a_token_is_over_when_it_is_given_back(region: Region, app: Apps) -> None:
    """With what it could be refreshed by; another client gives nothing back."""
    made, other = app(), app(name="Other")
    told = token_of(region.ada.user, made)
    for who, status in ((other, 200), (made, 401)):
        body = {"token": told["access_token"], "client_id": who.client.client_id}
        assert Browser().post("/oauth/revoke", body).status_code == 200
        assert Browser().get("/api/v1/me/", headers=held(told)).status_code == status
    assert refreshed(made, told["refresh_token"]).status_code in (400, 401)


def test_an_ended_app_is_over_for_everybody(region: Region, app: Apps) -> None:
    made = app()
    told = token_of(region.ada.user, made)
    end_client(client_id=made.client.client_id, by=region.admin.actor, at=NOW)
    assert Browser().get("/api/v1/me/", headers=held(told)).status_code == 401
    assert refreshed(made, told["refresh_token"]).status_code in (400, 401)
    assert not AccessToken.objects.exists()


def test_introspection_tells_a_client_about_tokens_of_its_own_organization(
    region: Region, app: Apps
) -> None:
    made, server = app(), app(name="Server", public=False)
    told = token_of(region.ada.user, made)
    me = {"client_id": server.client.client_id, "client_secret": server.secret}
    answer = Browser().post("/oauth/introspect", me | {"token": told["access_token"]}).json()
    assert (answer["active"], answer["client_id"], answer["sub"]) == (
        True,
        made.client.client_id,
        region.ada.user.public_id,
    )
    assert Browser().post("/oauth/introspect", me | {"token": "x"}).json() == {"active": False}
    wrong = me | {"client_secret": "x", "token": told["access_token"]}
    assert Browser().post("/oauth/introspect", wrong).status_code == 401
    Membership.objects.filter(user=region.ada.user).update(ended_at=NOW)
    over = Browser().post("/oauth/introspect", me | {"token": told["access_token"]})
    assert over.json() == {"active": False}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "app.org",
        "http://app.org/",
        "javascript:x",
        "https://a@b.org/",
        "https://a.org/#",
        "a:x",
    ],
)
def test_an_app_is_led_back_to_https_or_to_its_own_machine(app: Apps, address: str) -> None:
    with pytest.raises(ClientInvalid):
        app(redirects=(address,))
    app(redirects=("http://127.0.0.1/back",))
