"""Copies that name nobody, from the browser: the page, the file, and the recall afterwards."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.consent.models import Consent
from sharing.notify.models import Recall
from tests.archive.sending import send
from tests.cast import RESEARCH, Person, Region
from tests.sessions import sign_in

PAGE, DAY = "/copies/", timedelta(days=1)


@pytest.fixture
def epi(own_store: None, region: Region, real_data: Path) -> Study:
    """An MR image, as Riverside received it."""
    region.at = timezone.now() - DAY
    send(region, real_data / "studies/mr_epi_multiseries/s01/0001.dcm")
    return Study.objects.latest("pk")


@pytest.fixture
def own_store(settings: Any, tmp_path: Path) -> None:
    settings.BLOB_STORAGE = str(tmp_path / "blobs")
    settings.SCRATCH_DIR = tmp_path / "scratch"


def permits(region: Region, study: Study) -> Consent:
    return region.permit(patient=study.patient, **RESEARCH)


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def names_of(study: Study) -> list[str]:
    """What would tell which study it is, or whose."""
    found = [study.study_uid, study.public_id, study.patient.public_id, study.accession_number]
    found += [study.patient.name, study.patient.identifier, study.organization.name]
    return [word for word in found if word]


def files_of(answer: Any) -> dict[str, bytes]:
    raw = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_researcher_begins_at_the_copies_and_takes_one_after_a_promise(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    at_work = browser(rita)
    assert at_work.get("/")["Location"] == PAGE
    page = at_work.get(PAGE).content.decode()
    assert "1 study" in page
    assert "1 image" in page
    unpromised = at_work.post(PAGE, {"modality": "MR"})
    assert unpromised.status_code == 422
    assert "Without this promise no copy leaves." in unpromised.content.decode()
    assert not Event.objects.filter(action="study.copy_unnamed").exists()
    taken = at_work.post(PAGE, {"modality": "MR", "promise": "on"})
    assert taken.status_code == 200
    assert taken["Content-Disposition"] == 'attachment; filename="copies-without-names.zip"'
    assert taken["Cache-Control"] == "no-store"
    assert set(files_of(taken)) == {"study-0001/00001.dcm", "manifest.json"}
    told = page + repr(dict(taken.headers))
    assert not [word for word in names_of(epi) if word in told]


def test_the_same_study_is_nowhere_else_for_the_researcher(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    at_work = browser(rita)
    for path in (
        f"/studies/{epi.public_id}/",
        f"/viewer/{epi.public_id}/",
        f"/api/v1/studies/{epi.public_id}/",
        f"/dicomweb/studies/{epi.study_uid}",
        f"/dicomweb/studies/{epi.study_uid}/metadata",
        f"/dicomweb/studies/{epi.study_uid}/rendered",
    ):
        assert at_work.get(path).status_code == 404, path
    assert at_work.get("/dicomweb/studies").content in (b"", b"[]")
    assert at_work.get("/api/v1/studies/").json()["results"] == []
    assert at_work.get("/fhir/ImagingStudy?_summary=count").json()["total"] == 0


def test_nothing_to_have_and_no_page_at_all_look_as_ever(
    region: Region, rita: Person, epi: Study
) -> None:
    at_work = browser(rita)
    assert "Nothing found" in at_work.get(PAGE).content.decode()
    hidden = at_work.post(PAGE, {"modality": "", "promise": "on"})
    assert hidden.status_code == 404
    permits(region, epi)
    assert at_work.post(PAGE, {"modality": "CT", "promise": "on"}).status_code == 422
    for person in (region.ben, region.ada, region.olga):
        assert browser(person).get(PAGE).status_code == 404


def test_by_rest_too_and_no_answer_names_a_study(region: Region, rita: Person, epi: Study) -> None:
    permits(region, epi)
    at_work = browser(rita)
    kinds = at_work.get("/api/v1/copies/")
    assert kinds.json() == {"results": [{"modality": "MR", "studies": 1, "images": 1}]}
    taken = at_work.get("/api/v1/copies/zip/?modality=MR", headers={"Accept": "application/zip"})
    assert "manifest.json" in files_of(taken)
    for query, status in (("?modality=CT", 404), ("?modality=mr%20", 400)):
        refused = at_work.get(f"/api/v1/copies/zip/{query}")
        assert refused.status_code == status
        assert not [word for word in names_of(epi) if word in refused.content.decode()]
    assert browser(region.ben).get("/api/v1/copies/").status_code == 404
    assert Client().get("/api/v1/copies/zip/").status_code == 401


def test_the_accounting_says_in_words_that_a_copy_without_names_left(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    files_of(browser(rita).post(PAGE, {"modality": "", "promise": "on"}))
    told = browser(region.olga).get(f"/log/accounting/{epi.patient.public_id}/")
    assert "Took a copy that names nobody" in told.content.decode()
    assert "Rita Sole" in told.content.decode()


def test_before_a_consent_is_saved_or_ends_the_clerk_sees_how_many_copies_it_gives(
    region: Region, rita: Person, epi: Study
) -> None:
    mei, patient = browser(region.mei), epi.patient.public_id
    told = {
        "decision": "permit", "may": "download", "purpose": "HRESCH", "researchers": "on",
        "unnamed": "on", "period": "365", "verification": "paper", "performer": "self",
    }  # fmt: skip
    preview = mei.post(f"/patients/{patient}/consents/preview/", told).content.decode()
    assert "as copies without names for 1 researcher at Hilltop" in preview
    assert (
        "as copies without names"
        not in mei.post(
            f"/patients/{patient}/consents/preview/", told | {"purpose": "TREAT"}
        ).content.decode()
    )
    consent = permits(region, epi)
    ending = mei.get(f"/consents/{consent.public_id}/revoke/").content.decode()
    assert "no longer as copies without names for 1 researcher at Hilltop" in ending


def test_a_recall_names_the_copy_to_its_receiver_and_the_study_to_its_custodian(
    region: Region, rita: Person, epi: Study, run_jobs: Callable[..., int]
) -> None:
    consent = permits(region, epi)
    files = files_of(browser(rita).post(PAGE, {"modality": "", "promise": "on"}))
    alias = json.loads(files["manifest.json"])["studies"][0]["study_uid"]
    region.revoke(consent, at=timezone.now())
    run_jobs(timezone.now() + DAY)
    address = f"/recalls/{Recall.objects.get().public_id}/"
    theirs = browser(rita).get(address).content.decode()
    assert alias in theirs
    assert epi.study_uid not in theirs
    assert epi.study_uid in browser(region.olga).get(address).content.decode()


def test_only_the_custodians_officer_finds_whose_a_copy_is_and_the_patients_log_says_so(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    files = files_of(browser(rita).post(PAGE, {"modality": "", "promise": "on"}))
    alias = json.loads(files["manifest.json"])["studies"][0]["study_uid"]
    olga = browser(region.olga)
    assert "/log/copy/" in olga.get("/log/").content.decode()
    found = olga.post("/log/copy/", {"uid": alias}).content.decode()
    assert f"/studies/{epi.public_id}/" in found
    line = Event.objects.get(action="log.find_copy")
    assert (line.patient, line.actor_name) == (epi.patient.public_id, region.olga.user.name)
    assert "No copy of ours" in olga.post("/log/copy/", {"uid": epi.study_uid}).content.decode()
    for person in (rita, region.mei, region.ben):
        assert browser(person).post("/log/copy/", {"uid": alias}).status_code == 404
    assert Event.objects.filter(action="log.find_copy").count() == 1
