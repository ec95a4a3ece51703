"""The short way of machines gives the same answers as the long one."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.machines import Machines
from sharing.archive.models import Instance
from sharing.partners.services import issue_token
from tests.archive.sending import send
from tests.cast import Region
from tests.sessions import sign_in

Answer = tuple[int, dict[str, str], bytes]


class Elsewhere(Exception):
    """The request was handed on."""


def by_the_short_way(method: str, path: str, headers: dict[str, str]) -> Answer:
    """As a WSGI server asks, but inside the test's transaction, as Django's own client does."""

    def others(environ: Any, start: Any) -> Any:
        raise Elsewhere

    told: list[Any] = []
    environ = RequestFactory().generic(method, path, headers=headers).environ
    with patch("portal.machines.hand_back"):
        body = Machines(others)(environ, lambda *said: told.append(said))
    status, named = told[0]
    return int(status[:3]), dict(named), b"".join(body)


def by_the_long_way(method: str, path: str, headers: dict[str, str]) -> Answer:
    """Through Django's own chain."""
    response = Client().generic(method, path, headers=headers)
    body = b"".join(response) if response.streaming else response.content
    return response.status_code, dict(response.headers), body


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
        ("HEAD", f"{series}/metadata", own),
        ("GET", f"{series}/metadata", own),
        ("DELETE", f"{series}/metadata", own),
        ("POST", "/dicomweb/studies", own),
        ("GET", "/dicomweb/studies?PatientID=%00", own),
        ("GET", "/dicomweb/studies?PatientName=%FF%E5&PatientID=", own),
        ("GET", f"/dicomweb/studies?{'&'.join(['includefield=all'] * 1001)}", own),
    ]
    for method, path, headers in asked:
        long, short = (
            by_the_long_way(method, path, headers),
            by_the_short_way(method, path, headers),
        )
        assert _without_id(short) == _without_id(long), (method, path)


def test_what_is_not_for_machines_goes_the_long_way(region: Region) -> None:
    """A strange host, a path of no resource, another mount, a session's cookie, a bad scheme."""
    own = bearer(region, "riverside")
    for path, headers in (
        ("/dicomweb/studies", own | {"Host": "evil.example"}),
        ("/dicomweb/studies", own | {"Host": ""}),
        ("/dicomweb/nothing", own),
        ("/dicomweb/studies/", own),
        ("/api/v1/studies/", own),
        ("/dicomweb/studies", {}),
        ("/dicomweb/studies", {"Authorization": "Basic eDp5"}),
    ):
        with pytest.raises(Elsewhere):
            by_the_short_way("GET", path, headers)


def _without_id(answer: Answer) -> Answer:
    status, told, body = answer
    assert len(told["X-Request-ID"]) == 16
    return status, {name: value for name, value in told.items() if name != "X-Request-ID"}, body


def test_a_cookie_beside_a_token_is_not_looked_at(region: Region) -> None:
    """Neither who it is nor whether there is such a session."""
    client = sign_in(Client(), region.ada.user)
    study, headers = region.study(), bearer(region, "lakeside")
    headers["Cookie"] = f"sessionid={client.cookies['sessionid'].value}"
    with CaptureQueriesContext(connection) as asked:
        status, told, _ = by_the_short_way(
            "GET", f"/dicomweb/studies/{study.study_uid}/metadata", headers
        )
    assert status == 404
    assert not any("django_session" in query["sql"] for query in asked)
    assert "Set-Cookie" not in told


@pytest.mark.parametrize("secret", ["", "x", "Bearer"])
def test_a_token_that_is_none_opens_nothing(region: Region, secret: str) -> None:
    response = Client().get("/dicomweb/studies", headers={"Authorization": f"Bearer {secret}"})
    assert (response.status_code, response["WWW-Authenticate"][:6]) == (401, "Bearer")
