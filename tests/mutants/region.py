"""Faults in what holds in the region: agreements, labels, relationships, its rules."""

from .mutant import Mutant

FENCING = "sharing/access/models/fencing.py"
LADDER = "sharing/access/rules/ladder.py"
RELATING = "sharing/access/services/relating.py"
LABELLING = "sharing/archive/services/labelling.py"
AGREEMENTS, LABELS = "tests/tenants/test_agreements.py", "tests/archive/test_labels.py"
TIES, PAGES = "tests/access/test_relating.py", "tests/faces/web/test_region.py"

MUTANTS = (
    Mutant(
        "lists need no agreement",
        FENCING,
        "others &= shareable & _agreed(actor, at)",
        "others &= shareable",
        (f"{AGREEMENTS}::test_what_a_patient_permits_waits_for_the_organizations_to_agree",),
    ),
    Mutant(
        "the decision needs no agreement",
        LADDER,
        "    unagreed,\n",
        "",
        (f"{AGREEMENTS}::test_what_a_patient_permits_waits_for_the_organizations_to_agree",),
    ),
    Mutant(
        "a link goes round the agreement",
        LADDER,
        "if at_home and Role.BEARER not in ask.actor.roles:",
        "if at_home:",
        (f"{AGREEMENTS}::test_whoever_comes_by_a_link_is_nobody_s_staff",),
    ),
    Mutant(
        "a policy lists what is labelled",
        FENCING,
        ' & Q(labels="|")',
        "",
        ((f"{PAGES}::test_a_region_opened_by_policy_keeps_labelled_studies_closed_at_every_door"),),
    ),
    Mutant(
        "a rule sets again what a person lifted",
        LABELLING,
        "    lifted = _lifted(organization_id, list(wanted))",
        "    lifted: dict[tuple[str, str], datetime] = {}",
        (f"{LABELS}::test_what_a_person_lifts_no_rule_of_before_sets_again",),
    ),
    Mutant(
        "a study sent again comes without its labels",
        "sharing/archive/services/writing.py",
        "standing = restore(organization.pk, sent_anew)",
        "standing: dict[str, str] = {}",
        (f"{LABELS}::test_sending_again_never_lowers_a_label",),
    ),
    Mutant(
        "a word is found inside a word",
        "sharing/archive/sensing.py",
        "return f\" {wanted}{'' if begins else ' '}\" in f\" {within} \"",
        "return wanted in within",
        (f"{LABELS}::test_a_rule_means_what_it_says",),
    ),
    Mutant(
        "whoever labels takes labels off",
        "sharing/archive/services/labels.py",
        "duty=Duty.LIFT_LABEL",
        "duty=Duty.LABEL",
        (f"{LABELS}::test_what_a_person_lifts_no_rule_of_before_sets_again",),
    ),
    Mutant(
        "any organization ends the region's rules",
        "sharing/archive/services/label_rules.py",
        "if rule is None or not may_change(by, rule):",
        "if rule is None:",
        (
            (
                f"{LABELS}::test_an_organization_s_rules_are_its_own_and_"
                "the_region_s_are_the_operator_s"
            ),
        ),
    ),
    Mutant(
        "a referral without a person",
        RELATING,
        "if tie.kind == Kind.REFERRER and tie.person is None:",
        "if tie.kind is None:",
        (f"{TIES}::test_half_a_relationship_is_none",),
    ),
    Mutant(
        "settings are saved without a look at their effect",
        "sharing/web/region.py",
        'seen = form.cleaned_data["seen"] == _mark(now, wanted)',
        'seen = bool(form.cleaned_data["seen"])',
        (f"{PAGES}::test_nothing_is_opened_before_its_effect_was_shown_and_understood",),
    ),
)
