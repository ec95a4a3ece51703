"""How large a pixel is in the patient, by the right tag, and what lengths and angles follow.

The viewer decides the same in frontend/viewer/calibration.js; here it is decided again for what is
kept. Instances are DICOM JSON (PS3.18 F.2); points are (column, row) from the outer corner of the
first pixel, as PS3.3 C.18.6 counts them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import atan2, degrees, hypot, isfinite, pi
from typing import Any

Instance = Mapping[str, Any]
Point = tuple[float, float]
PROJECTIONS = frozenset({"CR", "DX", "MG", "XA", "RF", "PX", "IO"})
"""Modalities whose Imager Pixel Spacing (0018,1164) measures the detector, not the patient."""
CENTIMETRES, FLAT = 3, 1


@dataclass(frozen=True)
class Scale:
    """Millimetres of one pixel, across and down."""

    x: float
    y: float


def values(instance: Instance, tag: str) -> list[Any]:
    """The values of one attribute, always a list."""
    found: list[Any] = instance.get(tag, {}).get("Value", [])
    return found


def numbers(instance: Instance, tag: str) -> list[float]:
    """Those of its values that are finite numbers."""
    found = []
    for value in values(instance, tag):
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            continue
    return [number for number in found if isfinite(number)]


def scale_of(instance: Instance, frame: int, points: Sequence[Point]) -> Scale | None:
    """The size of a pixel at these points of a frame, counted from 1; None: the file says none."""
    regions = values(instance, "00186011")
    if regions:
        fits = (_region(each) for each in regions if all(_holds(each, at) for at in points))
        return next((scale for scale in fits if scale), None)
    spacing, detector = _spacing(instance, frame), _pair(instance, "00181164")
    if detector or next(iter(values(instance, "00080060")), "") in PROJECTIONS:
        return _projection(instance, spacing, detector)
    return spacing


def _projection(instance: Instance, spacing: Scale | None, detector: Scale | None) -> Scale | None:
    calibrated = spacing != detector and (detector or values(instance, "00280A02"))
    if spacing and calibrated:
        return spacing
    factor = next(iter(numbers(instance, "00181114")), 0.0)
    if detector and factor > 1:
        return Scale(detector.x / factor, detector.y / factor)
    return detector or spacing


def shape_of(instance: Instance, frame: int, points: Sequence[Point]) -> Scale:
    """A pixel's shape, for angles: by its size, by Pixel Aspect Ratio (0028,0034), or square."""
    return scale_of(instance, frame, points) or _pair(instance, "00280034") or Scale(1, 1)


def _spacing(instance: Instance, frame: int) -> Scale | None:
    for group in _groups(instance, frame):
        for measures in values(group, "00289110"):
            if found := _pair(measures, "00280030"):
                return found
    return _pair(instance, "00280030")


def _groups(instance: Instance, frame: int) -> Iterator[Instance]:
    own = values(instance, "52009230")
    yield from own[frame - 1 : frame]
    yield from values(instance, "52009229")[:1]


def _pair(instance: Instance, tag: str) -> Scale | None:
    found = numbers(instance, tag)
    if len(found) < 2 or min(found[:2]) <= 0:
        return None
    return Scale(x=found[1], y=found[0])


def _holds(region: Instance, point: Point) -> bool:
    edges = [numbers(region, tag) for tag in ("00186018", "0018601A", "0018601C", "0018601E")]
    if not all(edges):
        return False
    left, top, right, bottom = (edge[0] for edge in edges)
    return left <= point[0] <= right + 1 and top <= point[1] <= bottom + 1


def _region(region: Instance) -> Scale | None:
    units = [*numbers(region, "00186024"), *numbers(region, "00186026")]
    x, y = numbers(region, "0018602C"), numbers(region, "0018602E")
    is_flat = numbers(region, "00186012") == [FLAT]
    if not is_flat or units != [CENTIMETRES] * 2 or not x or not y or not x[0] or not y[0]:
        return None
    return Scale(abs(x[0]) * 10, abs(y[0]) * 10)


def length_of(one: Point, other: Point, scale: Scale) -> float:
    """Their distance in mm."""
    return hypot(*_step(one, other, scale))


def angle_of(points: Sequence[Point], scale: Scale) -> float:
    """The angle at the middle one of three points, in degrees."""
    return _between(_step(points[1], points[0], scale), _step(points[1], points[2], scale))


def cobb_of(points: Sequence[Point], scale: Scale) -> float:
    """The angle of two lines, whichever way they were drawn: 0 to 90 degrees."""
    one, other = _step(points[0], points[1], scale), _step(points[2], points[3], scale)
    angle = _between(one, other)
    return min(angle, 180 - angle)


def area_of(kind: str, points: Sequence[Point], scale: Scale) -> float:
    """The area in mm² of a rectangle, or of the ellipse in it."""
    across, down = zip(*points, strict=True)
    area = (max(across) - min(across)) * scale.x * (max(down) - min(down)) * scale.y
    return area * pi / 4 if kind == "ellipse" else area


def _step(one: Point, other: Point, scale: Scale) -> tuple[float, float]:
    return (other[0] - one[0]) * scale.x, (other[1] - one[1]) * scale.y


def _between(one: tuple[float, float], other: tuple[float, float]) -> float:
    turned = one[0] * other[1] - one[1] * other[0]
    return degrees(atan2(abs(turned), one[0] * other[0] + one[1] * other[1]))
