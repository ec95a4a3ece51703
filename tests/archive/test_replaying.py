"""Every past access can be decided again to the same answer, whatever became of its grounds."""

import os
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sharing.access.rules import Rule
from sharing.archive.errors import MarkedOnly, StudyNotFound
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.archive.services.replaying import replay
from sharing.audit.models import Event, Past
from sharing.audit.windows import windows
from sharing.consent.models import Consent
from sharing.kernel.purposes import Action
from sharing.tenants.models import Region as RegionRow
from tests import cast
from tests.archive.histories import ACTS, History
from tests.cast import NOW, Region

QUARTER = timedelta(minutes=16)
ORDER = (
    "permit_custodian", "share", "share_with_ben", "share_with_team", "end_share", "permit",
    "permit_ct", "amend", "permit_team", "join_team", "leave_team", "permit_twice",
    "permit_marked", "permit_by_proxy", "end_proxy", "open_region", "tighten", "loosen",
    "close_region", "break_glass", "end_glass", "label", "demand_agreements", "agree",
    "end_agreement", "delete", "exclude_ben", "revoke", "deny", "opt_out", "ben_leaves",
    "ben_comes_back", "keep_books",
)  # fmt: skip


def look(world: Region, at) -> None:
    """Everybody tries everything; what they may not is refused, and logged."""
    for person in (world.ada, world.ben, world.cleo):
        if not person.user.memberships.filter(ended_at=None).exists():
            continue
        for study in Study.objects.order_by("pk"):
            for action in (Action.IMAGES, Action.DOWNLOAD):
                with suppress(StudyNotFound, MarkedOnly):
                    open_study(person.actor, public_id=study.public_id, at=at, action=action)


class ReplayedHistories(TestCase):
    """Some in each run, HISTORIES=100 in a soak."""

    @settings(
        max_examples=int(os.environ.get("HISTORIES", "5")),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(acts=st.lists(st.sampled_from(ACTS), min_size=6, max_size=20))
    def test_every_access_of_a_history_comes_out_as_it_did(self, acts):
        windows.forget()
        world = cast.region.__wrapped__(None)
        history, at = History(world), NOW
        world.study(), world.study(modalities="|MR|")
        look(world, at)
        for act in acts:
            at += QUARTER
            history.step(act, at)
            look(world, at + timedelta(minutes=1))
        found = replay()
        assert found.differences == [], acts
        assert found.at_the_edge == 0
        assert (
            found.same
            == Event.objects.filter(action__startswith="study.", window__isnull=False).count()
        )


def test_each_act_of_a_history_does_something(region: Region) -> None:
    """An act that the portal always refuses would try nothing."""
    history, at = History(region), NOW
    region.study(), region.study(modalities="|MR|")
    assert set(ORDER) == set(ACTS)
    for act in ORDER:
        at += QUARTER
        before = Event.objects.count(), Past.objects.count(), Consent.objects.count()
        history.step(act, at)
        after = Event.objects.count(), Past.objects.count(), Consent.objects.count()
        assert act == "keep_books" or after != before, act


def test_what_was_permitted_by_a_consent_that_is_revoked_replays_to_that_consent(
    region: Region,
) -> None:
    study, consent = region.study(), region.permit()
    open_study(region.ben.actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    region.revoke(consent, at=NOW + QUARTER)
    with suppress(StudyNotFound):
        open_study(
            region.ben.actor, public_id=study.public_id, at=NOW + 2 * QUARTER, action=Action.IMAGES
        )
    seen = list(Event.objects.filter(action__startswith="study.images").order_by("at"))
    assert [event.rule for event in seen] == [Rule.CONSENT_PERMITS, Rule.IMPLICIT_POLICY]
    assert replay().same == 2


def test_a_changed_past_is_found_and_fails_the_command(region: Region) -> None:
    """Somebody with the database opened the region for a while, and hid it."""
    study = region.study()
    RegionRow.objects.create(pk=1, implicit_policy="treating")
    open_study(region.ben.actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    RegionRow.objects.update(implicit_policy="deny")
    out = StringIO()
    with pytest.raises(CommandError, match="1 accesses come out otherwise"):
        call_command("replay", stdout=out)
    assert "was implicit_policy, is implicit_policy" in out.getvalue()


def test_an_access_in_the_seconds_of_a_change_is_told_apart(region: Region) -> None:
    """The request came in a moment before the revocation, and was decided after it."""
    study, consent = region.study(), region.permit()
    region.revoke(consent, at=NOW + timedelta(seconds=1))
    with suppress(StudyNotFound):
        open_study(region.ben.actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    found = replay()
    assert (found.same, found.at_the_edge, found.differences) == (0, 1, [])


def test_what_was_is_not_rewritten(region: Region) -> None:
    """The database refuses."""
    Past.objects.create(kind="region", until=NOW, value={})
    for wrong in (lambda: Past.objects.update(until=NOW), lambda: Past.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            wrong()
