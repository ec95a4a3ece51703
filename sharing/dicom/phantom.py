"""A small image of nobody, for trying a connection: one slice with a wedge of grey."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

NAME = "CONNECTION^TEST=连接^测试"
SIDE = 64


@dataclass(frozen=True)
class Phantom:
    """The file and what names it."""

    file: bytes
    pixels: bytes
    study_uid: str
    series_uid: str
    sop_uid: str


def phantom(*, root: str, identifier: str, issuer: str, at: datetime) -> Phantom:
    """A new study each time, under the organization's UID root where it has one."""
    prefix = f"{root}." if root else None
    study, series, sop = (generate_uid(prefix=prefix) for _ in range(3))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = sop
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = Dataset()
    image.file_meta = meta
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID, image.SOPInstanceUID = SecondaryCaptureImageStorage, sop
    image.StudyInstanceUID, image.SeriesInstanceUID = study, series
    image.PatientName, image.PatientID, image.IssuerOfPatientID = NAME, identifier, issuer
    image.PatientBirthDate, image.PatientSex = "", "O"
    image.StudyDate, image.StudyTime = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    image.StudyDescription = "Connection test, no patient"
    image.StudyID, image.AccessionNumber, image.ReferringPhysicianName = "", "", ""
    image.Modality, image.ConversionType = "OT", "SYN"
    image.SeriesNumber, image.InstanceNumber = 1, 1
    pixels = _wedge(image)
    out = BytesIO()
    dcmwrite(out, image, enforce_file_format=True)
    return Phantom(out.getvalue(), pixels, study, series, sop)


def _wedge(image: Dataset) -> bytes:
    grey = np.tile(np.arange(SIDE, dtype=np.uint8) * 4, (SIDE, 1)).tobytes()
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = SIDE
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.PixelData = grey
    return grey
