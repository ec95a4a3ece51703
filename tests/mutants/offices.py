"""Faults in how organizations are run: tests of connections, leaving, what binds of a profile."""

from .mutant import Mutant

LEAVING = "sharing/office/services/leaving.py"
TESTING = "sharing/office/services/testing.py"
LEFT, TRIED = "tests/office/test_leaving.py", "tests/office/test_testing.py"
PROFILE = "tests/tenants/test_profile.py"

MUTANTS = (
    Mutant(
        "one person closes an organization",
        LEAVING,
        "if found.asked_by_id == by.id or not (",
        "if not (",
        (f"{LEFT}::test_one_person_with_two_offices_is_one_person",),
    ),
    Mutant(
        "two of the house close it",
        LEAVING,
        "not (_is_operator(found.asked_by_id) or _decides(by))",
        "False",
        (f"{LEFT}::test_two_of_the_house_are_not_enough",),
    ),
    Mutant(
        "sums are not looked at before deleting",
        LEAVING,
        "        _check_sums(Path(settings.DATA_DIR, found.folder))\n",
        "",
        (f"{LEFT}::test_a_wrong_sum_or_a_hold_stops_it_and_both_are_asked_anew",),
    ),
    Mutant(
        "the token of a test stays",
        TESTING,
        "    finally:\n        _end_token(organization, secret, at)\n",
        "    finally:\n        pass\n",
        (f"{TRIED}::test_a_study_of_nobody_goes_there_and_back_and_is_gone",),
    ),
    Mutant(
        "pixels are not compared",
        TESTING,
        "if image.pixels not in answer.body:",
        "if False:",
        (f"{TRIED}::test_what_comes_back_otherwise_is_noticed",),
    ),
    Mutant(
        "a legal hold on everything holds nothing",
        "sharing/archive/models/leaving.py",
        "return everything.exists()",
        "return False",
        (f"{PROFILE}::test_a_legal_hold_on_everything_holds_each_study",),
    ),
    Mutant(
        "a network may be a circle",
        "sharing/tenants/services/profile.py",
        "if organization.pk not in _above(each)]",
        "]",
        (f"{PROFILE}::test_a_network_has_no_circle",),
    ),
)
