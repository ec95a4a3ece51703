"""What somebody types into the search box, and what is understood."""

from datetime import date

import pytest

from sharing.archive.queries import Typed, understood


@pytest.mark.parametrize(
    ("query", "text", "modalities"),
    [
        ("lin xiaoyan", "lin xiaoyan", ()),
        ("林晓燕", "林晓燕", ()),
        ("lin CT", "lin", ("CT",)),
        ("Mr Us", "Mr Us", ()),
        ("xray lin", "lin", ("CR", "DX")),
        ("林晓燕 超声", "林晓燕", ("US",)),
        ("RV2611-0413", "RV2611-0413", ()),
        ("204 9120", "204 9120", ()),
        ("", "", ()),
    ],
)
def test_kinds_of_images_are_told_from_names_and_numbers(
    query: str, text: str, modalities: tuple[str, ...]
) -> None:
    assert understood(query) == Typed(text, modalities)


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ("2026-11-12", date(2026, 11, 12), date(2026, 11, 12)),
        ("20261112", date(2026, 11, 12), date(2026, 11, 12)),
        ("2026年11月12日", date(2026, 11, 12), date(2026, 11, 12)),
        ("12 Nov 2026", date(2026, 11, 12), date(2026, 11, 12)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("December 2025", date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_a_day_and_a_month_are_understood_as_people_write_them(
    query: str, since: date, until: date
) -> None:
    assert understood(query) == Typed("", (), since, until)
    assert understood(f"lin {query}") == Typed("lin", (), since, until)


@pytest.mark.parametrize("query", ["20261399", "31 Feb 2026", "May Lin", "00418-22"])
def test_what_is_no_day_of_the_calendar_stays_a_number_or_a_name(query: str) -> None:
    assert understood(query) == Typed(query)
