"""Parts of search answers as ready JSON text, made once when what they tell of changes. Pure."""

import re
import zlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

MOUNT = '"@/'
"""How a Retrieve URL begins in the column: readers put the custodian's mount in place of the @."""


def summary(
    *,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    sop_class_uid: str,
    transfer_syntax: str,
    number: int | None,
    rows: int | None,
    columns: int | None,
    frames: int,
    bits_allocated: int | None,
    timezone: str = "",
) -> str:
    """One DICOM JSON object, tags ascending, with the attributes of PS3.18 table 10.6.3-5 and the
    UIDs of the levels above. Sizes are there for images only, Number of Frames for multi-frame
    ones, Timezone Offset From UTC (0008,0201) where it is known. Its Retrieve URL begins with `@/`.
    """
    url = f"@/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
    made = {
        "00080016": element("UI", sop_class_uid),
        "00080018": element("UI", sop_uid),
        "00080056": element("CS", "ONLINE"),
    }
    if timezone:
        made["00080201"] = element("SH", timezone)
    made["00081190"] = element("UR", "@")
    made["00083002"] = element("UI", transfer_syntax)
    made["0020000D"] = element("UI", study_uid)
    made["0020000E"] = element("UI", series_uid)
    made["00200013"] = element("IS", number)
    if frames > 1:
        made["00280008"] = element("IS", frames)
    if rows and columns:
        made["00280010"] = element("US", rows)
        made["00280011"] = element("US", columns)
        made["00280100"] = element("US", bits_allocated or None)
    return _with_url(made, url)


def study_summary(
    *,
    study_uid: str,
    study_date: date | None,
    study_time: str,
    accession_number: str,
    modalities: list[str],
    referring_physician: str,
    description: str,
    patient_name: str,
    identifier: str,
    issuer: str,
    birth_date: date | None,
    sex: str,
    study_id: str,
) -> str:
    """The attributes of PS3.18 table 10.6.3-3, tags ascending, without the two counts at the end
    and the closing brace: they are said as they are at the moment of asking (`with_counts`).
    """
    made = {
        "00080005": element("CS", "ISO_IR 192"),
        "00080020": element("DA", _day(study_date)),
        "00080030": element("TM", study_time),
        "00080050": element("SH", accession_number),
        "00080056": element("CS", "ONLINE"),
        "00080061": {"vr": "CS", "Value": modalities} if modalities else {"vr": "CS"},
        "00080090": person_name(referring_physician),
        "00081030": element("LO", description),
        "00081190": element("UR", "@"),
        "00100010": person_name(patient_name),
        "00100020": element("LO", identifier),
        "00100021": element("LO", issuer),
        "00100030": element("DA", _day(birth_date)),
        "00100040": element("CS", sex),
        "0020000D": element("UI", study_uid),
        "00200010": element("SH", study_id),
    }
    return _with_url(made, f"@/studies/{study_uid}")[:-1]


def _with_url(made: dict[str, Any], url: str) -> str:
    """As text, with its Retrieve URL: nothing else in it may look like one."""
    text = orjson.dumps(made).decode().replace(MOUNT, r'"\u0040/')
    return text.replace(_NO_URL, f'"00081190":{{"vr":"UR","Value":["{url}"]}}', 1)


_NO_URL = '"00081190":{"vr":"UR","Value":["@"]}'


def with_counts(summary: str, series: int, instances: int) -> str:
    """The whole object: with Number of Study Related Series, and Instances."""
    return (
        f'{summary},"00201206":{{"vr":"IS","Value":[{series}]}}'
        f',"00201208":{{"vr":"IS","Value":[{instances}]}}}}'
    )


@dataclass(frozen=True)
class SeriesAttributes:
    """What searches say of a series beyond its columns, read from its first instance."""

    text: str  # ready JSON of one object, or "" where there is nothing to say
    performed_day: int  # 20261124, or 0
    performed_time: str
    requests: tuple[tuple[str, str], ...]  # Scheduled Procedure Step ID, Requested Procedure ID


def series_attributes(metadata: bytes) -> SeriesAttributes | None:
    """Of an instance's DICOM JSON as its column keeps it; None where it says nothing of these."""
    raw = zlib.decompress(metadata)
    if not any(b'"%s"' % tag.encode() in raw for tag in _OF_A_SERIES):
        return None
    whole = orjson.loads(raw)
    kept = {tag: whole[tag] for tag in _OF_A_SERIES if tag in whole}
    if not kept:
        return None
    asked = kept.get("00400275", {}).get("Value", [])
    requests = [(_first(item, "00400009")[:64], _first(item, "00401001")[:64]) for item in asked]
    if requests:
        steps = [{t: item[t] for t in ("00400009", "00401001") if t in item} for item in asked]
        kept["00400275"] = {"vr": "SQ", "Value": steps}
    day = _first(kept, "00400244")
    return SeriesAttributes(
        text=orjson.dumps(kept).decode(),
        performed_day=int(day) if re.fullmatch(r"[0-9]{8}", day) else 0,
        performed_time=_first(kept, "00400245")[:16],
        requests=tuple(dict.fromkeys(requests)),
    )


_OF_A_SERIES = ("00080201", "00400244", "00400245", "00400275")


def element(vr: str, value: Any) -> dict[str, Any]:
    """One value in DICOM JSON; None or "" is an attribute without a value (PS3.18 F.2.5)."""
    return {"vr": vr} if value in (None, "") else {"vr": vr, "Value": [value]}


def person_name(text: str) -> dict[str, Any]:
    """A PN value in DICOM JSON (PS3.18 F.2.2): its groups by name, empty ones left out."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    kept = {kind: part for kind, part in groups if part.strip("^ ")}
    return {"vr": "PN", "Value": [kept]} if kept else {"vr": "PN"}


def _first(made: dict[str, Any], tag: str) -> str:
    values = made.get(tag, {}).get("Value") or [""]
    return str(values[0] or "")


def _day(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""
