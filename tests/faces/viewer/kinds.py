"""Real files of many kinds as the series of one study, and what pydicom itself makes of each."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

FILES = (
    "cornerston_CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm",
    "dcm4che_NM-MONO2-16-13x-heart.dcm",
    "dicom_1.dcm",
    "fo_chrGB2312.dcm",
    "orthanc_KarstenHilbertRF.dcm",
    "pydicom_CT_small.dcm",
    "pydicom_ExplVR_BigEnd.dcm",
    "pydicom_MR_small_RLE.dcm",
    "pydicom_MR_small_bigendian.dcm",
    "pydicom_MR_small_implicit.dcm",
    "pydicom_MR_small_jp2klossless.dcm",
    "pydicom_MR_small_jpeg_ls_lossless.dcm",
    "pydicom_MR_small_padded.dcm",
    "pydicom_OBXXXX1A_rle_2frame.dcm",
    "pydicom_SC_rgb_dcmtk__eb_cy_s4.dcm",
    "pydicom_US1_J2KI.dcm",
    "pydicom_emri_small.dcm",
    "pydicom_examples_overlay.dcm",
    "pydicom_examples_palette.dcm",
    "pydicom_examples_rgb_color.dcm",
    "pydicom_explicit_VR-UN.dcm",
    "pydicom_image_dfl.dcm",
    "wg04_VL3_J2KR.dcm",
    "orthanc_Issue19.dcm",
)
STUDY = "2.25.8301"


def one_study(real_data: Path, folder: Path) -> Path:
    """All of them as one study of one patient, a series each, numbered in order."""
    folder.mkdir(parents=True)
    for number, name in enumerate(FILES, start=1):
        file = pydicom.dcmread(real_data / "single" / name)
        file.PatientID, file.PatientName = "8301", "Kinds^Many"
        file.PatientBirthDate, file.PatientSex = "19700101", "O"
        file.StudyInstanceUID, file.SeriesInstanceUID = STUDY, f"{STUDY}.{number}"
        file.SOPInstanceUID = f"{STUDY}.{number}.1"
        file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
        file.SeriesNumber = number
        for keyword in ("IssuerOfPatientID", "StudyDate", "StudyID", "AccessionNumber"):
            if keyword in file:
                del file[keyword]
        file.save_as(folder / f"{number:02}.dcm")
    return folder


def as_pydicom_shows(path: Path, frame: int) -> Any:
    """That frame (from 1) as 8-bit grey (rows, columns) or RGB, by pydicom's own functions."""
    file = pydicom.dcmread(path)
    index = frame - 1 if int(file.get("NumberOfFrames", 1)) > 1 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of them carries more bytes than it has pixels
        values = pixel_array(file, index=index)
    if file.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(values, file)
        return (coloured >> 8).astype(float) if coloured.dtype == np.uint16 else coloured
    if file.SamplesPerPixel == 3:
        return values.astype(float)
    grey = _windowed(file, apply_modality_lut(values, file).astype(float))
    return 255 - grey if file.PhotometricInterpretation == "MONOCHROME1" else grey


def _windowed(file: Any, values: Any) -> Any:
    if "WindowCenter" not in file:
        low, high = values.min(), values.max()
        return (values - low) / max(high - low, 1) * 255
    extremes = np.concatenate([values.ravel(), [-1e9, 1e9]])
    shown = apply_voi_lut(extremes, file)
    low, high = shown[-2:]
    return ((shown[:-2] - low) / (high - low) * 255).reshape(values.shape)
