"""The Image Pixel Description Macro of compressed pixel data, read off the code stream.

A sender may leave these attributes out (PS3.18 10.5.1.4); what it does send goes before them.
"""

from typing import Any

from .bulk import Bulk
from .errors import BadDicom
from .still import Still
from .stream import StreamFacts

_J = "1.2.840.10008.1.2.4."
LOSSY = {
    f"{_J}50": "ISO_10918_1",
    f"{_J}51": "ISO_10918_1",
    f"{_J}81": "ISO_14495_1",
    f"{_J}91": "ISO_15444_1",
    f"{_J}93": "ISO_15444_2",
    f"{_J}203": "ISO_15444_15",
}
"""Lossy Image Compression Method (0028,2114) of what may be lossy (PS3.3 C.7.6.1.1.5)."""


def described(part: Bulk, syntax: str, frames: int) -> dict[str, Any]:
    """The attributes that follow from one frame's code stream, as DICOM JSON; {} where it is none.

    Raises BadDicom bulk_media_type where the stream is empty.
    """
    if not part.length:
        raise BadDicom("bulk_media_type")
    facts = part.stream()
    if facts is None:
        return {}
    made = _macro(facts, _photometric(facts, syntax), frames)
    if syntax in LOSSY:
        plain = facts.rows * facts.columns * facts.components * made["00280100"][1] // 8
        made["00282110"] = ("CS", "01")
        made["00282112"] = ("DS", round(plain / part.length, 2))
        made["00282114"] = ("CS", LOSSY[syntax])
    return _as_json(made)


def macro_of(still: Still, frames: int) -> dict[str, Any]:
    """The attributes of plain pixels that were drawn from a GIF or PNG, as DICOM JSON."""
    facts = StreamFacts("plain", still.rows, still.columns, still.samples, still.bits, marked=False)
    return _as_json(_macro(facts, _photometric(facts, ""), frames))


def _as_json(made: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in made.items()}


def _macro(facts: StreamFacts, photometric: str, frames: int) -> dict[str, tuple[str, Any]]:
    """PS3.3 table C.7-11c, and Number of Frames where there are several."""
    made: dict[str, tuple[str, Any]] = {
        "00280002": ("US", facts.components),
        "00280004": ("CS", photometric),
        "00280010": ("US", facts.rows),
        "00280011": ("US", facts.columns),
        "00280100": ("US", 8 if facts.precision <= 8 else 16),
        "00280101": ("US", facts.precision),
        "00280102": ("US", facts.precision - 1),
        "00280103": ("US", 0),
    }
    if facts.components > 1:
        made["00280006"] = ("US", 0)
    if frames > 1:
        made["00280008"] = ("IS", frames)
    return made


def _photometric(facts: StreamFacts, syntax: str) -> str:
    """How the decoder's samples are to be read (PS3.5 8.2)."""
    if facts.components == 1:
        return "MONOCHROME2"
    if facts.kind == "2000" and facts.marked:
        return "YBR_RCT" if syntax in (f"{_J}90", f"{_J}92", f"{_J}201", f"{_J}202") else "YBR_ICT"
    return "YBR_FULL_422" if facts.kind == "dct" else "RGB"
