"""A paper or a photo filed with a patient in the browser."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from sharing.archive.models import Instance, Study
from sharing.audit.models import Event
from tests.cast import Person, Region
from tests.sessions import sign_in

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF"


def photo() -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 10)).save(out, "JPEG")
    return out.getvalue()


def post(region: Region, who: Person, data: bytes = PDF, **said: Any) -> Any:
    form = {"title": "Discharge letter", "day": "12 Nov 2026", "study": ""} | said
    form["file"] = SimpleUploadedFile("letter.pdf", data)
    where = reverse("web:file-paper", args=[region.pat.public_id])
    return sign_in(Client(), who.user).post(where, form)


def test_mei_files_a_letter_and_it_is_a_study_of_pat_s(region: Region) -> None:
    answer = post(region, region.mei)
    study = Study.objects.get()
    assert answer.url == reverse("web:study", args=[study.public_id])
    assert (study.patient, study.description) == (region.pat, "Discharge letter")
    assert str(study.study_date) == "2026-11-12"
    assert Event.objects.filter(action="study.receive", study=study.public_id).exists()


def test_a_photo_joins_the_study_that_mei_chose(region: Region) -> None:
    study = region.study()
    held = Instance.objects.count()
    post(region, region.mei, photo(), study=study.public_id)
    assert Study.objects.count() == 1
    assert Instance.objects.count() == held + 1
    study.refresh_from_db()
    assert "XC" in study.modality_list


@pytest.mark.parametrize("data", [b"", b"MZ program", b"\xff\xd8\xff no picture"])
def test_what_is_no_paper_is_refused_and_what_was_typed_is_kept(
    region: Region, data: bytes
) -> None:
    answer = post(region, region.mei, data)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Discharge letter" in shown
    assert 'class="err"' in shown
    assert not Study.objects.exists()


def test_nobody_files_with_a_patient_who_is_not_theirs(region: Region) -> None:
    region.study()
    region.permit()
    assert post(region, region.ben).status_code in {403, 404}
    assert post(region, region.cleo).status_code in {403, 404}
    assert post(region, region.mei, study="A" * 22).status_code == 200
    assert Study.objects.count() == 1
