"""Deleting, rejecting, holding and deciding as people meet them on the pages."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.test import Client
from django.utils import timezone

from sharing.archive.models import Conflict, Hold, Instance, Removal, Study, Withheld
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from tests.archive.keeping import files_of
from tests.archive.sending import send
from tests.cast import Person, Region
from tests.sessions import sign_in


@pytest.fixture
def wrist(region: Region, real_data: Path, settings: Any, tmp_path: Path) -> Study:
    """A study of sixteen images at Riverside."""
    settings.BLOB_STORAGE = str(tmp_path / "blobs")
    settings.SCRATCH_DIR = tmp_path / "scratch"
    region.at = timezone.now()
    send(region, *files_of(real_data), at=region.at)
    return Study.objects.get()


def browser(person: Person) -> Client:
    return sign_in(Client(), person.user)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_study_s_page_offers_each_what_is_theirs_to_do(region: Region, wrist: Study) -> None:
    region.permit(patient=wrist.patient)
    address = f"/studies/{wrist.public_id}/"
    offers = {
        person: {
            verb
            for verb in ("delete", "reject", "hold")
            if f"{address}{verb}/" in text(browser(getattr(region, person)).get(address))
        }
        for person in ("ada", "mei", "olga", "ben")
    }
    assert offers == {"ada": {"reject"}, "mei": set(), "olga": {"delete", "hold"}, "ben": set()}
    for verb in ("delete", "reject", "hold"):
        for person in (region.mei, region.ben, region.cleo):
            assert browser(person).get(f"{address}{verb}/").status_code == 404


def test_olga_deletes_a_study_by_typing_whose_it_is(region: Region, wrist: Study) -> None:
    region.permit(patient=wrist.patient)
    olga, address = browser(region.olga), f"/studies/{wrist.public_id}/delete/"
    page = text(olga.get(address))
    assert "16 images leave for good" in page
    wanted = wrist.patient.identifier
    for said in (
        {"words": ""},
        {"reason": "mistake", "typed": "something else"},
        {"reason": "other", "typed": wanted},
        {"reason": "quality", "typed": wanted},
    ):
        assert olga.post(address, said).status_code == 422
    assert Study.objects.get() == wrist
    done = olga.post(address, {"reason": "request", "typed": wanted}, follow=True)
    assert "The study with 16 images is deleted." in text(done)
    assert not Study.objects.exists()
    assert olga.get(address).status_code == 404
    log = text(olga.get("/log/"))
    assert "Deleted the study: erasure was asked for and granted" in log


def test_a_hold_is_placed_seen_respected_and_lifted(region: Region, wrist: Study) -> None:
    olga, study = browser(region.olga), f"/studies/{wrist.public_id}/"
    assert olga.post(f"{study}hold/", {"words": ""}).status_code == 422
    assert olga.post(f"{study}hold/", {"words": "Case 7"}).status_code == 302
    assert "On legal hold" in text(olga.get(study))
    assert "it is on legal hold" in text(olga.get(f"{study}delete/"))
    refused = olga.post(f"{study}delete/", {"reason": "mistake", "typed": wrist.patient.identifier})
    assert refused.status_code == 422
    assert Instance.objects.count() == 16
    lift = f"{study}hold/{Hold.objects.get().public_id}/lift/"
    assert "Case 7" in text(olga.get(lift))
    assert olga.post(lift, {"words": "Closed"}).status_code == 302
    assert "On legal hold" not in text(olga.get(study))
    assert olga.get(lift).status_code == 404


def test_ada_rejects_images_by_number_and_takes_them_back(region: Region, wrist: Study) -> None:
    ada, address = browser(region.ada), f"/studies/{wrist.public_id}/reject/"
    series = wrist.series.get().series_uid
    numbers = sorted(Instance.objects.values_list("number", flat=True))
    assert wrist.series.get().description in text(ada.get(address))
    base = {"series": series, "reason": "quality"}
    for said in ("x", "3-", f"{numbers[-1] + 1}", "1-999999"):
        assert ada.post(address, base | {"numbers": said}).status_code == 422
    wanted = f"{numbers[0]}, {numbers[1]}-{numbers[2]}"
    page = text(ada.post(address, base | {"numbers": wanted}, follow=True))
    assert "3 images are rejected." in page
    assert "Not of diagnostic quality" in page
    assert Instance.objects.count() == Study.objects.get().instance_count == 13
    back = f"/conflicts/rejected/{Removal.objects.get().public_id}/"
    assert browser(region.ben).post(back).status_code == 404
    assert "3 images are back." in text(ada.post(back, follow=True))
    assert Instance.objects.count() == 16
    assert ada.post(back).status_code == 404


def test_a_conflict_is_looked_at_and_decided(region: Region, wrist: Study, real_data: Path) -> None:
    path = files_of(real_data)[0]
    data = pydicom.dcmread(path)
    data.SeriesDescription = "Corrected <b>at the console</b>"
    made = BytesIO()
    data.save_as(made)
    receive(
        organization=region.riverside, door=Door.STOW, sender="MR 1", by=SYSTEM, at=region.at,
        files=[Incoming("again", [made.getvalue()])],
    )  # fmt: skip
    conflict = Conflict.objects.get()
    address, ada = f"/conflicts/{conflict.pk}/", browser(region.ada)
    assert address in text(ada.get("/conflicts/"))
    page = text(ada.get(address))
    assert "Corrected &lt;b&gt;at the console" in page
    assert "Same pixels" in page
    for side in ("old", "new"):
        assert ada.get(f"{address}{side}/")["Content-Type"] == "image/jpeg"
    assert ada.get(f"{address}other/").status_code == 404
    for person in (region.mei, region.olga, region.ben, region.cleo):
        for path_ in ("/conflicts/", address, f"{address}old/"):
            assert browser(person).get(path_).status_code == 404
    assert ada.post(address, {"decision": "both"}).status_code == 422
    assert ada.post(address, {"decision": "new"}).status_code == 302
    assert "Nothing waits" in text(ada.get("/conflicts/"))
    assert Withheld.objects.get().refused is False
    assert ada.get(address).status_code == 404
