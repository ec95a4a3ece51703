"""An instance's own part of a search answer as ready JSON text, made once at ingest. Pure."""

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
        "00080016": _value("UI", sop_class_uid),
        "00080018": _value("UI", sop_uid),
        "00080056": _value("CS", "ONLINE"),
    }
    if timezone:
        made["00080201"] = _value("SH", timezone)
    made["00081190"] = _value("UR", url)
    made["00083002"] = _value("UI", transfer_syntax)
    made["0020000D"] = _value("UI", study_uid)
    made["0020000E"] = _value("UI", series_uid)
    made["00200013"] = _value("IS", number)
    if frames > 1:
        made["00280008"] = _value("IS", frames)
    if rows and columns:
        made["00280010"] = _value("US", rows)
        made["00280011"] = _value("US", columns)
        made["00280100"] = _value("US", bits_allocated or None)
    return orjson.dumps(made).decode()


def _value(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr} if value in (None, "") else {"vr": vr, "Value": [value]}
