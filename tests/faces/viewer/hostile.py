"""Studies in which every text of the dictionary is a script that would run if a page let it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

MOST = {"SH": 16, "LO": 64, "PN": 64}
WORDS = ("UT", "LT", "ST", "UC", *MOST)
_RUN = "window.hit=1"
_SHORT = (
    "<svg/onload=h()>",
    "<b onclick=h()>x",
    "'><script>h()//",
    '"><img src=x',
    "{{7*7}}",
    "${h()}",
)
_ELEMENTS = (
    *(f"<{tag} onload={_RUN}>" for tag in ("svg", "body", "style", "iframe")),
    *(f"<{tag} src=x onerror={_RUN}>" for tag in ("img", "video", "audio", "script", "image")),
    *(f"<{tag} autofocus onfocus={_RUN}>" for tag in ("input", "select", "textarea", "keygen")),
    f"<details open ontoggle={_RUN}>", f"<marquee onstart={_RUN}>",
    f"<object data=x onerror={_RUN}>",
    f"<a href=javascript:{_RUN}>x</a>", f"<form><button formaction=javascript:{_RUN}>x",
    "<iframe srcdoc='<script>parent.hit=1</script>'>", f"<math href=javascript:{_RUN}>x",
    f"<svg><animate onbegin={_RUN} attributeName=x>", f"<svg><script>{_RUN}</script>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<base href=//evil.example/>",
    "<link rel=stylesheet href=data:,*{display:none}>", "<style>*{display:none}</style>",
)  # fmt: skip
_BREAKS = (
    "</script>", "</title>", "</textarea>", "</style>", "</select>", "-->", "]]>", "'>", '">', "`>",
    "\\x3c/script\\x3e", "%3C/script%3E", "&lt;/script&gt;", "\u2028", "\u202e", "\x7f",
)  # fmt: skip
_OTHERS = (
    "javascript:alert(1)", "data:text/html,<script>parent.hit=1</script>", "{{constructor}}",
    "{% load static %}{% debug %}", "<%= 7*7 %>", "#{7*7}", "${alert(1)}", "__proto__",
    "constructor", f"'-({_RUN})-'", f"';{_RUN}//", f'";{_RUN}//', f"`;{_RUN}//",
    f"\\';{_RUN}//", "=1+1", "@SUM(1)",
)  # fmt: skip
SCRIPTS = (
    *_ELEMENTS,
    *(f"{mark}<img src=x onerror={_RUN}>" for mark in _BREAKS),
    *_OTHERS,
)


def study(number: int) -> list[bytes]:
    """An image and a report; the text at each place is another one from study to study."""
    return [
        _file(number, SecondaryCaptureImageStorage, 1),
        _file(number, ComprehensiveSRStorage, 2),
    ]


def folder_of(number: int, folder: Path) -> Path:
    """The same as files in a folder of that number."""
    made = folder / f"hostile-{number}"
    made.mkdir(parents=True)
    for at, raw in enumerate(study(number)):
        (made / f"{at}.dcm").write_bytes(raw)
    return made


def _file(number: int, sop_class: str, series: int) -> bytes:
    data = _words(number)
    uid = f"2.25.8302{number:03}"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, f"{uid}.{series}.1"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid, f"{uid}.{series}"
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientID, data.PatientBirthDate, data.PatientSex = f"8302-{number}", "19700101", "O"
    data.StudyDate, data.SeriesNumber, data.InstanceNumber = "20261124", series, 1
    data.Modality = "OT" if series == 1 else "SR"
    if series == 1:
        _draw(data)
    else:
        _write(data, number)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def _words(number: int) -> Dataset:
    """Every text attribute of the dictionary with a script in it."""
    data = Dataset()
    with pydicom.config.disable_value_validation():
        for at, (tag, vr) in enumerate(_texts()):
            data.add_new(tag, vr, script(number + at, MOST.get(vr)))
    return data


def said(number: int, keyword: str) -> str:
    """What that attribute of such a study says."""
    return str(_words(number)[keyword].value)


def _texts() -> Iterator[tuple[int, str]]:
    for tag, (vr, _, _, retired, _) in sorted(DicomDictionary.items()):
        if vr in WORDS and not retired and tag >> 16 not in (0, 2, 4, 0xFFFE):
            yield tag, vr


def script(number: int, most: int | None) -> str:
    """One that fits; a backslash would part it in two values."""
    whole = SCRIPTS[number % len(SCRIPTS)].replace("\\", "/")
    return whole if most is None or len(whole) <= most else _SHORT[number % len(_SHORT)]


def _draw(data: Dataset) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = 64
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = bytes(range(64)) * 64


def _write(data: Dataset, number: int) -> None:
    """A report with one text of each script."""
    data.ValueType, data.ContinuityOfContent = "CONTAINER", "SEPARATE"
    data.ConceptNameCodeSequence = [_code(number)]
    data.ContentSequence = [_item(each) for each in range(len(SCRIPTS))]
    data.CompletionFlag, data.VerificationFlag = "COMPLETE", "UNVERIFIED"


def _item(number: int) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.ConceptNameCodeSequence = [_code(number)]
    item.TextValue = script(number, None)
    return item


def _code(number: int) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "1", "99TEST"
    code.CodeMeaning = script(number, 64)
    return code
