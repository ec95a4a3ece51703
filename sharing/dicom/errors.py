"""What can be wrong with DICOM bytes, in stable codes and in words for a clerk.

Neither code nor reason ever holds file content: it may be patient data.
"""

from typing import Any


class BadDicom(Exception):
    """The bytes are refused. `code` is stable, `reason` is a sentence for people.

    The UIDs say which object it is, where so much of it could be read.
    """

    sop_class_uid = sop_uid = ""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = REASONS[code]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code,), self.__dict__

    def name(self, sop_class_uid: str, sop_uid: str) -> None:
        """Say which object it is, unless that was said before."""
        if not self.sop_uid:
            self.sop_class_uid, self.sop_uid = sop_class_uid, sop_uid


class CannotRender(Exception):
    """The object is kept, but no picture can be made of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = REASONS[code]

    def __reduce__(self) -> tuple[type["CannotRender"], tuple[str]]:
        return type(self), (self.code,)


class BadMedia(Exception):
    """The ZIP as a whole is refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = REASONS[code]

    def __reduce__(self) -> tuple[type["BadMedia"], tuple[str]]:
        return type(self), (self.code,)


class MayName(Exception):
    """The object may say who the patient is where nobody can take it out."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = REASONS[code]

    def __reduce__(self) -> tuple[type["MayName"], tuple[str]]:
        return type(self), (self.code,)


REASONS = {
    # BadDicom
    "not_a_document": "This is neither a PDF nor a photo that can be read.",
    "image_too_large": "The photo has too many pixels.",
    "empty_file": "The file is empty.",
    "not_dicom": "This is not a DICOM file.",
    "no_data_set": "The file has a DICOM header but holds no data.",
    "truncated": "The file ends too early; part of it is missing.",
    "malformed": "The file's structure is damaged and cannot be read.",
    "bad_uid": "An identifier (UID) in the file has forbidden characters or is too long.",
    "missing_study_uid": "The file does not say which study it belongs to.",
    "missing_series_uid": "The file does not say which series it belongs to.",
    "missing_sop_uid": "The file has no identifier of its own (SOP Instance UID).",
    "missing_sop_class": "The file does not say what kind of object it is (SOP Class UID).",
    "unsupported_transfer_syntax": "The file uses an encoding (transfer syntax) we do not know.",
    "too_deep": "The file nests its sequences too deeply.",
    "too_large": "The file expands to more data than we accept.",
    "too_many_elements": "The file holds more elements than we accept.",
    "pixel_data_too_short": "The image data is shorter than the image size that the file states.",
    "uncalibrated": "The image does not say how large its pixels are, so a length means nothing.",
    "points": "A measurement has other points than its kind has.",
    "directory": "This is a media directory (DICOMDIR), not an object of a study.",
    # BadDicom, of what is sent as metadata with bulk data (PS3.18 10.5.1)
    "bad_metadata": "The metadata are no DICOM JSON or XML that can be read.",
    "bad_value": "The metadata hold a value that does not fit its type.",
    "bulk_data_missing": "The metadata name bulk data that was not sent with them.",
    "bulk_data_unused": "Bulk data was sent that no metadata name.",
    "bulk_media_type": "The image data is of a media type or transfer syntax that is not taken.",
    "wrong_media_type": "This part's media type is not the one that the request says.",
    # CannotRender
    "no_pixels": "This object holds no image.",
    "no_such_frame": "The object has no frame with this number.",
    "frames_unusable": "The object's frames cannot be told apart.",
    "undecodable": "The image data is damaged or cannot be decoded.",
    "unsupported_pixels": "Images of this kind cannot be shown.",
    "over_budget": "The image is too large to be shown.",
    "no_such_region": "The region lies outside the image.",
    "took_too_long": "Showing the image took too long.",
    # MayName
    "kind_may_name": "Objects of this kind may hold the patient's name.",
    "text_in_pixels": "The image says that text stands in its pixels.",
    "text_unknown": "The image does not say that no text stands in its pixels.",
    "recognizable": "The image says that the patient can be recognized in it.",
    "pixels_may_name": "The image's pixels are not plain grey ones that can be read.",
    # BadMedia
    "not_a_zip": "This is not a ZIP file, or its end is missing.",
    "too_many_entries": "The ZIP holds more files than we accept.",
    "zip_too_large": "The ZIP expands to more data than we accept.",
    "zip_ratio": "The ZIP expands suspiciously much; it may be built to fill disks.",
    "zip_damaged": "A file inside the ZIP is damaged.",
    "zip_encrypted": "The ZIP is encrypted; unpack it first or send it without a password.",
    "zip_nested": "There is a ZIP inside the ZIP; unpack it and send its files.",
    "unsafe_name": "The file's name inside the ZIP points outside its folder.",
    "unsafe_link": "The ZIP holds a link instead of a file.",
}
