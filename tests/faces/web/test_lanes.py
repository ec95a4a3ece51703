"""A patient's imaging over the years, as numbers for a picture."""

from datetime import date
from types import SimpleNamespace
from typing import Any

from sharing.web.lanes import LEFT, WIDTH, lanes
from sharing.web.present import GroundLine, StudyRow

TODAY = date(2026, 11, 24)
RIVERSIDE = SimpleNamespace(code="riverside", name="Riverside General Hospital", mark="RV")
HILLTOP = SimpleNamespace(code="hilltop", name="Hilltop Family Clinic", mark="HT")


def row(day: date | None, custodian: Any = RIVERSIDE, modality: str = "CT") -> StudyRow:
    return StudyRow(
        public_id="id",
        title="Chest",
        modalities=[modality],
        study_date=day,
        custodian=custodian,
        patient=None,
        series_count=1,
        instance_count=1,
        state="complete",
        url="/studies/id/",
        viewer_url="",
        thumbnail_url="",
        ground=GroundLine("own", "Your own organization holds this study"),
        own=True,
    )


def test_each_organization_has_a_lane_and_each_study_its_place() -> None:
    picture = lanes([row(date(2026, 6, 1)), row(date(2024, 1, 1), HILLTOP, "US")], today=TODAY)
    assert picture is not None
    assert [lane.custodian.code for lane in picture.lanes] == ["riverside", "hilltop"]
    assert [year for _, _, year in picture.years] == [2024, 2025, 2026]
    (ct,), (us,) = (lane.marks for lane in picture.lanes)
    assert (ct.word, us.word) == ("CT", "US")
    assert LEFT < us.x < ct.x < picture.today < WIDTH


def test_studies_that_would_overlap_are_one_mark_with_their_number() -> None:
    days = (date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3), date(2024, 5, 5))
    picture = lanes([row(day) for day in days], today=TODAY)
    assert picture is not None
    assert [mark.word for mark in picture.lanes[0].marks] == ["CT", "CT+2"]


def test_one_mark_and_studies_without_a_date_make_no_picture() -> None:
    assert lanes([row(date(2026, 3, 1)), row(None), row(None)], today=TODAY) is None
    assert lanes([row(date(2026, 3, 1)), row(date(2026, 3, 2))], today=TODAY) is None
    assert lanes([], today=TODAY) is None


def test_years_long_past_leave_the_picture_and_stay_in_the_list() -> None:
    rows = [row(date(1990, 1, 1)), row(date(2026, 1, 1)), row(date(2025, 1, 1))]
    picture = lanes(rows, today=TODAY)
    assert picture is not None
    assert len(picture.years) == 12
    assert sum(len(lane.marks) for lane in picture.lanes) == 2
