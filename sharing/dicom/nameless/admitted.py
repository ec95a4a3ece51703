"""Which objects can be copied without names: their pixels ordinarily hold no text.

Pixel data is not cleaned. Where text may stand in it, the object is refused.
"""

from sharing.dicom.errors import MayName
from sharing.dicom.scan import Scanned
from sharing.dicom.values import find, texts

_STORAGE = "1.2.840.10008.5.1.4.1.1."
SCANS = frozenset(_STORAGE + last for last in ("2", "2.1", "4", "4.1", "128", "130"))
"""CT, MR and PET, also enhanced: computed from signals, without anybody's letters."""
EXPOSURES = frozenset(_STORAGE + last for last in ("1", "1.1", "1.1.1", "1.2", "1.2.1"))
"""CR, DX and mammography: some come from film, so each must say that it holds no text."""
KINDS = SCANS | EXPOSURES
BURNED_IN, RECOGNIZABLE, IMAGE_TYPE = 0x00280301, 0x00280302, 0x00080008
CONVERSION, PIXELS, PHOTOMETRIC = 0x00080064, 0x7FE00010, ("MONOCHROME1", "MONOCHROME2")


def check_admitted(scanned: Scanned) -> None:
    """Raise MayName, with its reason, where the object can't be copied without names."""
    if scanned.sop_class_uid not in KINDS:
        raise MayName("kind_may_name")
    burned = _words(scanned, BURNED_IN)
    if any(word != "NO" for word in burned):
        raise MayName("text_in_pixels")
    if not burned and (scanned.sop_class_uid in EXPOSURES or _is_second_hand(scanned)):
        raise MayName("text_unknown")
    if any(word != "NO" for word in _words(scanned, RECOGNIZABLE)):
        raise MayName("recognizable")
    _check_pixels(scanned)


def _is_second_hand(scanned: Scanned) -> bool:
    """Whether it was made from other images or captured: then something may be drawn into it."""
    kind = _words(scanned, IMAGE_TYPE)
    return bool(_words(scanned, CONVERSION)) or kind[:2] != ["ORIGINAL", "PRIMARY"]


def _check_pixels(scanned: Scanned) -> None:
    """Grey, of whole bytes: coloured ones are overlaid, fused or captured."""
    grey = scanned.facts.photometric in PHOTOMETRIC and scanned.facts.samples == 1
    whole = scanned.pixel is not None and scanned.pixel.tag == PIXELS
    if not (grey and whole and scanned.facts.bits_allocated in (8, 16, 32)):
        raise MayName("pixels_may_name")


def _words(scanned: Scanned, tag: int) -> list[str]:
    return [word for word in texts(find(scanned.elements, tag), scanned.charset) if word]
