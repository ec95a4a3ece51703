"""The first picture of a viewer comes with its page: the right image, marked, drawn once."""

import base64
import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from sharing.archive import documents
from sharing.archive.models import Series, Study
from sharing.archive.services import painting
from sharing.archive.services.leaving import count_again
from sharing.archive.services.settling import settle_study
from sharing.kernel.purposes import Obligation
from tests.archive.sending import dicom_files, send
from tests.cast import Region
from tests.faces.viewer.test_in_chromium import drawn
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db
_URI = re.compile(r'data-part="first" alt="" src="data:image/jpeg;base64,([^"]+)"')


@pytest.fixture
def study(region: Region, real_data: Path) -> Study:
    """Three slices of a head, with a window of their own."""
    region.at = timezone.now() - timedelta(minutes=1)
    send(region, *list(dicom_files(real_data / "studies/ct_stereotaxis_40"))[10:13])
    found = Study.objects.select_related("patient").get()
    settle_study(study_id=found.pk, at=timezone.now() + timedelta(minutes=1))
    return found


def page_of(who: Any, study: Study) -> str:
    answer = sign_in(Client(), who.user).get(reverse("viewer:study", args=[study.public_id]))
    assert answer.status_code == 200
    return answer.content.decode()


def picture_in(page: str) -> Any:
    found = _URI.search(page)
    assert found, "the page carries no picture"
    raw = base64.b64decode(found[1])
    assert len(raw) < 64_000
    return np.asarray(Image.open(BytesIO(raw)).convert("L"), dtype=float)


def test_the_page_carries_the_middle_image_as_the_file_says(
    region: Region, study: Study, real_data: Path
) -> None:
    seen = picture_in(page_of(region.ada, study))
    paths = dicom_files(real_data / "studies/ct_stereotaxis_40")
    middle = Series.objects.get().middle
    path = next(
        p for p in paths if pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID == middle
    )
    file = pydicom.dcmread(path)
    first = [
        float(np.atleast_1d(np.asarray(value, dtype=float))[0])
        for value in (file.WindowCenter, file.WindowWidth)
    ]
    assert seen.shape == (512, 512)
    assert np.abs(seen - drawn(path, *first, (512, 512))).mean() < 3


def test_the_second_page_draws_nothing_until_the_series_changes(
    region: Region, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = picture_in(page_of(region.ada, study))
    with monkeypatch.context() as patched:
        patched.setattr(painting, "_drawn", lambda *_: pytest.fail("it was drawn again"))
        assert (picture_in(page_of(region.ada, study)) == first).all()
    Series.objects.update(version=7)
    asked: list[int] = []
    monkeypatch.setattr(painting, "_drawn", lambda *_: asked.append(1))
    page_of(region.ada, study)
    assert asked == [1]


def test_a_reader_who_owes_a_mark_sees_it_on_the_first_picture_and_nobody_else_does(
    region: Region, study: Study
) -> None:
    region.permit(patient=study.patient, obligations=frozenset({Obligation.WATERMARK}))
    bare = picture_in(page_of(region.ada, study))
    marked = picture_in(page_of(region.ben, study))
    assert (np.abs(marked - bare) > 40).mean() > 0.01
    assert (picture_in(page_of(region.ada, study)) == bare).all()


def test_the_kept_picture_goes_with_the_images(
    region: Region, study: Study, django_capture_on_commit_callbacks: Any
) -> None:
    picture_in(page_of(region.ada, study))
    series = Series.objects.get()
    assert documents.picture(series.pk, series.version)
    with django_capture_on_commit_callbacks(execute=True):
        series.instances.all().delete()
        documents.drop([series.pk])
        count_again(study, timezone.now())
    assert documents.picture(series.pk, series.version) is None
