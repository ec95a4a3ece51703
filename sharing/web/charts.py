"""Bars as numbers for a template's SVG: no script draws them, and no style attribute. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, LEFT, TOP, BASE = 868, 216, 40, 26, 190
BAR = 40


@dataclass(frozen=True)
class Bar:
    """A rectangle of a class."""

    x: float
    y: float
    width: float
    height: float
    css: str


@dataclass(frozen=True)
class Text:
    """A word at a place."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Chart:
    """Stacked bars with their scale."""

    bars: list[Bar]
    scale: list[Text]
    labels: list[Text]
    marks: list[Text]


def spark(values: Sequence[int], *, last: str = "f-own") -> list[Bar]:
    """Small bars, 84 by 28, the last one in its own colour."""
    top, step = max(values, default=0) or 1, 84 / max(len(values), 1)
    made = []
    for place, value in enumerate(values):
        height = max(2.0, round(28 * value / top, 1))
        css = last if place == len(values) - 1 else "f-imp"
        made.append(Bar(round(step * place, 1), 28 - height, round(step * 0.72, 1), height, css))
    return made


def days(told: Sequence[tuple[date, int, int]]) -> Chart:
    """Images by day, refused ones on top."""
    labels = [str(day.day) for day, _, _ in told]
    stacks = [{"stored": stored, "refused": refused} for _, stored, refused in told]
    return stacked(labels, stacks, (("stored", "f-own"), ("refused", "f-btg")))


def stacked(
    labels: Sequence[str], stacks: Sequence[Mapping[str, int]], order: Sequence[tuple[str, str]]
) -> Chart:
    """A bar for each label; `order`: name of a part and its class, from the bottom up.

    The last part is rare and important: its number stands above the bar.
    """
    top = _round_up(max((sum(stack.values()) for stack in stacks), default=0))
    unit = (BASE - TOP) / top
    step = (WIDTH - LEFT - 4) / max(len(stacks), 1)
    chart = Chart([], _scale(top, unit), [], [])
    width = min(float(BAR), round(step * 0.7, 1))
    for place, (label, stack) in enumerate(zip(labels, stacks, strict=True)):
        x, y = round(LEFT + step * place + (step - width) / 2, 1), float(BASE)
        for name, css in order:
            if stack.get(name, 0):
                height = max(3.0, round(unit * stack[name], 1))
                y = round(y - height, 1)
                chart.bars.append(Bar(x, y, width, height - 1, css))
        middle = round(x + width / 2, 1)
        chart.labels.append(Text(middle, HEIGHT - 8, label))
        if rare := stack.get(order[-1][0], 0):
            chart.marks.append(Text(middle, y - 5, str(rare)))
    return chart


def _scale(top: int, unit: float) -> list[Text]:
    parts = 4 if top % 4 == 0 else 3 if top % 3 == 0 else 2 if top % 2 == 0 else 1
    return [
        Text(LEFT, round(BASE - unit * value, 1), f"{value:,}")
        for value in range(0, top + 1, top // parts)
    ]


def _round_up(value: int) -> int:
    """The next 1, 2, 3, 4, 6 or 8 times a power of ten."""
    power = 1
    while power * 10 < value:
        power *= 10
    return next(n * power for n in (1, 2, 3, 4, 6, 8, 10) if n * power >= max(value, 1))
