"""The operator sees no patient, but by a support session that two persons made; then no more."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sharing.access.rules import Rule
from sharing.access.services import decide_one
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.kernel.errors import Absent, BadValue
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action
from sharing.notify.models import Notice
from sharing.tenants import services
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Region as RegionRow
from sharing.tenants.models import SupportSession, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.support import SUPPORT_NEXT, SupportEvent, SupportState
from tests.cast import Region, make_organization, make_patient, make_person, make_study
from tests.sessions import sign_in

WHY = "A study does not open in the viewer, case 4711."


@pytest.fixture
def otto(region: Region) -> User:
    """Of the region's operator."""
    operator = make_organization("operator", "Exchange", kind="operator")
    return make_person("Otto Lang", operator, Role.OPERATOR).user


def acting(user: User, code: str = "") -> Actor:
    """As a request finds them, by default and for an organization."""
    actor = services.actor_for_session(user, {"acting": f"{code}:HOPERAT"}, assured=True)
    assert actor is not None
    return actor


def asked(region: Region, otto: User, hours: int = 1) -> SupportSession:
    """Otto asks Riverside."""
    return services.ask_support(
        organization=region.riverside, reason=WHY, hours=hours, by=acting(otto), at=timezone.now()
    )


def moved(session: SupportSession, event: SupportEvent, by: Actor) -> SupportSession:
    """One move, now."""
    return services.answer_support(
        public_id=session.public_id, event=event, by=by, at=timezone.now()
    )


def test_otto_looks_at_riversides_own_studies_while_it_lasts_and_nothing_else(
    region: Region, otto: User
) -> None:
    """Not before, not after; no study of others, no copy; each answer names the session."""
    own = region.study()
    assert [c.organization.code for c in services.acting_choices(otto)] == ["operator"]
    session = asked(region, otto)
    assert [c.organization.code for c in services.acting_choices(otto)] == ["operator"]
    moved(session, SupportEvent.APPROVE, region.olga.actor)
    now = timezone.now()
    actor = acting(otto, "riverside")
    assert (actor.organization_code, actor.name) == ("riverside", "Otto Lang, support")
    decision = decide_one(actor, Action.IMAGES, own.subject, at=now)
    assert decision.allowed
    assert decision.basis.rule == Rule.SUPPORT_SESSION
    assert decision.reason.startswith("Support session approved by Olga Weiss, until")
    assert not decide_one(actor, Action.DOWNLOAD, own.subject, at=now).allowed
    assert not any(actor.may(duty) for duty in services.Duty)
    assert list(Study.objects.visible_to(actor, now)) == [own]
    assert services.actor_at(actor.who, at=now) is not None
    assert services.actor_at(actor.who, at=now - timedelta(days=1)) is None
    moved(session, SupportEvent.END, region.admin.actor)
    assert [c.organization.code for c in services.acting_choices(otto)] == ["operator"]
    assert services.still_acting(actor, at=timezone.now()) is None
    told = Event.objects.filter(custodian="riverside", action__startswith="support.")
    assert [event.action for event in told.order_by("pk")] == [
        "support.ask", "support.approve", "support.end",
    ]  # fmt: skip


def test_what_hilltop_shared_with_riverside_stays_hidden_from_support(
    region: Region, otto: User
) -> None:
    """The session is for the custodian's own; decision and fence say the same."""
    there = make_study(make_patient(region.hilltop, "HT-9"))
    RegionRow.objects.update_or_create(pk=1, defaults={"implicit_policy": "all_normal"})
    moved(asked(region, otto), SupportEvent.APPROVE, region.olga.actor)
    actor, now = acting(otto, "riverside"), timezone.now()
    decision = decide_one(actor, Action.DISCOVER, there.subject, at=now)
    assert not decision.allowed
    assert decision.basis.rule == Rule.SUPPORT_SESSION
    assert not Study.objects.visible_to(actor, now).filter(pk=there.pk).exists()


@pytest.mark.parametrize("state", list(SupportState))
@pytest.mark.parametrize("event", list(SupportEvent))
def test_a_support_session_moves_as_the_table_says(
    region: Region, otto: User, state: SupportState, event: SupportEvent
) -> None:
    """Every state and event."""
    session = asked(region, otto)
    SupportSession.objects.filter(pk=session.pk).update(state=state)
    by = acting(otto) if event == SupportEvent.WITHDRAW else region.olga.actor
    wanted = SUPPORT_NEXT.get((state, event))
    if wanted is None:
        with pytest.raises(NotNow):
            moved(session, event, by)
    else:
        assert moved(session, event, by).state == wanted


def test_nobody_lets_themselves_in_and_no_other_house_does(region: Region, otto: User) -> None:
    """Also an operator who is a hospital's officer too; and an answer may come too late."""
    session = asked(region, otto)
    services.add_member(
        organization=region.riverside, user=otto, role=Role.PRIVACY_OFFICER,
        by=region.admin.actor.who, at=timezone.now(),
    )  # fmt: skip
    for by in (acting(otto), acting(otto, "riverside"), region.ada.actor):
        with pytest.raises(NotAllowed):
            moved(session, SupportEvent.APPROVE, by)
    officer = make_person("Paul Voss", region.hilltop, Role.PRIVACY_OFFICER).actor
    with pytest.raises(Absent):
        moved(session, SupportEvent.APPROVE, officer)
    with pytest.raises(NotAllowed):
        services.ask_support(
            organization=region.riverside, reason=WHY, hours=1, by=region.admin.actor,
            at=timezone.now(),
        )  # fmt: skip
    for hours, why in ((3, WHY), (8, WHY), (1, "x")):
        with pytest.raises(BadValue):
            services.ask_support(
                organization=region.riverside, reason=why, hours=hours, by=acting(otto),
                at=timezone.now(),
            )  # fmt: skip
    SupportSession.objects.filter(pk=session.pk).update(asked_at=timezone.now() - timedelta(days=2))
    with pytest.raises(NotNow):
        moved(session, SupportEvent.APPROVE, region.olga.actor)


def test_asking_letting_in_looking_and_ending_on_pages(
    region: Region, otto: User, run_jobs: Any
) -> None:
    """The bar says by whom and until when; after the end the page is not there."""
    study = region.study()
    desk, officer = sign_in(Client(), otto), sign_in(Client(), region.olga.user)
    assert desk.post("/support/ask/", {"organization": "riverside"}).status_code == 422
    desk.post("/support/ask/", {"organization": "riverside", "reason": WHY, "hours": 2})
    session = SupportSession.objects.get()
    run_jobs()
    told = Notice.objects.filter(kind="support")
    assert {each.user_id for each in told} == {region.olga.user.pk, region.admin.user.pk}
    assert not any("4711" in each.text for each in told)
    assert WHY in officer.get("/support/").content.decode()
    officer.post(f"/support/{session.public_id}/approve/")
    assert desk.post("/act-as/", {"acting": "riverside:HOPERAT"}).status_code == 302
    page = desk.get(f"/studies/{study.public_id}/")
    assert page.status_code == 200
    assert "Support session at Riverside" in page.content.decode()
    desk.post(f"/support/{session.public_id}/end/")
    assert desk.get(f"/studies/{study.public_id}/").status_code == 404
    mei = sign_in(Client(), region.mei.user)
    assert mei.get("/support/").status_code == 404
    assert mei.post(f"/support/{session.public_id}/approve/").status_code == 404
