"""What the viewer's page says and gives to its script. Pure: made from an opened study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

DICOMWEB = "/dicomweb/o"
FIRST_PAINT = "viewport=512,512&quality=70"
"""Small: it is there for a moment, and shares a thin line with the image itself."""
LEAST_SHARE_OF_IMAGES = 4
"""A series with less than a quarter of the largest one's images is not shown first: scouts."""

WITHOUT_PICTURE = frozenset(
    {"SEG", "PR", "KO", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "ANN", "REG", "DOC", "ECG", "AU"}
)
"""Modalities (0008,0060) whose objects hold no picture for this viewer."""


@dataclass(frozen=True)
class Middle:
    """The image that the server paints first."""

    url: str
    sop: str
    frame: int


@dataclass(frozen=True)
class SeriesLine:
    """One series of the rail. `middle` is None until the study has settled, or if not `shown`."""

    uid: str
    number: int | None
    description: str
    modality: str
    frames: int
    shown: bool
    thumbnail: str
    middle: Middle | None
    syntax: str = ""


def root_of(study: Any) -> str:
    """The DICOMweb root of the study's custodian (PS3.18 10.1), without a slash at its end."""
    return f"{DICOMWEB}/{quote(study.organization.code, safe='')}"


def lines_of(study: Any, syntaxes: Mapping[str, str]) -> list[SeriesLine]:
    """The study's series in reading order: by Series Number (0020,0011), then as they came.

    `syntaxes`: in which transfer syntax each middle image is stored.
    """
    series = study.series.defer("thumbnail", "attributes")
    rows = sorted(series, key=lambda s: (s.number is None, s.number or 0, s.pk))
    return [_line(study, row, syntaxes.get(row.middle, "")) for row in rows]


def title_of(study: Any) -> str:
    """What the study is called: its description, else the first modality that has pictures."""
    modalities: list[str] = study.modality_list
    shown = [modality for modality in modalities if modality not in WITHOUT_PICTURE]
    return str(study.description or next(iter(shown or modalities), "Study"))


def first_of(lines: list[SeriesLine]) -> SeriesLine | None:
    """The series to begin with: the first with a fair number of images, else the first of all."""
    shown = [line for line in lines if line.shown]
    most = max((line.frames for line in shown), default=0)
    fair = [line for line in shown if line.frames * LEAST_SHARE_OF_IMAGES >= most]
    return next(iter(fair or lines), None)


def script_data(study: Any, lines: list[SeriesLine], pulse: str) -> dict[str, Any]:
    """What the script needs and no more: addresses and counts, nothing about the patient."""
    first = first_of(lines)
    return {
        "study": {"uid": study.study_uid},
        "root": root_of(study),
        "pulse": pulse,
        "state": study.state,
        "first": first.uid if first else None,
        "series": [
            {
                "uid": line.uid,
                "number": line.number,
                "description": line.description,
                "modality": line.modality,
                "frames": line.frames,
                "middle": line.middle and vars(line.middle),
                "syntax": line.syntax,
            }
            for line in lines
        ],
    }


def _line(study: Any, row: Any, syntax: str) -> SeriesLine:
    base = f"{root_of(study)}/studies/{study.study_uid}/series/{row.series_uid}"
    shown = row.frame_count > 0 and row.modality not in WITHOUT_PICTURE
    return SeriesLine(
        uid=row.series_uid,
        number=row.number,
        description=row.description,
        modality=row.modality,
        frames=row.frame_count,
        shown=shown,
        thumbnail=f"{base}/thumbnail" if shown else "",
        middle=_middle(base, row) if shown and row.middle else None,
        syntax=syntax,
    )


def _middle(base: str, row: Any) -> Middle:
    """Of one instance with many frames it is the middle frame, else the middle instance."""
    frame = max(1, row.frame_count // 2) if row.instance_count == 1 else 1
    instance = f"{base}/instances/{row.middle}"
    return Middle(f"{instance}/frames/{frame}/rendered?{FIRST_PAINT}", row.middle, frame)
