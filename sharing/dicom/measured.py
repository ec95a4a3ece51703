"""Measurements and key images as DICOM: a report of TID 1500 and a key object of TID 2010.

Made by highdicom from what an image says of its patient and study. Lengths, angles and areas are
computed here from the points and the image's own tags; statistics are as the viewer read them.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.uid import generate_uid

from .calibration import (
    Instance,
    Point,
    angle_of,
    area_of,
    cobb_of,
    length_of,
    scale_of,
    shape_of,
)
from .errors import BadDicom

POINTS = {
    "length": 2, "bidirectional": 4, "angle": 3, "cobb": 4,
    "ellipse": 2, "rectangle": 2, "arrow": 1, "probe": 1,
}  # fmt: skip
"""The kinds of measurement, and how many points each has."""
REGIONS = frozenset({"ellipse", "rectangle"})
COMPREHENSIVE, KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.59"
TITLE = "Measurements"
KEY_TITLE = "Key images"
_COPIED = (
    "00080005", "00080016", "00080018", "00080020", "00080030", "00080050", "00080060",
    "00080090", "00081030", "00100010", "00100020", "00100021", "00100030", "00100040",
    "0020000D", "0020000E", "00200010", "00280008", "00280010", "00280011",
)  # fmt: skip
_ASKED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One measurement on one frame (counted from 1); `figures` and `unit` are of its pixels."""

    kind: str
    sop: str
    frame: int
    points: tuple[Point, ...]
    label: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class Author:
    """Who measured, for whom, when."""

    name: str
    organization: str
    at: datetime


@dataclass(frozen=True)
class Named:
    """Who the patient is to the custodian: what another organization's object must say."""

    identifier: str
    issuer: str


def figures_of(measure: Measure, instance: Instance) -> dict[str, float]:
    """What the points say by the image's own tags. Raises BadDicom where it tells no size."""
    at = (instance, measure.frame, measure.points)
    scale, shape, points = scale_of(*at), shape_of(*at), measure.points
    if measure.kind == "angle":
        return {"angle": angle_of(points, shape)}
    if measure.kind == "cobb":
        return {"angle": cobb_of(points, shape)}
    if measure.kind in REGIONS:
        return {"area": area_of(measure.kind, points, scale)} if scale else {}
    if measure.kind not in ("length", "bidirectional"):
        return {}
    if scale is None:
        raise BadDicom("uncalibrated")
    first = length_of(points[0], points[1], scale)
    if measure.kind == "length":
        return {"length": first}
    second = length_of(points[2], points[3], scale)
    both = {"long": max(first, second), "short": min(first, second)}
    return both | {"first": first, "second": second}


def report(
    measures: Sequence[Measure],
    images: Mapping[str, Instance],
    *,
    author: Author,
    named: Named | None,
) -> bytes:
    """A Comprehensive SR with a group for each measurement. Raises BadDicom."""
    from highdicom import sr  # takes seconds to load, and few ask for it

    from . import measured_content as content

    with _as_it_is_named():
        wanted = dict.fromkeys(each.sop for each in measures)
        evidence = {sop: evidence_of(images[sop], named) for sop in wanted}
        tree = sr.MeasurementReport(
            observation_context=content.observer(author),
            procedure_reported=content.PROCEDURE,
            imaging_measurements=[
                content.group(each, figures_of(each, images[each.sop]), evidence[each.sop])
                for each in measures
            ],
        )
        document = sr.ComprehensiveSR(
            evidence=list(evidence.values()),
            content=tree[0],
            is_complete=True,
            **content.heading(TITLE, author),
        )
    return _file(document)


def key_object(
    frames: Iterable[tuple[str, int]],
    images: Mapping[str, Instance],
    *,
    author: Author,
    named: Named | None,
) -> bytes:
    """A Key Object Selection of these frames, of interest."""
    from highdicom import ko

    from . import measured_content as content

    chosen = list(dict.fromkeys(frames))
    with _as_it_is_named():
        evidence = {sop: evidence_of(images[sop], named) for sop, _ in chosen}
        document = ko.KeyObjectSelectionDocument(
            evidence=list(evidence.values()),
            content=content.selection(chosen, evidence, author),
            **content.heading(KEY_TITLE, author),
        )
    for keyword in ("IssuerOfPatientID", "StudyDescription"):  # the library leaves them out
        first = next(iter(evidence.values()))
        if keyword in first:
            setattr(document, keyword, first.get(keyword))
    return _file(document)


@contextmanager
def _as_it_is_named() -> Iterator[None]:
    """The library warns of a patient's name that has one part; names stay as the image has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def evidence_of(instance: Instance, named: Named | None) -> Dataset:
    """What is taken over of an image: who and which study; no pixels, nothing private."""
    kept = {tag: instance[tag] for tag in _COPIED if tag in instance}
    data = Dataset.from_json(kept)
    for keyword in _ASKED:
        if keyword not in data:
            setattr(data, keyword, None)
    if named is not None:
        data.PatientID, data.IssuerOfPatientID = named.identifier, named.issuer
    return data


def _file(document: Dataset) -> bytes:
    document.SpecificCharacterSet = "ISO_IR 192"
    buffer = BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def new_uid() -> str:
    """A UID of UUID form (PS3.5 B.2)."""
    return str(generate_uid(prefix=None))


def as_points(raw: Any, kind: str) -> tuple[Point, ...]:
    """The points of one kind. Raises BadDicom where they are not that many pairs of numbers."""
    try:
        found = tuple((float(column), float(row)) for column, row in raw)
    except (TypeError, ValueError):
        raise BadDicom("points") from None
    if len(found) != POINTS.get(kind) or not all(abs(n) < 1e6 for pair in found for n in pair):
        raise BadDicom("points")
    return found
