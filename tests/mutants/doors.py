"""Faults at the doors: pages, DICOMweb, REST, viewer, tokens, removal."""

from .mutant import Mutant

RETRIEVING = "sharing/archive/services/retrieving.py"
GATE, WADO = "sharing/dicomweb/gate.py", "sharing/dicomweb/wado.py"
ACTING, MIDDLEWARE = "sharing/partners/services/acting.py", "portal/middleware.py"
TOKENS = "tests/partners/test_tokens.py"
FENCE = "tests/faces/dicomweb/test_fence.py"
DOORS, REMOVING = "tests/attacks/test_doors.py", "tests/archive/test_removing.py"
LOCATING = "sharing/archive/services/locating.py"
DESCRIBING = "sharing/archive/services/describing.py"
QUERY = "sharing/archive/services/searching/query.py"
LIES = "tests/faces/dicomweb/test_search_ready.py"
PAINT = "tests/faces/viewer/test_first_paint.py"
PAGE = "tests/faces/viewer/test_page.py"

READS = (
    Mutant(
        "a frame's path is outside the fence",
        "sharing/archive/services/locating.py",
        "    condition, bound = fence\n",
        '    condition, bound = "1 = 1", list[object]()\n',
        (
            (
                "tests/audit/test_windows.py::"
                "test_what_is_remembered_is_the_log_and_never_the_permission"
            ),
        ),
    ),
    Mutant(
        "an instance need not be of the series in its path",
        "sharing/archive/services/locating.py",
        "JOIN archive_instance i ON i.series_id = se.id AND i.sop_uid = %s",
        "JOIN archive_instance i ON i.sop_uid = %s",
        (f"{FENCE}::test_every_level_of_a_path_must_belong_to_the_one_above",),
    ),
    Mutant(
        "a series need not be of the study in its path",
        "sharing/archive/services/locating.py",
        "ON se.study_id = archive_study.id AND se.series_uid = %s",
        "ON se.series_uid = %s",
        (f"{FENCE}::test_every_level_of_a_path_must_belong_to_the_one_above",),
    ),
    Mutant(
        "a running download outlives the consent",
        RETRIEVING,
        "may = present is not None and still_allowed(",
        "may = present is not None or still_allowed(",
        (
            (
                "tests/faces/dicomweb/test_retrieve.py::"
                "test_a_stream_is_cut_when_the_actor_loses_the_study"
            ),
        ),
    ),
    Mutant(
        "a running download outlives the role",
        RETRIEVING,
        "present = still_acting(self.actor, at=at)",
        "present = self.actor",
        (f"{DOORS}::test_a_stream_is_cut_when_the_role_ends",),
    ),
    Mutant(
        "a running download outlives the token",
        ACTING,
        "        return _asked(_BY_KEY, actor.token, at)\n",
        "        return actor\n",
        (f"{DOORS}::test_a_stream_is_cut_when_the_token_is_revoked",),
    ),
    Mutant(
        "who may look takes a copy",
        WADO,
        "opened = _open(request, path, Action.DOWNLOAD)",
        "opened = _open(request, path)",
        (f"{DOORS}::test_who_may_view_takes_no_copy",),
    ),
    Mutant(
        "a tag is answered before the fence",
        GATE,
        "            return sealed(view(request, **path))\n",
        '            if request.META.get("HTTP_IF_NONE_MATCH"):\n'
        "                return sealed(HttpResponseNotModified())\n"
        "            return sealed(view(request, **path))\n",
        (f"{FENCE}::test_ben_loses_the_images_when_pat_revokes",),
    ),
    Mutant(
        "a search tells what only images say",
        "sharing/archive/services/searching/finding.py",
        "images = fence_sql(actor, Action.IMAGES, at, uncounted=True)",
        "images = fence_sql(actor, Action.DISCOVER, at, uncounted=True)",
        (f"{FENCE}::test_a_search_tells_what_only_images_say_to_who_may_see_them",),
    ),
    Mutant(
        "what lies ready of a series is given to who may not know of it",
        LOCATING,
        'else ""} AND {fence}',
        'else ""} AND ({fence} OR 1 = 1)',
        (f"{LIES}::test_who_may_not_know_of_the_study_is_told_of_nothing_that_lies_there",),
    ),
    Mutant(
        "what lies ready answers every question about a series",
        QUERY,
        " and not beyond",
        "",
        (f"{LIES}::test_another_question_is_searched",),
    ),
    Mutant(
        "what lies ready is of whichever house holds the series",
        DESCRIBING,
        'joins=f"LEFT {SERIES}"',
        "joins=SERIES",
        (f"{LIES}::test_of_one_study_at_two_houses_the_own_one_is_meant",),
    ),
    Mutant(
        "a shared cache keeps images",
        GATE,
        '"private, max-age=0, must-revalidate"',
        '"public, max-age=3600"',
        ("tests/attacks/test_caches.py::test_no_cache_shows_an_image_without_asking",),
    ),
    Mutant(
        "a machine reads without the scope",
        GATE,
        "if not actor.carries(scope):",
        "if actor.by_token and not actor.scopes:",
        (f"{FENCE}::test_a_token_needs_the_scope_to_read",),
    ),
    Mutant(
        "REST reads without the scope",
        "sharing/api/gate.py",
        'return actor is not None and actor.carries("studies.read")',
        "return actor is not None",
        ("tests/faces/api/test_studies.py::test_a_token_needs_the_scope",),
    ),
    Mutant(
        "the viewer opens for who may only know of the study",
        "sharing/viewer/views.py",
        "        action=Action.IMAGES,\n",
        "        action=Action.DISCOVER,\n",
        (f"{PAGE}::test_who_may_only_know_of_the_study_opens_no_viewer",),
    ),
    Mutant(
        "the viewer's page is kept",
        "sharing/viewer/views.py",
        '    response["Cache-Control"] = "no-store"\n',
        "",
        (f"{PAGE}::test_the_page_is_not_kept_and_allows_decoders_but_no_inline_script",),
    ),
    Mutant(
        "an open viewer is never told",
        "sharing/viewer/views.py",
        "    if not still_allowed(actor, public_id=public_id, at=at):\n",
        "    if not public_id:\n",
        (f"{PAGE}::test_the_pulse_stops_when_pat_revokes",),
    ),
    Mutant(
        "the first picture bears no mark",
        "sharing/archive/services/painting.py",
        "    return marked_file(made, mark) if made and mark else made\n",
        "    return made\n",
        (
            f"{PAINT}::test_a_reader_who_owes_a_mark_sees_it_on_the_first_picture_and_nobody_else_does",
        ),
    ),
    Mutant(
        "the first picture stays when its series changed",
        "sharing/archive/documents.py",
        '    return Path(_folder(series), f"{series}-{version}.jpg")\n',
        '    return Path(_folder(series), f"{series}-{len(str(version)) * 0}.jpg")\n',
        (f"{PAINT}::test_the_second_page_draws_nothing_until_the_series_changes",),
    ),
)

PORTAL = (
    Mutant(
        "403 for 404",
        "portal/errors.py",
        '    "absent": 404,\n',
        '    "absent": 403,\n',
        (f"{PAGE}::test_cleo_gets_the_same_answer_as_for_a_study_that_does_not_exist",),
    ),
    Mutant(
        "a refusal for a role tells that there is a page",
        "portal/errors.py",
        '    "not_allowed": 404,',
        '    "not_allowed": 403,',
        ("tests/faces/web/test_people.py::test_people_pages_are_not_there_without_the_role",),
    ),
    Mutant(
        "a token opens pages",
        MIDDLEWARE,
        "if token is not None and not errors.is_for_machines(request):",
        "if token is not None and not token:",
        (f"{DOORS}::test_a_token_for_uploads_reads_no_page",),
    ),
    Mutant(
        "a cookie writes without its token",
        MIDDLEWARE,
        "        if request.by_token:\n            request._dont_enforce_csrf_checks = True\n",
        "        request._dont_enforce_csrf_checks = True\n",
        ("tests/portal/test_middleware.py::test_a_session_writes_nothing_without_a_csrf_token",),
    ),
    Mutant(
        "a revoked token goes on",
        ACTING,
        " AND c.ended_at IS NULL",
        "",
        (f"{TOKENS}::test_a_token_that_was_made_while_its_client_ended_opens_nothing",),
    ),
    Mutant(
        "a token never runs out",
        ACTING,
        "AND t.expires > %s",
        "AND %s IS NOT NULL",
        (f"{TOKENS}::test_a_token_ends_when_it_is_revoked_or_runs_out",),
    ),
    Mutant(
        "a machine's host is not looked at",
        "portal/machines.py",
        "is_form or bearer_token(request) is None or not _is_ours(request):",
        "is_form or bearer_token(request) is None:",
        ("tests/portal/test_machines.py::test_what_is_not_for_machines_goes_the_long_way",),
    ),
    Mutant(
        "what a signed-in person sees is stored by browsers",
        MIDDLEWARE,
        '= "private, no-store"',
        '= "private"',
        (
            (
                "tests/portal/test_middleware.py::"
                "test_what_a_signed_in_person_sees_is_not_stored_on_a_shared_machine"
            ),
        ),
    ),
    Mutant(
        "a cell of an export calculates",
        "sharing/web/tables.py",
        'return f"\'{text}" if text.lstrip(',
        'return f"\'{text}" if not text and text.lstrip(',
        ("tests/audit/test_patterns.py::test_no_cell_begins_a_formula",),
    ),
)

REMOVAL = (
    Mutant(
        "a hold holds nothing",
        "sharing/archive/services/removing.py",
        "    check_free(study)\n",
        "",
        (f"{REMOVING}::test_a_held_study_loses_nothing_and_the_log_says_who_tried",),
    ),
    Mutant(
        "a deleted study's shares open the next one",
        "sharing/archive/services/leaving.py",
        "    end_shares(custodian_id=organization_id, study_uid=uid, at=at)\n",
        "",
        (f"{REMOVING}::test_sent_again_it_is_a_new_study_and_no_old_share_opens_it",),
    ),
    Mutant(
        "who may see a study may delete it",
        "sharing/archive/services/leaving.py",
        "inside.filter(organization_id=actor.organization_id, public_id=public_id)",
        "inside.filter(public_id=public_id)",
        (f"{REMOVING}::test_another_organizations_officer_finds_nothing_to_delete_hold_or_reject",),
    ),
    Mutant(
        "rejected images come back",
        "sharing/archive/services/refusing.py",
        "WHERE refused AND returned_at IS NULL",
        "WHERE NOT refused AND returned_at IS NULL",
        (
            (
                "tests/archive/test_rejecting.py::"
                "test_what_was_rejected_is_refused_when_it_comes_again_also_after_the_purge"
            ),
        ),
    ),
    Mutant(
        "other bytes under a known UID are taken for the same",
        "sharing/archive/services/intake.py",
        "            elif known != sha256:",
        "            elif not known:",
        (
            (
                "tests/archive/test_receiving.py::"
                "test_other_bytes_under_a_known_uid_wait_and_the_old_ones_stay"
            ),
        ),
    ),
)

STRANGERS = (
    Mutant(
        "a link opens with any code",
        "sharing/exchange/services/opening.py",
        "if not same(link.proof_hash, proof_of(secret, code)):",
        "if not link.proof_hash:",
        ("tests/attacks/test_links.py::test_a_hundred_thousand_guesses_end_at_the_sixth",),
    ),
    Mutant(
        "a link's code is guessed without end",
        "sharing/exchange/services/opening.py",
        "if _tried_too_often(link, client, at):",
        "if not link.proof_hash:",
        ("tests/attacks/test_links.py::test_a_hundred_thousand_guesses_end_at_the_sixth",),
    ),
    Mutant(
        "a link's secret lies in the database",
        "sharing/exchange/services/giving.py",
        "        secret_hash=fingerprint(secret),\n",
        "        secret_hash=secret,\n",
        (
            (
                "tests/attacks/test_links.py::"
                "test_neither_secret_nor_code_is_in_the_database_or_in_a_log"
            ),
        ),
    ),
    Mutant(
        "nobody notices who guesses",
        "sharing/archive/services/missing.py",
        "    if not most or count_in_minute(",
        "    if most or count_in_minute(",
        (
            (
                "tests/attacks/test_guessing.py::"
                "test_who_guesses_is_told_to_wait_and_the_officers_see_it"
            ),
        ),
    ),
)

MUTANTS = (*STRANGERS, *READS, *PORTAL, *REMOVAL)
