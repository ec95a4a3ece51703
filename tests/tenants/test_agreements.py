"""Where the region demands it, two organizations need a signed agreement before anything opens."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sharing.access.rules import Rule
from sharing.access.services import decide_one
from sharing.archive.models import Study
from sharing.audit.models import Event
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.errors import AgreementInvalid, AgreementNotFound, NotAllowed, SettingsInvalid
from sharing.tenants.models import Agreement
from sharing.tenants.rules import Actor, ImplicitPolicy, RegionSettings, Role
from sharing.tenants.services import (
    Terms,
    agreements,
    end_agreement,
    record_agreement,
    region_settings,
    set_region,
)
from tests.access.worlds import add_glass
from tests.cast import NOW, Region, make_organization, make_person

PAPER = b"signed by both"
DEMANDED = RegionSettings(agreements=True)


def operator(region: Region) -> Actor:
    """Oskar, who runs the region, at an organization of his own."""
    if "oskar" not in region.extra:
        place = make_organization("operator", "Region Office", kind="operator")
        region.extra["oskar"] = make_person("Oskar Lind", place, Role.OPERATOR)
    found: Actor = region.extra["oskar"].actor
    return found


def sign(region: Region, **said: Any) -> Agreement:
    """Riverside and Hilltop signed, for treatment, for a year."""
    values = {
        "provider": region.riverside,
        "recipient": region.hilltop,
        "purposes": frozenset({Purpose.TREATMENT}),
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=365),
        "signed_for_provider": "Olga Weiss",
        "signed_for_recipient": "Ben Hartley",
    } | said
    return record_agreement(
        terms=Terms(**values), document=io.BytesIO(PAPER), name="agreement.pdf",
        by=operator(region), at=NOW,
    )  # fmt: skip


def demand(region: Region) -> None:
    set_region(settings=DEMANDED, by=operator(region), at=NOW)


def ben_may(region: Region, **when: Any) -> Rule | None:
    """The rung that refuses him, by the decision and by the fence alike; None where he may."""
    at = when.get("at", NOW)
    subject = Study.objects.with_owners().get().subject
    found = decide_one(region.ben.actor, Action.IMAGES, subject, at=at)
    listed = Study.objects.visible_to(region.ben.actor, at, Action.IMAGES).exists()
    assert listed == found.allowed
    return None if found.allowed else found.basis.rule


def test_what_a_patient_permits_waits_for_the_organizations_to_agree(region: Region) -> None:
    region.study()
    region.permit()
    assert ben_may(region) is None
    demand(region)
    assert ben_may(region) == Rule.NO_AGREEMENT
    agreement = sign(region)
    assert ben_may(region) is None
    assert ben_may(region, at=NOW + timedelta(days=365)) == Rule.NO_AGREEMENT
    end_agreement(public_id=agreement.public_id, why="Notice given", by=operator(region), at=NOW)
    assert ben_may(region) == Rule.NO_AGREEMENT
    told = list(Event.objects.filter(action__startswith="agreement.").order_by("pk"))
    assert [event.action for event in told] == ["agreement.record", "agreement.end"]
    assert told[0].detail["sha256"] == agreement.document_sha256


@pytest.mark.parametrize(
    "said",
    [
        {"modalities": frozenset({"MR"})},
        {"purposes": frozenset({Purpose.RESEARCH})},
        {"starts_at": NOW + timedelta(days=1)},
    ],
)
def test_an_agreement_about_something_else_opens_nothing(
    region: Region, said: dict[str, Any]
) -> None:
    region.study()
    region.permit()
    demand(region)
    sign(region, **said)
    assert ben_may(region) == Rule.NO_AGREEMENT
    sign(region, modalities=frozenset({"CT", "MR"}))
    assert ben_may(region) is None


def test_an_agreement_runs_one_way_and_gives_no_access_by_itself(region: Region) -> None:
    region.study()
    demand(region)
    sign(region, provider=region.hilltop, recipient=region.riverside)
    region.permit()
    assert ben_may(region) == Rule.NO_AGREEMENT
    sign(region, recipient=region.lakeside)
    assert not Study.objects.visible_to(region.cleo.actor, NOW).exists()


def test_no_emergency_goes_round_a_missing_agreement_and_own_staff_need_none(
    region: Region,
) -> None:
    region.study()
    demand(region)
    add_glass(
        region,
        {"by": "ben", "there": "hilltop", "patient": "pat", "start": 0, "hours": 1, "over": False},
    )
    assert ben_may(region) == Rule.NO_AGREEMENT
    sign(region)
    assert ben_may(region) is None
    assert Study.objects.visible_to(region.ada.actor, NOW, Action.IMAGES).exists()


def test_whoever_comes_by_a_link_is_nobody_s_staff(region: Region) -> None:
    subject = region.study().subject
    demand(region)
    bearer = replace(
        region.ada.actor, kind="link", id="a-link", user_id=None, roles=frozenset({Role.BEARER})
    )
    assert decide_one(bearer, Action.IMAGES, subject, at=NOW).basis.rule == Rule.NO_AGREEMENT


def test_a_region_that_demands_nothing_reads_no_agreement(region: Region) -> None:
    region.study()
    region.permit()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert ben_may(region) is None
    assert not [q for q in asked if q["sql"].startswith('SELECT "tenants_agreement"')]


def test_only_the_operator_records_and_each_side_reads_its_own(region: Region) -> None:
    found = sign(region)
    other = sign(region, recipient=region.lakeside)
    assert set(agreements(operator(region))) == {found, other}
    there = replace(region.admin.actor, organization_id=region.hilltop.pk)
    assert list(agreements(there)) == [found]
    with pytest.raises(NotAllowed):
        agreements(region.ben.actor)
    with pytest.raises(NotAllowed):
        end_agreement(public_id=found.public_id, why="No", by=region.olga.actor, at=NOW)
    with pytest.raises(AgreementNotFound):
        end_agreement(public_id="x", why="No", by=operator(region), at=NOW)


@pytest.mark.parametrize(
    "said",
    [
        {"ends_at": NOW},
        {"signed_for_recipient": " "},
        {"purposes": frozenset()},
        {"purposes": frozenset({Purpose.EMERGENCY})},
    ],
)
def test_half_an_agreement_is_none(region: Region, said: dict[str, Any]) -> None:
    with pytest.raises(AgreementInvalid):
        sign(region, **said)
    with pytest.raises(AgreementInvalid):
        sign(region, recipient=region.riverside)
    assert not Agreement.objects.exists()


def test_the_database_keeps_both_names_and_the_paper(region: Region) -> None:
    found = sign(region)
    for change in (
        {"signed_for_provider": ""}, {"document_sha256": ""}, {"recipient": region.riverside},
        {"ends_at": NOW - timedelta(days=1)},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Agreement.objects.filter(pk=found.pk).update(**change)


def test_settings_that_can_t_be_are_refused_and_what_opens_is_named(region: Region) -> None:
    for wrong in ({"emergency_hours": 5}, {"review_days": 0}, {"majority": 400}):
        with pytest.raises(SettingsInvalid):
            set_region(settings=replace(DEMANDED, **wrong), by=operator(region), at=NOW)
    assert region_settings() == RegionSettings()
    wide = RegionSettings(policy=ImplicitPolicy.TREATING, implied=True)
    assert DEMANDED.widened_by(wide) == ("policy", "implied", "agreements")
    assert wide.widened_by(DEMANDED) == ()
