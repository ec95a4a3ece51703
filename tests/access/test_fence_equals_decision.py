"""Whatever consents and shares are on file, the list shows exactly what the decision allows."""

import io
import os
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sharing.access.models import Grant, Share
from sharing.access.services import decide_many
from sharing.archive.models import Study
from sharing.archive.sql import fence_sql, rows
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState, Decision
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from tests import cast
from tests.cast import NOW, PDF, Region, make_patient, make_study

DAYS = st.integers(min_value=-3, max_value=3)
MODALITIES = st.sampled_from(["CT", "MR", "CTA"])
REACHED = [state for state in ConsentState if state != ConsentState.DRAFT]
ACTIONS = st.sampled_from([Action.DISCOVER, Action.REPORT, Action.IMAGES, Action.DOWNLOAD])

CONSENTS = st.fixed_dictionaries(
    {
        "decision": st.sampled_from(Decision),
        "to": st.sampled_from(["riverside", "hilltop", "lakeside", "ben", "named"]),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
        "forever": st.booleans(),
        "purposes": st.frozensets(
            st.sampled_from([Purpose.TREATMENT, Purpose.RESEARCH, Purpose.OPERATIONS]), min_size=1
        ),
        "actions": st.frozensets(ACTIONS, min_size=1),
        "modalities": st.frozensets(MODALITIES, max_size=2),
        "study": st.one_of(st.none(), st.integers(min_value=0, max_value=3)),
        "performer": st.sampled_from(["", "", "riverside", "lakeside"]),
        "data_from": st.one_of(st.none(), DAYS),
        "data_until": st.one_of(st.none(), DAYS),
        "state": st.sampled_from([*REACHED, *[ConsentState.ACTIVE] * 6]),
        "stranger": st.booleans(),
    }
)
STUDIES = st.fixed_dictionaries(
    {
        "day": st.one_of(st.none(), DAYS),
        "modalities": st.lists(MODALITIES, min_size=1, max_size=2, unique=True),
        "patient": st.sampled_from(["pat", "pat", "nobody"]),
    }
)
GRANTS = st.fixed_dictionaries(
    {
        "study": st.integers(min_value=0, max_value=3),
        "to": st.sampled_from(["hilltop", "lakeside", "ben"]),
        "there": st.sampled_from([None, "hilltop", "lakeside"]),
        "standing": st.booleans(),
        "review": st.one_of(st.none(), DAYS),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
        "actions": st.frozensets(ACTIONS, min_size=1),
        "revoked": st.booleans(),
        "purpose": st.sampled_from([Purpose.TREATMENT, Purpose.TREATMENT, Purpose.OPERATIONS]),
    }
)


class FenceEqualsDecision(TestCase):
    """Many small worlds: some in each run, WORLDS=1000 in a soak."""

    @settings(
        max_examples=int(os.environ.get("WORLDS", "40")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        consents=st.lists(CONSENTS, max_size=4),
        studies=st.lists(STUDIES, min_size=1, max_size=4),
        grants=st.lists(GRANTS, max_size=3),
        action=ACTIONS,
    )
    def test_the_list_is_the_decision_for_each_study(self, consents, studies, grants, action):
        world = cast.region.__wrapped__(None)
        made = [_study(world, facts) for facts in studies]
        for said in consents:
            _consent(world, made, said)
        for given_ in grants:
            _grant(world, made, given_)
        subjects = [study.subject for study in made]
        for person in (world.ada, world.mei, world.olga, world.admin, world.ben, world.cleo):
            actor = person.actor
            decisions = decide_many(actor, action, subjects, at=NOW)
            allowed = {s.pk for s, d in zip(made, decisions, strict=True) if d.allowed}
            listed = set(Study.objects.visible_to(actor, NOW, action).values_list("pk", flat=True))
            assert listed == allowed, f"{person.user.name}: {decisions}"
            assert in_sql(actor, action) == allowed, f"{person.user.name}, SQL: {decisions}"


def in_sql(actor: Actor, action: Action, at: datetime = NOW) -> set[int]:
    """The studies that pass the compiled fence, as hot paths ask."""
    fence = fence_sql(actor, action, at)
    if fence is None:
        return set()
    sql, params = fence
    return {pk for (pk,) in rows(f"SELECT id FROM archive_study WHERE {sql}", params)}  # noqa: S608


def _study(world: Region, facts: dict) -> Study:
    nobody = world.extra.get("nobody") or make_patient(world.riverside, "", name="Doe^J")
    world.extra["nobody"] = nobody
    return make_study(
        nobody if facts["patient"] == "nobody" else world.pat,
        study_date=(facts["day"] is not None and _day(facts["day"])) or None,
        modalities="|" + "|".join(facts["modalities"]) + "|",
    )


def _day(offset: int) -> date:
    return (NOW + timedelta(days=offset)).date()


def _consent(world: Region, studies: list[Study], said: dict) -> None:
    start = NOW + timedelta(days=said["start"])
    organizations = {
        "riverside": world.riverside,
        "hilltop": world.hilltop,
        "lakeside": world.lakeside,
    }
    named = studies[said["study"]] if (said["study"] or 9) < len(studies) else None
    consent = world.say(
        said["decision"],
        world.hilltop,
        organizations=(organizations[said["to"]],) if said["to"] in organizations else (),
        practitioners=(world.ben.user,) if said["to"] == "ben" else (),
        named_by_custodian=said["to"] == "named",
        starts_at=start,
        ends_at=None if said["forever"] else start + timedelta(days=said["days"]),
        purposes=said["purposes"],
        actions=said["actions"],
        modalities=said["modalities"],
        studies=frozenset({named.study_uid}) if named else frozenset(),
        performing_organizations=frozenset({said["performer"]} - {""}),
        data_from=None if said["data_from"] is None else _day(said["data_from"]),
        data_until=None if said["data_until"] is None else _day(said["data_until"]),
        patient=world.extra["nobody"] if said["stranger"] else world.pat,
        evidence=io.BytesIO(PDF),
    )
    Consent.objects.filter(pk=consent.pk).update(state=said["state"])


def _grant(world: Region, studies: list[Study], given_: dict) -> None:
    """Written as a row, because the share service would refuse most of these."""
    study = studies[given_["study"] % len(studies)]
    start = NOW + timedelta(days=given_["start"])
    to_person = given_["to"] == "ben"
    where = given_["there"] if to_person else given_["to"]
    organization = getattr(world, where) if where else None
    review = given_["review"]
    if given_["standing"] and review is None:
        review = 1
    made = Share.objects.create(
        custodian=world.riverside,
        shared_by=world.ada.user,
        to_organization=organization or world.hilltop,
        purpose=given_["purpose"],
        shared_at=start,
    )
    Grant.objects.create(
        share=made,
        custodian=world.riverside,
        patient=study.patient,
        study_uid="" if given_["standing"] else study.study_uid,
        review_by=None if review is None else NOW + timedelta(days=review),
        grantee_kind="practitioner" if to_person else "organization",
        organization=organization,
        user=world.ben.user if to_person else None,
        purpose=given_["purpose"],
        actions="|" + "|".join(sorted(given_["actions"])) + "|",
        starts_at=start,
        ends_at=start + timedelta(days=given_["days"]),
        revoked_at=NOW if given_["revoked"] else None,
    )


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_in_which_consents_were_given_changes_nothing(region: Region, order: int) -> None:
    study = region.study()
    words = [
        lambda: region.permit(region.lakeside),
        lambda: region.deny(),
        lambda: region.permit(),
    ]
    for say in words[::order]:
        say()
    allowed = [
        decision.allowed
        for person in (region.ben, region.cleo)
        for decision in decide_many(person.actor, Action.IMAGES, [study.subject], at=NOW)
    ]
    assert allowed == [False, True]


def test_the_compiled_fence_keeps_no_request_of_before(region: Region) -> None:
    """The text is shared by all of one shape; organization, person and moment are not."""
    study = region.study()
    region.permit(ends_at=NOW + timedelta(days=1))
    for person, day, seen in (
        (region.ben, 0, {study.pk}),
        (region.cleo, 0, set()),
        (region.ben, 2, set()),
        (region.ben, 0, {study.pk}),
    ):
        assert in_sql(person.actor, Action.IMAGES, NOW + timedelta(days=day)) == seen
    texts = {fence_sql(p.actor, Action.IMAGES, NOW)[0] for p in (region.ben, region.cleo)}
    assert len(texts) == 1
