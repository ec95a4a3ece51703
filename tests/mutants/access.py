"""Faults in the decision, the fence, sharing and emergencies."""

from .mutant import Mutant

LADDER = "sharing/access/rules/ladder.py"
FACTS = "sharing/access/rules/facts.py"
FENCING = "sharing/access/models/fencing.py"
GRANTS = "sharing/access/models/grants.py"
GLASS = "sharing/access/rules/glass.py"
EMERGENCY = "sharing/access/services/emergency.py"
SHARING = "sharing/access/services/sharing.py"
ASKING = "sharing/access/services/asking.py"
TEAMS = "sharing/tenants/services/past.py"
DECIDE, SHARE = "tests/access/test_decide.py", "tests/access/test_sharing.py"
BREAK, ASK, LINK = (f"tests/access/test_{name}.py" for name in ("emergency", "asking", "links"))
VERSIONS, PROXIES = "tests/consent/test_versions.py", "tests/consent/test_proxies.py"
GROUPS = "tests/tenants/test_groups.py"

DECISION = (
    Mutant(
        "the list forgets whose the study is",
        FENCING,
        "own = Q(organization_id=actor.organization_id)",
        "own = Q(organization_id__isnull=False)",
        (f"{DECIDE}::test_nobody_else_sees_anything_while_no_consent_is_on_file",),
    ),
    Mutant(
        "everybody is the custodian's own staff",
        LADDER,
        "if not is_own(ask.actor) or ask.actor.organization_id != ask.subject.custodian_id:",
        "if not is_own(ask.actor):",
        (f"{DECIDE}::test_nobody_else_sees_anything_while_no_consent_is_on_file",),
    ),
    Mutant(
        "the own desk looks in spite of an opt-out",
        LADDER,
        "return actor.purpose != Purpose.TREATMENT and action != Action.DISCOVER",
        "return False",
        (
            f"{DECIDE}::test_an_opt_out_leaves_the_images_to_the_own_doctors_and_the_desk_knows_of_them",
        ),
    ),
    Mutant(
        "the list shows the own desk what it may not look at",
        FENCING,
        "        own &= ~Q(_opted_out(actor, at))\n",
        "        own &= ~Q(pk__in=[])\n",
        (
            f"{DECIDE}::test_an_opt_out_leaves_the_images_to_the_own_doctors_and_the_desk_knows_of_them",
        ),
    ),
    Mutant(
        "a machine or a bearer is staff",
        LADDER,
        "return actor.purpose in OWN_STAFF_PURPOSES and Role.BEARER not in actor.roles",
        "return actor.purpose in OWN_STAFF_PURPOSES",
        (f"{LINK}::test_a_link_opens_what_was_given_by_it_and_nothing_else",),
    ),
    Mutant(
        "the denial's rung is gone",
        LADDER,
        "    denied,\n    held_back,",
        "    held_back,",
        (f"{DECIDE}::test_a_deny_overrides_a_permit_whatever_the_order",),
    ),
    Mutant(
        "the opt-out's rung is gone",
        LADDER,
        "    opted_out,\n    emergency,",
        "    emergency,",
        (
            f"{BREAK}::test_it_overrides_a_denial_but_neither_an_absolute_refusal_nor_a_gate",
            f"{VERSIONS}::test_nobody_but_the_own_staff_sees_who_opted_out",
        ),
    ),
    Mutant(
        "nobody is excluded from emergencies",
        LADDER,
        "    for consent, _ in _binding(ask, facts, Force.EXCLUSION):",
        "    for consent, _ in () if facts.glasses else _binding(ask, facts, Force.EXCLUSION):",
        (f"{BREAK}::test_it_overrides_a_denial_but_neither_an_absolute_refusal_nor_a_gate",),
    ),
    Mutant(
        "the list overrides exclusions in emergencies",
        FENCING,
        "~Q(Exists(_denials(actor, at).exclude(_LESS)))",
        "Q(pk__isnull=False)",
        (f"{BREAK}::test_it_overrides_a_denial_but_neither_an_absolute_refusal_nor_a_gate",),
    ),
    Mutant(
        "own staff stand before exclusions",
        LADDER,
        "    excluded,\n    own_staff,",
        "    own_staff,\n    excluded,",
        (f"{VERSIONS}::test_a_person_whom_the_patient_excludes_sees_nothing_also_at_home",),
    ),
    Mutant(
        "the second factor is not asked for",
        LADDER,
        "if not actor.assured:",
        "if not actor.assured and actor.user_id is None:",
        (f"{DECIDE}::test_without_the_second_factor_nothing_opens",),
    ),
    Mutant(
        "a permit serves any purpose",
        FACTS,
        "            and ask.actor.purpose in self.purposes\n            and self.usable(",
        "            and self.usable(",
        (f"{DECIDE}::test_a_purpose_that_pat_did_not_name_opens_nothing",),
    ),
    Mutant(
        "a permit is used once too often",
        FACTS,
        "self.maximum_uses is None or self.used < self.maximum_uses",
        "self.maximum_uses is None or self.used <= self.maximum_uses",
        (("tests/access/test_uses.py::test_a_permit_for_two_uses_opens_twice_and_then_no_more"),),
    ),
    Mutant(
        "a permit lasts a moment too long",
        FACTS,
        "return begun and at < ends",
        "return begun and at <= ends",
        (f"{DECIDE}::test_a_permit_ends_at_its_last_moment_and_not_before",),
    ),
    Mutant(
        "the list lets a permit last a moment too long",
        "sharing/consent/models/said.py",
        "Q(ends_at=None) | Q(ends_at__gt=at)",
        "Q(ends_at=None) | Q(ends_at__gte=at)",
        (f"{DECIDE}::test_a_permit_ends_at_its_last_moment_and_not_before",),
    ),
    Mutant(
        "who spoke for the patient speaks for ever",
        FACTS,
        "min(self.ends_at or FOREVER, self.lapses_at or FOREVER)",
        "self.ends_at or FOREVER",
        (
            (
                f"{PROXIES}::test_a_parent_s_consent_ends_on_the_birthday_"
                "and_waits_for_the_patient_s_own_word"
            ),
        ),
    ),
    Mutant(
        "the list forgets lapses_at",
        "sharing/consent/models/said.py",
        "            Q(lapses_at=None) | Q(lapses_at__gt=at),\n",
        "",
        (
            (
                f"{PROXIES}::test_a_parent_s_consent_ends_on_the_birthday_"
                "and_waits_for_the_patient_s_own_word"
            ),
        ),
    ),
    Mutant(
        "an uncertain identity is as good as any",
        LADDER,
        "    uncertain_identity,\n",
        "",
        (f"{DECIDE}::test_a_patient_without_an_identifier_is_visible_to_the_custodian_only",),
    ),
    Mutant(
        "the list shows whose identity is uncertain",
        FENCING,
        "Q(patient__certain=True) & ",
        "",
        (f"{DECIDE}::test_a_patient_without_an_identifier_is_visible_to_the_custodian_only",),
    ),
    Mutant(
        "a study without a date lies in every period",
        "sharing/access/rules/axes.py",
        "return unknown\n",
        "return True\n",
        (f"{DECIDE}::test_a_permit_for_a_time_shows_no_earlier_and_no_undated_study",),
    ),
    Mutant(
        "a decision is kept for the next request",
        "sharing/archive/services/finding.py",
        "    if rows(query, [public_id, *params]):\n        return True\n",
        '    kept = still_allowed.__dict__.setdefault("kept", set())\n'
        "    if (actor.id, public_id) in kept or rows(query, [public_id, *params]):\n"
        "        kept.add((actor.id, public_id))\n"
        "        return True\n",
        ("tests/audit/test_log.py::test_the_pulse_stops_when_pat_revokes",),
    ),
    Mutant(
        "who left a team is still in it",
        TEAMS,
        "return TeamMember.objects.filter(team__in=teams, ended_at=None)",
        "return TeamMember.objects.filter(team__in=teams)",
        (f"{GROUPS}::test_a_consent_for_a_team_means_who_is_in_it_at_that_moment",),
    ),
    Mutant(
        "an organization widens what the region says",
        LADDER,
        "policy = tightest(facts.region.policy, ask.subject.policy)",
        "policy = ask.subject.policy or facts.region.policy",
        (f"{GROUPS}::test_a_region_that_tightens_binds_those_who_were_wider",),
    ),
)

SHARES = (
    Mutant(
        "a share wakes up under a later consent",
        LADDER,
        "return (consent.since or consent.starts_at) <= (grant.rooted_at or grant.starts_at)",
        "return True",
        (
            (
                "tests/attacks/test_consents.py::"
                "test_a_new_consent_wakes_no_share_that_the_patient_ended"
            ),
        ),
    ),
    Mutant(
        "what was shared on outlives what carried its root",
        LADDER,
        "<= (grant.rooted_at or grant.starts_at)",
        "<= grant.starts_at",
        (
            (
                "tests/oracle/test_findings.py::test_what_was_shared_on_ends_with_"
                "the_consent_that_carried_the_share_it_came_from"
            ),
        ),
    ),
    Mutant(
        "a share on lasts longer than the own grant",
        SHARING,
        "if wanted.until > grant.ends_at:",
        "if wanted.standing and wanted.until > grant.ends_at:",
        (f"{SHARE}::test_sharing_on_never_widens",),
    ),
    Mutant(
        "a share on gives what the sharer has not",
        SHARING,
        "for action in wanted.actions if action not in grant.action_set",
        "for action in () if action not in grant.action_set",
        (f"{SHARE}::test_sharing_on_never_widens",),
    ),
    Mutant(
        "one covered study carries all others",
        SHARING,
        "any(covered) if wanted.standing else all(covered)",
        "any(covered)",
        (f"{DECIDE}::test_a_share_of_two_where_one_is_not_covered_shares_neither",),
    ),
    Mutant(
        "what was shared on outlives the share",
        "sharing/access/services/ending.py",
        "level = _locked(Grant.objects.filter(parent__in=keys, revoked_at=None))",
        "level = []",
        (f"{SHARE}::test_ending_a_share_ends_all_that_was_shared_on_out_of_it",),
    ),
    Mutant(
        "a standing share needs no review",
        FACTS,
        "reviewed = self.review_by is None or at < self.review_by",
        "reviewed = self.review_by is None or at <= self.review_by",
        (f"{SHARE}::test_a_standing_share_rests_at_the_very_moment_its_review_is_overdue",),
    ),
    Mutant(
        "a grant is for any purpose",
        FACTS,
        "            and self.purpose == ask.actor.purpose\n",
        "",
        (f"{SHARE}::test_a_share_serves_the_purpose_that_it_names",),
    ),
    Mutant(
        "the bearer of a link sees what other links gave",
        GRANTS,
        "grantee_kind=GranteeKind.LINK, share__public_id=actor.id",
        "grantee_kind=GranteeKind.LINK",
        (f"{LINK}::test_the_list_of_a_bearer_holds_what_was_given_by_that_link",),
    ),
    Mutant(
        "a grant to a person follows them to their other house",
        "sharing/access/rules/parties.py",
        "return self.organization_id in (None, actor.organization_id)",
        "return self.user_id is not None or self.organization_id in (None, actor.organization_id)",
        (f"{SHARE}::test_who_was_named_sees_it_at_the_named_organization_only",),
    ),
    Mutant(
        "the desk is told of patients that exist only",
        ASKING,
        '    promise("notify.tell_asked", at=at, request_id=made.pk)\n',
        "    if patient is not None:\n"
        '        promise("notify.tell_asked", at=at, request_id=made.pk)\n',
        (
            (
                f"{ASK}::test_the_answer_to_who_asks_is_the_same_"
                "whether_or_not_there_is_such_a_patient"
            ),
        ),
    ),
    Mutant(
        "one more question than a day allows",
        ASKING,
        "if lately.count() >= ASKS_A_DAY:",
        "if lately.count() > ASKS_A_DAY:",
        (f"{ASK}::test_nobody_asks_their_way_through_a_list",),
    ),
)

EMERGENCIES = (
    Mutant(
        "machines break the glass",
        GLASS,
        'person = actor.kind == "user" and not actor.by_token',
        "person = True",
        (f"{BREAK}::test_only_people_who_treat_may_and_never_a_machine",),
    ),
    Mutant(
        "an app sees by its person's emergency, in lists",
        "sharing/access/fence.py",
        "token=0 if token else None",
        "token=None",
        (f"{BREAK}::test_an_app_that_acts_for_somebody_sees_nothing_by_their_emergency",),
    ),
    Mutant(
        "an emergency gives copies",
        GLASS,
        "return action in LOOKING and may_break(actor)",
        "return may_break(actor)",
        (f"{BREAK}::test_it_overrides_a_denial_but_neither_an_absolute_refusal_nor_a_gate",),
    ),
    Mutant(
        "one physician's emergency opens the list to all",
        FENCING,
        "Glass.objects.lasting(at).of(actor)",
        "Glass.objects.lasting(at)",
        (f"{BREAK}::test_it_is_for_one_person_one_patient_and_some_hours",),
    ),
    Mutant(
        "an overdue review blocks nobody",
        EMERGENCY,
        "        raise GlassBlocked()\n",
        "        pass\n",
        (f"{BREAK}::test_an_overdue_review_blocks_the_next_one_until_it_is_closed",),
    ),
    Mutant(
        "one emergency more than a day allows",
        EMERGENCY,
        "if lately.count() >= most:",
        "if lately.count() > most:",
        (f"{BREAK}::test_the_region_says_how_often_a_day",),
    ),
    Mutant(
        "officers judge their own emergency",
        EMERGENCY,
        "if review is None or review.glass.user_id == by.user_id:",
        "if review is None:",
        (f"{BREAK}::test_nobody_else_reviews_and_nobody_their_own",),
    ),
    Mutant(
        "nobody is told of an emergency",
        EMERGENCY,
        '    promise("notify.tell_glass", at=at, glass_id=glass.pk)\n',
        "",
        (f"{BREAK}::test_both_privacy_officers_are_promised_in_the_same_transaction_and_told",),
    ),
    Mutant(
        "any word is a reason",
        EMERGENCY,
        "if len(emergency.words.strip()) < LEAST_WORDS:",
        "if not emergency.words:",
        (f"{BREAK}::test_without_proof_attestation_reason_or_end_nothing_opens",),
    ),
)

MUTANTS = (*DECISION, *SHARES, *EMERGENCIES)
