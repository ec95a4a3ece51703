"""Tests of one group run in one worker: else each worker starts a live portal of its own."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_is_known_to_who_spreads_the_tests(request: pytest.FixtureRequest) -> None:
    """pytest-xdist marks it in a test's name; a pytest that it does not know loses the mark."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("these tests are not spread")
    assert request.node.nodeid.endswith("@together")
