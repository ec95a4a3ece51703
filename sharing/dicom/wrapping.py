"""Papers and photos as DICOM objects: a PDF (PS3.3 A.45.1), a photo (PS3.3 A.32.4).

Of a photo only its pixels are kept, upright: what a camera wrote beside them (place, owner, serial
number) stays behind.
"""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import uuid4

from PIL import Image, ImageOps, UnidentifiedImageError
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    VLPhotographicImageStorage,
)

from .errors import BadDicom

IMPLEMENTATION = UID("2.25.147723489021834990127365420981276340195")
MOST_PIXELS = 60_000_000
QUALITY = 92
SERIES_NUMBER = 900
"""Behind what a scanner numbers."""


@dataclass(frozen=True)
class Whose:
    """The patient and the study that the object is of; dates YYYYMMDD, blank where not known.

    Without `study_uid` it is a study of its own.
    """

    name: str
    identifier: str
    issuer: str
    birth_date: str
    sex: str
    institution: str
    study_date: str
    description: str
    study_uid: str = ""
    study_time: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    study_id: str = ""


def wrapped(data: bytes, *, title: str, whose: Whose, at: datetime) -> bytes:
    """A PDF, a JPEG or a PNG as a Part 10 file, with UIDs of its own. Raises BadDicom."""
    if data.startswith(b"%PDF-"):
        return _file(_pdf(data, title, whose, at), ExplicitVRLittleEndian)
    return _file(_photo(data, title, whose, at), JPEGBaseline8Bit)


def new_uid() -> UID:
    """A UID from a random UUID (PS3.5 B.2)."""
    return UID(f"2.25.{uuid4().int}")


def _pdf(data: bytes, title: str, whose: Whose, at: datetime) -> Dataset:
    ds = _common(EncapsulatedPDFStorage, "DOC", title, whose, at)
    ds.ConversionType = "WSD"
    ds.BurnedInAnnotation = "YES"
    ds.AcquisitionDateTime = ""
    ds.DocumentTitle = title
    ds.ConceptNameCodeSequence = Sequence()
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(data)
    ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    return ds


def _photo(data: bytes, title: str, whose: Whose, at: datetime) -> Dataset:
    picture = _upright(data)
    out = BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, subsampling="4:2:2")
    ds = _common(VLPhotographicImageStorage, "XC", title, whose, at)
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.PatientOrientation = ""
    ds.AcquisitionContextSequence = Sequence()
    ds.Rows, ds.Columns = picture.height, picture.width
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.LossyImageCompression = "01"
    ds.LossyImageCompressionMethod = "ISO_10918_1"
    ratio = picture.width * picture.height * 3 / out.tell()
    ds.LossyImageCompressionRatio = f"{ratio:.2f}"
    ds.BurnedInAnnotation = "NO"
    ds.PixelData = encapsulate([out.getvalue()])
    return ds


def _upright(data: bytes) -> Image.Image:
    """The pixels as RGB, turned as the camera was held. Raises BadDicom."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadDicom("image_too_large")
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BadDicom("not_a_document") from error


def _common(sop_class: UID, modality: str, title: str, whose: Whose, at: datetime) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, new_uid()
    _of_patient(ds, whose)
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = new_uid(), SERIES_NUMBER, 1
    ds.Modality, ds.SeriesDescription = modality, title[:64]
    ds.Laterality = ""
    ds.Manufacturer, ds.InstitutionName = "", whose.institution[:64]
    ds.ContentDate = ds.InstanceCreationDate = f"{at:%Y%m%d}"
    ds.ContentTime = ds.InstanceCreationTime = f"{at:%H%M%S}"
    return ds


def _of_patient(ds: Dataset, whose: Whose) -> None:
    ds.PatientName, ds.PatientID = whose.name, whose.identifier
    ds.IssuerOfPatientID = whose.issuer
    ds.PatientBirthDate, ds.PatientSex = whose.birth_date, whose.sex
    ds.StudyInstanceUID = UID(whose.study_uid) if whose.study_uid else new_uid()
    ds.StudyDate, ds.StudyTime = whose.study_date, whose.study_time
    ds.StudyID, ds.AccessionNumber = whose.study_id, whose.accession_number
    ds.StudyDescription = whose.description[:64]
    ds.ReferringPhysicianName = whose.referring_physician


def _file(ds: Dataset, syntax: UID) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.ImplementationClassUID = IMPLEMENTATION
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()
