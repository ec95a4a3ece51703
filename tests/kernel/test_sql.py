"""Raw queries bind what Django itself would bind."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from sharing.kernel.sql import moment


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8))])
@pytest.mark.parametrize("microsecond", [0, 7, 120_000])
def test_a_moment_is_bound_as_django_stores_it(zone: timezone, microsecond: int) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, microsecond, zone)
    stored = connection.ops.adapt_datetimefield_value(at)
    assert moment(at) == (stored if connection.vendor == "sqlite" else at)
