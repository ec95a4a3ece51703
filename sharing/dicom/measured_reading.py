"""What a kept report or key object says, out of its DICOM JSON: for the viewer that shows it again.

Reads groups of TID 1410 and 1501 whoever made them; what it does not know it leaves out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .calibration import Instance, Point, numbers, values
from .measured import KEY_OBJECT, Measure

_GROUP, _REGION = "125007", "111030"
_NAME, _FOR, _LABEL = "121008", "121009", "112039"
_KINDS = {"410668003": "length", "103339001": "bidirectional", "1483009": "angle",
          "285285000": "cobb", "110859": "angle"}  # fmt: skip
_DERIVED = {"373098007": "mean", "386136009": "sd", "255605001": "min", "56851009": "max"}
_UNITS = {"[hnsf'U]": "HU", "{SUVbw}g/ml": "SUV", "Bq/ml": "Bq/ml", "{counts}": "counts",
          "g/ml": "g/ml", "{counts}/s": "counts/s"}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """One document: who made it, on which day, and what it says."""

    author: str
    organization: str
    day: str
    measures: tuple[Measure, ...] = ()
    keys: tuple[tuple[str, int], ...] = ()
    sop: str = field(default="", compare=False)


def kept(document: Instance) -> Kept:
    """The measurements or key images of a document."""
    items = list(_below(document))
    keys: tuple[tuple[str, int], ...] = ()
    if _first(document, "00080016") == KEY_OBJECT:
        keys = tuple(_reference(each) for each in items if _kind(each) == "IMAGE")
    found = (_measure(each) for each in _groups(document))
    return Kept(
        author=_person(next((_first(i, "0040A123") for i in items if _code(i) == _NAME), "")),
        organization=str(next((_first(i, "0040A160") for i in items if _code(i) == _FOR), "")),
        day=str(_first(document, "00080023")),
        measures=tuple(each for each in found if each),
        keys=keys,
        sop=str(_first(document, "00080018")),
    )


def _groups(item: Instance) -> Iterator[Instance]:
    for each in _below(item):
        if _code(each) == _GROUP:
            yield each
        else:
            yield from _groups(each)


def _measure(group: Instance) -> Measure | None:
    items = list(_below(group))
    figures = [each for each in items if _kind(each) == "NUM"]
    drawn = [each for each in items if _code(each) == _REGION and _kind(each) == "SCOORD"]
    drawn += [s for each in figures for s in _below(each) if _kind(s) == "SCOORD"]
    sources = [image for each in drawn for image in _below(each) if _kind(image) == "IMAGE"]
    kind = _kind_of(drawn, figures)
    if not kind or not sources:
        return None
    label = next((str(_first(i, "0040A160")) for i in items if _code(i) == _LABEL), "")
    pixels = {_derived(each): _value(each) for each in figures if _code(each) not in _SIZES}
    unit = next((_unit(each) for each in figures if _code(each) not in _SIZES), "")
    points = _points(kind, drawn)
    return Measure(kind, *_reference(sources[0]), points, label, pixels, unit) if points else None


_SIZES = frozenset({*_KINDS, "103340004", "42798000"})


def _kind_of(drawn: list[Instance], figures: list[Instance]) -> str:
    if drawn and _code(drawn[0]) == _REGION:
        shape = _first(drawn[0], "00700023")
        return {"ELLIPSE": "ellipse", "POLYLINE": "rectangle", "POINT": "arrow"}.get(shape, "")
    named = next((_KINDS[_code(each)] for each in figures if _code(each) in _KINDS), "")
    is_point = bool(drawn) and _first(drawn[0], "00700023") == "POINT"
    return named or ("probe" if is_point else "")


def _points(kind: str, drawn: list[Instance]) -> tuple[Point, ...]:
    if kind in ("ellipse", "rectangle"):
        found = _pairs(drawn[0])
        across, down = zip(*found, strict=True)
        return (min(across), min(down)), (max(across), max(down))
    most = {"length": 2, "bidirectional": 4, "angle": 3, "cobb": 4, "arrow": 1, "probe": 1}[kind]
    every = tuple(pair for each in drawn for pair in _pairs(each))
    return every[:most] if len(every) >= most else ()


def _pairs(item: Instance) -> tuple[Point, ...]:
    flat = numbers(item, "00700022")
    return tuple(zip(flat[::2], flat[1::2], strict=False))


def _below(item: Instance) -> list[Mapping[str, Any]]:
    return values(item, "0040A730")


def _first(item: Instance, tag: str) -> Any:
    return next(iter(values(item, tag)), "")


def _kind(item: Instance) -> str:
    return str(_first(item, "0040A040"))


def _code(item: Instance) -> str:
    return next((str(_first(c, "00080100")) for c in values(item, "0040A043")), "")


def _derived(item: Instance) -> str:
    codes = [_first(c, "00080100") for i in _below(item) for c in values(i, "0040A168")]
    return next((_DERIVED[code] for code in codes if code in _DERIVED), "value")


def _value(item: Instance) -> float:
    return next((n for each in values(item, "0040A300") for n in numbers(each, "0040A30A")), 0.0)


def _unit(item: Instance) -> str:
    units = [c for each in values(item, "0040A300") for c in values(each, "004008EA")]
    return next((_UNITS.get(str(_first(c, "00080100")), "") for c in units), "")


def _reference(item: Instance) -> tuple[str, int]:
    for each in values(item, "00081199"):
        frames = numbers(each, "00081160")
        return str(_first(each, "00081155")), int(frames[0]) if frames else 1
    return "", 1


def _person(name: Any) -> str:
    """A PN as people say it: given name first."""
    text = name.get("Alphabetic", "") if isinstance(name, Mapping) else str(name)
    family, _, given = text.partition("^")
    return f"{given.replace('^', ' ')} {family}".strip()
