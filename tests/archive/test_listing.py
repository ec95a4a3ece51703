"""The list of studies: what is new to a person, what narrows it, and searches that are kept."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sharing.archive.errors import SearchNotFound, TooManySearches
from sharing.archive.models import Study
from sharing.archive.services import listing
from sharing.archive.services.finding import find_studies
from sharing.archive.services.listing import Criteria, browse, facets
from sharing.archive.services.remembering import (
    MOST_SEARCHES,
    forget_search,
    new_among,
    opened_lately,
    remember_opening,
    save_search,
    searches_of,
)
from sharing.archive.services.showing import patients_in_sight
from tests.cast import NOW, Person, Region, make_patient


def listed(person: Person, **narrowed: object) -> list[Study]:
    return list(browse(person.actor, Criteria(**narrowed), at=NOW))  # type: ignore[arg-type]


def test_what_ben_has_not_opened_is_new_to_him_and_to_nobody_else_s_account(
    region: Region,
) -> None:
    first, second = region.study(), region.study()
    region.permit()
    remember_opening(region.ben.actor, first, at=NOW)
    assert listed(region.ben, unopened=True) == [second]
    assert new_among(region.ben.actor, [first, second]) == {second.public_id}
    assert listed(region.ada, unopened=True) == []
    assert listed(region.cleo, unopened=True) == []


def test_what_was_opened_is_listed_latest_first_while_it_is_in_sight(region: Region) -> None:
    first, second = region.study(), region.study()
    consent = region.permit()
    for number, study in enumerate((first, second, first)):
        remember_opening(region.ben.actor, study, at=NOW + timedelta(minutes=number))
    inside = Study.objects.visible_to(region.ben.actor, NOW)
    assert opened_lately(inside, region.ben.actor) == [first, second]
    region.revoke(consent)
    assert opened_lately(Study.objects.visible_to(region.ben.actor, NOW), region.ben.actor) == []


def test_a_study_without_a_date_stands_last_in_every_list(region: Region) -> None:
    undated, dated = region.study(study_date=None), region.study(study_date=date(1970, 1, 1))
    for found in (listed(region.ada), listed(region.ada, sort="date")):
        assert found == [dated, undated]
    assert list(find_studies(region.ada.actor, at=NOW)) == [dated, undated]


def test_a_list_asks_the_fence_of_no_study_that_is_not_the_actor_s_to_look_at(
    region: Region,
) -> None:
    """Of 200,000 in a region it would take seconds: the own are the own staff's, and of others only
    those are asked that a consent or a share names the reader for.
    """
    study = region.study()
    region.permit()
    for person in (region.ada, region.ben):
        with CaptureQueriesContext(connection) as asked:
            found = find_studies(person.actor, at=NOW)
        page = str(found.query)
        assert list(found) == [study]
        assert "consent" not in page, page
        assert "grant" not in page, page
        looked = [each["sql"] for each in asked if "EXISTS" in each["sql"]]
        assert all("picked" in each for each in looked), looked
    assert len(looked) == 1


def test_a_list_leaves_out_what_is_refused_though_a_consent_names_its_reader(
    region: Region,
) -> None:
    """Where to look is no permission: whatever it yields must pass the fence."""
    region.study()
    region.permit()
    assert len(listed(region.ben)) == 1
    region.deny()
    assert listed(region.ben) == []
    assert facets(region.ben.actor, Criteria(), at=NOW).total == 0
    assert not find_studies(region.ben.actor, at=NOW).exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL compiles plans")
@pytest.mark.django_db
def test_no_plan_is_compiled_to_machine_code() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_facets_narrow_by_period_and_region_and_count_only_what_is_in_sight(
    region: Region,
) -> None:
    new = region.study(study_date=NOW.date(), body_regions="|CHEST|")
    old = region.study(study_date=date(2020, 1, 1), body_regions="|CHEST|HEAD|")
    region.permit(studies=frozenset({new.study_uid}))
    assert listed(region.ada, periods=("older",)) == [old]
    assert listed(region.ada, periods=("month", "older")) == [new, old]
    assert listed(region.ada, regions=("HEAD",)) == [old]
    found = facets(region.ada.actor, Criteria(), at=NOW)
    assert found.total == len(listed(region.ada)) == 2
    assert found.periods == {"month": 1, "year": 1, "older": 1}
    assert found.regions == {"CHEST": 2, "HEAD": 1}
    assert facets(region.ben.actor, Criteria(), at=NOW).regions == {"CHEST": 1}
    assert facets(region.cleo.actor, Criteria(), at=NOW).periods.total() == 0


def test_of_many_studies_the_newest_are_counted_and_all_are_listed(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    days = [date(2026, 11, 3), date(2026, 11, 2), date(2026, 11, 2), date(2020, 1, 1)]
    studies = [region.study(study_date=day, body_regions="|CHEST|") for day in days]
    found = facets(region.ada.actor, Criteria(), at=NOW)
    assert found.since == date(2026, 11, 2)
    assert found.total == found.regions["CHEST"] == 3  # a day is counted whole
    assert set(listed(region.ada)) == set(studies)
    assert listing.counted(browse(region.ada.actor, Criteria(), at=NOW)) == (2, True)
    typed = facets(region.ada.actor, Criteria(query="RV-1"), at=NOW)
    assert (typed.since, typed.total) == (None, 4)


def test_what_was_typed_is_looked_up_once_and_finds_the_same(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = make_patient(region.riverside, "RV-7", name="LIN^Xiaoyan=林^晓燕")
    new, old = region.study(lin), region.study(lin, study_date=date(2020, 1, 1))
    region.study()
    region.permit(studies=frozenset({new.study_uid}))
    asked = Criteria(query="xiaoyan")
    for person, found in ((region.ada, [new, old]), (region.ben, []), (region.cleo, [])):
        left, inside = listing.looked_up(person.actor, asked, at=NOW)
        assert left.query == ""
        assert list(browse(person.actor, left, at=NOW, inside=inside)) == found
        assert facets(person.actor, left, at=NOW, inside=inside).total == len(found)
    monkeypatch.setattr(listing, "MOST_COUNTED", 1)
    left, inside = listing.looked_up(region.ada.actor, asked, at=NOW)
    assert left == asked
    assert listed(region.ada, query="xiaoyan") == [new, old]


def test_few_studies_are_counted_whole(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    region.study(), region.study()
    found = facets(region.ada.actor, Criteria(), at=NOW)
    assert (found.since, found.total) == (None, 2)


def test_a_list_by_names_goes_along_the_names_of_its_own_house(region: Region) -> None:
    """Sorting 200,000 for a page takes half a second; an index has them in order."""
    for number, name in enumerate(("Wu^Lan", "Ito^Ken", "Adams^Joe")):
        region.study(make_patient(region.riverside, f"RV-N{number}", name=name))
    found = browse(region.ada.actor, Criteria(sort="patient"), at=NOW)
    assert [each.patient.search_key[:2] for each in found] == ["ad", "it", "wu"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        page = browse(region.ada.actor, Criteria(sort="patient"), at=NOW)[:25]
        assert "patients_by_name" in page.explain()


def test_what_ends_within_a_fortnight_is_a_filter(region: Region) -> None:
    soon, later = region.study(), region.study()
    for study, days in ((soon, 3), (later, 80)):
        region.permit(studies=frozenset({study.study_uid}), ends_at=NOW + timedelta(days=days))
    assert listed(region.ben, ending=True) == [soon]
    assert listed(region.ada, ending=True) == []


@pytest.mark.parametrize(
    "typed", ["lin", "xiaoyan", "林", "晓燕", "xiaoyan lin", "RV-7", "rv-7", "AC-55"]
)
def test_the_box_finds_a_name_in_any_script_and_a_number(region: Region, typed: str) -> None:
    lin = make_patient(region.riverside, "RV-7", name="LIN^Xiaoyan=林^晓燕")
    study = region.study(lin, accession_number="Ac-55")
    region.study()
    assert listed(region.ada, query=typed) == [study]
    assert listed(region.cleo, query=typed) == []


def test_the_box_finds_a_chinese_name_by_its_pinyin(region: Region) -> None:
    study = region.study(make_patient(region.riverside, "RV-8", name="=陈^国良"))
    assert listed(region.ada, query="chen guoliang") == [study]
    study.modalities = "|CT|"
    study.save()
    assert listed(region.ada, query="guoliang CT") == [study]
    assert listed(region.ada, query="guoliang MR") == []


def test_every_box_looks_a_name_up_in_the_same_way(region: Region) -> None:
    chen = make_patient(region.riverside, "RV-8", name="=陈^国良")
    study, actor = region.study(chen), region.ada.actor
    for typed in ("chen", "guoliang chen", "国良", "RV-8"):
        assert list(find_studies(actor, at=NOW, query=typed)) == [study], typed
        assert list(patients_in_sight(actor, at=NOW, query=typed)) == [chen], typed
    assert list(patients_in_sight(actor, at=NOW, query="uoliang")) == []


def test_a_search_is_kept_for_its_person_alone(region: Region) -> None:
    saved = save_search(name="Chest", query="region=CHEST", by=region.ben.actor, at=NOW)
    save_search(name="Chest", query="region=CHEST&modality=CT", by=region.ben.actor, at=NOW)
    assert [each.query for each in searches_of(region.ben.actor)] == ["region=CHEST&modality=CT"]
    assert list(searches_of(region.ada.actor)) == []
    with pytest.raises(SearchNotFound):
        forget_search(public_id=saved.public_id, by=region.ada.actor)
    forget_search(public_id=saved.public_id, by=region.ben.actor)
    assert list(searches_of(region.ben.actor)) == []


def test_the_twenty_first_search_is_refused_and_an_old_one_may_change(region: Region) -> None:
    for number in range(MOST_SEARCHES):
        save_search(name=f"Search {number}", query="own=1", by=region.ben.actor, at=NOW)
    with pytest.raises(TooManySearches):
        save_search(name="One more", query="own=1", by=region.ben.actor, at=NOW)
    save_search(name="Search 3", query="shared=1", by=region.ben.actor, at=NOW)
