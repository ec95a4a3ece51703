"""A patient's imaging over the years: a lane for each organization, a mark for each study. Numbers
for a template's SVG; the list under it says the same. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .present import StudyRow

WIDTH, LEFT, LANE, MARK = 900, 250, 36, 34
YEARS_AT_LEAST = 3
YEARS_AT_MOST = 12


@dataclass(frozen=True)
class Mark:
    """A study, or as many as stand too close to tell apart; `x` is its middle."""

    x: float
    word: str
    title: str
    url: str


@dataclass(frozen=True)
class Lane:
    """An organization's row; `y` is its middle."""

    y: float
    custodian: Any
    marks: list[Mark]


@dataclass(frozen=True)
class Lanes:
    """The picture: its height, its lanes, the lines between years and today's."""

    height: int
    base: int
    lanes: list[Lane]
    years: list[tuple[float, float, int]]
    today: float


def lanes(studies: Sequence[StudyRow], *, today: date) -> Lanes | None:
    """The dated studies of the last years; nothing where a picture would tell nothing."""
    dated = [(row.study_date, row) for row in studies if row.study_date and row.study_date <= today]
    if len(dated) < 2:
        return None
    earliest = max(min(day for day, _ in dated).year, today.year - YEARS_AT_MOST + 1)
    scale = _Scale(min(earliest, today.year - YEARS_AT_LEAST + 1), today.year)
    shown = [(day, row) for day, row in dated if day.year >= scale.first]
    codes = dict.fromkeys(row.custodian.code for _, row in shown)
    rows = [
        _lane(
            LANE * (place + 0.5), [each for each in shown if each[1].custodian.code == code], scale
        )
        for place, code in enumerate(codes)
    ]
    if sum(len(lane.marks) for lane in rows) < 2:
        return None
    years = [(scale.at(date(year, 1, 1)), scale.middle(year), year) for year in scale.years]
    base = LANE * len(rows)
    return Lanes(base + 26, base, rows, years, scale.at(today))


@dataclass(frozen=True)
class _Scale:
    first: int
    last: int

    @property
    def years(self) -> range:
        return range(self.first, self.last + 1)

    def at(self, day: date) -> float:
        year = (WIDTH - LEFT) / len(self.years)
        return round(LEFT + year * (day.year - self.first + (day.timetuple().tm_yday - 1) / 366), 1)

    def middle(self, year: int) -> float:
        return self.at(date(year, 7, 2))


def _lane(y: float, rows: Sequence[tuple[date, StudyRow]], scale: _Scale) -> Lane:
    marks: list[Mark] = []
    for day, row in sorted(rows, key=lambda each: each[0]):
        x = min(max(scale.at(day), LEFT + MARK / 2), WIDTH - MARK / 2)
        mark = Mark(x, "".join(row.modalities[:1]) or "?", row.title, row.url)
        if marks and x - marks[-1].x < MARK + 2:
            mark = _together(marks.pop(), mark)
        marks.append(mark)
    return Lane(y, rows[0][1].custodian, marks)


def _together(before: Mark, later: Mark) -> Mark:
    """One mark for two that would overlap: the later one, with how many more."""
    _, _, more = before.word.partition("+")
    return Mark(before.x, f"{later.word}+{int(more or 0) + 1}", later.title, later.url)
