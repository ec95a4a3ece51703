"""Sizes by the right tag: the same cases as the viewer's own (frontend/viewer/figures.test.js)."""

from math import atan2, degrees, hypot, pi
from typing import Any

import pytest

from sharing.dicom.calibration import (
    Scale,
    angle_of,
    area_of,
    cobb_of,
    length_of,
    scale_of,
    shape_of,
)
from sharing.dicom.errors import BadDicom
from sharing.dicom.measured import Measure, as_points, figures_of

Json = dict[str, Any]


def text(*values: Any) -> Json:
    """One attribute of DICOM JSON."""
    return {"vr": "UN", "Value": list(values)}


def region(left: int, right: int, size: float, units: int = 3) -> Json:
    """An ultrasound region 100 pixels high."""
    tags = {"00186012": 1, "00186018": left, "0018601A": 0, "0018601C": right, "0018601E": 99}
    tags |= {"00186024": units, "00186026": units}
    found = {tag: text(value) for tag, value in tags.items()}
    return found | {"0018602C": text(size), "0018602E": text(size)}


def length(instance: Json, *points: tuple[float, float], frame: int = 1) -> float:
    """The length between two points, as it is kept."""
    return figures_of(Measure("length", "1.2", frame, points), instance)["length"]


def test_a_length_follows_both_spacings() -> None:
    instance = {"00280030": text("2", "0.5")}
    assert length(instance, (10, 10), (40, 30)) == pytest.approx(hypot(15, 40))


def test_an_enhanced_object_is_measured_by_its_own_frame() -> None:
    measures = [text({"00289110": text({"00280030": text(n, n)})}) for n in (1, 3)]
    frames = {"52009229": measures[0], "52009230": text({}, measures[1]["Value"][0])}
    assert length(frames, (0, 0), (10, 0)) == 10
    assert length(frames, (0, 0), (10, 0), frame=2) == 30


@pytest.mark.parametrize(
    ("instance", "mm"),
    [
        ({"00080060": text("DX"), "00181164": text(0.2, 0.2)}, 20),
        ({"00280030": text(0.1, 0.1), "00181164": text(0.2, 0.2)}, 10),
        ({"00080060": text("MG"), "00181164": text(0.1, 0.1), "00181114": text(1.25)}, 8),
        ({"00186011": text(region(0, 199, 0.05))}, 50),
    ],
    ids=["at the detector", "calibrated", "magnification off", "ultrasound"],
)
def test_a_hundred_pixels_are_so_many_mm(instance: Json, mm: float) -> None:
    assert length(instance, (0, 0), (100, 0)) == pytest.approx(mm)


@pytest.mark.parametrize(
    "instance",
    [
        {},
        {"00182010": text(0.1, 0.1)},
        {"00186011": text(region(0, 199, 0.05, units=4))},
        {"00186011": text(region(0, 49, 0.05), region(50, 199, 0.05))},
        {"00280030": text("NaN", "Infinity")},
    ],
    ids=["no tag", "scanned film", "velocity over time", "across two regions", "no finite number"],
)
def test_no_length_is_kept_where_no_tag_tells_a_size(instance: Json) -> None:
    with pytest.raises(BadDicom):
        length(instance, (10, 10), (90, 10))


def test_angles_need_no_size_and_follow_the_shape_of_pixels() -> None:
    tall = shape_of({"00280034": text(2, 1)}, 1, ())
    assert tall == Scale(x=1, y=2)
    assert angle_of(((10, 10), (0, 0), (10, 0)), tall) == pytest.approx(degrees(atan2(20, 10)))
    lines = ((0, 0), (10, 0), (10, 60), (0, 50))
    assert cobb_of(lines, Scale(1, 1)) == pytest.approx(45)


def test_areas_are_of_the_box_and_of_the_ellipse_in_it() -> None:
    points = ((0.0, 0.0), (20.0, 10.0))
    assert area_of("rectangle", points, Scale(0.5, 2)) == 200
    assert area_of("ellipse", points, Scale(0.5, 2)) == pytest.approx(50 * pi)
    assert length_of((0, 0), (3, 4), Scale(1, 1)) == 5
    assert scale_of({}, 1, points) is None


@pytest.mark.parametrize("raw", [[], [[1, 2]], [[1, 2], [3, "x"]], [[1, 2], [3, 1e9]], None])
def test_points_that_are_none_are_refused(raw: Any) -> None:
    with pytest.raises(BadDicom):
        as_points(raw, "length")
