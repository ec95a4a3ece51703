"""All that an archive keeps of a file beside its bytes, read once: facts, frame table, JSON."""

from dataclasses import dataclass

import orjson

from .facts import Facts
from .json_model import dicom_json
from .layout import PixelLayout
from .scan import Scanned
from .values import find, text

RELATIVE = "bulk"
"""BulkDataURIs of the JSON are relative to the instance: its address is not the file's business."""
_UNSOUND = frozenset({"meta_mismatch", "transfer_syntax_missing"})


@dataclass(frozen=True)
class Digest:
    """What one file says, ready for columns. `json` is its DICOM JSON object (PS3.18 annex F).

    `sound`: its file meta information may leave the archive as it is.
    """

    transfer_syntax: str
    sop_class_uid: str
    sop_uid: str
    series_uid: str
    study_uid: str
    facts: Facts
    pixel: PixelLayout | None
    warnings: tuple[str, ...]
    sound: bool
    timezone: str
    json: bytes


def thorough(scanned: Scanned) -> Digest:
    """The digest of a scanned file."""
    offset = text(find(scanned.elements, 0x00080201), scanned.charset)
    return Digest(
        transfer_syntax=scanned.transfer_syntax,
        sop_class_uid=scanned.sop_class_uid,
        sop_uid=scanned.sop_instance_uid,
        series_uid=scanned.series_uid,
        study_uid=scanned.study_uid,
        facts=scanned.facts,
        pixel=scanned.pixel,
        warnings=scanned.warnings,
        sound=scanned.preamble is not None and not _UNSOUND.intersection(scanned.warnings),
        timezone=offset[:16],
        json=orjson.dumps(dicom_json(scanned, bulk_uri=RELATIVE)),
    )
