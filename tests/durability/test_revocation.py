"""A revocation takes effect within a second, on the served portal: streams, viewers, requests."""

from pathlib import Path

from tests.durability.revocation import LIMIT, Trial, broken, run

BUSY = 2.0
"""Seconds where the other tests have the processors; `make soak` holds the portal to one."""


def test_within_a_second_everything_that_was_open_has_ended(tmp_path: Path) -> None:
    """A few trials with a small download that is read slowly; `make soak` runs 200 of 2 GB."""
    found = run(tmp_path, trials=4, megabytes=120, rate=30e6)
    assert broken(found, BUSY) == [], found


def test_what_would_be_too_late_is_noticed() -> None:
    kept = Trial(stream=0.5, viewer=0.4, request=0.1, late=0, whole=False)
    assert broken([kept]) == []
    for name, value in {"stream": LIMIT + 0.1, "viewer": 2.0, "late": 1, "whole": True}.items():
        assert len(broken([Trial(**(vars(kept) | {name: value}))])) == 1
