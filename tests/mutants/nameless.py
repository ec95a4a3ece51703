"""Faults in copies that name nobody: who may have them, and what is left in them."""

from .mutant import Mutant

ROOM = "sharing/dicom/nameless"
FENCED = "tests/access/test_fence_equals_decision.py"
COPIES = "tests/dicom/test_nameless.py"
ONLY = f"{FENCED}::test_a_permit_for_copies_without_names_opens_nothing_else"
EXPORT = "sharing/archive/services/unnamed.py"
TAKEN, PAGES = "tests/archive/test_unnamed.py", "tests/faces/web/test_copies.py"
CANARIES = f"{COPIES}::test_no_canary_in_any_field_at_any_depth_survives_in_any_byte"

MUTANTS = (
    Mutant(
        "the decision takes a permit for copies without names for a whole one",
        "sharing/access/rules/facts.py",
        "inside and (ask.deidentified or Obligation.DEIDENTIFY not in self.obligations)",
        "inside",
        (ONLY,),
    ),
    Mutant(
        "the list takes it for a whole one",
        "sharing/consent/models/said.py",
        "        if deidentified:\n            return self.filter(left)",
        "        if left:\n            return self.filter(left)",
        (ONLY,),
    ),
    Mutant(
        "the compiled fence keeps one text for both",
        "sharing/access/fence.py",
        "_compiled(studies, uncounted, deidentified, *shape)",
        "_compiled(studies, uncounted, True, *shape)",
        (ONLY,),
    ),
    Mutant(
        "what lies in sequences is copied as it is",
        f"{ROOM}/copying.py",
        "return element._replace(items=items, little=True)",
        "return element._replace(items=items and element.items)",
        (CANARIES,),
    ),
    Mutant(
        "a code string stays whatever it says",
        f"{ROOM}/words.py",
        'return word if short or word in CODE_STRINGS else ""',
        "return word",
        (CANARIES,),
    ),
    Mutant(
        "a sender's own codes stay",
        f"{ROOM}/copying.py",
        "    if code is None:\n        return ()",
        "    if code is None:\n        return item",
        (CANARIES,),
    ),
    Mutant(
        "bits beside the pixels leave",
        f"{ROOM}/copying.py",
        "yield _own_bits(image, pixels[:size])",
        "yield pixels[:size]",
        (f"{COPIES}::test_bits_beside_the_pixels_and_bytes_behind_them_do_not_leave",),
    ),
    Mutant(
        "text in the pixels is not asked for",
        f"{ROOM}/admitted.py",
        'if any(word != "NO" for word in burned):',
        'if burned == ["KANARI"]:',
        (f"{COPIES}::test_what_may_hold_text_in_its_pixels_is_refused_with_the_reason",),
    ),
    Mutant(
        "two exports give the same names",
        f"{ROOM}/aliases.py",
        "hmac.digest(self.key,",
        'hmac.digest(b"one",',
        (f"{COPIES}::test_two_patients_dates_and_two_exports_tell_nothing_of_each_other",),
    ),
    Mutant(
        "all patients' dates move alike",
        f"{ROOM}/aliases.py",
        'self._digest("days", self.patient)[:8]',
        'self._digest("days", "")[:8]',
        (f"{COPIES}::test_two_patients_dates_and_two_exports_tell_nothing_of_each_other",),
    ),
    Mutant(
        "copies go on after the patient withdrew",
        EXPORT,
        "yield name, watch.over(_pieces(out))",
        "yield name, _pieces(out)",
        (f"{TAKEN}::test_a_withdrawal_stops_it_before_the_next_image",),
    ),
    Mutant(
        "a copy without names leaves without its line in the log",
        EXPORT,
        '    detail = {"copy": export.name,',
        '    if export.told:\n        return True\n    detail = {"copy": export.name,',
        (f"{TAKEN}::test_each_of_several_studies_is_in_the_log",),
    ),
    Mutant(
        "a copy without names is no use of a permit for so many",
        EXPORT,
        "    if is_counted(decision, action):",
        "    if not decision.allowed:",
        (f"{TAKEN}::test_of_so_many_uses_each_export_is_one",),
    ),
    Mutant(
        "everybody may have copies without names",
        EXPORT,
        "    if actor.purpose != Purpose.RESEARCH:",
        "    if not actor.purpose:",
        (f"{TAKEN}::test_who_does_not_act_for_research_has_no_such_page",),
    ),
    Mutant(
        "a recall names the study to who has a copy that names nobody",
        "sharing/notify/recalls.py",
        "            alias=copy.alias,",
        '            alias="",',
        (f"{PAGES}::test_a_recall_names_the_copy_to_its_receiver_and_the_study_to_its_custodian",),
    ),
)
