"""The real files as test parameters, and small files made here."""

import csv
import os
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

FOLDER = Path(
    os.environ.get("PORTAL_TEST_DATA")
    or Path(__file__).resolve().parents[3] / "shared" / "data"
)  # fmt: skip
Row = dict[str, str]


@cache
def rows() -> tuple[Row, ...]:
    """The manifest's rows, none where the data is absent (real_data then skips or fails)."""
    manifest = FOLDER / "manifest.csv"
    if not manifest.exists():
        return ()
    with manifest.open(newline="", encoding="utf-8") as opened:
        return tuple(csv.DictReader(opened))


def chosen(test: Callable[[Row], bool]) -> list[object]:
    """Parameters of all rows that pass `test`."""
    return [pytest.param(row, id=row["file"]) for row in rows() if test(row)]


def is_single_file(row: Row) -> bool:
    return row["kind"] in ("single", "study") and row["expected"] == "accept"


def is_sample(row: Row) -> bool:
    """Every single file, and the first two of each series."""
    number = sum(1 for other in _series(row["file"].rsplit("/", 1)[0]) if other < row["file"])
    return is_single_file(row) and (row["kind"] == "single" or number < 2)


@cache
def _series(folder: str) -> tuple[str, ...]:
    return tuple(row["file"] for row in rows() if row["file"].rsplit("/", 1)[0] == folder)


def content(row: Row) -> bytes:
    return (FOLDER / row["file"]).read_bytes()


def reader(data: bytes) -> Callable[[int, int], bytes]:
    """read(offset, length) over bytes."""
    return lambda offset, length: data[offset : offset + length]


def dataset(**values: object) -> Dataset:
    """A small grey image, 4 x 4 pixels of 8 bits, that a keyword can change."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SOPInstanceUID, made.SeriesInstanceUID, made.StudyInstanceUID = "1.2.3", "1.2.4", "1.2.5"
    made.PatientID, made.PatientName, made.Modality = "P1", "Pat^Test", "OT"
    made.Rows = made.Columns = 4
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = bytes(range(16))
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def part10(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A Part 10 file of a data set."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = made.get("SOPClassUID", "1.2")
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2")
    out = BytesIO()
    dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()
