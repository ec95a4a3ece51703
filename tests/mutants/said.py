"""Faults in what patients said: consents, proxies, members."""

from .mutant import Mutant

RULES = "sharing/consent/rules.py"
RECORDING = "sharing/consent/services/recording.py"
CHECKING = "sharing/consent/services/checking.py"
ENDING = "sharing/consent/services/ending.py"
CONSENT, VERSIONS = "tests/consent/test_consent.py", "tests/consent/test_versions.py"
PROXIES = "tests/consent/test_proxies.py"

MUTANTS = (
    Mutant(
        "all to whom a share came are told, whatever they see of it",
        "sharing/notify/sight.py",
        "if count}",
        "if count >= 0}",
        (
            (
                "tests/notify/test_telling.py::"
                "test_whom_the_patient_refuses_is_not_told_that_there_is_something_to_see"
            ),
        ),
    ),
    Mutant(
        "what waited overnight is written whatever became of it",
        "sharing/notify/digests.py",
        "if not _still_holds(line, at)]",
        "if False]",
        (
            (
                "tests/notify/test_wishes.py::"
                "test_what_waited_overnight_is_not_written_when_it_holds_no_more"
            ),
        ),
    ),
    Mutant(
        "who took one copy reads of all",
        "sharing/notify/recalls.py",
        "if makes or actor.may(Duty.READ_LOG):\n        return found",
        "if True:\n        return found",
        (
            (
                "tests/notify/test_recalls.py::"
                "test_who_took_a_copy_reads_of_their_own_and_not_of_what_colleagues_took"
            ),
        ),
    ),
    Mutant(
        "a limit in words alone is no limit",
        "sharing/fhir/consent_terms.py",
        "    if len(found) != 1:\n        raise ResourceInvalid()\n    return found[0]",
        '    return found[0] if found else (DCM, "CT")',
        (
            (
                "tests/faces/fhir/test_consents.py::"
                "test_what_cant_be_kept_as_it_was_said_is_refused_whole"
            ),
        ),
    ),
    Mutant(
        "a revoked consent is woken up",
        RULES,
        "    (_S.DRAFT, _E.ACTIVATE): _S.ACTIVE,\n",
        "    (_S.DRAFT, _E.ACTIVATE): _S.ACTIVE,\n    (_S.REVOKED, _E.ACTIVATE): _S.ACTIVE,\n",
        (f"{CONSENT}::test_revoked_leads_nowhere",),
    ),
    Mutant(
        "a refusal that turns into a permit is taken for one all along",
        RECORDING,
        "same = before.decision == said.decision",
        "same = True",
        (f"{VERSIONS}::test_a_refusal_that_turns_into_a_permit_wakes_no_share_of_before",),
    ),
    Mutant(
        "what is said to have begun earlier wakes what was withdrawn",
        RECORDING,
        "(last or 1000) + 1, since=max(said.starts_at, at))",
        "(last or 1000) + 1, since=said.starts_at)",
        (f"{VERSIONS}::test_a_consent_that_says_it_began_earlier_wakes_no_share_of_before",),
    ),
    Mutant(
        "a refusal of links refuses nobody",
        CHECKING,
        "denies and bool(indirect & {whom.kind for whom in said.named})",
        "denies and False",
        (f"{VERSIONS}::test_a_refusal_names_whom_it_refuses",),
    ),
    Mutant(
        "a version that permits less carries the old shares",
        RULES,
        "        and new.actions >= old.actions\n",
        "",
        (
            (
                f"{VERSIONS}::test_what_a_version_took_back_stays_taken_back_"
                "when_the_next_permits_it_again"
            ),
        ),
    ),
    Mutant(
        "paper needs no paper",
        RECORDING,
        "elif said.verification not in WITHOUT_DOCUMENT:",
        "elif said.verification is None:",
        (f"{CONSENT}::test_a_paper_consent_needs_its_scan",),
    ),
    Mutant(
        "any file is a signed form",
        RULES,
        "return next((kind for mark, kind in _SIGNATURES.items() if head.startswith(mark)), None)",
        "return next(iter(_SIGNATURES.values())) if head else None",
        (f"{CONSENT}::test_a_document_that_is_no_scan_is_refused_and_nothing_is_recorded",),
    ),
    Mutant(
        "speech needs no witness",
        CHECKING,
        "if said.verification == Verification.VERBAL and not said.witness:",
        "if said.verification == Verification.VERBAL and said.witness is None:",
        (f"{CONSENT}::test_a_consent_that_says_too_little_is_refused",),
    ),
    Mutant(
        "another hospital's clerk ends a consent",
        ENDING,
        ".filter(pk=consent_id, custodian_id=by.organization_id)",
        ".filter(pk=consent_id)",
        (f"{CONSENT}::test_another_hospitals_clerk_cannot_revoke_or_read_it",),
    ),
    Mutant(
        "nobody is told that a consent ended",
        ENDING,
        '    log(by.who, "consent.revoke", ended, at)\n'
        '    promise("notify.tell_revoked", at=at, consent_id=ended.pk)\n',
        '    log(by.who, "consent.revoke", ended, at)\n',
        (f"{CONSENT}::test_revoking_is_final_and_tells_those_who_lose_sight",),
    ),
    Mutant(
        "a withdrawal leaves no line in the log",
        ENDING,
        '    log(by.who, "consent.revoke", ended, at)\n',
        "",
        (f"{CONSENT}::test_revoking_is_final_and_tells_those_who_lose_sight",),
    ),
    Mutant(
        "the other guardian takes a refusal back",
        CHECKING,
        "if (before.proxy, before.performer_name) != (now.proxy,",
        "if (before.proxy, before.performer_name) == (now.proxy,",
        (f"{PROXIES}::test_of_two_guardians_who_disagree_the_one_who_refused_is_heard",),
    ),
    Mutant(
        "who can't speak speaks beside the representative",
        CHECKING,
        "if _speaking_for(patient, at).filter(incapacity=True).exists():",
        "if _speaking_for(patient, at).filter(incapacity=None).exists():",
        (f"{PROXIES}::test_who_can_t_speak_does_not_while_a_representative_does",),
    ),
    Mutant(
        "a permit may contradict itself",
        RULES,
        "return Obligation.NO_DOWNLOAD in obligations and bool(actions & LEAVING)",
        "return False",
        (f"{VERSIONS}::test_what_contradicts_itself_is_not_recorded",),
    ),
    Mutant(
        "a role that ended is still held",
        "sharing/tenants/services/acting.py",
        "held_rows = Membership.objects.filter(user=user, ended_at=None)",
        "held_rows = Membership.objects.filter(user=user)",
        ("tests/tenants/test_people.py::test_a_role_that_ended_is_gone_with_the_next_request",),
    ),
    Mutant(
        "a suspended hospital's members go on",
        "sharing/tenants/rules.py",
        "return roles & {Role.ADMINISTRATOR} if state in ENTERED else frozenset()",
        "return roles & {Role.ADMINISTRATOR} if state in ENTERED else roles",
        (
            "tests/tenants/test_moving.py::test_suspension_ends_sign_in_and_reading_at_the_next_request",
            "tests/access/test_decide.py::test_members_of_a_suspended_hospital_act_for_nobody",
        ),
    ),
    Mutant(
        "all roles count while an organization prepares",
        "sharing/tenants/rules.py",
        "return roles & {Role.ADMINISTRATOR} if state in ENTERED else frozenset()",
        "return roles if state in ENTERED else frozenset()",
        ("tests/tenants/test_moving.py::test_while_it_prepares_only_its_administrator_signs_in",),
    ),
    Mutant(
        "the fence lets the machine of one that prepares look around",
        "sharing/access/models/fencing.py",
        "return own if actor.apart else own | others",
        "return own | others",
        ("tests/tenants/test_moving.py::test_a_machine_of_one_that_prepares_tries_its_own_line",),
    ),
    Mutant(
        "the decision lets the machine of one that prepares look around",
        "sharing/access/rules/ladder.py",
        "    if ask.actor.apart:\n",
        "    if False:\n",
        ("tests/tenants/test_moving.py::test_a_machine_of_one_that_prepares_tries_its_own_line",),
    ),
    Mutant(
        "nothing comes in during a suspension",
        "sharing/tenants/rules.py",
        "kept = self.stage == OrganizationState.SUSPENDED and duty == Duty.UPLOAD",
        "kept = False",
        ("tests/tenants/test_moving.py::test_a_suspended_machine_sends_and_does_nothing_else",),
    ),
    Mutant(
        "the operator may suspend itself",
        "sharing/tenants/services/moving.py",
        "if organization.kind == Organization.Kind.OPERATOR:",
        "if False:",
        ("tests/tenants/test_moving.py::test_the_operators_own_organization_has_no_life_cycle",),
    ),
)
