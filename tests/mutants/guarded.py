"""Faults in what outlives a consent, a share or a role: recalls, bells, shares that rest."""

from .mutant import Mutant

RECALLS = "sharing/notify/recalls.py"
DOORS = "tests/attacks/test_new_doors.py"
SHARE, SCIM = "tests/access/test_sharing.py", "tests/faces/scim/test_scim.py"
SUSPENDED = f"{SHARE}::test_what_a_suspended_organization_shared_on_opens_nothing_until_it_resumes"
READS = "tests/faces/dicomweb/test_obligations.py"
BREAK = "tests/access/test_emergency.py"
RECALL, POSTS = "tests/notify/test_recalls.py", "tests/tenants/test_posts.py"

MUTANTS = (
    Mutant(
        "one who took a copy answers for the whole house",
        RECALLS,
        "    if actor.may(Duty.GUARD):\n        return copies\n    mine",
        "    if actor.may(Duty.GUARD) or recall.organization_id:\n        return copies\n    mine",
        (
            f"{RECALL}::test_who_took_a_copy_answers_for_their_own_and_the_recall_waits_for_the_others",
        ),
    ),
    Mutant(
        "a recall is closed with its first answer",
        RECALLS,
        "    if state == RecallState.WAITING:\n        return\n    whys",
        "    whys",
        (
            f"{RECALL}::test_who_took_a_copy_answers_for_their_own_and_the_recall_waits_for_the_others",
        ),
    ),
    Mutant(
        "a share that rests can't be ended",
        "sharing/access/services/ending.py",
        "_ours(actor, Grant.objects.unended(at)).filter(public_id=public_id)",
        "_ours(actor, Grant.objects.live(at)).filter(public_id=public_id)",
        ("tests/access/test_renewing.py::test_a_share_that_rests_is_ended_by_who_gave_it",),
    ),
    Mutant(
        "an organization's machine is told of a share that opens nothing",
        "sharing/notify/delivering.py",
        "if to is not None and in_sight(share, to, recipients(share, to), at=at):",
        "if to is not None:",
        (
            "tests/notify/test_webhooks.py::test_a_share_of_which_nothing_is_seen_any_more_is_told_to_the_custodian_alone",
        ),
    ),
    Mutant(
        "the last role ends, and what was given by name waits for the next one",
        "sharing/tenants/services/people.py",
        "    roles_ended([membership.role], **whose, at=at)\n",
        "",
        (f"{POSTS}::test_with_the_last_role_that_treats_ends_what_was_given_by_name",),
    ),
    Mutant(
        "what a suspended organization shared on stays open in lists",
        "sharing/access/models/fencing.py",
        "Grant.objects.live(at).meaning(actor).coming_through()",
        "Grant.objects.live(at).meaning(actor)",
        (SUSPENDED,),
    ),
    Mutant(
        "what a suspended organization shared on stays open to who asks for it",
        "sharing/access/rules/facts.py",
        "            and self.through_active\n",
        "",
        (SUSPENDED,),
    ),
    Mutant(
        "only the last one through whom a share came must be active",
        "sharing/access/services/sharing.py",
        "sorted({by.organization_id, *ways.get(grant.parent_id or 0, ())})",
        "[by.organization_id]",
        (SUSPENDED,),
    ),
    Mutant(
        "a sign-in that was asked to prompt is believed without a word of when",
        "portal/oidc.py",
        "if asked is not None and (said is None or said < asked - CLOCKS_DIFFER):",
        "if asked is not None and said is not None and said < asked - CLOCKS_DIFFER:",
        (f"{DOORS}::test_what_a_sign_in_says_is_believed_and_what_was_asked_of_it_is_not",),
    ),
    Mutant(
        "a passkey is added by whoever sits there",
        "portal/stepup.py",
        '"mfa_add_webauthn", ',
        "",
        (f"{DOORS}::test_who_finds_a_desk_that_was_left_adds_no_key_of_their_own",),
    ),
    Mutant(
        "a narrower version recalls nothing",
        "sharing/consent/services/recording.py",
        "    if narrowed:\n",
        "    if narrowed and said.decision == Decision.DENY:\n",
        (
            f"{RECALL}::test_what_a_narrower_version_no_longer_covers_is_recalled_and_nothing_else",
            f"{RECALL}::test_a_version_that_gives_fewer_actions_to_fewer_people_for_less_recalls_the_copy",
        ),
    ),
    Mutant(
        "a narrower version recalls what it still covers",
        RECALLS,
        "if newest is None or not is_covered(copy, newest, at=at))",
        "if newest is None or newest.pk > 0)",
        (f"{RECALL}::test_what_a_narrower_version_no_longer_covers_is_recalled_and_nothing_else",),
    ),
    Mutant(
        "an emergency goes before what the patient permits",
        "sharing/access/rules/ladder.py",
        "if not open_now or decide(ask, replace(facts, glasses=())).allowed:",
        "if not open_now:",
        (
            f"{BREAK}::test_in_an_emergency_a_permit_decides_where_it_permits_with_all_that_it_obliges_to",
        ),
    ),
    Mutant(
        "who shares on reads what the patient refused others",
        "sharing/access/services/foreseeing.py",
        "        if organization_id == self.subject.custodian_id:\n",
        "        if organization_id:\n",
        (f"{SHARE}::test_who_shares_on_learns_whether_and_not_why_not_nor_who_sees_it_already",),
    ),
    Mutant(
        "a directory ends whom the house invited from elsewhere",
        "sharing/tenants/services/provisioning.py",
        'ours |= Q(user__email__iendswith=f"@{domain}")',
        "ours |= Q(user__isnull=False) & ~Q(user__name=domain)",
        (f"{SCIM}::test_whom_the_house_invited_from_elsewhere_no_directory_raises_or_ends",),
    ),
    Mutant(
        "what is refused later is recalled from nobody",
        "sharing/consent/services/recording.py",
        "    if consent.decision == Decision.DENY:\n",
        "    if consent.decision is None:\n",
        (f"{RECALL}::test_what_the_patient_refuses_now_is_recalled_from_whom_the_refusal_means",),
    ),
    Mutant(
        "a refusal recalls what everybody took",
        "sharing/notify/outside.py",
        "        return bool(facts.names(ask.actor))\n",
        "        return True\n",
        (f"{RECALL}::test_what_the_patient_refuses_now_is_recalled_from_whom_the_refusal_means",),
    ),
    Mutant(
        "what is read in an emergency repeats what a consent permitted before",
        "sharing/access/fence.py",
        "AND g.state = 'open'))",
        "AND g.state = 'shut'))",
        (f"{READS}::test_what_is_read_in_an_emergency_after_a_withdrawal_is_logged_as_that",),
    ),
    Mutant(
        "who is excluded lifts it themselves",
        "sharing/consent/services/ending.py",
        "    not_what_keeps_them_away(consent, by)\n",
        "",
        ("tests/consent/test_versions.py::test_nobody_lifts_an_exclusion_of_themselves",),
    ),
    Mutant(
        "who asks about tomorrow learns what the patient refused from then on",
        "sharing/archive/services/explaining.py",
        "wanted = replace(wanted, moment=min(wanted.moment, at))",
        "wanted = replace(wanted)",
        (
            "tests/access/test_explaining.py::test_what_pat_said_of_the_time_to_come_is_told_to_the_custodian_alone",
        ),
    ),
)
