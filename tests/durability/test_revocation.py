"""A revocation ends what is open, on the served portal: streams, viewers, requests."""

from pathlib import Path

from tests.durability.revocation import LATEST, LIMIT, Trial, broken, run


def test_everything_that_was_open_ends_after_the_commit(tmp_path: Path) -> None:
    """Two trials with a download of half a minute. The second is `make soak`'s to measure: here
    other tests have the processors."""
    found = run(tmp_path, trials=2, megabytes=300, rate=10e6)
    assert broken(found, LATEST) == [], found


def test_what_would_be_too_late_is_noticed() -> None:
    kept = Trial(stream=0.5, viewer=0.4, request=0.1, late=0, whole=False)
    assert broken([kept]) == []
    wrong = {
        "stream": LIMIT + 0.1, "zipped": 2.0, "parts": 2.0, "viewer": 2.0, "late": 1,
        "late_in_zip": 1, "late_parts": 9, "whole": True,
    }  # fmt: skip
    for name, value in wrong.items():
        assert len(broken([Trial(**(vars(kept) | {name: value}))])) == 1
