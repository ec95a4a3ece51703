"""The drawn bodies as a scanner would send them: one generator of files for each kind of study."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    MRImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from sharing.demo.dicomfile import SeriesFacts, SeriesFiles, StudyFacts
from sharing.demo.volumes import breast, chest, head, radiograph, ultrasound
from sharing.demo.volumes.canvas import Canvas, Field, blur

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SLAB = 4  # slices painted at once: as many as stay in a processor's cache


def _axis(count: int, spacing: float, middle: float = 0.0) -> Field:
    return (middle + (np.arange(count) - (count - 1) / 2) * spacing).astype(np.float32)


def _slabs(levels: Field) -> Iterator[Field]:
    for first in range(0, len(levels), SLAB):
        yield levels[first : first + SLAB]


def _plane(x: Field, y: Field, z: float, spacing: float, thickness: float) -> dict[str, Any]:
    """Image Plane Module (PS3.3 C.7.6.2) of an axial slice."""
    return {
        "ImagePositionPatient": [round(float(x[0]), 3), round(float(y[0]), 3), round(float(z), 3)],
        "ImageOrientationPatient": AXIAL,
        "PixelSpacing": [spacing, spacing],
        "SliceThickness": thickness,
        "SliceLocation": round(float(z), 3),
    }


def _hounsfield(clean: Field, noise: float, rng: np.random.Generator) -> np.ndarray:
    """HU with correlated noise, stored plus 1024 as scanners do, uint16."""
    grain = rng.standard_normal(clean.shape, dtype=np.float32)
    hu = clean + noise * 1.7 * blur(grain)
    return (np.clip(np.rint(hu), -1024, 3071) + 1024).astype(np.uint16)


CT_COMMON = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "PatientPosition": "HFS",
    "KVP": 120,
    "RescaleIntercept": -1024,
    "RescaleSlope": 1,
    "RescaleType": "HU",
    "BitsStored": 12,
    "ScanOptions": "HELICAL MODE",
    "GantryDetectorTilt": 0,
    "AcquisitionNumber": 1,
}


def ct_head(study: StudyFacts, findings: tuple[head.Finding, ...], seed: int) -> Iterator[bytes]:
    """120 axial slices of 256 x 256, 1.25 mm, from the hard palate to above the vertex."""
    series = SeriesFacts(
        2, "CT", CTImageStorage, "Head without contrast 1.25 mm", "HEAD", "Phantom", "Head CT",
        CT_COMMON | {
            "ConvolutionKernel": "BRAIN", "XRayTubeCurrent": 240, "ExposureTime": 1000,
            "WindowCenter": [40, 600], "WindowWidth": [80, 2800],
            "WindowCenterWidthExplanation": ["BRAIN", "BONE"],
        },
    )  # fmt: skip
    files = SeriesFiles(study, series)
    rng = np.random.default_rng(seed)
    spacing = 0.9
    x, y, levels = _axis(256, spacing), _axis(256, spacing, -2.0), -69.0 + 1.25 * np.arange(120)
    number = 0
    for slab in _slabs(levels.astype(np.float32)):
        canvas = Canvas(x, y, slab, [head.CT])
        head.paint_head(canvas, findings)
        _paint_holder(canvas)
        for z, clean in zip(slab, canvas.images[0], strict=True):
            number += 1
            pixels = _hounsfield(clean, 3.4, rng)
            plane = _plane(x, y, float(z), spacing, 1.25)
            yield files.image(number, pixels, plane)


def _paint_holder(canvas: Canvas) -> None:
    """The headrest, a curved shell behind the head."""
    x, y, _z = canvas.points(canvas.whole)
    shell = np.abs(np.hypot(x, y + 8.0) - 109.0) - 1.6
    canvas.paint("holder", np.clip(0.5 - np.maximum(shell, 56.0 - y), 0.0, 1.0))


def ct_chest(study: StudyFacts, seed: int) -> Iterator[bytes]:
    """60 axial slices of 320 x 320, 5 mm, and no more: the abdomen to the apices."""
    series = SeriesFacts(
        2, "CT", CTImageStorage, "Chest with contrast 5 mm", "CHEST", "Phantom", "Body CT",
        CT_COMMON | {
            "ConvolutionKernel": "STANDARD", "XRayTubeCurrent": 180, "ExposureTime": 500,
            "ContrastBolusAgent": "Iodinated contrast",
            "WindowCenter": [-500, 40], "WindowWidth": [1500, 400],
            "WindowCenterWidthExplanation": ["LUNG", "MEDIASTINUM"],
        },
    )  # fmt: skip
    files = SeriesFiles(study, series)
    rng = np.random.default_rng(seed)
    spacing = 1.125
    x, y, levels = _axis(320, spacing), _axis(320, spacing, 6.0), -153.0 + 5.0 * np.arange(60)
    number = 0
    for slab in _slabs(levels.astype(np.float32)):
        canvas = Canvas(x, y, slab, [chest.CT])
        chest.paint_chest(canvas)
        _paint_table(canvas)
        for z, clean in zip(slab, canvas.images[0], strict=True):
            number += 1
            pixels = _hounsfield(clean, 9.0, rng)
            yield files.image(number, pixels, _plane(x, y, float(z), spacing, 5.0))


def _paint_table(canvas: Canvas) -> None:
    x, y, _z = canvas.points(canvas.whole)
    top = np.abs(y - 136.0 + (x / 60.0) ** 2) - 1.6
    canvas.paint("table", np.clip(0.5 - np.maximum(top, np.abs(x) - 168.0), 0.0, 1.0))


MR_SERIES = (
    (2, "T1 axial", head.T1, {"RepetitionTime": 550, "EchoTime": 11, "SequenceVariant": "SK",
                              "ScanningSequence": "SE"}),
    (3, "T2 axial", head.T2, {"RepetitionTime": 4200, "EchoTime": 98, "SequenceVariant": "SK",
                              "ScanningSequence": "SE"}),
    (4, "FLAIR axial", head.FLAIR, {"RepetitionTime": 9000, "EchoTime": 118,
                                    "InversionTime": 2500, "SequenceVariant": "SK",
                                    "ScanningSequence": ["SE", "IR"]}),
)  # fmt: skip


def mr_brain(study: StudyFacts, findings: tuple[head.Finding, ...], seed: int) -> Iterator[bytes]:
    """T1, T2 and FLAIR, each 20 axial slices of 256 x 256, 5 mm with a gap of 1 mm."""
    spacing = 0.86
    x, y = _axis(256, spacing), _axis(256, spacing, -2.0)
    levels = (-52.0 + 6.0 * np.arange(20)).astype(np.float32)
    stacks: list[list[Field]] = [[], [], []]
    for slab in _slabs(levels):
        canvas = Canvas(x, y, slab, [table for _n, _name, table, _x in MR_SERIES])
        head.paint_head(canvas, findings)
        for stack, image in zip(stacks, canvas.images, strict=True):
            stack.extend(image)
    rng = np.random.default_rng(seed)
    for (number, name, _table, timing), stack in zip(MR_SERIES, stacks, strict=True):
        series = SeriesFacts(
            number, "MR", MRImageStorage, name, "BRAIN", "Phantom", "MR 1.5 T", _mr_extra(timing)
        )
        files = SeriesFiles(study, series)
        for index, (z, clean) in enumerate(zip(levels, stack, strict=True), start=1):
            plane = _plane(x, y, float(z), spacing, 5.0)
            yield files.image(index, _magnitude(clean, x, y, rng), plane)


def _mr_extra(timing: dict[str, Any]) -> dict[str, Any]:
    return timing | {
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "PatientPosition": "HFS",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "MagneticFieldStrength": 1.5,
        "SpacingBetweenSlices": 6,
        "EchoTrainLength": 8,
        "BitsStored": 12,
        "WindowCenter": 420,
        "WindowWidth": 840,
    }


def _magnitude(clean: Field, x: Field, y: Field, rng: np.random.Generator) -> np.ndarray:
    """Magnitude of the signal with the coil's shading and Rician noise, uint16."""
    shade = 1.06 - 0.16 * ((x[None, :] + 20.0) / 110.0) ** 2 + 0.10 * (y[:, None] / 110.0)
    real = blur(clean * shade) + 12.0 * rng.standard_normal(clean.shape, dtype=np.float32)
    imaginary = 12.0 * rng.standard_normal(clean.shape, dtype=np.float32)
    return np.clip(np.hypot(real, imaginary), 0, 4095).astype(np.uint16)


def cr_chest(
    study: StudyFacts, seed: int, *, views: tuple[radiograph.View, ...], size: float = 1.0
) -> Iterator[bytes]:
    """Radiographs of the chest, 12 bits, each view its own series."""
    for number, view in enumerate(views, start=1):
        series = SeriesFacts(
            number, "CR", ComputedRadiographyImageStorage, f"Chest {view}", "CHEST", "Phantom",
            "Plate reader",
            {
                "ImageType": ["ORIGINAL", "PRIMARY"],
                "ViewPosition": "PA" if view == "PA" else "LL",
                "PatientOrientation": ["L", "F"] if view == "PA" else ["P", "F"],
                "KVP": 125, "PlateType": "", "BitsStored": 12,
                "ImagerPixelSpacing": [radiograph.SPACING] * 2,
                "WindowCenter": 2000, "WindowWidth": 3600,
            },
        )  # fmt: skip
        grey = radiograph.radiograph(view, seed + number, size=size)
        pixels = np.clip(grey * 3500.0, 0, 4095).astype(np.uint16)
        yield SeriesFiles(study, series).image(1, pixels)


def mg_screening(study: StudyFacts, seed: int) -> Iterator[bytes]:
    """Cranio-caudal views of both sides, the left with a mass; 12 bits, for presentation."""
    for number, side in enumerate("RL", start=1):
        series = SeriesFacts(
            number, "MG", DigitalMammographyXRayImageStorageForPresentation, f"{side} CC",
            "BREAST", "Phantom", "Mammography", _mg_extra(side),
        )  # fmt: skip
        grey = breast.mammogram(seed + number, mass=side == "L")
        if side == "R":
            grey = grey[:, ::-1]
        pixels = np.clip(grey * 4300.0, 0, 4095).astype(np.uint16)
        yield SeriesFiles(study, series).image(1, pixels)


def _coded(value: str, meaning: str) -> Dataset:
    """A code of SNOMED CT."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def _mg_extra(side: str) -> dict[str, Any]:
    view, breasts = _coded("399162004", "cranio-caudal"), _coded("76752008", "Breast")
    view.ViewModifierCodeSequence = []
    return {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "PresentationIntentType": "FOR PRESENTATION",
        "PatientOrientation": ["P", "L"] if side == "R" else ["A", "R"],
        "ImageLaterality": side,
        "ViewPosition": "CC",
        "ViewCodeSequence": [view],
        "AnatomicRegionSequence": [breasts],
        "AcquisitionContextSequence": [],
        "DetectorType": "DIRECT",
        "ImagerPixelSpacing": [breast.SPACING] * 2,
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "IDENTITY",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "OrganExposed": "BREAST",
        "BreastImplantPresent": "NO",
        "PositionerType": "MAMMOGRAPHIC",
        "KVP": 29,
        "BitsStored": 12,
        "WindowCenter": 1500,
        "WindowWidth": 2800,
    }


def us_cine(
    study: StudyFacts, scene: ultrasound.Scene, name: str, part: str, frames: int, seed: int
) -> Iterator[bytes]:
    """One multi-frame clip in grey, 8 bits, calibrated by its region (PS3.3 C.8.5.5)."""
    series = SeriesFacts(
        1, "US", UltrasoundMultiFrameImageStorage, name, part, "Phantom", "Ultrasound",
        {
            "ImageType": ["ORIGINAL", "PRIMARY", part], "FrameTime": 45.0,
            "FrameIncrementPointer": 0x00181063, "CineRate": 22,
            "RecommendedDisplayFrameRate": 22, "SequenceOfUltrasoundRegions": [_us_region()],
            "LossyImageCompression": "00", "BurnedInAnnotation": "NO",
            "PatientOrientation": "",
        },
    )  # fmt: skip
    yield SeriesFiles(study, series).image(1, ultrasound.cine(scene, frames, seed))


def _us_region() -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1 = ultrasound.COLUMNS - 1
    region.RegionLocationMaxY1 = ultrasound.ROWS - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = round(ultrasound.SPACING / 10.0, 6)
    return region
