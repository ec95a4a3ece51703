"""Small files made here, one for each way in which a data set can be written: fuzzing begins here.

`FOUND` holds what once made the two readers differ, so that it is tried first, always.
"""

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import RLELossless

from .corpus import dataset, part10


def _code(meaning: str, *, undefined: bool = False) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-1", "99X", meaning
    item.is_undefined_length_sequence_item = undefined
    return item


def _nested(*, undefined: bool) -> Dataset:
    made = dataset()
    inner = _code("Inner", undefined=undefined)
    outer = _code("Outer", undefined=undefined)
    outer.PurposeOfReferenceCodeSequence = Sequence([inner])
    made.ProcedureCodeSequence = Sequence([outer, _code("Zweites")])
    made.IssuerOfPatientIDQualifiersSequence = Sequence([Dataset()])
    made.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID = "1.2.840.99"
    for keyword in ("ProcedureCodeSequence", "IssuerOfPatientIDQualifiersSequence"):
        made[keyword].is_undefined_length = undefined
    outer["PurposeOfReferenceCodeSequence"].is_undefined_length = undefined
    return made


def _private() -> Dataset:
    made = dataset()
    block = made.private_block(0x0029, "SOMEBODY", create=True)
    block.add_new(0x01, "LO", "a\\b")
    block.add_new(0x02, "UN", b"\x01\x02\x03\x04")
    block.add_new(0x03, "OB", bytes(2000))
    block.add_new(0x04, "FD", [0.5, 1e300])
    return made


def _compressed(*, extended: bool) -> bytes:
    made = dataset(NumberOfFrames="2")
    frames = [b"\x01\0\0\0" + bytes(60), b"\x02\0\0\0" + bytes(70)]
    if extended:
        made.PixelData, table, lengths = encapsulate_extended(frames)
        made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = table, lengths
    else:
        made.PixelData = encapsulate(frames)
    made["PixelData"].is_undefined_length = True
    return part10(made, RLELossless)


def seeds() -> dict[str, bytes]:
    """The files by what is special in them."""
    many = dataset(
        ImageType=["ORIGINAL", "PRIMARY"], StudyDate="20260102", StudyTime="101112.5",
        AccessionNumber="A1", SeriesNumber="2", InstanceNumber="3", PatientBirthDate="19580503",
        PatientSex="F", PixelSpacing=["0.5", "0.25"], Laterality="L", BodyPartExamined="HAND",
        WindowCenter=["40", "-600"], TimezoneOffsetFromUTC="+0200", Manufacturer="",
        ImagePositionPatient=["-1.5", "2e3", "0"], StationAETitle="AE", IssuerOfPatientID="RV",
    )  # fmt: skip
    latin = dataset(PatientName="M\u00fcller^J\u00f6rg", InstitutionName='\u00c4rzte "A" \\ B')
    latin.SpecificCharacterSet = "ISO_IR 100"
    han = dataset(PatientName="Lin^Xiaoyan=\u6797^\u6653\u71d5=", SpecificCharacterSet="ISO_IR 192")
    kanji = dataset(PatientName="Yamada^Tarou=\u5c71\u7530^\u592a\u90ce")
    kanji.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    signed = dataset(PixelRepresentation=1, SmallestImagePixelValue=-3)
    signed["SmallestImagePixelValue"].VR = "SS"
    report = dataset()
    del report.PixelData, report.Rows, report.Columns
    return {
        "plain": part10(dataset()),
        "many": part10(many),
        "latin": part10(latin),
        "han": part10(han),
        "kanji": part10(kanji),
        "signed": part10(signed),
        "report": part10(report),
        "private": part10(_private()),
        "nested": part10(_nested(undefined=False)),
        "open": part10(_nested(undefined=True)),
        "compressed": _compressed(extended=False),
        "extended": _compressed(extended=True),
        "frames": part10(dataset(NumberOfFrames="2", PixelData=bytes(32))),
    }


FOUND: dict[str, str] = {
    "a NUL in the name of a character set": (
        "eJzFkc1Kw0AUhW9+2kZtY/xBxLoYxEVWw8wkbaMiSNJCA00nNO2iIKUBtyIIrn0JH9BH8STFIG5cOjCc7845zFzuEP3v"
        "GqdJZkJXM5s+oCYZpONKsQwTukovSHLFo1BwKYSI+IBLHmJLPoJvIdGuEwEqD9Xpr3xVSXjH8C53nhpyuDwYRkKEAY94"
        "eBPVmRMqpi7la/SlMxYgpZhDLUoKjx7TQjMlvlUpli5YNIJ/9keXDp3/6NKhLe4zSS899JvPr2hdPpdP5WZZvr683fev"
        "47tgMu778QYYP+hboEeMZtqkXDLqNXcNcOo2VUh+Na+imqFPNt7oUqbnOpkudDZRzK+mA9eGe9QQGRU5IKMhs6YOyKqJ"
        "6PPdq//F2/2LZbfaHWdv/6Dbcw+/AEKEQ1w="
    ),
}
"""Zlib and base64 of what once made the readers differ, by what it was."""
