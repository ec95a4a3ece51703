"""Faults in what lists and searches show, and in what their counts tell."""

from .mutant import Mutant

SHOWING = "sharing/archive/services/showing.py"
STUDIES, SHOWN = "tests/faces/web/test_studies.py", "tests/archive/test_showing.py"

MUTANTS = (
    Mutant(
        "facets count over everything",
        "sharing/archive/services/listing.py",
        "        narrowed.order_by()\n        .values_list(",
        "        Study.objects.order_by()\n        .values_list(",
        (f"{STUDIES}::test_facets_count_only_what_the_reader_may_see",),
    ),
    Mutant(
        "a patient's line counts what is hidden",
        SHOWING,
        "        in_sight(actor, at)\n        .filter(patient__in=patients)",
        "        Study.objects\n        .filter(patient__in=patients)",
        (f"{SHOWN}::test_no_count_is_given_of_a_patient_out_of_sight",),
    ),
    Mutant(
        "all patients are in sight",
        SHOWING,
        "Q(organization_id=actor.organization_id) | Q(pk__in=seen)",
        "Q(organization_id__isnull=False) | Q(pk__in=seen)",
        (f"{SHOWN}::test_a_patient_s_line_counts_what_is_in_sight",),
    ),
    Mutant(
        "a list shows what ended while it was made",
        "sharing/archive/services/finding.py",
        " for study, decision in pairs if decision.allowed]",
        " for study, decision in pairs]",
        (f"{SHOWN}::test_what_ended_since_the_list_was_made_is_left_out",),
    ),
    Mutant(
        "a page shows what ended while it was made",
        SHOWING,
        "found = [row for row in decided if row[1].allowed]",
        "found = list(decided)",
        (f"{SHOWN}::test_what_ended_since_the_list_was_made_is_left_out",),
    ),
    Mutant(
        "a part of a page is outside the fence",
        SHOWING,
        "inside = Study.objects.visible_to(actor, at, action).with_owners()",
        "inside = Study.objects.with_owners()",
        (f"{STUDIES}::test_cleo_gets_for_each_address_what_a_missing_study_gets",),
    ),
    Mutant(
        "studies of others can be chosen for sharing",
        SHOWING,
        "if not wanted or len(studies) != len(wanted):",
        "if not wanted:",
        ("tests/faces/web/test_shares.py::test_studies_that_are_not_ours_can_t_be_shared",),
    ),
    Mutant(
        "a search by key is outside the fence",
        "sharing/archive/services/searching/finding.py",
        "    if fence is not None:\n        select.add(fence)\n",
        "",
        (f"{SHOWN}::test_a_search_by_key_and_without_one_finds_what_is_in_sight",),
    ),
    Mutant(
        "a list shows whatever a consent names the reader for, refused or not",
        "sharing/archive/services/sight.py",
        ".add(fence)",
        "",
        (
            (
                "tests/archive/test_listing.py::"
                "test_a_list_leaves_out_what_is_refused_though_a_consent_names_its_reader"
            ),
        ),
    ),
    Mutant(
        "a list begins with what nobody may see",
        "sharing/archive/services/sight.py",
        "held if arm.open else held & Q(Within(Study, fence))",
        "held & Q(Within(Study, fence))",
        (
            (
                "tests/archive/test_listing.py::"
                "test_a_list_asks_the_fence_of_no_study_that_is_not_the_actor_s_to_look_at"
            ),
        ),
    ),
    Mutant(
        "a search at home finds whom the patient kept away",
        "sharing/archive/services/searching/arms.py",
        "open=not _kept_out(actor)",
        "open=True",
        (f"{SHOWN}::test_a_search_at_home_leaves_out_whom_the_patient_excluded",),
    ),
)
