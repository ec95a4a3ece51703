"""E-mails as each person wants them: by kind, once a day, not at night."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.audit.models import Event
from sharing.notify.digests import send_waiting
from sharing.notify.models import Notice, Waiting
from sharing.notify.posting import notify, post_to_all
from sharing.notify.rules import Way, due_at
from sharing.notify.services import tell_shared
from sharing.notify.wishes import choose, quiet_of, ways_of
from sharing.tenants.models import Membership
from sharing.tenants.rules import Role
from tests.access.test_sharing import shared
from tests.cast import NOW, Region, make_person
from tests.sessions import sign_in

MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=timezone.get_default_timezone())


@pytest.mark.parametrize(
    ("way", "quiet", "clock", "leaves"),
    [
        (Way.AT_ONCE, None, (9, 0), (0, 9, 0)),
        (Way.DAILY, None, (9, 0), (1, 7, 0)),
        (Way.DAILY, None, (6, 0), (0, 7, 0)),
        (Way.AT_ONCE, (time(19), time(6, 30)), (22, 15), (1, 6, 30)),
        (Way.AT_ONCE, (time(19), time(6, 30)), (3, 0), (0, 6, 30)),
        (Way.AT_ONCE, (time(19), time(6, 30)), (6, 30), (0, 6, 30)),
        (Way.AT_ONCE, (time(12), time(14)), (13, 0), (0, 14, 0)),
        (Way.DAILY, (time(19), time(8)), (9, 0), (1, 8, 0)),
    ],
)
def test_when_an_e_mail_leaves(
    way: Way, quiet: tuple[time, time] | None, clock: tuple[int, int], leaves: tuple[int, int, int]
) -> None:
    now = MORNING.replace(hour=clock[0], minute=clock[1])
    days, hour, minute = leaves
    expected = MORNING.replace(hour=hour, minute=minute) + timedelta(days=days)
    assert due_at(way, quiet, now) == expected


def tell(region: Region, key: str, kind: str = "shared", at: datetime = MORNING) -> None:
    text = {"text": f"Studies came, {key}.", "link": f"https://portal.example/{key}"}
    notify(region.ben.user, region.hilltop, kind, text["text"], "/", key, at=at)
    post_to_all([region.ben.user], key, kind, region.hilltop, lambda: text, at=at)


def wishes(region: Region, way: Way, quiet: tuple[time, time] | None = None) -> None:
    choose(by=region.ben.actor, ways={"shared": way}, quiet=quiet)


def test_what_waits_for_the_morning_comes_as_one_e_mail_once(region: Region) -> None:
    wishes(region, Way.DAILY)
    for key in ("first", "second", "second"):
        tell(region, key)
    assert mail.outbox == []
    assert Notice.objects.filter(user=region.ben.user).count() == 2
    assert send_waiting(at=MORNING + timedelta(hours=1)) == 0
    assert send_waiting(at=MORNING + timedelta(days=1)) == 1
    (sent,) = mail.outbox
    assert "Studies came, first." in sent.body
    assert "https://portal.example/second" in sent.body
    assert send_waiting(at=MORNING + timedelta(days=2)) == 0


def test_what_waited_overnight_is_not_written_when_it_holds_no_more(region: Region) -> None:
    """The consent of one share ended; and who left hears nothing of the house."""
    wishes(region, Way.DAILY)
    consent = region.permit(organizations=(), named_by_custodian=True)
    made = shared(region, region.study())
    tell_shared(share_id=made.pk, at=NOW)
    tell(region, "first", at=NOW)
    region.revoke(consent, at=NOW + timedelta(hours=1))
    assert send_waiting(at=NOW + timedelta(days=1)) == 1
    assert "first" in str(mail.outbox[0].body)
    assert "Ada Brandt" not in str(mail.outbox[0].body)
    tell(region, "second", at=NOW)
    Membership.objects.filter(user=region.ben.user).update(ended_at=NOW)
    assert send_waiting(at=NOW + timedelta(days=2)) == 0


def test_who_wants_no_e_mail_gets_the_notice_alone(region: Region) -> None:
    wishes(region, Way.NEVER)
    tell(region, "first")
    assert mail.outbox == []
    assert not Waiting.objects.exists()
    assert Notice.objects.filter(user=region.ben.user).exists()


def test_what_somebody_must_act_on_is_written_at_once_also_at_night(region: Region) -> None:
    wishes(region, Way.NEVER, quiet=(time(8), time(20)))
    tell(region, "glass:1", kind="glass")
    assert len(mail.outbox) == 1


def test_a_mailbox_that_refuses_keeps_its_lines_and_nobody_else_s(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sharing.notify import digests

    wishes(region, Way.DAILY)
    tell(region, "first")
    real = digests.post

    def refuse(*args: Any, **said: Any) -> None:
        raise OSError("the server refuses")

    monkeypatch.setattr(digests, "post", refuse)
    with pytest.raises(OSError, match="refuses"):
        send_waiting(at=MORNING + timedelta(days=1))
    monkeypatch.setattr(digests, "post", real)
    assert send_waiting(at=MORNING + timedelta(days=1)) == 1


def test_ben_chooses_in_the_browser_and_finds_it_again(region: Region) -> None:
    ben, where = sign_in(Client(), region.ben.user), reverse("web:wishes")
    said = {"shared": "daily", "asked": "never", "answered": "at_once"}
    wrong = ben.post(where, said | {"begins": "19:00", "ends": ""})
    assert "Write both times, or neither." in wrong.content.decode()
    assert ben.post(where, said | {"begins": "19:00", "ends": "06:30"}).status_code == 302
    user = region.ben.user
    assert ways_of(user.pk, region.hilltop.pk) == {
        "shared": Way.DAILY, "asked": Way.NEVER, "answered": Way.AT_ONCE,
    }  # fmt: skip
    assert quiet_of(user.pk) == (time(19), time(6, 30))
    assert "06:30" in ben.get(where).content.decode()
    ben.post(where, said | {"begins": "", "ends": ""})
    assert quiet_of(user.pk) is None
    assert ways_of(region.ada.user.pk, region.riverside.pk)["shared"] == Way.AT_ONCE


def test_an_organization_chooses_for_those_who_did_not(region: Region) -> None:
    """Ben is told once a day as Hilltop wishes, then as he does; Riverside's people as before."""
    head = make_person("Tom Avery", region.hilltop, Role.ADMINISTRATOR)
    tom, where = sign_in(Client(), head.user), reverse("web:telling")
    assert tom.post(where, {"shared": "sometimes"}).status_code == 422
    said = {"shared": "daily", "asked": "never", "answered": "at_once"}
    assert tom.post(where, said).status_code == 302
    assert Event.objects.get(action="organization.set_notices").detail == said
    tell(region, "first")
    assert mail.outbox == []
    assert Waiting.objects.get().user == region.ben.user
    wishes(region, Way.AT_ONCE)
    tell(region, "second")
    assert len(mail.outbox) == 1
    assert ways_of(region.ada.user.pk, region.riverside.pk)["shared"] == Way.AT_ONCE
    assert sign_in(Client(), region.ben.user).get(where).status_code == 404
