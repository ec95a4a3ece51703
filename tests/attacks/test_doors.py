"""Doors that were open: tokens on pages, copies by the right to view, what numbers tell."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Instance, Series, Study
from sharing.archive.services import retrieving
from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from sharing.partners.models import Client as Machine
from sharing.tenants.models import Membership
from tests.archive.sending import send
from tests.cast import Region, make_patient, make_study
from tests.faces.dicomweb.conftest import token_client
from tests.sessions import sign_in

EXPLICIT = "transfer-syntax=*"


@pytest.fixture
def instance(region: Region, real_data: Path) -> Instance:
    """One image of Riverside's."""
    send(region, real_data / "single/pydicom_CT_small.dcm")
    return Instance.objects.select_related("series__study__patient").get()


def below(held: Instance, end: str = "") -> str:
    """The DICOMweb address of the image."""
    series = held.series
    study = f"/dicomweb/studies/{series.study.study_uid}"
    return f"{study}/series/{series.series_uid}/instances/{held.sop_uid}{end}"


def test_a_token_for_uploads_reads_no_page(region: Region) -> None:
    """Pages ask for roles, not for scopes: a machine has no business there (A13)."""
    study = region.study()
    client = token_client(region.riverside, "uploads.write")
    where = (
        "/patients/",
        "/studies/",
        f"/studies/{study.public_id}/",
        f"/viewer/{study.public_id}/",
    )
    for path in where:
        response = client.get(path)
        assert response.status_code == 401, path
        assert b"Chest with contrast" not in response.content
        assert "moreau" not in response.content.decode().lower()


def test_who_may_view_takes_no_copy(region: Region, instance: Instance) -> None:
    """The consent says: they may not download. Whole objects are the download."""
    patient = instance.series.study.patient
    region.permit(patient=patient, at=timezone.now())
    ben = sign_in(Client(), region.ben.user)
    assert ben.get(below(instance, "/frames/1")).status_code == 200
    study = f"/dicomweb/studies/{instance.series.study.study_uid}"
    for url in (below(instance), study, f"{study}/series/{instance.series.series_uid}"):
        assert ben.get(url).status_code == 404, url
    region.permit(patient=patient, at=timezone.now(), actions=frozenset(Action.DOWNLOAD.ladder))
    assert ben.get(below(instance)).status_code == 200
    assert Event.objects.filter(action="study.download", actor_id=region.ben.actor.id).exists()


def test_a_stream_is_cut_when_the_role_ends(
    region: Region, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every narrowing takes effect at commit, also for what is running."""
    monkeypatch.setattr(retrieving, "RECHECK_SECONDS", -1)
    study = instance.series.study.public_id
    chunks = retrieving.guarded(iter([b"1", b"2"]), region.ada.actor, study, timezone.now)
    assert next(chunks) == b"1"
    Membership.objects.filter(user=region.ada.user).update(ended_at=timezone.now())
    with pytest.raises(retrieving.StudyNotFound):
        next(chunks)


def test_a_stream_is_cut_when_the_token_is_revoked(
    region: Region, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for a machine."""
    monkeypatch.setattr(retrieving, "RECHECK_SECONDS", -1)
    response = token_client(region.riverside).get(below(instance, "/frames/1"))
    assert response.status_code == 200
    study = instance.series.study.public_id
    from sharing.partners.services import actor_for_token, issue_token

    secret = issue_token(
        organization=region.riverside, name="x", scopes=["dicomweb.read"], at=timezone.now()
    )
    actor = actor_for_token(secret, at=timezone.now())
    chunks: Iterator[bytes] = retrieving.guarded(iter([b"1", b"2"]), actor, study, timezone.now)
    assert next(chunks) == b"1"
    Machine.objects.update(ended_at=timezone.now())
    with pytest.raises(retrieving.StudyNotFound):
        next(chunks)


def test_hidden_studies_change_no_byte_of_what_ben_is_told(region: Region) -> None:
    """Not even a row's number: it would count what others hold (A05)."""
    pages: list[Any] = []
    for crowd in (0, 7):
        for number in range(crowd):
            make_study(make_patient(region.lakeside, f"LK-{number}"))
        shown = make_study(region.pat, study_uid=f"2.25.{crowd + 1}", public_id=f"shown{crowd}")
        Series.objects.filter(study=shown).update(thumbnail=b"\xff\xd8\xff", series_uid="2.25.9")
        region.permit(studies=frozenset({shown.study_uid}), at=timezone.now())
        page = sign_in(Client(), region.ben.user).get(f"/studies/{shown.public_id}/")
        assert f"/series/{shown.public_id}/2.25.9/thumbnail/" in page.content.decode()
        pages.append(shown)
    ben = sign_in(Client(), region.ben.user)
    turned = ben.get("/api/v1/studies/?limit=1").json()["next"]
    cursor = base64.b64decode(turned.split("cursor=")[1].split("&")[0].replace("%3D", "="))
    assert str(Study.objects.get(public_id="shown7").pk) != cursor.decode().partition("p=")[2]


def test_an_unknown_and_a_hidden_uid_cost_the_same_questions(
    region: Region, django_assert_num_queries: Any
) -> None:
    """What a stranger may guess is told by no clock: the same work for both (A06)."""
    hidden = region.study()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from sharing.archive.errors import StudyNotFound
    from sharing.archive.services.finding import open_study_by_uid

    region.permit(region.hilltop)
    cleo, counts = region.cleo.actor, []
    for uid in (hidden.study_uid, "2.25.404"):
        with (
            CaptureQueriesContext(
                connection,
            ) as asked,
            pytest.raises(StudyNotFound),
        ):
            open_study_by_uid(cleo, study_uid=uid, at=timezone.now())
        counts.append(len(asked))
    assert counts[0] == counts[1], counts


def test_metadata_of_an_upload_that_is_no_text_is_refused_in_words(region: Region) -> None:
    """400 and not 500."""
    client = token_client(region.riverside, "uploads.write")
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": "batch \xe9\xe9"}
    assert client.post("/api/v1/uploads/", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/studies/?q=%00", 400),
        ("/patients/?q=a%00b", 400),
        ("/studies/a%00b/", 404),
        ("/api/v1/studies/?custodian=%00", 400),
        ("/api/v1/studies/%00/", 404),
        ("/dicomweb/studies?PatientID=%00", 400),
    ],
)
def test_a_nul_is_refused_in_words(region: Region, path: str, status: int) -> None:
    """PostgreSQL takes none: it was answered 500."""
    client = Client(raise_request_exception=False)
    assert sign_in(client, region.ada.user).get(path).status_code == status


@pytest.mark.parametrize("path", ["/accounts/login/", "/join/", "/dicomweb/studies", "/nowhere/"])
def test_a_stranger_puts_no_large_file_on_the_disk(db: None, path: str) -> None:
    """The check for CSRF reads a form with its files before anybody asked who sends it (A38)."""
    client = Client(enforce_csrf_checks=True)
    client.get("/join/")
    body = b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nx\r\n--b--\r\n"
    large = {"CONTENT_LENGTH": str(25 * 1024 * 1024)}
    kind = "multipart/form-data; boundary=b"
    response = client.post(path, body, content_type=kind, **large)
    assert response.status_code == 413
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
