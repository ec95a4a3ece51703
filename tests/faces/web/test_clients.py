"""The pages of clients and webhooks: who may, what is shown once, and what ends."""

import re
from typing import Any

import pytest
from django.test import Client as Browser

from sharing.kernel import outgoing
from sharing.notify import delivering
from sharing.notify.models import Delivery, Webhook
from sharing.partners.models import Client
from tests.cast import NOW, Region, make_person
from tests.sessions import sign_in

TYPED = {
    "name": "Riverside PACS",
    "kind": "machine",
    "scopes": ["dicomweb.read"],
    "proof": "secret",
}
HOOK = {"url": "https://ris.example.org/hook", "kinds": ["study.settled"]}


@pytest.fixture
def ines(region: Region) -> Browser:
    """Riverside's administrator at her browser."""
    return sign_in(Browser(), region.admin.user)


def shown(page: Any, name: str) -> str:
    """What stands in a field to copy from."""
    found = re.search(rf'id="{name}" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def test_ines_makes_a_client_and_copies_its_secret_once(ines: Browser) -> None:
    page = ines.post("/clients/new/", TYPED)
    assert page.status_code == 200
    assert "Copy the secret now" in page.content.decode()
    assert page["Cache-Control"].count("no-store")
    secret, name = shown(page, "secret"), shown(page, "client")
    body = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    assert Browser().post("/oauth/token", body).status_code == 200
    for path in ("/clients/", f"/clients/{name}/"):
        text = ines.get(path).content.decode()
        assert "Riverside PACS" in text
        assert "Search and retrieve images by DICOMweb" in text
        assert secret not in text
    again = ines.post(f"/clients/{name}/rotate/", {"at_once": "on"})
    assert shown(again, "secret") != secret
    assert Browser().post("/oauth/token", body).status_code == 401
    assert ines.post(f"/clients/{name}/end/").status_code == 302
    assert f"/clients/{name}/" not in ines.get("/clients/").content.decode()
    assert ines.get(f"/clients/{name}/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scopes": []}, "Choose at least one."),
        ({"more": "system/Everything.rs"}, "no SMART scope"),
        ({"more": "user/Patient.rs"}, "begin with system/"),
        ({"proof": "keys", "keys": "{"}, "no JSON"),
        ({"proof": "keys", "keys": '{"keys": []}'}, "at least one RSA key"),
        ({"proof": "address", "keys_at": "https://127.0.0.1/"}, "public"),
        ({"kind": "app", "redirects": "http://app.example.org/"}, "https"),
    ],
)
def test_a_client_that_is_not_whole_is_asked_for_again(
    ines: Browser, wrong: dict[str, Any], said: str
) -> None:
    page = ines.post("/clients/new/", TYPED | wrong)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert "Riverside PACS" in page.content.decode()
    assert not Client.objects.exists()


def test_ines_sets_a_webhook_up_and_sees_whether_it_listens(
    ines: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ines.post("/webhooks/new/", HOOK)
    assert shown(page, "secret").startswith("whsec_")
    row = Webhook.objects.get()
    at = f"/webhooks/{row.public_id}/"
    assert ines.post(f"{at}test/").status_code == 302
    monkeypatch.setattr(
        outgoing, "request", lambda *args, **kwargs: outgoing.Answer(500, {}, b"no")
    )
    delivery = Delivery.objects.get()
    delivering.deliver(delivery_id=delivery.pk, at=NOW)
    text = ines.get(at).content.decode()
    assert "The other side answered with an error (500)" in text
    assert ines.post(f"{at}{delivery.public_id}/again/").status_code == 302
    for paused, word in (("yes", "Paused"), ("no", "On")):
        ines.post(f"{at}change/", {"paused": paused})
        assert word in ines.get("/webhooks/").content.decode()
    assert shown(ines.post(f"{at}rotate/"), "secret") != shown(page, "secret")
    assert ines.post(f"{at}end/").status_code == 302
    assert ines.get(at).status_code == 404
    refused = ines.post("/webhooks/new/", HOOK | {"url": "https://10.0.0.1/"})
    assert refused.status_code == 422


def test_the_pages_are_not_there_without_the_role_nor_for_another_house(
    region: Region, ines: Browser
) -> None:
    name = shown(ines.post("/clients/new/", TYPED), "client")
    ines.post("/webhooks/new/", HOOK)
    hook = Webhook.objects.get().public_id
    lakeside = make_person("Lea Fox", region.lakeside, *region.admin.actor.roles)
    for person in (region.ada, region.mei, region.olga, lakeside):
        browser = sign_in(Browser(), person.user)
        for path in (f"/clients/{name}/", f"/webhooks/{hook}/"):
            assert browser.get(path).status_code == 404
        for path in (f"/clients/{name}/end/", f"/clients/{name}/rotate/", f"/webhooks/{hook}/end/"):
            assert browser.post(path).status_code == 404
    for person in (region.ada, region.mei, region.olga):
        browser = sign_in(Browser(), person.user)
        for path in ("/clients/", "/clients/new/", "/webhooks/", "/webhooks/new/"):
            assert browser.get(path).status_code == 404
    assert Client.objects.get().ended_at is None
