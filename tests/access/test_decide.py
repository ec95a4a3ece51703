"""Who sees what, told as the story of Ada, Ben, Cleo and Pat. The fence answers beside decide()."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sharing.access.errors import NotCovered, ShareInvalid
from sharing.access.rules import Decision, Rule
from sharing.access.services import decide_one, share
from sharing.archive.models import Study
from sharing.consent.rules import Verification
from sharing.consent.services import EVERYONE, Told, opt_out
from sharing.kernel.purposes import Action, Purpose
from sharing.partners.services import actor_for_token, issue_token
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor, OrganizationState, Role
from tests.cast import NOW, Region, make_patient, make_person, make_study

DAY = timedelta(days=1)


def asked(actor: Actor, study: Study, action: Action = Action.IMAGES, at=NOW) -> Decision:
    """The decision; fails when the fence says otherwise."""
    decision = decide_one(actor, action, study.subject, at=at)
    fenced = Study.objects.visible_to(actor, at, action).filter(pk=study.pk).exists()
    assert fenced == decision.allowed, f"fence {fenced}, decision {decision}"
    return decision


def test_ada_sees_her_own_hospitals_study(region: Region) -> None:
    decision = asked(region.ada.actor, region.study())
    assert decision.basis.rule == Rule.OWN_STAFF


def test_nobody_else_sees_anything_while_no_consent_is_on_file(region: Region) -> None:
    study = region.study()
    for stranger in (region.ben, region.cleo):
        assert asked(stranger.actor, study).basis.rule == Rule.IMPLICIT_POLICY


def test_ben_sees_the_study_when_pat_permits_hilltop_and_is_told_why(region: Region) -> None:
    region.permit()
    decision = asked(region.ben.actor, region.study())
    assert decision.allowed
    assert decision.reason == (
        "Patient permitted Hilltop Family Clinic for treatment, until 22 Feb 2027"
    )
    assert decision.basis.consent == "C-1001 v1"


def test_cleo_still_sees_nothing_when_pat_permits_hilltop(region: Region) -> None:
    region.permit()
    assert not asked(region.cleo.actor, region.study()).allowed


def test_ben_loses_sight_of_the_study_when_pat_revokes(region: Region) -> None:
    consent, study = region.permit(), region.study()
    assert asked(region.ben.actor, study).allowed
    region.revoke(consent)
    assert not asked(region.ben.actor, study).allowed


def test_a_permit_ends_at_its_last_moment_and_not_before(region: Region) -> None:
    consent, study = region.permit(), region.study()
    assert consent.ends_at is not None
    assert asked(region.ben.actor, study, at=consent.ends_at - timedelta(seconds=1)).allowed
    assert not asked(region.ben.actor, study, at=consent.ends_at).allowed


def test_a_permit_does_not_work_before_it_begins(region: Region) -> None:
    region.permit(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    study = region.study()
    assert not asked(region.ben.actor, study).allowed
    assert asked(region.ben.actor, study, at=NOW + DAY).allowed


@pytest.mark.parametrize("deny_first", [True, False])
def test_a_deny_overrides_a_permit_whatever_the_order(region: Region, deny_first: bool) -> None:
    words = [region.deny, region.permit] if deny_first else [region.permit, region.deny]
    for say in words:
        say()
    decision = asked(region.ben.actor, region.study())
    assert decision.basis.rule == Rule.CONSENT_DENIES
    assert decision.reason == "Patient refused Hilltop Family Clinic for treatment"


def test_a_deny_does_not_keep_the_custodians_own_staff_away(region: Region) -> None:
    region.deny(region.riverside)
    assert asked(region.ada.actor, region.study()).allowed


def test_an_opt_out_leaves_the_images_to_the_own_doctors_and_the_desk_knows_of_them(
    region: Region,
) -> None:
    """Ada treats; Mei and the archive's machine keep it, and are no staff that treats."""
    study, machines = region.study(), {}
    for purpose in (Purpose.TREATMENT, Purpose.OPERATIONS):
        secret = issue_token(
            organization=region.riverside, name=purpose, scopes=["dicomweb.read"], at=NOW,
            purpose=purpose,
        )  # fmt: skip
        machines[purpose] = actor_for_token(secret, at=NOW)
    desk = [region.mei.actor, machines[Purpose.OPERATIONS]]
    assert all(asked(actor, study).allowed for actor in desk)
    spoken = Told(verification=Verification.VERBAL, witness="Tom Reis")
    opt_out(patient=region.pat, told=spoken, by=region.mei.actor, at=NOW)
    for actor in (region.ada.actor, machines[Purpose.TREATMENT]):
        assert asked(actor, study).allowed
    for actor in desk:
        assert asked(actor, study, Action.DISCOVER).basis.rule == Rule.OWN_STAFF
        assert asked(actor, study, Action.REPORT).basis.rule == Rule.OPTED_OUT
        assert asked(actor, study).basis.rule == Rule.OPTED_OUT
    assert asked(region.olga.actor, study, Action.DISCOVER).allowed


def test_a_permit_to_read_reports_shows_no_images(region: Region) -> None:
    region.permit(actions=frozenset(Action.REPORT.ladder))
    study = region.study()
    assert asked(region.ben.actor, study, Action.REPORT).allowed
    assert not asked(region.ben.actor, study, Action.IMAGES).allowed


def test_a_permit_for_treatment_never_serves_research(region: Region) -> None:
    region.permit()
    researching = replace(region.ben.actor, purpose=Purpose.RESEARCH)
    decision = asked(researching, region.study())
    assert decision.basis.rule == Rule.PURPOSE_NOT_OF_ROLE


def test_without_the_second_factor_nothing_opens(region: Region) -> None:
    decision = asked(replace(region.ada.actor, assured=False), region.study())
    assert decision.basis.rule == Rule.SECOND_FACTOR_MISSING


def test_members_of_a_suspended_hospital_act_for_nobody(region: Region) -> None:
    region.hilltop.state = OrganizationState.SUSPENDED
    region.hilltop.save()
    with pytest.raises(AssertionError):
        _ = region.ben.actor


def test_the_administrator_sees_no_study_at_all(region: Region) -> None:
    decision = asked(region.admin.actor, region.study(), Action.DISCOVER)
    assert decision.basis.rule == Rule.ACTION_NOT_OF_ROLE


def test_the_region_s_operator_sees_no_study_at_all(region: Region) -> None:
    """Not the own organization's, and not what is permitted to everybody."""
    operator = make_person("Otto Reg", region.riverside, Role.OPERATOR)
    region.permit(organizations=(), others=(EVERYONE,), purposes=frozenset({Purpose.OPERATIONS}))
    assert not asked(operator.actor, region.study(), Action.DISCOVER).allowed


def test_the_privacy_officer_knows_of_the_study_and_sees_no_image(region: Region) -> None:
    study = region.study()
    assert asked(region.olga.actor, study, Action.DISCOVER).allowed
    assert not asked(region.olga.actor, study, Action.IMAGES).allowed


def test_a_permit_for_one_study_shows_no_other(region: Region) -> None:
    named, other = region.study(), region.study()
    region.permit(studies=frozenset({named.study_uid}))
    assert asked(region.ben.actor, named).allowed
    assert not asked(region.ben.actor, other).allowed


def test_a_permit_for_ct_shows_no_mr(region: Region) -> None:
    region.permit(modalities=frozenset({"CT"}))
    assert asked(region.ben.actor, region.study(modalities="|SR|CT|")).allowed
    assert not asked(region.ben.actor, region.study(modalities="|MR|")).allowed
    assert not asked(region.ben.actor, region.study(modalities="|CTA|")).allowed


def test_a_permit_for_a_time_shows_no_earlier_and_no_undated_study(region: Region) -> None:
    region.permit(data_from=date(2026, 1, 1), data_until=date(2026, 12, 31))
    assert asked(region.ben.actor, region.study(study_date=date(2026, 1, 1))).allowed
    assert not asked(region.ben.actor, region.study(study_date=date(2025, 12, 31))).allowed
    assert not asked(region.ben.actor, region.study(study_date=None)).allowed


def test_what_pat_permits_shows_nothing_of_another_patient(region: Region) -> None:
    region.permit()
    neighbour = make_patient(region.riverside, "RV-2", name="Okafor^Amara")
    assert not asked(region.ben.actor, region.study(neighbour)).allowed


def test_the_same_study_at_another_custodian_is_another_study(region: Region) -> None:
    region.permit()
    elsewhere = make_patient(region.lakeside, "LS-1")
    study = make_study(elsewhere, study_uid=region.study().study_uid)
    assert not asked(region.ben.actor, study).allowed
    assert asked(region.cleo.actor, study).allowed


def test_a_patient_without_an_identifier_is_visible_to_the_custodian_only(region: Region) -> None:
    nobody = make_patient(region.riverside, "")
    region.permit(patient=nobody)
    study = region.study(nobody)
    assert asked(region.ben.actor, study).basis.rule == Rule.IDENTITY_UNCERTAIN
    assert asked(region.ada.actor, study).allowed


def shared(region: Region, *studies: Study, until=NOW + 30 * DAY) -> None:
    """Ada shares with Hilltop."""
    share(
        subjects=[study.subject for study in studies],
        to=region.hilltop,
        purpose=Purpose.TREATMENT,
        until=until,
        note="Second opinion on the nodule.",
        by=region.ada.actor,
        at=NOW,
    )


def test_a_share_opens_nothing_that_no_consent_carries(region: Region) -> None:
    study = region.study()
    with pytest.raises(NotCovered):
        shared(region, study)
    assert not asked(region.ben.actor, study).allowed


def test_a_share_carried_by_a_permit_to_name_physicians_opens_that_study_only(
    region: Region,
) -> None:
    named, other = region.study(), region.study()
    region.permit(organizations=(), named_by_custodian=True)
    assert not asked(region.ben.actor, named).allowed
    shared(region, named)
    decision = asked(region.ben.actor, named)
    assert decision.reason == "Shared by Ada Brandt as the patient permitted, until 24 Dec 2026"
    assert not asked(region.ben.actor, other).allowed
    assert not asked(region.cleo.actor, named).allowed


def test_a_share_ends_with_the_consent_that_carries_it(region: Region) -> None:
    study = region.study()
    consent = region.permit(organizations=(), named_by_custodian=True)
    shared(region, study)
    region.revoke(consent)
    assert not asked(region.ben.actor, study).allowed


def test_a_share_ends_by_itself(region: Region) -> None:
    study = region.study()
    region.permit(organizations=(), named_by_custodian=True)
    shared(region, study, until=NOW + DAY)
    assert asked(region.ben.actor, study, at=NOW + DAY - timedelta(seconds=1)).allowed
    assert not asked(region.ben.actor, study, at=NOW + DAY).allowed


def test_a_share_of_two_where_one_is_not_covered_shares_neither(region: Region) -> None:
    covered, other = region.study(), region.study()
    region.permit(organizations=(), named_by_custodian=True, studies=frozenset({covered.study_uid}))
    with pytest.raises(NotCovered):
        shared(region, covered, other)
    assert not asked(region.ben.actor, covered).allowed


def test_a_clerk_cannot_share_and_ben_cannot_share_on(region: Region) -> None:
    study = region.study()
    region.permit()
    for actor, error in ((region.mei.actor, NotAllowed), (region.ben.actor, NotCovered)):
        with pytest.raises(error):
            share(
                subjects=[study.subject],
                to=region.lakeside,
                purpose=Purpose.TREATMENT,
                until=NOW + DAY,
                note="",
                by=actor,
                at=NOW,
            )
    assert not asked(region.cleo.actor, study).allowed


def test_a_share_with_the_own_hospital_or_into_the_past_is_refused(region: Region) -> None:
    study = region.study()
    region.permit()
    for to, until in ((region.riverside, NOW + DAY), (region.hilltop, NOW)):
        with pytest.raises(ShareInvalid):
            share(
                subjects=[study.subject],
                to=to,
                purpose=Purpose.TREATMENT,
                until=until,
                note="",
                by=region.ada.actor,
                at=NOW,
            )


def test_a_purpose_that_pat_did_not_name_opens_nothing(region: Region) -> None:
    """Hugo may act for both; each session declares one."""
    hugo = make_person("Hugo Lind", region.hilltop, Role.PHYSICIAN, Role.RESEARCHER)
    study = region.study()
    region.permit()
    assert asked(hugo.acting_for(Purpose.TREATMENT), study).allowed
    assert not asked(hugo.acting_for(Purpose.RESEARCH), study).allowed
    region.permit(purposes=frozenset({Purpose.RESEARCH}))
    assert asked(hugo.acting_for(Purpose.RESEARCH), study).allowed
