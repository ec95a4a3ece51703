"""Who is told ahead that something ends, and who is written to about requests: each once."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from sharing.access.services import (
    REVIEWED_EVERY,
    ask_access,
    ask_renewal,
    refuse_request,
    renew_share,
)
from sharing.archive.models import Study
from sharing.notify.ahead import tell_endings, tell_renewal_asked
from sharing.notify.models import Notice
from tests.access.test_sharing import ALL, DAY, shared
from tests.cast import NOW, Region

RunJobs = Callable[..., int]
WORDS = ("Moreau", "RV-1", "1958", "Chest")


@pytest.fixture
def study(region: Region) -> Study:
    region.permit(organizations=(), named_by_custodian=True, actions=ALL, ends_at=None)
    return region.study()


def told(kind: str) -> list[tuple[str, str]]:
    rows = Notice.objects.filter(kind=kind).order_by("user__name")
    return [(notice.user.name, notice.text) for notice in rows.select_related("user")]


def test_sharer_and_grantee_are_told_a_fortnight_ahead_and_once(
    region: Region, study: Study
) -> None:
    shared(region, study, person=region.ben.user)
    tell_endings(at=NOW + 15 * DAY)
    assert told("ending") == []
    for day in (16, 17, 29):
        tell_endings(at=NOW + day * DAY)
    assert told("ending") == [
        ("Ada Brandt", "Your share with Ben Hartley ends on 24 Dec 2026."),
        ("Ben Hartley", "What Ada Brandt shared with you ends on 24 Dec 2026."),
    ]


def test_whom_the_consent_no_longer_lets_see_it_is_not_told_that_it_ends(
    region: Region, study: Study
) -> None:
    shared(region, study, person=region.ben.user)
    region.revoke(region.pat.consents.get(), at=NOW + DAY)
    tell_endings(at=NOW + 20 * DAY)
    assert [name for name, _ in told("ending")] == ["Ada Brandt"]


def test_what_goes_on_is_not_told_as_ending(region: Region, study: Study) -> None:
    made = shared(region, study)
    renew_share(
        public_id=made.public_id,
        subjects=[study.subject],
        until=NOW + 60 * DAY,
        by=region.ada.actor,
        at=NOW + DAY,
    )
    tell_endings(at=NOW + 20 * DAY)
    assert told("ending") == []


def test_the_sharer_is_asked_each_quarter_whether_a_standing_share_is_needed(
    region: Region, study: Study
) -> None:
    shared(region, study, standing=True, until=NOW + 300 * DAY)
    for _ in range(2):
        tell_endings(at=NOW + REVIEWED_EVERY - 10 * DAY)
    [(name, text)] = told("review")
    assert name == "Ada Brandt"
    assert text.startswith("Say until 23 Feb 2027 whether Hilltop Family Clinic still needs")
    assert told("ending") == []


def test_riverside_is_told_that_ben_still_needs_it(region: Region, study: Study) -> None:
    made = shared(region, study)
    ask = ask_renewal(public_id=made.public_id, by=region.ben.actor, at=NOW + DAY)
    for _ in range(2):
        tell_renewal_asked(ask_id=ask.pk, at=NOW)
    text = "Ben Hartley of Hilltop Family Clinic asks that a share goes on."
    assert told("renewal") == [("Ada Brandt", text)]


def test_a_request_and_its_answer_are_written_about_without_the_patient(
    region: Region, run_jobs: RunJobs
) -> None:
    at = timezone.now()
    asked = ask_access(
        custodian=region.riverside,
        identifier="RV-1",
        birth_date=date(1958, 5, 3),
        reason="Chest follow-up of Moreau",
        by=region.ben.actor,
        at=at,
    )
    run_jobs()
    refuse_request(public_id=asked.public_id, why="No.", by=region.ada.actor, at=at)
    run_jobs(at + timedelta(minutes=1))
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["ada@riverside.example"], "A request for access waits at Riverside General Hospital"),
        (["ben@hilltop.example"], "Your request for access was answered"),
    ]
    whole = "\n".join(message.message().as_string() for message in mail.outbox)
    assert not [word for word in WORDS if word in whole]
    assert f"/requests/{asked.public_id}/" in whole
