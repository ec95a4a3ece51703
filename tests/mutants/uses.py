"""Faults in the counting of uses, in marks, in what goes on, and in the shares of the REST face."""

from .mutant import Mutant

USES, USING = "sharing/access/rules/uses.py", "sharing/access/services/using.py"
FENCING, ENDING = "sharing/access/models/fencing.py", "sharing/access/services/ending.py"
LOCATING = "sharing/archive/services/locating.py"
FINDING = "sharing/archive/services/finding.py"
RENDERING = "sharing/archive/services/rendering.py"
GIFTS = "sharing/archive/services/gifts.py"
RENEWING, DUE = "sharing/access/services/renewing.py", "sharing/web/due.py"
COUNT, RENEW = "tests/access/test_uses.py", "tests/access/test_renewing.py"
DOOR, PAGE = "tests/faces/dicomweb/test_obligations.py", "tests/faces/web/test_due.py"
API, SAID = "tests/faces/api/test_shares.py", "tests/faces/api/test_consents.py"

COUNTED = (
    Mutant(
        "a use is written down and not counted",
        USING,
        'update(used=F("used") + 1)',
        'update(used=F("used"))',
        (f"{COUNT}::test_a_permit_for_two_uses_opens_twice_and_then_no_more",),
    ),
    Mutant(
        "an opening lasts a minute",
        USES,
        "LASTS = timedelta(minutes=15)",
        "LASTS = timedelta(minutes=1)",
        (f"{COUNT}::test_one_opening_is_one_use_however_many_images_it_shows",),
    ),
    Mutant(
        "the last use opens every study, in the decision",
        USES,
        "and self.study_uid == study_uid",
        "and bool(study_uid)",
        (f"{COUNT}::test_the_last_use_goes_on_for_its_own_reader_and_study_only",),
    ),
    Mutant(
        "the last use opens every study, in the list",
        FENCING,
        'number=OuterRef("number"),\n            study_uid=_study("study_uid"),',
        'number=OuterRef("number"),',
        (f"{COUNT}::test_the_last_use_goes_on_for_its_own_reader_and_study_only",),
    ),
    Mutant(
        "to find a study uses a consent up",
        USES,
        "    Action.REPORT: UseKind.LOOK,\n",
        "    Action.DISCOVER: UseKind.LOOK,\n    Action.REPORT: UseKind.LOOK,\n",
        (f"{COUNT}::test_finding_a_study_and_its_page_are_no_use",),
    ),
    Mutant(
        "a search tells what to see counts as a use",
        "sharing/archive/services/searching/finding.py",
        "images = fence_sql(actor, Action.IMAGES, at, uncounted=True)",
        "images = fence_sql(actor, Action.IMAGES, at)",
        (f"{DOOR}::test_a_search_tells_nothing_that_is_counted",),
    ),
    Mutant(
        "the patient is told twice of the same use",
        USING,
        "if found.told_at is not None:",
        "if found.told_by == how:",
        (f"{COUNT}::test_the_desk_tells_the_patient_of_each_use_and_ticks_it_off",),
    ),
)
MARKED = (
    Mutant(
        "a read that is known in the log needs no new decision on obligations",
        LOCATING,
        "        and not obliged\n",
        "",
        (f"{DOOR}::test_an_obligation_that_comes_later_binds_the_next_read",),
    ),
    Mutant(
        "machines get pixels without a mark",
        FINDING,
        'return action in LEAVING or (raw and actor.kind == "client")',
        "return action in LEAVING",
        (f"{DOOR}::test_a_machine_gets_no_bare_pixels_and_a_person_no_bare_copy",),
    ),
    Mutant(
        "a copy leaves without a mark",
        FINDING,
        'return action in LEAVING or (raw and actor.kind == "client")',
        'return raw and actor.kind == "client"',
        (f"{DOOR}::test_a_machine_gets_no_bare_pixels_and_a_person_no_bare_copy",),
    ),
    Mutant(
        "small pictures bear no mark",
        RENDERING,
        "return marked_file(picture, mark, how.media) if mark else picture",
        "return picture",
        (f"{DOOR}::test_pictures_carry_their_readers_name_all_over",),
    ),
    Mutant(
        "one reader's picture is another's by its tag",
        "sharing/dicomweb/rendered.py",
        "numbers, media, multipart, how, sorted(notes), found.mark)",
        "numbers, media, multipart, how, sorted(notes))",
        (f"{DOOR}::test_each_reader_has_a_mark_and_a_tag_of_their_own",),
    ),
)
GOING_ON = (
    Mutant(
        "a renewal gives all of a patient's studies",
        RENEWING,
        'if named & {(subject.patient_id, subject.study_uid), (subject.patient_id, "")}',
        "if named",
        (f"{RENEW}::test_a_renewal_gives_the_same_studies_and_actions_and_no_more",),
    ),
    Mutant(
        "a share that rests is woken",
        RENEWING,
        'made.grants.live(at).filter(study_uid="", parent=None)',
        'made.grants.filter(study_uid="", parent=None)',
        (f"{RENEW}::test_a_share_that_rests_is_not_woken_but_renewed",),
    ),
    Mutant(
        "a confirmation forgets what was shared on",
        RENEWING,
        "level = list(Grant.objects.live(at).filter(parent__in=keys).select_for_update())",
        "level = []",
        (f"{RENEW}::test_a_standing_share_is_confirmed_for_a_quarter_with_all_out_of_it",),
    ),
    Mutant(
        "ending a share leaves what goes on from it",
        ENDING,
        'level = set(beside.values_list("pk", flat=True)) - line',
        "level = set()",
        (f"{RENEW}::test_ending_either_ends_both_and_what_was_shared_on",),
    ),
    Mutant(
        "anybody may ask that a share goes on, and so learns of it",
        RENEWING,
        'filter(public_id=public_id, album="").filter(_has(living)).first()',
        'filter(public_id=public_id, album="").first()',
        (f"{RENEW}::test_to_whom_it_did_not_come_can_t_ask_nor_learn_of_it",),
    ),
    Mutant(
        "the way back leads where a form says",
        DUE,
        'return _STUDY.fullmatch(request.POST.get("next", "")) is not None',
        'return bool(request.POST.get("next", ""))',
        (f"{PAGE}::test_the_way_back_leads_nowhere_else",),
    ),
)
BY_REST = (
    Mutant(
        "a share is listed though its consent ended",
        GIFTS,
        'mine.filter(inside).values("share_id")',
        'mine.values("share_id")',
        (f"{API}::test_a_share_is_not_there_once_the_patient_withdrew",),
    ),
    Mutant(
        "a share names studies out of sight",
        GIFTS,
        "(grant.custodian_id, grant.study_uid) in known",
        "grant.study_uid",
        (f"{API}::test_a_share_is_not_there_once_the_patient_withdrew",),
    ),
    Mutant(
        "a machine that reads shares may write",
        "sharing/api/gate.py",
        'if actor is None or (actor.kind == "client" and request.method not in SAFE_METHODS):',
        "if actor is None:",
        (f"{API}::test_a_machine_reads_what_came_and_writes_nothing",),
    ),
    Mutant(
        "whoever is there reads consents",
        "sharing/api/consents.py",
        "if not any(actor.may(duty) for duty in READERS):",
        "if not READERS:",
        (f"{SAID}::test_another_organizations_people_meet_what_does_not_exist",),
    ),
)
MUTANTS = (*COUNTED, *MARKED, *GOING_ON, *BY_REST)
