"""The content of measurement reports and key objects, by highdicom: codes, groups, who observed.

Loaded by `measured` only when something is kept: highdicom takes seconds to load.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from highdicom import ko, sr
from highdicom.sr.coding import CodedConcept
from pydicom import Dataset
from pydicom.sr.codedict import codes

from .measured import REGIONS, Author, Measure, new_uid

logging.getLogger("highdicom").setLevel(logging.WARNING)  # it tells which UIDs it copies

PROCEDURE = codes.SCT.ImagingProcedure
WORDS = {
    "length": "Length", "bidirectional": "Two axes", "angle": "Angle", "cobb": "Cobb angle",
    "ellipse": "Ellipse", "rectangle": "Rectangle", "arrow": "Note", "probe": "Probe",
}  # fmt: skip
"""How a measurement is called where its author gave it no name."""
_NAMES = {
    "length": codes.SCT.Length, "long": codes.SCT.LongAxis, "short": codes.SCT.ShortAxis,
    "angle": codes.SCT.Angle, "cobb": codes.SCT.CobbAngle, "area": codes.SCT.Area,
}  # fmt: skip
_UNITS = {
    "mm": ("mm", "millimeter"), "°": ("deg", "degree"), "mm²": ("mm2", "square millimeter"),
    "HU": ("[hnsf'U]", "Hounsfield unit"), "SUV": ("{SUVbw}g/ml", "Standardized Uptake Value"),
    "Bq/ml": ("Bq/ml", "Becquerels per milliliter"), "counts": ("{counts}", "Counts"),
    "g/ml": ("g/ml", "Gram per milliliter"), "counts/s": ("{counts}/s", "Counts per second"),
}  # fmt: skip
_OF_GEOMETRY = {"length": "mm", "long": "mm", "short": "mm", "angle": "°", "area": "mm²"}
_DERIVED = {
    "mean": codes.SCT.Mean, "sd": codes.SCT.StandardDeviation,
    "min": codes.SCT.Minimum, "max": codes.SCT.Maximum,
}  # fmt: skip
_PIXELS = {
    "HU": codes.DCM.AttenuationCoefficient,
    "SUV": CodedConcept("126401", "DCM", "SUVbw"),
}
_OTHER_PIXELS = CodedConcept("pixel-value", "99IMEX", "Pixel value after rescale")


def group(
    measure: Measure, figures: Mapping[str, float], image: Dataset
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations:
    """One measurement: a region of TID 1410 with its figures, or figures with their lines."""
    label = measure.label or WORDS[measure.kind]
    tracking = sr.TrackingIdentifier(uid=new_uid(), identifier=label)
    if measure.kind in REGIONS or measure.kind == "arrow":
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_region=_region(measure, _source(measure, image)),
            measurements=[*_geometry(measure, figures), *_pixels(measure)],
        )
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking, measurements=_drawn(measure, figures, image)
    )


def _drawn(measure: Measure, figures: Mapping[str, float], image: Dataset) -> list[sr.Measurement]:
    points, source = measure.points, _source(measure, image)
    if measure.kind == "bidirectional":
        sides = sorted((points[:2], points[2:]), key=lambda side: -_span(side, figures, points))
        return [
            _geometric(name, figures[name], [_lines(side, source)])
            for name, side in zip(("long", "short"), sides, strict=True)
        ]
    if measure.kind == "cobb":
        both = [_lines(points[:2], source), _lines(points[2:], source)]
        return [_geometric("angle", figures["angle"], both, name="cobb")]
    if measure.kind == "probe":
        return _pixels(measure, [_lines(points, source)]) or [_place(points, source)]
    return [_geometric(measure.kind, figures[measure.kind], [_lines(points, source)])]


def _span(side: Any, figures: Mapping[str, float], points: Any) -> float:
    """Which side is the long one, in mm: pixels may not be square, so the figures decide."""
    return figures["first" if side == points[:2] else "second"]


def _geometric(key: str, value: float, drawn: Any, name: str = "") -> sr.Measurement:
    return sr.Measurement(
        name=_NAMES[name or key],
        value=round(value, 4),
        unit=_unit(_OF_GEOMETRY[key]),
        referenced_coordinates=drawn,
    )


def _geometry(measure: Measure, figures: Mapping[str, float]) -> list[sr.Measurement]:
    return [_geometric("area", figures["area"], None)] if "area" in figures else []


def _pixels(measure: Measure, drawn: Any = None) -> list[sr.Measurement]:
    """What was read of the pixels: a value, or what is derived of many."""
    name, unit = _PIXELS.get(measure.unit, _OTHER_PIXELS), _unit(measure.unit)
    return [
        sr.Measurement(
            name=name,
            value=round(value, 4),
            unit=unit,
            derivation=_DERIVED.get(key),
            referenced_coordinates=drawn,
        )
        for key, value in measure.figures.items()
    ]


def _place(points: Any, source: Any) -> sr.Measurement:
    """A probe of colours: a place without a value."""
    drawn = [_lines(points, source)]
    return sr.Measurement(
        name=_OTHER_PIXELS, value=0, unit=_unit(""), referenced_coordinates=drawn,
        qualifier=codes.DCM.ValueUnknown,
    )  # fmt: skip


def _unit(unit: str) -> CodedConcept:
    value, meaning = _UNITS.get(unit, ("1", "no units"))
    return CodedConcept(value, "UCUM", meaning)


def _source(measure: Measure, image: Dataset) -> sr.SourceImageForRegion:
    is_film = int(image.get("NumberOfFrames") or 1) > 1
    return sr.SourceImageForRegion(
        referenced_sop_class_uid=image.SOPClassUID,
        referenced_sop_instance_uid=image.SOPInstanceUID,
        referenced_frame_numbers=[measure.frame] if is_film else None,
    )


def _lines(points: Any, source: Any) -> sr.CoordinatesForMeasurement:
    graphic = "POINT" if len(points) == 1 else "POLYLINE"
    return sr.CoordinatesForMeasurement(graphic, np.array(points, dtype=np.float32), source)


def _region(measure: Measure, source: Any) -> sr.ImageRegion:
    if measure.kind == "arrow":
        return sr.ImageRegion("POINT", np.array(measure.points, dtype=np.float32), source)
    across, down = zip(*measure.points, strict=True)
    left, right, top, bottom = min(across), max(across), min(down), max(down)
    if measure.kind == "rectangle":
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return sr.ImageRegion("POLYLINE", np.array(corners, dtype=np.float32), source)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    axes = [[(left, middle_y), (right, middle_y)], [(middle_x, top), (middle_x, bottom)]]
    axes.sort(key=lambda axis: -abs(axis[0][0] - axis[1][0]) - abs(axis[0][1] - axis[1][1]))
    ends = np.array([*axes[0], *axes[1]], dtype=np.float32)  # the major axis first
    return sr.ImageRegion("ELLIPSE", ends, source)


def observer(author: Author) -> sr.ObservationContext:
    """Who measured, and for whom."""
    return sr.ObservationContext(observer_person_context=_person(author))


def _person(author: Author) -> sr.ObserverContext:
    return sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(
            name=person_name(author.name), organization_name=author.organization
        ),
    )


def person_name(name: str) -> str:
    """A name as accounts have it, as PN (PS3.5 6.2): the last word is the family's."""
    given, _, family = name.strip().rpartition(" ")
    return f"{family}^{given}".replace("=", " ").replace("\\", " ")


def selection(
    chosen: Sequence[tuple[str, int]], evidence: Mapping[str, Dataset], author: Author
) -> ko.KeyObjectSelection:
    """The chosen frames, of interest to the author."""
    images = [evidence[sop] for sop, _ in chosen]
    made = ko.KeyObjectSelection(codes.DCM.OfInterest, images, _person(author))
    items = [each for each in made[0].ContentSequence if "ReferencedSOPSequence" in each]
    for item, image, (_, frame) in zip(items, images, chosen, strict=True):
        if int(image.get("NumberOfFrames") or 1) > 1:
            item.ReferencedSOPSequence[0].ReferencedFrameNumber = frame
    return made


def heading(title: str, author: Author) -> dict[str, Any]:
    """What both kinds of document are called, by whom and when."""
    return {
        "series_instance_uid": new_uid(),
        "series_number": 9000,
        "sop_instance_uid": new_uid(),
        "instance_number": 1,
        "manufacturer": "Imaging Exchange",
        "manufacturer_model_name": "Review viewer",
        "institution_name": author.organization,
        "series_description": f"{title}, {author.name}"[:64],
        "content_date": author.at.date(),
        "content_time": author.at.time(),
        "series_date": author.at.date(),
        "series_time": author.at.time(),
        "specific_character_set": "ISO_IR 192",
    }
