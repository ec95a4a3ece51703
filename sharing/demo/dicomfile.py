"""Part 10 files from pixels: the attributes every demonstration image carries, whatever made it.

Identifiers are derived from names (2.25 and a UUID version 5, PS3.5 B.2), so that the same file is
made every time, and a second load meets its own duplicates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

_SPACE = UUID("6f1c1f6e-5c0e-5b7a-9d53-1f0a2d6b9c41")
_IMPLEMENTATION = UID("2.25.147723489021834990127365420981276340195")


def uid(*names: object) -> UID:
    """A UID that belongs to these names for ever."""
    return UID(f"2.25.{uuid5(_SPACE, '/'.join(map(str, names))).int}")


@dataclass(frozen=True)
class Person:
    """Who was imaged, as one hospital knows them. `name` has its ideographic group where known."""

    name: str
    born: str
    sex: str
    identifier: str
    issuer: str


@dataclass(frozen=True)
class StudyFacts:
    """What is the same for every file of a study; date YYYYMMDD, time HHMMSS."""

    key: str
    person: Person
    institution: str
    date: str
    time: str
    description: str
    accession: str
    referrer: str = "Hartley^Ben^^Dr"


@dataclass(frozen=True)
class SeriesFacts:
    """What is the same for every file of a series; `extra` are further attributes by keyword."""

    number: int
    modality: str
    sop_class: UID
    description: str
    body_part: str
    maker: str
    model: str
    extra: Mapping[str, Any]


class SeriesFiles:
    """Makes the files of one series; what they have in common is written down once."""

    def __init__(self, study: StudyFacts, series: SeriesFacts) -> None:
        self._study, self._series = study, series
        self._ds = ds = Dataset()
        _identify(ds, study, series)
        for keyword, value in series.extra.items():
            setattr(ds, keyword, value)
        ds.file_meta = FileMetaDataset()
        ds.file_meta.MediaStorageSOPClassUID = series.sop_class
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.ImplementationClassUID = _IMPLEMENTATION
        ds.file_meta.ImplementationVersionName = "DEMO_PHANTOMS_1"

    def image(
        self, number: int, pixels: np.ndarray, attributes: Mapping[str, Any] | None = None
    ) -> bytes:
        """One image as the bytes of a Part 10 file, Explicit VR Little Endian.

        `pixels`: (rows, columns) or (frames, rows, columns), uint8 or uint16. `attributes` by
        keyword are of this image alone; every image of a series has the same ones.
        """
        ds = self._ds
        ds.SOPInstanceUID = uid(self._study.key, self._series.number, number)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.InstanceNumber = number
        for keyword, value in (attributes or {}).items():
            setattr(ds, keyword, value)
        _set_pixels(ds, pixels)
        out = BytesIO()
        dcmwrite(out, ds, enforce_file_format=True)
        return out.getvalue()


def _identify(ds: Dataset, study: StudyFacts, series: SeriesFacts) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = series.sop_class
    ds.StudyInstanceUID = uid(study.key)
    ds.SeriesInstanceUID = uid(study.key, series.number)
    ds.FrameOfReferenceUID = uid(study.key, "frame of reference")
    _identify_person(ds, study)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = study.date
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = study.time
    ds.StudyID = study.accession[-6:]
    ds.AccessionNumber = study.accession
    ds.StudyDescription = study.description
    ds.ReferringPhysicianName = study.referrer
    ds.InstitutionName = study.institution
    ds.Modality = series.modality
    ds.SeriesNumber = series.number
    ds.SeriesDescription = series.description
    ds.BodyPartExamined = series.body_part
    ds.Manufacturer = series.maker
    ds.ManufacturerModelName = series.model
    ds.DeviceSerialNumber = "0001"
    ds.SoftwareVersions = "1"
    ds.PositionReferenceIndicator = ""
    ds.ImageComments = "Phantom drawn from formulas; no person was imaged"


def _identify_person(ds: Dataset, study: StudyFacts) -> None:
    ds.PatientName = study.person.name
    ds.PatientID = study.person.identifier
    ds.IssuerOfPatientID = study.person.issuer
    ds.PatientBirthDate = study.person.born
    ds.PatientSex = study.person.sex
    before_birthday = study.date[4:] < study.person.born[4:]
    years = int(study.date[:4]) - int(study.person.born[:4]) - before_birthday
    ds.PatientAge = f"{years:03d}Y"


def _set_pixels(ds: Dataset, pixels: np.ndarray) -> None:
    if pixels.ndim == 3:
        ds.NumberOfFrames = pixels.shape[0]
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel = 1
    ds.setdefault("PhotometricInterpretation", "MONOCHROME2")
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    if "BitsStored" not in ds:
        ds.BitsStored = ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 0
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
