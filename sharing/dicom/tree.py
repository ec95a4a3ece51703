"""Our elements as a pydicom Dataset, for the code that computes with pydicom."""

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from .charset import Charset, charset_of
from .elements import Element, Encoding
from .values import find


def to_dataset(elements: tuple[Element, ...], encoding: Encoding, charset: Charset) -> Dataset:
    """A Dataset that holds the loaded values; bulk values are left out."""
    own = find(elements, 0x00080005)
    here = charset_of(own.value if own else None, None, parent=charset)
    pairs = ((element.tag, _converted(element, encoding, here)) for element in elements)
    made = Dataset({BaseTag(tag): element for tag, element in pairs if element is not None})
    made.set_original_encoding(not encoding.explicit, encoding.little, list(here.codecs))
    return made


def _converted(
    element: Element, encoding: Encoding, charset: Charset
) -> DataElement | RawDataElement | None:
    tag = BaseTag(element.tag)
    if element.items is not None:
        how = Encoding(encoding.explicit, element.little)
        return DataElement(
            tag, "SQ", Sequence([to_dataset(item, how, charset) for item in element.items])
        )
    if element.value is None:
        return None
    if element.vr == "UN":
        return DataElement(tag, "UN", element.value)
    return RawDataElement(
        tag, element.vr, element.length, element.value, element.offset,
        is_implicit_VR=False, is_little_endian=element.little,
    )  # fmt: skip
