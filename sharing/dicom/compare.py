"""Two versions of one object side by side: which elements differ, in words. Pure."""

from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_description

JsonObject = dict[str, Any]
LONGEST = 120


@dataclass(frozen=True)
class Difference:
    """One element, as each version has it; an element that is not there is an empty text."""

    name: str
    old: str
    new: str


def differences(old: JsonObject, new: JsonObject) -> list[Difference]:
    """The top-level elements that differ between two objects of DICOM JSON, by ascending tag."""
    tags = sorted(set(old) | set(new))
    return [
        Difference(name_of(tag), text_of(old.get(tag)), text_of(new.get(tag)))
        for tag in tags
        if _said(old.get(tag)) != _said(new.get(tag))
    ]


def _said(element: JsonObject | None) -> JsonObject | None:
    """Without addresses: where bulk data lies is no difference."""
    if element is None:
        return None
    return {name: value for name, value in element.items() if name != "BulkDataURI"}


def name_of(tag: str) -> str:
    """`Study Description`, or `(0009,1001)` for what the dictionary does not know."""
    try:
        return dictionary_description(int(tag, 16))
    except (KeyError, ValueError):
        return f"({tag[:4].lower()},{tag[4:].lower()})"


def text_of(element: JsonObject | None) -> str:
    """An element's values as one short text."""
    if element is None:
        return ""
    if element.get("vr") == "SQ":
        items = len(element.get("Value", ()))
        return f"{items} item" if items == 1 else f"{items} items"
    if "Value" not in element:
        return "Binary" if "InlineBinary" in element or "BulkDataURI" in element else "Empty"
    text = ", ".join(_one(value) for value in element["Value"])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _one(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(value[key] for key in ("Alphabetic", "Ideographic") if key in value)
    return "" if value is None else str(value)
