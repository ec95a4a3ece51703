"""What every request passes on its way in and out."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.partners.services import issue_token
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db


def test_a_bad_token_is_refused_though_a_good_session_is_beside_it(region: Any) -> None:
    client = sign_in(Client(), region.ada.user)
    response = client.get("/api/v1/me/", headers={"Authorization": "Bearer made-up"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_session_writes_nothing_without_a_csrf_token(region: Any) -> None:
    """Of one who may upload: the role is not what refuses."""
    client = sign_in(Client(enforce_csrf_checks=True), region.mei.user)
    for route in ("/dicomweb/studies", "/api/v1/uploads/", "/api/v1/upload-batches/"):
        response = client.post(route, b"x", content_type="application/octet-stream")
        assert (response.status_code, response.json()["code"]) == (403, "csrf"), route


def test_a_new_person_first_chooses_a_password(region: Any) -> None:
    user = region.ada.user
    user.must_change_password = True
    user.save()
    client = sign_in(Client(), user)
    for path in ("/", "/studies/", "/accounts/2fa/"):
        response = client.get(path)
        assert (response.status_code, response["Location"]) == (
            302,
            reverse("account_change_password"),
        ), path
    assert client.get("/dicomweb/studies").status_code == 403
    assert client.get(reverse("account_change_password")).status_code == 200


def test_without_a_second_factor_nothing_is_shown(region: Any) -> None:
    region.riverside.requires_second_factor = True
    region.riverside.save()
    client = sign_in(Client(), region.ada.user, second_factor=False)
    response = client.get("/studies/")
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_activate_totp"))
    assert client.get("/dicomweb/studies").status_code == 403
    assert client.get("/api/v1/studies/").status_code == 403


def test_a_failure_is_logged_by_its_route_and_not_by_its_address(
    region: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Addresses name studies; who reads the log may not know them."""

    def fails(*given: object, **named: object) -> None:
        raise OSError("the disk is away")

    study = region.study()
    monkeypatch.setattr("sharing.dicomweb.qido.search_series", fails)
    monkeypatch.setattr("sharing.web.study.open_study", fails)
    client = Client(raise_request_exception=False)
    token = issue_token(
        organization=region.riverside, name="PACS", scopes=["dicomweb.read"], at=timezone.now()
    )
    machine = {"Authorization": f"Bearer {token}"}
    url = f"/dicomweb/studies/{study.study_uid}/series"
    assert client.get(url, headers=machine).status_code == 500
    assert sign_in(client, region.ada.user).get(f"/studies/{study.public_id}/").status_code == 500
    lines = [each.getMessage() for each in caplog.records if each.name == "django.request"]
    assert lines == [
        "Internal Server Error: /dicomweb/studies/<str:study>/series",
        "Internal Server Error: /studies/<str:public_id>/",
    ]
    assert study.study_uid not in caplog.text
    assert study.public_id not in caplog.text


def test_a_foreign_host_is_refused_in_words() -> None:
    response = Client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"evil.example" not in response.content


def test_a_request_id_is_kept_when_it_has_the_form_of_one() -> None:
    kept = Client().get("/healthz", headers={"X-Request-ID": "abcdef-0123456789"})
    assert kept["X-Request-ID"] == "abcdef-0123456789"
    forged = Client().get("/healthz", headers={"X-Request-ID": "Pat Doe born 1970"})
    assert "Pat" not in forged["X-Request-ID"]


def test_what_a_signed_in_person_sees_is_not_stored_on_a_shared_machine(region: Any) -> None:
    response = sign_in(Client(), region.ada.user).get("/studies/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_nobody_can_sign_up(client: Client) -> None:
    from sharing.tenants.models import User

    data = {"email": "me@example.org", "password1": "correct-horse-1", "password2": "x"}
    assert client.post("/accounts/signup/", data).status_code == 404
    assert not User.objects.exists()
