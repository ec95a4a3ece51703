"""A change is a new version; what it no longer permits ends at once, and for good."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from sharing.access.models import Grant
from sharing.access.rules import Rule
from sharing.access.services import decide_one, share
from sharing.audit.models import Event
from sharing.consent.errors import ConsentInvalid
from sharing.consent.models import Consent
from sharing.consent.rules import Decision, Force, GranteeKind, Verification
from sharing.consent.services import (
    Told,
    Whom,
    amend_consent,
    ended_since,
    exclude_person,
    in_force_at,
    mark_error,
    opt_out,
    revoke_consent,
    said_by,
)
from sharing.kernel.lifecycle import NotNow
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.outbox.models import Job
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import NOW, Region, make_person

SPOKEN = Told(verification=Verification.VERBAL, witness="Olga Weiss")
LATER = NOW + timedelta(hours=1)


def may(region: Region, who: str, action: Action = Action.IMAGES, at=LATER) -> Rule | None:
    """The rung that refuses; None where it is permitted."""
    subject = region.extra["study"].subject
    found = decide_one(getattr(region, who).actor, action, subject, at=at)
    return None if found.allowed else found.basis.rule


@pytest.fixture
def permitted(region: Region) -> Consent:
    """Pat lets Riverside name who may see; Riverside named Hilltop."""
    region.extra["study"] = region.study()
    consent = region.permit(organizations=(), named_by_custodian=True)
    share(
        subjects=[region.extra["study"].subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=NOW + timedelta(days=30), note="", by=region.ada.actor, at=NOW,
    )  # fmt: skip
    return consent


def amended(region: Region, consent: Consent, at=LATER, **said) -> Consent:
    words = replace(said_by(consent), starts_at=at, **SPOKEN.as_said, **said)
    return amend_consent(consent=consent, said=words, by=region.mei.actor, at=at)


def test_a_version_that_permits_as_much_carries_the_shares_of_the_one_before(
    region: Region, permitted: Consent
) -> None:
    second = amended(region, permitted, purposes=frozenset({Purpose.TREATMENT, Purpose.OPERATIONS}))
    permitted.refresh_from_db()
    assert (second.reference, second.version, second.state) == ("C-1001", 2, "active")
    assert (permitted.state, permitted.version) == ("superseded", 1)
    assert second.supersedes == permitted
    assert may(region, "ben") is None
    assert Event.objects.filter(action="consent.amend", detail__consent="C-1001 v2").count() == 1


@pytest.mark.parametrize(
    ("less", "said"),
    [
        ({"modalities": frozenset({"MR"})}, {"modalities": frozenset()}),
        ({"actions": frozenset({Action.DISCOVER})}, {"actions": frozenset(Action.IMAGES.ladder)}),
        (
            {"purposes": frozenset({Purpose.OPERATIONS})},
            {"purposes": frozenset({Purpose.TREATMENT})},
        ),
        ({"data_until": date(2026, 1, 1)}, {"data_until": None}),
        ({"ends_at": LATER + timedelta(minutes=9)}, {"ends_at": NOW + timedelta(days=90)}),
    ],
    ids=lambda said: next(iter(said)),
)
def test_what_a_version_took_back_stays_taken_back_when_the_next_permits_it_again(
    region: Region, permitted: Consent, less: dict[str, Any], said: dict[str, Any]
) -> None:
    second = amended(region, permitted, **less)
    amended(region, second, at=LATER + timedelta(hours=1), **said)
    assert may(region, "ben", at=LATER + timedelta(hours=2)) == Rule.IMPLICIT_POLICY


def test_a_refusal_that_turns_into_a_permit_wakes_no_share_of_before(
    region: Region, permitted: Consent
) -> None:
    """The refusal is older than the share: what it permits now, it did not permit then."""
    refusal = region.deny(region.lakeside, at=NOW - timedelta(days=1))
    region.revoke(permitted, at=NOW + timedelta(minutes=1))
    assert may(region, "ben") == Rule.IMPLICIT_POLICY
    turned = amended(
        region, refusal, decision=Decision.PERMIT, named_by_custodian=True,
        ends_at=NOW + timedelta(days=90),
    )  # fmt: skip
    assert may(region, "cleo") is None
    assert may(region, "ben") == Rule.IMPLICIT_POLICY
    assert turned.since == LATER


def test_a_consent_that_says_it_began_earlier_wakes_no_share_of_before(
    region: Region, permitted: Consent
) -> None:
    region.revoke(permitted, at=NOW + timedelta(minutes=1))
    said = {"organizations": (), "named_by_custodian": True, "starts_at": NOW - timedelta(days=1)}
    consent = region.permit(at=LATER, **said)
    assert (consent.starts_at, consent.since) == (NOW - timedelta(days=1), LATER)
    assert may(region, "ben") == Rule.IMPLICIT_POLICY


def test_a_version_of_what_had_run_out_wakes_no_share_by_beginning_earlier(
    region: Region, permitted: Consent
) -> None:
    over = NOW + timedelta(days=91)
    words = replace(
        said_by(permitted), starts_at=NOW, ends_at=over + timedelta(days=9), **SPOKEN.as_said
    )
    Grant.objects.update(ends_at=over + timedelta(days=9))
    amend_consent(consent=permitted, said=words, by=region.mei.actor, at=over)
    assert may(region, "ben", at=over) == Rule.IMPLICIT_POLICY


def test_a_version_lets_no_fewer_uses_than_there_were(region: Region, permitted: Consent) -> None:
    consent = region.permit(maximum_uses=5)
    Consent.objects.filter(pk=consent.pk).update(used=4)
    with pytest.raises(ConsentInvalid):
        amended(region, consent, maximum_uses=3)
    assert amended(region, consent, maximum_uses=4).used == 4


@pytest.mark.parametrize("value", ["CT|MR", "", "C" * 65])
@pytest.mark.parametrize("axis", ["modalities", "body_regions", "labels", "studies", "series"])
def test_a_limit_is_one_word(region: Region, axis: str, value: str) -> None:
    """A list would read "CT|MR" as two words that stand together, and a decision as one."""
    with pytest.raises(ConsentInvalid):
        region.permit(**{axis: frozenset({value})})


def test_a_permit_that_turns_into_a_refusal_tells_those_who_lose_sight(
    region: Region, permitted: Consent
) -> None:
    consent = region.permit()
    amended(region, consent, decision=Decision.DENY)
    assert may(region, "ben") == Rule.CONSENT_DENIES
    for task in ("notify.tell_revoked", "notify.recall"):
        owed = Job.objects.filter(task=task).order_by("pk")
        assert owed[0].ids == {"consent_id": consent.pk}


@pytest.mark.parametrize("kind", [GranteeKind.LINK, GranteeKind.NAMED_BY_CUSTODIAN])
def test_a_refusal_names_whom_it_refuses(
    region: Region, permitted: Consent, kind: GranteeKind
) -> None:
    """Whom the custodian names and who bears a link are ways of a permit: nobody is refused."""
    with pytest.raises(ConsentInvalid):
        region.deny(others=(Whom(kind),))


def test_only_the_version_that_stands_can_be_amended_and_by_the_desk_alone(
    region: Region, permitted: Consent
) -> None:
    amended(region, permitted)
    with pytest.raises(NotNow):
        amended(region, Consent.objects.get(pk=permitted.pk))
    region.mei = region.ada
    with pytest.raises(NotAllowed):
        amended(region, Consent.objects.get(version=2))


def test_nobody_but_the_own_staff_sees_who_opted_out(region: Region, permitted: Consent) -> None:
    region.permit()
    said = opt_out(patient=region.pat, told=SPOKEN, by=region.mei.actor, at=NOW)
    assert may(region, "ben") == may(region, "cleo") == Rule.OPTED_OUT
    assert may(region, "ada") is None
    revoke_consent(consent=said, by=region.mei.actor, why="Pat asked.", at=LATER)
    assert may(region, "ben") is None


def test_a_person_whom_the_patient_excludes_sees_nothing_also_at_home(
    region: Region, permitted: Consent
) -> None:
    exclude_person(
        patient=region.pat, user=region.ada.user, told=SPOKEN, by=region.mei.actor, at=NOW
    )
    assert may(region, "ada") == Rule.PERSON_EXCLUDED
    assert may(region, "mei", Action.DISCOVER) is None
    assert may(region, "ben") is None


def test_nobody_lifts_an_exclusion_of_themselves(region: Region, permitted: Consent) -> None:
    """Pat wants Mei to see nothing: Mei, whose work it is to record consents, can't end that."""
    jan = make_person("Jan Wolf", region.riverside, Role.CLERK)
    excluded = exclude_person(
        patient=region.pat, user=region.mei.user, told=SPOKEN, by=jan.actor, at=NOW
    )
    said: dict = {"consent": excluded, "why": "Asked", "at": LATER}
    for end in (revoke_consent, mark_error):
        with pytest.raises(NotAllowed):
            end(**said, by=region.mei.actor)
    whom = {"practitioners": (region.ada.user,), "others": ()}
    words = replace(said_by(excluded), **whom, **SPOKEN.as_said)
    with pytest.raises(NotAllowed):
        amend_consent(consent=excluded, said=words, by=region.mei.actor, at=LATER)
    assert may(region, "mei", Action.DISCOVER) == Rule.PERSON_EXCLUDED
    revoke_consent(**said, by=jan.actor)
    assert may(region, "mei", Action.DISCOVER) is None


@pytest.mark.parametrize(
    "said",
    [
        {"force": Force.EXCLUSION},
        {"force": Force.OPT_OUT},
        {"force": Force.OPT_OUT, "organizations": (), "others": (Whom(GranteeKind.LINK),)},
        {"decision": Decision.PERMIT, "force": Force.OPT_OUT},
        {"obligations": frozenset({"watermark"})},
        {"decision": Decision.PERMIT, "excepted": (Whom(GranteeKind.EVERYONE),)},
        {"decision": Decision.PERMIT, "obligations": frozenset({Obligation.NO_DOWNLOAD})},
        {"decision": Decision.PERMIT, "maximum_uses": 0},
        {"decision": Decision.PERMIT, "ends_at": NOW},
    ],
)
def test_what_contradicts_itself_is_not_recorded(region: Region, said: dict) -> None:
    decision = said.pop("decision", Decision.DENY)
    absolute = {"ends_at": None, "purposes": frozenset(Purpose), "actions": frozenset(Action)}
    with pytest.raises(ConsentInvalid):
        region.say(decision, region.hilltop, **(absolute | said))
    assert not Consent.objects.exists()


def test_what_should_never_have_been_recorded_speaks_no_more(
    region: Region, permitted: Consent
) -> None:
    mark_error(consent=permitted, by=region.mei.actor, why="Another patient's form.", at=LATER)
    permitted.refresh_from_db()
    assert permitted.state == "entered_in_error"
    assert may(region, "ben") == Rule.IMPLICIT_POLICY
    with pytest.raises(NotNow):
        mark_error(consent=permitted, by=region.mei.actor, why="Twice.", at=LATER)


def test_how_many_were_in_force_at_a_moment_counts_what_spoke_then(
    region: Region, permitted: Consent
) -> None:
    """C-1001 is amended after an hour, its second version withdrawn after two; another runs on."""
    second = amended(region, permitted)
    revoke_consent(
        consent=second, by=region.mei.actor, why="Pat asked.", at=LATER + timedelta(hours=1)
    )
    wrong = region.permit(at=LATER)
    mark_error(consent=wrong, by=region.mei.actor, why="Another's form.", at=LATER)
    region.permit(at=LATER, ends_at=LATER + timedelta(days=2))
    hours = [NOW + timedelta(hours=hour) for hour in (-1, 0, 1, 1.5, 2, 24, 49)]
    assert in_force_at(region.mei.actor, hours) == [0, 1, 2, 2, 1, 1, 0]
    assert in_force_at(region.ben.actor, hours) == [0] * 7
    assert ended_since(region.mei.actor, LATER + timedelta(minutes=1)) == 1
