"""What stands out in the log: many patients in an hour, the same family name. Pure."""

from datetime import timedelta

import pytest

from sharing.audit.patterns import Read, family_names, many_patients, same_family
from sharing.web.charts import spark, stacked
from sharing.web.tables import as_csv, cell
from tests.cast import NOW


def read(minute: float, patient: str, name: str = "Ben Hartley") -> Read:
    return Read(NOW + timedelta(minutes=minute), name, name, "Hilltop", patient)


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        ([0, 1, 2], [3]),  # three patients in three minutes
        ([0, 30, 60], []),  # the hour is over when the third comes
        ([0, 30, 59], [3]),
        ([0, 1], []),
        ([0, 1, 2, 100, 101, 102, 103], [4]),  # the busiest hour is told
    ],
)
def test_many_patients_within_an_hour(minutes: list[int], found: list[int]) -> None:
    reads = [read(minute, f"p{place}") for place, minute in enumerate(minutes)]
    assert [len(one.patients) for one in many_patients(reads, many=3)] == found
    same = [read(minute, "p") for minute in minutes]  # one patient, however often
    assert list(many_patients(same, many=3)) == []


@pytest.mark.parametrize(
    ("person", "patient", "same"),
    [
        ("Ben Hartley", "HARTLEY^Ann", True),
        ("Dr Eva Müller", "MULLER^Jo", True),
        ("王建国", "王^小明", True),
        ("王建国", "王小明", True),
        ("Eva van Dyk", "VAN DYK Pat", True),
        ("Ben Hartley", "HARTLEY Ann", True),
        ("Ben Hartley", "Moreau^Ben", False),
        ("", "^", False),
        ("Ben Hartley", "", False),
    ],
)
def test_the_same_family_name(person: str, patient: str, same: bool) -> None:
    found = same_family([read(0, "p", person)] * 2, {"p": family_names(patient)})
    assert len(list(found)) == int(same)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " =", "\ufeff="])
def test_no_cell_begins_a_formula(start: str) -> None:
    payload = f'{start}HYPERLINK("http://evil.example")'
    assert cell(payload) == f"'{payload}"
    body = as_csv(["a"], [[payload], ["王 plain"], [7]]).decode("utf-8-sig")
    assert body.startswith('"a"\r\n"\'')
    assert body.endswith('"王 plain"\r\n"7"\r\n')


def test_bars_stay_inside_their_frame_and_stand_on_each_other() -> None:
    order = (("own", "f-own"), ("emergency", "f-btg"))
    stacks = [{"own": 640, "emergency": 1}, {}, {"own": 3, "emergency": 2}]
    chart = stacked(["7 Sep", "14", "21"], stacks, order)
    assert [text.words for text in chart.scale] == ["0", "200", "400", "600", "800"]
    assert [text.words for text in chart.marks] == ["1", "2"]
    assert len(chart.bars) == 4
    assert all(bar.y > 0 and bar.y + bar.height <= 190 for bar in chart.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= 868 for bar in chart.bars)
    assert [bar.css for bar in spark([0, 5])] == ["f-imp", "f-own"]
    assert stacked(["7 Sep"], [{}], order).bars == []
