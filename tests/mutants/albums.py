"""Faults in albums, in what a link downloads, and in the signatures of two guardians."""

from .mutant import Mutant

ALBUMS = "sharing/exchange/services/albums.py"
FILLING = "sharing/exchange/services/filling.py"
DECIDING = "sharing/consent/services/deciding.py"
KEPT, TESTS = "tests/exchange/test_albums_kept.py", "tests/exchange/test_albums.py"
ENDS = f"{TESTS}::test_sight_ends_at_once_when_the_study_the_member_the_album_or_the_consent_goes"
SEEN = f"{TESTS}::test_of_an_album_each_sees_and_counts_what_the_ordinary_decision_lets_them_see"
TWO = "tests/consent/test_two_guardians.py"

MUTANTS = (
    Mutant(
        "a tie outlives its person's place",
        "sharing/access/services/ending.py",
        "sum(_untied(tie, at) for tie in",
        "sum(0 for tie in",
        (
            (
                "tests/access/test_relating.py::"
                "test_who_left_their_house_and_comes_again_is_tied_no_more"
            ),
        ),
    ),
    Mutant(
        "an album gives to who left their house",
        "sharing/exchange/services/filling.py",
        "if member.organization_id == album.organization_id or not there:",
        "if member.organization_id == album.organization_id:",
        (
            (
                "tests/exchange/test_albums.py::"
                "test_who_left_their_house_is_given_nothing_and_keeps_nobody_from_filling_it"
            ),
        ),
    ),
    Mutant(
        "a share is renewed for who left",
        "sharing/access/services/sharing.py",
        "if wanted.person is not None and not _treats(wanted.person, to):",
        "if False:",
        (("tests/access/test_renewing.py::test_what_ran_out_is_not_renewed_for_who_left_since"),),
    ),
    Mutant(
        "what is taken out of an album stays open",
        FILLING,
        "end_grants(Grant.objects.filter(of_album__entry=entry, revoked_at=None), at=at)",
        "end_grants(Grant.objects.none(), at=at)",
        (ENDS,),
    ),
    Mutant(
        "who is removed from an album goes on seeing",
        FILLING,
        "end_grants(Grant.objects.filter(of_album__member=member, revoked_at=None), at=at)",
        "end_grants(Grant.objects.none(), at=at)",
        (ENDS,),
    ),
    Mutant(
        "a closed album goes on giving",
        ALBUMS,
        "end_grants(Grant.objects.filter(of_album__member__album=album, revoked_at=None), at=at)",
        "end_grants(Grant.objects.none(), at=at)",
        (ENDS,),
    ),
    Mutant(
        "the count of an album tells of what is hidden",
        ALBUMS,
        "left_at=None).filter(\n        Exists(_seen(actor, at))\n    )",
        "left_at=None)",
        (SEEN,),
    ),
    Mutant(
        "an album is there for whom nothing of it is in sight",
        ALBUMS,
        "inside = Q(Exists(member), Exists(_entries(actor, at)), purpose=actor.purpose)",
        "inside = Q(Exists(member), purpose=actor.purpose)",
        (ENDS,),
    ),
    Mutant(
        "a member sees the album whatever they act for",
        ALBUMS,
        "Exists(_entries(actor, at)), purpose=actor.purpose)",
        "Exists(_entries(actor, at)))",
        (f"{TESTS}::test_an_organization_is_let_in_and_its_people_see_it_for_the_albums_purpose",),
    ),
    Mutant(
        "everybody fills everybody's album",
        ALBUMS,
        "if album is None or not may_end(by, album):",
        "if album is None:",
        (f"{KEPT}::test_who_shares_at_the_organization_keeps_it_and_nobody_else",),
    ),
    Mutant(
        "an album is filled with what one may not share",
        FILLING,
        "if len(_to_share(fresh, by, at)) != len(fresh):",
        "if False:",
        (f"{KEPT}::test_only_what_one_may_share_is_put_in",),
    ),
    Mutant(
        "a longer album brings back what was taken back",
        FILLING,
        "if line.covered and _lives(line, entries, at)]",
        "if line.covered]",
        (f"{KEPT}::test_what_was_taken_back_does_not_come_back_with_a_longer_album",),
    ),
    Mutant(
        "an image of a download begins after the end",
        "sharing/web/opened.py",
        "Action.DOWNLOAD, begin_seconds=0)",
        "Action.DOWNLOAD)",
        (
            (
                "tests/faces/web/test_links.py::"
                "test_no_image_of_a_download_begins_after_the_consent_was_revoked"
            ),
        ),
    ),
    Mutant(
        "one guardian's signature is enough for two",
        DECIDING,
        "    if session.second:\n",
        "    if False:\n",
        (f"{TWO}::test_nothing_holds_until_the_second_has_signed_what_the_first_read",),
    ),
)
