"""The viewer's page: who gets it, what it says, and what it gives to its script."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.archive.models import Series
from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from sharing.viewer import views
from tests.cast import Person
from tests.sessions import sign_in

pytestmark = pytest.mark.django_db


def opened(who: Person, public_id: str, name: str = "viewer:study") -> Any:
    """The answer to that person at that door."""
    return sign_in(Client(), who.user).get(reverse(name, args=[public_id]))


def script_data(page: Any) -> dict[str, Any]:
    """The data block of the page."""
    found = re.search(r'<script id="viewer-data"[^>]*>(.*?)</script>', page.content.decode(), re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def with_scout(study: Any) -> Series:
    """The study has a scout and, after it, the series that matters."""
    study.series.all().delete()
    lines = (("1.1", 1, 2), ("1.2", 2, 120))
    rows = [
        Series(
            study=study,
            series_uid=uid,
            number=number,
            modality="CT",
            instance_count=frames,
            frame_count=frames,
            middle=f"{uid}.9",
        )
        for uid, number, frames in lines
    ]
    return Series.objects.bulk_create(rows)[1]


def test_ben_opens_the_viewer_and_reads_on_what_ground(today: Any) -> None:
    study = today.study()
    today.permit()
    page = opened(today.ben, study.public_id)
    assert page.status_code == 200
    text = page.content.decode()
    assert "Patient permitted Hilltop" in text
    assert "MOREAU Pat" in text
    assert "莫帕" in text
    assert "Riverside General Hospital" in text
    assert "Not for primary diagnosis" in text


def test_opening_the_viewer_is_in_the_access_log(today: Any) -> None:
    study = today.study()
    today.permit()
    opened(today.ben, study.public_id)
    event = Event.objects.filter(action="study.images").latest("pk")
    assert event.study == study.public_id


def test_cleo_gets_the_same_answer_as_for_a_study_that_does_not_exist(today: Any) -> None:
    study = today.study()
    today.permit()
    hidden, absent = opened(today.cleo, study.public_id), opened(today.cleo, "no-such-study")
    assert hidden.status_code == absent.status_code == 404
    assert study.public_id not in hidden.content.decode()


def test_who_may_only_know_of_the_study_opens_no_viewer(today: Any) -> None:
    """The page shows images; to know of the study, or to read its report, is less."""
    study = today.study()
    today.permit(actions=frozenset({Action.DISCOVER, Action.REPORT}))
    assert opened(today.ben, study.public_id).status_code == 404
    assert opened(today.ben, study.public_id, "viewer:pulse").status_code == 404
    assert opened(today.olga, study.public_id).status_code == 404


def test_a_stranger_is_sent_to_sign_in(today: Any) -> None:
    study = today.study()
    answer = Client().get(reverse("viewer:study", args=[study.public_id]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_the_pulse_stops_when_pat_revokes(today: Any) -> None:
    study = today.study()
    consent = today.permit()
    assert opened(today.ben, study.public_id, "viewer:pulse").status_code == 204
    today.revoke(consent, at=timezone.now())
    assert opened(today.ben, study.public_id, "viewer:pulse").status_code == 404


def test_the_pulse_says_signed_out_and_does_not_redirect(today: Any) -> None:
    study = today.study()
    answer = Client().get(reverse("viewer:pulse", args=[study.public_id]))
    assert answer.status_code == 401
    assert "no-store" in answer["Cache-Control"]


def test_the_pulse_leaves_no_trace_in_the_access_log(today: Any) -> None:
    study = today.study()
    today.permit()
    before = Event.objects.count()
    opened(today.ben, study.public_id, "viewer:pulse")
    assert Event.objects.count() == before


def test_the_page_is_not_kept_and_allows_decoders_but_no_inline_script(today: Any) -> None:
    study = today.study()
    page = opened(today.ada, study.public_id)
    assert page["Cache-Control"] == "no-store"
    policy = page["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in page.content.decode()


def test_who_it_is_is_said_whole_at_every_width(today: Any) -> None:
    study = today.study()
    text = opened(today.ada, study.public_id).content.decode()
    banner = text[text.index('<div class="who"') : text.index('<span class="vsep')]
    told = re.findall(r'<span class="mute">([^<]*)</span>', banner)
    assert len(told) == 1
    for fact in (study.patient.identifier, study.patient.issuer, "1958"):
        assert fact in told[0]


def test_the_script_is_told_nothing_about_the_patient(today: Any) -> None:
    study = today.study()
    page = opened(today.ada, study.public_id)
    block = json.dumps(script_data(page), ensure_ascii=False).lower()
    for private in ("moreau", "莫", study.patient.identifier.lower(), "1958"):
        assert private not in block


def test_the_series_that_matters_is_painted_first_and_not_the_scout(today: Any) -> None:
    study = today.study()
    main = with_scout(study)
    page = opened(today.ada, study.public_id)
    data = script_data(page)
    assert data["first"] == main.series_uid
    picture = data["series"][1]["middle"]
    assert picture["sop"] == main.middle
    assert picture["url"].startswith(f"/dicomweb/o/riverside/studies/{study.study_uid}/series/1.2/")
    assert f'src="{html.escape(picture["url"])}"' in page.content.decode()


def test_of_one_instance_with_many_frames_the_middle_frame_is_painted(today: Any) -> None:
    study = today.study()
    study.series.all().update(instance_count=1, frame_count=87, middle="1.5")
    middle = script_data(opened(today.ada, study.public_id))["series"][0]["middle"]
    assert middle["frame"] == 43
    assert "/instances/1.5/frames/43/rendered" in middle["url"]


def test_a_segmentation_is_listed_without_a_picture(today: Any) -> None:
    study = today.study()
    study.series.all().update(modality="SEG", instance_count=1, frame_count=13, middle="1.5")
    page = opened(today.ada, study.public_id)
    assert script_data(page)["series"][0]["middle"] is None
    assert "/thumbnail" not in page.content.decode()


def test_a_study_without_series_still_has_its_page(today: Any) -> None:
    study = today.study()
    study.series.all().delete()
    page = opened(today.ada, study.public_id)
    assert page.status_code == 200
    assert script_data(page)["first"] is None


def test_markup_in_a_series_name_stays_text(today: Any) -> None:
    study = today.study()
    study.series.all().update(description="</script><b>lung</b>", frame_count=1)
    page = opened(today.ada, study.public_id)
    assert "<b>lung" not in page.content.decode()
    assert script_data(page)["series"][0]["description"] == "</script><b>lung</b>"


def test_a_study_without_a_description_is_called_by_what_can_be_seen(today: Any) -> None:
    study = today.study(description="", modalities="|SEG|CT|")
    assert "<title>CT, viewer" in opened(today.ada, study.public_id).content.decode()


def test_the_page_carries_its_picture_once_and_its_spare_pane_none(
    today: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(views, "_painted", lambda *_: "data:image/jpeg;base64,AAAA")
    page = opened(today.ada, today.study().public_id)
    assert page.status_code == 200
    assert page.content.decode().count("data:image/jpeg;base64,AAAA") == 1
