"""Structured reports and encapsulated documents, as modalities and scanners send them."""

from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.cast import PDF

BASIC_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"
DOSE = "1.2.840.10008.5.1.4.1.1.88.67"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
PDF_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104.1"


def file_of(folder: Path, sop_class: str, number: int, **facts: Any) -> Path:
    """One document of Pat's, in study 2.25.1."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientID, ds.PatientName, ds.PatientBirthDate = "RV-1", "Moreau^Pat=莫^帕", "19580503"
    ds.PatientSex, ds.StudyDate, ds.StudyTime = "F", "20261112", "101500"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.1", f"2.25.1.{number}"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, f"2.25.1.{number}.1"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "SR", number, 1
    for name, value in facts.items():
        setattr(ds, name, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = BytesIO()
    dcmwrite(made, ds, enforce_file_format=True)
    path = folder / f"{number}.dcm"
    path.write_bytes(made.getvalue())
    return path


def concept(value: str, scheme: str, meaning: str) -> list[Dataset]:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return [item]


def all_kinds(folder: Path) -> list[Path]:
    """A report, a draft of one, a dose report, a selection of images, and a PDF."""
    folder.mkdir(exist_ok=True)
    report = concept("18748-4", "LN", "Diagnostic imaging study")
    flags = {"CompletionFlag": "COMPLETE", "VerificationFlag": "VERIFIED"}
    draft = {"CompletionFlag": "PARTIAL", "VerificationFlag": "UNVERIFIED"}
    return [
        file_of(folder, BASIC_TEXT, 1, ConceptNameCodeSequence=report, **flags),
        file_of(folder, BASIC_TEXT, 2, ConceptNameCodeSequence=report, **draft),
        file_of(folder, DOSE, 3, **flags),
        file_of(folder, KEY_OBJECTS, 4, Modality="KO"),
        file_of(
            folder, PDF_DOCUMENT, 5, Modality="DOC", DocumentTitle="Letter",
            MIMETypeOfEncapsulatedDocument="application/pdf",
            EncapsulatedDocument=PDF + b"% of some length\n" * 512,
        ),
    ]  # fmt: skip
