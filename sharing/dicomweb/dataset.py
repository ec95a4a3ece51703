"""Rows of the archive as DICOM JSON objects (PS3.18 F.2, tables 10.6.3-3 to 10.6.3-5)."""

from datetime import date
from typing import Any

from .gate import root

JsonObject = dict[str, Any]


def study_object(row: tuple[Any, ...]) -> JsonObject:
    """Of `searching.STUDY_COLUMNS`."""
    (
        custodian, uid, day, time, accession, modalities, referrer, name, identifier, issuer,
        birth, sex, study_id, description, series, instances,
    ) = row  # fmt: skip
    return {
        "00080005": _value("CS", "ISO_IR 192"),
        "00080020": _value("DA", _date(day)),
        "00080030": _value("TM", time),
        "00080050": _value("SH", accession),
        "00080056": _value("CS", "ONLINE"),
        "00080061": _value("CS", *[word for word in modalities.split("|") if word]),
        "00080090": _name(referrer),
        "00081030": _value("LO", description),
        "00081190": _value("UR", f"{root(custodian)}/studies/{uid}"),
        "00100010": _name(name),
        "00100020": _value("LO", identifier if issuer != "unidentified" else ""),
        "00100021": _value("LO", issuer if issuer != "unidentified" else ""),
        "00100030": _value("DA", _date(birth)),
        "00100040": _value("CS", sex),
        "0020000D": _value("UI", uid),
        "00200010": _value("SH", study_id),
        "00201206": _value("IS", series),
        "00201208": _value("IS", instances),
    }


def series_object(row: tuple[Any, ...]) -> JsonObject:
    """Of STUDY_COLUMNS and SERIES_COLUMNS: the study's attributes and the series' own."""
    uid, modality, number, description, body_part, laterality, instances = row[-7:]
    made = study_object(row[:-7])
    url = f"{made['00081190']['Value'][0]}/series/{uid}"
    made |= {
        "00080060": _value("CS", modality),
        "0008103E": _value("LO", description),
        "00180015": _value("CS", body_part),
        "00200060": _value("CS", laterality),
        "0020000E": _value("UI", uid),
        "00200011": _value("IS", number),
        "00201209": _value("IS", instances),
        "00081190": _value("UR", url),
    }
    return made


def instance_object(row: tuple[Any, ...]) -> JsonObject:
    """Of STUDY_COLUMNS, SERIES_COLUMNS and INSTANCE_COLUMNS."""
    uid, sop_class, number, rows, columns, frames, syntax = row[-7:]
    made = series_object(row[:-7])
    url = f"{made['00081190']['Value'][0]}/instances/{uid}"
    made |= {
        "00080016": _value("UI", sop_class),
        "00080018": _value("UI", uid),
        "00083002": _value("UI", syntax),  # Available Transfer Syntax UID
        "00200013": _value("IS", number),
        "00280008": _value("IS", frames or None),
        "00280010": _value("US", rows),
        "00280011": _value("US", columns),
        "00081190": _value("UR", url),
    }
    return made


def _value(vr: str, *values: Any) -> JsonObject:
    kept = [value for value in values if value not in (None, "")]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def _date(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


def _name(text: str) -> JsonObject:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    kept = {kind: part for kind, part in groups if part.strip("^ ")}
    return {"vr": "PN", "Value": [kept]} if kept else {"vr": "PN"}
