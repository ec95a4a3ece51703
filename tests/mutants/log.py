"""Faults in the access log: what is written, how it is sealed, what the verifier sees."""

from .mutant import Mutant

FINDING = "sharing/archive/services/finding.py"
RECORDING = "sharing/audit/services/recording.py"
VERIFIER = "sharing/audit/verifier.py"
LOG, SPOOL = "tests/audit/test_log.py", "tests/audit/test_spool.py"
SEALING, TAMPERING = "tests/audit/test_sealing.py", "tests/audit/test_tampering.py"
WINDOWS, ATTACKS = "tests/audit/test_windows.py", "tests/attacks/test_log.py"

MUTANTS = (
    Mutant(
        "an opened study leaves no line",
        FINDING,
        "    else:\n        _log(decision.who(actor), action,",
        "    elif not decision.allowed:\n        _log(decision.who(actor), action,",
        (f"{LOG}::test_olga_reads_who_saw_what_on_which_ground_and_every_refusal",),
    ),
    Mutant(
        "what is absent leaves no line",
        FINDING,
        "    _log(actor.who, action, what, ground, at, request_id)\n    raise missed(",
        "    if held:\n        _log(actor.who, action, what, ground, at, request_id)\n"
        "    raise missed(",
        (f"{LOG}::test_absent_and_hidden_leave_one_trace_each_and_answer_alike",),
    ),
    Mutant(
        "frames leave before their line",
        "sharing/archive/services/locating.py",
        "        and not obliged\n        and repeat_read(",
        "        and not obliged\n        or repeat_read(",
        (
            (
                f"{WINDOWS}::test_the_first_read_is_in_the_log_before_its_answer_"
                "and_repeats_cost_no_write"
            ),
        ),
    ),
    Mutant(
        "a line that was rolled back is remembered",
        RECORDING,
        "transaction.on_commit(partial(windows.remember, key, event, ground.consent))",
        "windows.remember(key, event, ground.consent)",
        (f"{WINDOWS}::test_a_line_that_was_rolled_back_is_written_again",),
    ),
    Mutant(
        "the same study at another custodian is the same read",
        RECORDING,
        "return (*reader, action, custodian, study_uid, quarter)",
        "return (*reader, action, study_uid, quarter)",
        (f"{WINDOWS}::test_the_same_uid_at_two_custodians_is_two_lines",),
    ),
    Mutant(
        "another's images are shown without a line",
        RECORDING,
        "            raise LogAway() from error\n",
        "            return\n",
        (f"{SPOOL}::test_own_reads_go_on_others_do_not_and_the_log_gets_all_in_order",),
    ),
    Mutant(
        "own reads are kept without a sync",
        "sharing/audit/spool.py",
        "            sync(file)\n",
        "            file.flush()\n",
        (f"{SPOOL}::test_own_reads_go_on_others_do_not_and_the_log_gets_all_in_order",),
    ),
    Mutant(
        "a drain begins with the youngest line",
        "sharing/audit/spool.py",
        "for part in (self._draining, self.path):",
        "for part in (self.path,):",
        (f"{SPOOL}::test_what_a_drain_was_cut_off_from_is_drained_first",),
    ),
    Mutant(
        "a small picture of another's study leaves no line",
        "sharing/archive/services/showing.py",
        "    if study.organization_id == actor.organization_id:\n        return bytes(found)",
        "    if study.organization_id:\n        return bytes(found)",
        (f"{ATTACKS}::test_a_small_picture_of_anothers_study_leaves_a_line",),
    ),
    Mutant(
        "heads are not signed",
        "sharing/audit/services/sealing.py",
        "made.key, made.signature = keys.sign(HEAD + head_of(made).head.body)",
        'made.key, made.signature = keys.public_key(), "0" * 128',
        (f"{SEALING}::test_what_happens_is_sealed_once_signed_and_untouched",),
    ),
    Mutant(
        "what commits late is passed over",
        "sharing/audit/services/sealing.py",
        "return last.settled if set(last.running) & set(running) else last.mark",
        "return last.mark",
        (f"{SEALING}::test_what_a_transaction_that_still_runs_may_bring_is_not_settled",),
    ),
    Mutant(
        "the verifier believes any signature",
        VERIFIER,
        "return self.key in keys and signed_by(",
        "return self.key in keys or signed_by(",
        (f"{TAMPERING}::test_the_verifier_says_what_is_wrong_and_where",),
    ),
    Mutant(
        "the verifier does not compare with the anchors",
        VERIFIER,
        "elif (head.root, head.chain) != states.get(head.size):",
        "elif head.size not in states:",
        (f"{TAMPERING}::test_every_tampering_of_what_an_anchor_covers_is_found",),
    ),
    Mutant(
        "the verifier does not see what is missing",
        VERIFIER,
        "    if row.place != place:\n",
        "    if row.place is None:\n",
        (f"{TAMPERING}::test_the_verifier_says_what_is_wrong_and_where",),
    ),
    Mutant(
        "the verifier does not follow the chain",
        VERIFIER,
        "if row.chain != chain.hex():",
        "if row.chain is None:",
        (f"{TAMPERING}::test_the_verifier_says_what_is_wrong_and_where",),
    ),
    Mutant(
        "the verifier takes an event's word for its leaf",
        VERIFIER,
        "    if leaf != kept:\n",
        "    if not leaf:\n",
        (f"{SEALING}::test_an_operator_with_all_rights_is_found_out",),
    ),
    Mutant(
        "the verifier lets the log be cut",
        VERIFIER,
        "elif head.size > report.size:",
        "elif head.size > head.size:",
        (f"{TAMPERING}::test_the_verifier_says_what_is_wrong_and_where",),
    ),
    Mutant(
        "a witness signs with any key",
        "sharing/audit/services/witnessing.py",
        "if not fits or (known is not None and known.key != key):",
        "if not fits:",
        (
            (
                "tests/audit/test_witnesses.py::"
                "test_a_partner_sees_that_the_log_only_grows_and_signs_its_head"
            ),
        ),
    ),
    Mutant(
        "events go before their years are over",
        "sharing/audit/services/expiring.py",
        "timedelta(days=366 * settings.AUDIT_KEEP_YEARS)",
        "timedelta(days=300 * settings.AUDIT_KEEP_YEARS)",
        (
            (
                "tests/audit/test_handing_on.py::test_what_is_older_than_the_retention_"
                "goes_by_whole_heads_and_the_log_says_so"
            ),
        ),
    ),
)
