"""An object with another patient's attributes, which says what stood there before.

Original Attributes Sequence (PS3.3 C.12.1.1.9); the SOP Instance UID stays, as it is the same image
of the same body (IHE Import Reconciliation Workflow).
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence

from .errors import BadDicom

MOST = 1024**3
"""Bytes of one object that are written anew in memory."""
KEYWORDS = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
)
UNICODE = "ISO_IR 192"


def coerced(
    pieces: Iterable[bytes], values: Mapping[str, str], *, system: str, source: str, at: datetime
) -> bytes:
    """The file with these values by keyword, those before kept inside. Raises BadDicom.

    `system` changed them; `source` is where the values before came from.
    """
    raw = BytesIO()
    for piece in pieces:
        raw.write(piece)
        if raw.tell() > MOST:
            raise BadDicom("too_large")
    raw.seek(0)
    try:
        data = pydicom.dcmread(raw, force=True)
        return _written(data, values, system, source, at)
    except (InvalidDicomError, AttributeError, KeyError, ValueError, TypeError) as wrong:
        raise BadDicom("malformed") from wrong


def _written(
    data: Dataset, values: Mapping[str, str], system: str, source: str, at: datetime
) -> bytes:
    changed = {word: new for word, new in values.items() if str(data.get(word, "") or "") != new}
    before = Dataset()
    for word in changed:
        if word in data:
            before[word] = deepcopy(data[word])
        else:
            setattr(before, word, "")
    _speak(data, values)
    for word, new in changed.items():
        setattr(data, word, new)
    if changed:
        item = _original(before, system, source, at)
        former = list(data.get("OriginalAttributesSequence") or ())
        data.OriginalAttributesSequence = Sequence([*former, item])
    made = BytesIO()
    data.save_as(made, enforce_file_format=True)
    return made.getvalue()


def _speak(data: Dataset, values: Mapping[str, str]) -> None:
    """The file's own characters where they can write the new values, else Unicode for all of it."""
    if not all(value.isascii() for value in values.values()):
        data.decode()
        data.SpecificCharacterSet = UNICODE


def _original(before: Dataset, system: str, source: str, at: datetime) -> Dataset:
    """One item of the sequence (PS3.3 table C.12-1): what stood there, who changed it, why."""
    item = Dataset()
    item.SourceOfPreviousValues = source[:64]
    item.AttributeModificationDateTime = f"{at:%Y%m%d%H%M%S}"
    item.ModifyingSystem = system[:64]
    item.ReasonForTheAttributeModification = "COERCE"
    item.ModifiedAttributesSequence = Sequence([before])
    return item
