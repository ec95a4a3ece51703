"""Open viewers and downloads: noticed by their asking, counted before a consent or its end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error
from django.test import Client
from django.utils import timezone

from sharing.access.previews import without_consent
from sharing.archive.models import Look, Study
from sharing.archive.services import looking, retrieving
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action
from tests.cast import Region
from tests.sessions import sign_in

COPY = frozenset(Action.DOWNLOAD.ladder)


@pytest.fixture(autouse=True)
def unknown() -> None:
    looking.forget()


@pytest.fixture
def study(region: Region) -> Study:
    region.at = timezone.now() - timedelta(hours=1)
    return region.study()


@pytest.fixture
def consent(region: Region) -> Consent:
    region.at = timezone.now() - timedelta(hours=1)
    return region.permit(actions=COPY)


def pulse(region: Region, study: Study, who: str = "ben") -> int:
    person = getattr(region, who)
    return sign_in(Client(), person.user).get(f"/viewer/{study.public_id}/pulse").status_code


def stops(consent: Consent, study: Study, at: Any = None) -> int:
    facts = without_consent(consent, [study.subject])
    return looking.stopped([study.subject], *facts, at=at or timezone.now())


def test_bens_open_viewer_would_stop_and_adas_would_not(
    region: Region, study: Study, consent: Consent
) -> None:
    assert stops(consent, study) == 0
    assert (pulse(region, study), pulse(region, study, "ada")) == (204, 204)
    assert Look.objects.count() == 2
    assert stops(consent, study) == 1


def test_a_viewer_that_asks_no_more_is_closed(
    region: Region, study: Study, consent: Consent
) -> None:
    pulse(region, study)
    assert stops(consent, study, timezone.now() + looking.OPEN_FOR + timedelta(seconds=1)) == 0


def test_who_may_not_look_has_nothing_open(region: Region, study: Study) -> None:
    assert pulse(region, study, "cleo") == 404
    assert not Look.objects.exists()


def test_asking_each_second_is_written_down_once_in_five(
    region: Region, study: Study, consent: Consent, django_assert_num_queries: Any
) -> None:
    pulse(region, study)
    ben = region.ben.actor
    with django_assert_num_queries(0):
        looking.note(ben, public_id=study.public_id, kind=looking.VIEWER, at=timezone.now())


def test_a_download_under_way_counts(
    region: Region, study: Study, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieving, "RECHECK_SECONDS", -1)
    watch = retrieving.Watch(
        region.ben.actor, study.public_id, timezone.now, action=Action.DOWNLOAD
    )
    assert next(watch.over(iter([b"1", b"2"]))) == b"1"
    assert Look.objects.get().kind == "stream"
    assert stops(consent, study) == 1


def test_a_count_that_cannot_be_written_stops_nobody(
    region: Region, study: Study, consent: Consent, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def away(*given: object) -> None:
        raise Error

    monkeypatch.setattr(looking, "_write", away)
    assert pulse(region, study) == 204
    assert "was not counted" in caplog.text


def test_the_pages_say_it_before_the_consent_ends(
    region: Region, study: Study, consent: Consent
) -> None:
    pulse(region, study)
    mei = sign_in(Client(), region.mei.user)
    page = mei.get(f"/consents/{consent.public_id}/revoke/").content.decode()
    assert "Shows none; hides 1 study from 1 person; stops 1 open viewer or download." in page
