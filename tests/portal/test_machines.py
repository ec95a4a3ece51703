"""The short way of machines gives the same answers as the long one."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sharing.archive.models import Instance
from sharing.tenants.services import issue_token
from tests.archive.sending import send
from tests.cast import Region
from tests.sessions import sign_in

LONG = [name for name in settings.MIDDLEWARE if name != "portal.machines.MachinesPassBy"]


def bearer(region: Region, code: str) -> dict[str, str]:
    """The header of a machine of that organization."""
    at, organization = timezone.now(), getattr(region, code)
    scopes = ("dicomweb.read", "dicomweb.write")
    token = issue_token(organization=organization, name="PACS", scopes=scopes, at=at)
    return {"Authorization": f"Bearer {token}"}


def test_the_short_way_and_the_long_one_answer_alike(region: Region, real_data: Path) -> None:
    """Status, headers and body, of what is found, refused, unknown and mistaken."""
    send(region, real_data / "single/pydicom_CT_small.dcm")
    one = Instance.objects.select_related("series__study").get()
    series = f"/dicomweb/studies/{one.series.study.study_uid}/series/{one.series.series_uid}"
    frame = f"{series}/instances/{one.sop_uid}/frames/1"
    own, foreign = bearer(region, "riverside"), bearer(region, "lakeside")
    plain = {"Accept": "application/octet-stream"}
    asked = [
        ("GET", frame, own | plain),
        ("GET", frame, foreign | plain),
        ("GET", frame, own | {"Accept": "image/gif"}),
        ("GET", frame.replace("frames/1", "frames/x"), own),
        ("GET", frame, {"Authorization": "Bearer made-up"}),
        ("GET", frame, own | {"Host": "evil.example"}),
        ("HEAD", f"{series}/metadata", own),
        ("GET", f"{series}/metadata", own),
        ("DELETE", f"{series}/metadata", own),
        ("POST", "/dicomweb/studies", own),
        ("GET", "/dicomweb/studies?PatientID=%00", own),
        ("GET", "/dicomweb/nothing", own),
        ("GET", "/dicomweb/studies/", own),
    ]
    for method, path, headers in asked:
        answers = []
        for middleware in (settings.MIDDLEWARE, LONG):
            with override_settings(MIDDLEWARE=middleware):
                response = Client().generic(method, path, headers=headers)
            told = {k: v for k, v in response.headers.items() if k != "X-Request-ID"}
            body = b"".join(response) if response.streaming else response.content
            answers.append((response.status_code, told, body))
        assert answers[0] == answers[1], (method, path)


def test_a_cookie_beside_a_token_is_not_looked_at(region: Region) -> None:
    """Neither who it is nor whether there is such a session."""
    client = sign_in(Client(), region.ada.user)
    study, headers = region.study(), bearer(region, "lakeside")
    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"/dicomweb/studies/{study.study_uid}/metadata", headers=headers)
    assert response.status_code == 404
    assert not any("session" in query["sql"] for query in asked)
    assert not response.cookies


@pytest.mark.parametrize("secret", ["", "x", "Bearer"])
def test_a_token_that_is_none_opens_nothing(region: Region, secret: str) -> None:
    response = Client().get("/dicomweb/studies", headers={"Authorization": f"Bearer {secret}"})
    assert (response.status_code, response["WWW-Authenticate"][:6]) == (401, "Bearer")
