"""Faults in what patients read, and in the codes for their own phones."""

from .mutant import Mutant

ISSUING = "sharing/consent/services/issuing.py"
DECIDING = "sharing/consent/services/deciding.py"
PHONES = "sharing/consent/services/phones.py"
DOCUMENTS = "sharing/consent/services/documents.py"
READINGS = "sharing/consent/services/readings.py"
TEXTS = "sharing/consent/texts/__init__.py"
RULES = "sharing/consent/rules.py"
PAGES = "sharing/web/phone.py"
CODES = "tests/consent/test_phone.py"
STATEMENTS = "tests/consent/test_statements.py"
FACE, ATTACKS = "tests/faces/web/test_phone.py", "tests/attacks/test_phones.py"
WORDS = "tests/consent/test_texts.py"

MUTANTS = (
    Mutant(
        "a phone opens without the birth date",
        ISSUING,
        "if not known or born is None or born != session.patient.birth_date:",
        "if not known:",
        (f"{CODES}::test_each_of_the_three_proofs_is_needed",),
    ),
    Mutant(
        "wrong tries of a phone's code are not counted",
        ISSUING,
        "    session.tries += 1\n",
        "",
        (f"{CODES}::test_five_wrong_tries_end_the_code_and_the_right_one_comes_too_late",),
    ),
    Mutant(
        "a phone's code opens after its quarter of an hour",
        ISSUING,
        "session.state != PhoneState.WAITING or session.expires_at <= at:",
        "session.state != PhoneState.WAITING:",
        (f"{CODES}::test_after_a_quarter_of_an_hour_the_code_is_over",),
    ),
    Mutant(
        "a second phone opens the same code",
        ISSUING,
        "session.state != PhoneState.WAITING or session.expires_at <= at:",
        "session.state not in LIVING or session.expires_at <= at:",
        (f"{CODES}::test_a_code_opens_once_a_second_phone_stays_outside",),
    ),
    Mutant(
        "the six digits are kept under a hash of a million",
        ISSUING,
        'digits_sha256=fingerprint(f"{code.token}:{code.digits}")',
        "digits_sha256=fingerprint(code.digits)",
        (f"{ATTACKS}::test_neither_the_code_nor_the_digits_nor_the_secret_are_stored",),
    ),
    Mutant(
        "an earlier code of the patient lives on",
        ISSUING,
        "        move(earlier, PhoneEvent.CANCEL, at)\n",
        "        continue\n",
        (f"{CODES}::test_a_new_code_of_the_patient_ends_the_one_before",),
    ),
    Mutant(
        "a clerk who left records what a patient signs",
        DECIDING,
        "        require(clerk, Duty.RECORD_CONSENT)\n",
        "",
        (f"{CODES}::test_a_clerk_who_became_something_else_does_not_record_it",),
    ),
    Mutant(
        "a cancelled draft can still be signed",
        PHONES,
        " or found.state == PhoneState.CANCELLED:",
        ":",
        (f"{FACE}::test_a_stranger_meets_one_page_whatever_there_is",),
    ),
    Mutant(
        "a signature may lie outside its field",
        RULES,
        "return point if point[0] <= FIELD[0] and point[1] <= FIELD[1] else None",
        "return point",
        (f"{CODES}::test_a_signature_is_a_drawing_and_nothing_else",),
    ),
    Mutant(
        "the key signs a document without its domain",
        DOCUMENTS,
        '    return sign(DOMAIN + sha256.encode("ascii"))',
        '    return sign(sha256.encode("ascii"))',
        (f"{STATEMENTS}::test_the_portal_s_signature_fits_this_document_alone",),
    ),
    Mutant(
        "a changed text is shown",
        TEXTS,
        "    if digest != published()[file]:\n",
        "    if False:\n",
        (f"{WORDS}::test_a_changed_file_is_not_shown",),
    ),
    Mutant(
        "who may download is said to keep nothing",
        READINGS,
        '"leaves" if permits and said.actions & LEAVING else "keeps"',
        '"keeps"',
        (f"{WORDS}::test_what_leaves_is_said_to_leave",),
    ),
    Mutant(
        "the phone's cookie goes to every page",
        PAGES,
        '        path=reverse("web:phone"),\n',
        "",
        (f"{FACE}::test_the_cookie_is_for_these_pages_and_no_script",),
    ),
)
