"""Faults in what makes a refusal ask for the same, whether something is hidden or nothing is."""

from .mutant import Mutant

FINDING = "sharing/archive/services/finding.py"
ON_FILE = "sharing/access/services/on_file.py"
BY_VALUE = "sharing/access/services/by_value.py"
ALIKE = "tests/archive/test_alike.py"
SEEN = f"{ALIKE}::test_what_is_hidden_asks_what_is_absent_asks"

MUTANTS = (
    Mutant(
        "a hidden study asks for no other one",
        FINDING,
        "        spend(asked.text)\n",
        "        pass\n",
        (SEEN,),
    ),
    Mutant(
        "series are asked for where a consent names some",
        FINDING,
        "        subject.series()  # by now",
        "        subject.what  # by now",
        (SEEN,),
    ),
    Mutant(
        "what hangs on consents is asked for where there are some",
        BY_VALUE,
        "grantees, terms = prepared(_grantees, keys), prepared(_terms, keys)",
        "grantees = prepared(_grantees, keys) if keys else []\n"
        "    terms = prepared(_terms, keys) if keys else []",
        (SEEN,),
    ),
    Mutant(
        "uses are asked for where they are limited",
        ON_FILE,
        "    for use in prepared(_uses, places, numbers):",
        "    for use in prepared(_uses, places, numbers) if limited else ():",
        (SEEN,),
    ),
    Mutant(
        "all absent names share a line of the log",
        FINDING,
        "absent = What(study_uid=name_of_nothing(public_id))",
        "absent = What()",
        ("tests/audit/test_log.py::test_absent_and_hidden_leave_one_trace_each_and_answer_alike",),
    ),
    Mutant(
        "a pulse asks for no other study",
        FINDING,
        "    look_again(public_id, lambda: bool(rows(_THERE, [public_id])), fence)\n",
        "    bool(rows(_THERE, [public_id])) or look_again(public_id, lambda: False, fence)\n",
        (SEEN,),
    ),
    Mutant(
        "a search looks again where nothing is hidden",
        "sharing/archive/services/alike.py",
        "    rows(query, [NOTHING if there else other, *params])\n",
        "    if not there:\n        rows(query, [other, *params])\n",
        (f"{ALIKE}::test_a_search_for_what_is_hidden_asks_what_one_for_the_absent_asks",),
    ),
)
