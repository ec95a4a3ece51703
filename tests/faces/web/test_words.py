"""How pages write names, dates, ages and grounds."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import Context, Template

from sharing.access.asking import RequestEvent
from sharing.access.rules import GlassEvent
from sharing.kernel.purposes import Action
from sharing.web import words
from sharing.web.deeds import DEEDS


def rendered(source: str, **context: object) -> str:
    return Template("{% load portal %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("born", "spoken"),
    [
        (date(1971, 3, 14), "55 y"),
        (date(1971, 11, 25), "54 y"),
        (date(2024, 11, 24), "2 y"),
        (date(2024, 11, 25), "23 mo"),
        (date(2026, 11, 4), "20 d"),
        (date(2026, 11, 25), ""),
        (None, ""),
    ],
)
def test_an_age_is_said_in_years_then_months_then_days(born, spoken):
    assert words.age(born, date(2026, 11, 24)) == spoken


def test_a_dicom_name_shows_the_family_name_in_capitals_and_both_scripts():
    patient = SimpleNamespace(latin="Lin^Xiaoyan", native="林^晓燕")
    assert (
        rendered("{{ patient|person }}", patient=patient)
        == '<span class="name">LIN Xiaoyan <span lang="zh-Hans">林晓燕</span></span>'
    )


def test_a_script_in_a_name_is_shown_and_not_run():
    patient = SimpleNamespace(latin="<script>alert(1)</script>", native="<b>")
    shown = rendered("{{ patient|person }}", patient=patient)
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_dates_name_the_month_and_use_the_24_hour_clock():
    assert words.day(date(2026, 11, 12)) == "12 Nov 2026"
    assert rendered("{{ at|moment }}", at=datetime(2026, 11, 2, 17, 5, tzinfo=UTC)) == (
        "2 Nov 2026, 17:05"
    )
    assert words.day(None) == words.moment(None) == ""


def test_initials_leave_titles_out():
    assert words.initials("Dr Ben Hartley") == "BH"
    assert words.initials("") == ""


def test_counts_have_separators_and_the_right_number():
    assert rendered('{{ n|counted:"image" }}', n=1014) == "1,014 images"
    assert rendered('{{ n|counted:"study,studies" }}', n=1) == "1 study"


def test_a_ground_line_says_its_end_once():
    ground = SimpleNamespace(
        kind="consent", sentence="Patient permitted Hilltop for treatment", until=date(2027, 6, 30)
    )
    line = '{% include "components/ground_line.html" %}'
    assert rendered(line, ground=ground).count("30 Jun 2027") == 1
    ground.sentence += ", until 30 Jun 2027"
    assert rendered(line, ground=ground).count("30 Jun 2027") == 1


def test_every_ground_and_state_has_an_icon_that_exists(settings):
    drawings = settings.BASE_DIR / "frontend/node_modules/bootstrap-icons/icons"
    if not drawings.exists():
        pytest.skip("the front end's packages are not installed")
    named = {icon for icon, _ in words.GROUNDS.values()}
    named |= {icon for _, icon, _ in words.STATES.values()}
    assert [name for name in named if not (drawings / f"{name}.svg").exists()] == []


def test_whatever_the_portal_records_the_log_says_in_words():
    """The names in the source that are recorded, and those that are put together from a table."""
    recorded = re.compile(r'(?:\baction=|\b_?log\([^"]*|\b_note\([^"]*)"([a-z]+\.[a-z_]+)"')
    texts = (
        path.read_text("utf-8") for path in (Path(__file__).parents[3] / "sharing").rglob("*.py")
    )
    named = {name for text in texts for name in recorded.findall(text)}
    made = {f"study.{action}" for action in Action}
    made |= {f"request.{event}" for event in RequestEvent}
    made |= {f"glass.{event}" for event in GlassEvent}
    assert {"consent.amend", "team.found", "request.ask", "glass.break"} <= named
    assert {name.removesuffix(".refused") for name in named | made} - set(DEEDS) == set()


TABLE = re.compile(r'<table class="([^"]*)".*?</table>', re.DOTALL)
NUMBER = re.compile(r'<td class="n(?: [^"]*)?">((?:<span class="w">[^<]+</span>)?\{\{[^<]*)</td>')


def test_on_a_phone_where_tables_have_no_head_each_of_several_numbers_has_its_word():
    tables = [
        (path.name, found[1], numbers)
        for path in sorted(Path("templates").rglob("*.html"))
        for found in TABLE.finditer(path.read_text())
        if len(numbers := NUMBER.findall(found[0])) > 1 or "{% for word, count" in found[0]
    ]
    assert len(tables) > 5
    for name, kind, numbers in tables:
        assert "dt-nums" in kind.split(), name
        assert all(number.startswith('<span class="w">') for number in numbers), name
