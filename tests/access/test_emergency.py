"""Break-glass: who may, what it opens, what it never opens, who is told, and the review."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from sharing.access.errors import GlassBlocked, GlassInvalid, GlassNotFound, GlassQuota
from sharing.access.models import Glass, Review
from sharing.access.rules import (
    GLASS_NEXT,
    REVIEW_NEXT,
    GlassEvent,
    GlassReason,
    GlassState,
    ReviewEvent,
    ReviewState,
    Rule,
    review_due,
)
from sharing.access.services import (
    Emergency,
    break_glass,
    close_review,
    cut_glass,
    decide_one,
    end_glass,
    expire_glasses,
    reviews_waiting,
    use,
)
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.audit.models import Event
from sharing.consent.rules import Verification
from sharing.consent.services import Told, exclude_person, opt_out
from sharing.identity.services import PatientName
from sharing.kernel.lifecycle import NotNow, step
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.notify.models import Notice
from sharing.notify.services import tell_glass
from sharing.outbox.models import Job
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Role
from tests.cast import NOW, Person, Region, make_patient, make_person

WORDS = "Road accident, GCS 9, chest trauma."
HOUR = timedelta(hours=1)
SPOKEN = Told(verification=Verification.VERBAL, witness="Olga Weiss")


def pat(region: Region) -> PatientName:
    return PatientName(region.pat.issuer, region.pat.identifier, region.pat.birth_date)


def broken(region: Region, by: Person | None = None, **said: Any) -> Glass:
    """Ben breaks the glass for Pat, for two hours."""
    at = said.pop("at", NOW)
    values = {"patient": pat(region), "reason": GlassReason.LIFE, "words": WORDS, "hours": 2}
    emergency = Emergency(**(values | {"attested": True, "proven": True} | said))
    return break_glass(emergency=emergency, by=(by or region.ben).actor, at=at)


def may(region: Region, study: Study, action: Action = Action.IMAGES, at: Any = NOW) -> bool:
    """What the decision says of Ben; the fence must say the same."""
    said = decide_one(region.ben.actor, action, study.subject, at=at)
    listed = Study.objects.visible_to(region.ben.actor, at, action).filter(pk=study.pk).exists()
    assert listed == said.allowed
    return said.allowed


@pytest.mark.parametrize("table", [(GlassState, GlassEvent), (ReviewState, ReviewEvent)])
def test_every_state_meets_every_event(table: Any) -> None:
    states, events = table
    rows = GLASS_NEXT if states is GlassState else REVIEW_NEXT
    beginning = next(iter(states))
    for state in states:
        for event in events:
            if state == beginning:
                assert step(rows, state, event) not in (beginning, None)
            else:
                with pytest.raises(NotNow):
                    step(rows, state, event)
    assert {step(rows, beginning, event) for event in events} == set(states) - {beginning}


@pytest.mark.parametrize(
    ("said", "images"),
    [
        ("nothing", True),
        ("deny", True),
        ("exclusion", False),
        ("opt_out", False),
        ("uncertain", False),
        ("suspended", False),
    ],
)
def test_it_overrides_a_denial_but_neither_an_absolute_refusal_nor_a_gate(
    region: Region, said: str, images: bool
) -> None:
    study = region.study()
    spoken = {"patient": region.pat, "told": SPOKEN, "by": region.mei.actor, "at": region.at}
    if said == "deny":
        region.deny()
    if said == "exclusion":
        exclude_person(user=region.ben.user, **spoken)
    if said == "opt_out":
        opt_out(**spoken)
    assert not may(region, study)
    broken(region)
    if said == "uncertain":
        type(region.pat).objects.filter(pk=region.pat.pk).update(certain=False)
    if said == "suspended":
        type(region.riverside).objects.filter(pk=region.riverside.pk).update(state="suspended")
    study = Study.objects.with_owners().get(pk=study.pk)
    assert may(region, study) is images
    assert not may(region, study, Action.DOWNLOAD)
    assert not may(region, study, Action.RESHARE)


def test_in_an_emergency_a_permit_decides_where_it_permits_with_all_that_it_obliges_to(
    region: Region,
) -> None:
    """It is counted, told and marked; used up, or refused besides, the emergency opens it."""
    study = region.study()
    region.permit(maximum_uses=1, obligations=frozenset({Obligation.WATERMARK}))
    broken(region)
    ask: Any = (region.ben.actor, Action.IMAGES, study.subject)
    first = use(*ask, at=NOW)
    assert (first.basis.rule, bool(first.counted)) == (Rule.CONSENT_PERMITS, True)
    assert Obligation.WATERMARK in first.obligations
    later = NOW + timedelta(hours=1)
    assert use(*ask, at=later).basis.rule == Rule.EMERGENCY
    assert may(region, study, at=later)
    region.deny()
    assert decide_one(*ask, at=NOW).basis.rule == Rule.EMERGENCY


def test_an_app_that_acts_for_somebody_sees_nothing_by_their_emergency(region: Region) -> None:
    study = region.study()
    broken(region)
    assert may(region, study)
    app = replace(region.ben.actor, token=1, client="app-1", app="An app")
    for action in (Action.DISCOVER, Action.IMAGES):
        assert not decide_one(app, action, study.subject, at=NOW).allowed
        assert not Study.objects.visible_to(app, NOW, action).exists()


def test_it_is_for_one_person_one_patient_and_some_hours(region: Region) -> None:
    study, other = region.study(), region.study(make_patient(region.riverside, "RV-2"))
    broken(region)
    assert may(region, study, at=NOW + 2 * HOUR - timedelta(seconds=1))
    assert not may(region, study, at=NOW + 2 * HOUR)
    assert not may(region, other)
    for stranger in (region.cleo, make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN)):
        assert not decide_one(stranger.actor, Action.IMAGES, study.subject, at=NOW).allowed
        assert not Study.objects.visible_to(stranger.actor, NOW).exists()
    research = replace(region.ben.actor, purpose=Purpose.RESEARCH)
    assert not decide_one(research, Action.IMAGES, study.subject, at=NOW).allowed


def test_the_log_says_emergency_and_by_whom(region: Region) -> None:
    study = region.study()
    broken(region)
    found = open_study(region.ben.actor, public_id=study.public_id, at=NOW, action=Action.IMAGES)
    assert found.decision.basis.rule == Rule.EMERGENCY
    read = Event.objects.get(action="study.images")
    assert (read.purpose, read.rule, read.permitted) == ("ETREAT", "emergency", True)
    told = Event.objects.filter(action="glass.break", purpose="ETREAT")
    assert set(told.values_list("custodian", flat=True)) == {"riverside", "hilltop"}


@pytest.mark.parametrize(
    ("lacking", "error"),
    [
        ({"proven": False}, GlassInvalid),
        ({"attested": False}, GlassInvalid),
        ({"words": "x" + " " * 30}, GlassInvalid),
        ({"hours": 5}, GlassInvalid),
        ({"hours": 0}, GlassInvalid),
    ],
)
def test_without_proof_attestation_reason_or_end_nothing_opens(
    region: Region, lacking: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        broken(region, **lacking)
    assert not Glass.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Glass.objects.create(
            user=region.ben.user, organization=region.hilltop, reason="life", words=WORDS,
            hours=5, starts_at=NOW, ends_at=NOW + 5 * HOUR,
        )  # fmt: skip


def test_only_people_who_treat_may_and_never_a_machine(region: Region) -> None:
    ben = region.ben.actor
    nobody = [
        region.mei.actor,
        region.olga.actor,
        replace(ben, kind="client", user_id=None, roles=frozenset({Role.CLIENT})),
        replace(ben, kind="client"),  # whatever roles somebody gave it
        replace(ben, assured=False),
        replace(ben, active=False),
        replace(ben, roles=frozenset({Role.TECHNOLOGIST})),
    ]
    emergency = Emergency(pat(region), GlassReason.LIFE, WORDS, 2, attested=True, proven=True)
    for actor in nobody:
        with pytest.raises(NotAllowed):
            break_glass(emergency=emergency, by=actor, at=NOW)


def test_the_region_says_how_often_a_day(region: Region) -> None:
    for _ in range(3):
        broken(region)
    with pytest.raises(GlassQuota):
        broken(region, at=NOW + 23 * HOUR)
    assert broken(region, at=NOW + 24 * HOUR)


def test_an_overdue_review_blocks_the_next_one_until_it_is_closed(region: Region) -> None:
    broken(region)
    due = Review.objects.get()
    assert due.organization == region.riverside
    assert due.due_at == review_due(NOW, 3) > NOW + 2 * HOUR
    with pytest.raises(GlassBlocked):
        broken(region, at=due.due_at)
    assert not reviews_waiting(
        make_person("Otto Berg", region.lakeside, Role.PRIVACY_OFFICER).actor
    )
    close = {"verdict": ReviewEvent.JUSTIFY, "by": region.olga.actor, "at": due.due_at}
    with pytest.raises(GlassInvalid):
        close_review(public_id=due.public_id, remark=" ", **close)
    close_review(public_id=due.public_id, remark="Trauma team confirmed it.", **close)
    with pytest.raises(NotNow):
        close_review(public_id=due.public_id, remark="Again.", **close)
    assert broken(region, at=due.due_at)


def test_nobody_else_reviews_and_nobody_their_own(region: Region) -> None:
    both = make_person("Vera Holm", region.riverside, Role.RADIOLOGIST, Role.PRIVACY_OFFICER)
    broken(region, by=both)  # of an own patient: reviewed at home
    due = Review.objects.get()
    stranger = make_person("Otto Berg", region.lakeside, Role.PRIVACY_OFFICER)
    officer = both.acting_for(Purpose.OPERATIONS)
    for by, error in ((stranger.actor, GlassNotFound), (officer, GlassNotFound),
                      (region.ben.actor, NotAllowed)):  # fmt: skip
        with pytest.raises(error):
            close_review(
                public_id=due.public_id, verdict=ReviewEvent.JUSTIFY, remark="ok", by=by, at=NOW
            )


def test_both_privacy_officers_are_promised_in_the_same_transaction_and_told(
    region: Region,
) -> None:
    glass = broken(region)
    owed = Job.objects.get(task="notify.tell_glass")
    assert owed.ids == {"glass_id": glass.pk}
    tell_glass(**owed.ids, at=NOW)
    tell_glass(**owed.ids, at=NOW)
    notice = Notice.objects.get(user=region.olga.user)
    assert notice.text == "Ben Hartley of Hilltop Family Clinic used emergency access for 2 hours."
    # Hilltop has no officer with an account: the address it registered with is written to.
    assert {m.to[0] for m in mail.outbox} == {region.olga.user.email, "privacy@hilltop.example"}
    assert len(mail.outbox) == 2
    assert not any("RV-1" in m.body or "MOREAU" in m.body for m in mail.outbox)


END: dict[str, Callable[[Region, Glass], Any]] = {
    "ended": lambda r, g: end_glass(public_id=g.public_id, by=r.ben.actor, at=NOW + HOUR),
    "cut": lambda r, g: cut_glass(
        review_id=Review.objects.get().public_id, by=r.olga.actor, at=NOW + HOUR
    ),
    "expired": lambda r, g: expire_glasses(at=NOW + 2 * HOUR),
}


@pytest.mark.parametrize("state", END)
def test_it_ends_by_its_person_an_officer_or_the_clock_and_once(region: Region, state: str) -> None:
    study, glass = region.study(), broken(region)
    with pytest.raises(GlassNotFound):
        end_glass(public_id=glass.public_id, by=region.cleo.actor, at=NOW)
    END[state](region, glass)
    glass.refresh_from_db()
    assert glass.state == state
    assert not may(region, study, at=NOW + HOUR if state != "expired" else NOW + 2 * HOUR)
    for again in ("ended", "cut"):
        with pytest.raises(NotNow):
            END[again](region, glass)
    assert expire_glasses(at=NOW + 3 * HOUR) == 0


def test_the_reviewer_sees_that_it_was_the_own_record_or_the_family_s(region: Region) -> None:
    for name, flags in (("Pat Moreau", "|family|self|"), ("Eve Moreau", "|family|"), ("Al Li", "")):
        person = make_person(name, region.hilltop, Role.PHYSICIAN)
        assert broken(region, by=person).flags == flags


def test_for_a_patient_that_nobody_knows_it_goes_the_same_way(region: Region) -> None:
    known = broken(region)
    unknown = broken(region, patient=PatientName("1.2.3", "ZZ-9", region.pat.birth_date))
    assert not unknown.patients.exists()
    assert unknown.reviews.get().organization == region.hilltop
    same = ("hours", "state", "flags", "starts_at", "ends_at")
    assert [getattr(known, name) for name in same] == [getattr(unknown, name) for name in same]
