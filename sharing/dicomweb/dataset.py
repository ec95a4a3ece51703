"""Rows of searches as DICOM JSON objects (PS3.18 F.2, tables 10.6.3-3 to 10.6.3-5).

Most of a row is ready JSON text; it is parsed only where more must be put into it. Retrieve URLs
begin with a placeholder until `placed` names the custodian's mount.
"""

import zlib
from collections.abc import Callable
from typing import Any

import orjson

from sharing.archive.metadata import absolute
from sharing.archive.summaries import MOUNT, element, with_counts

from .gate import root

JsonObject = dict[str, Any]
Row = tuple[Any, ...]


def study_text(row: Row) -> str:
    """Of `search_studies`."""
    _, summary, series, instances = row
    return with_counts(summary, series, instances)


def series_text(row: Row, *, alone: bool) -> str:
    """Of `search_series`: the series' own attributes; unless alone, with the study's, too."""
    made = series_object(row)
    return _text(made if alone else orjson.loads(study_text(row[:4])) | made)


def instance_text(row: Row, *, study: bool) -> str:
    """Of `search_instances`: with the series' attributes, and the study's where they are asked."""
    *above, summary = row
    made = series_object(tuple(above))
    if study:
        made = orjson.loads(study_text(tuple(above[:4]))) | made
    return _text(made | orjson.loads(summary))


def own_text(row: Row) -> str:
    """Of `search_instances` alone: the instance's own attributes."""
    text: str = row[1]
    return text


def placed(texts: list[str], rows: list[Row]) -> list[str]:
    """With the address of each row's custodian in its Retrieve URL."""
    codes = [row[0] for row in rows]
    mounts = {code: f'"{root(code)}/' for code in set(codes)}
    return [text.replace(MOUNT, mounts[code], 1) for text, code in zip(texts, codes, strict=True)]


def series_object(row: Row) -> JsonObject:
    """The series' own attributes, of a row of `search_series`."""
    study, uid, modality, number, description, body_part, laterality, count, attributes = row[4:]
    made = {
        "00080060": element("CS", modality),
        "0008103E": element("LO", description),
        "00081190": element("UR", f"@/studies/{study}/series/{uid}"),
        "00180015": element("CS", body_part),
        "0020000D": element("UI", study),
        "0020000E": element("UI", uid),
        "00200011": element("IS", number),
        "00200060": element("CS", laterality),
        "00201209": element("IS", count),
    }
    return made | orjson.loads(attributes) if attributes else made


def enriched(
    text: str, metadata: bytes | None, wanted: Callable[[str], bool], custodian: str
) -> str:
    """With the attributes of the stored metadata that are wanted and not there yet."""
    if not metadata:
        return text
    made, stored = orjson.loads(text), orjson.loads(zlib.decompress(metadata))
    more = {tag: stored[tag] for tag in stored if tag not in made and wanted(tag)}
    if not more:
        return text
    uids = [stored.get(tag, {}).get("Value", [""])[0] for tag in _PATH]
    place = "{}/studies/{}/series/{}/instances/{}/bulkdata".format(root(custodian), *uids)
    return _text(made | orjson.loads(absolute(orjson.dumps(more), bulk_uri=place)))


_PATH = ("0020000D", "0020000E", "00080018")


def _text(made: JsonObject) -> str:
    """In the order of tags. Only the Retrieve URL may begin as one."""
    text = orjson.dumps(dict(sorted(made.items()))).decode().replace(MOUNT, _ESCAPED)
    return text.replace(_URL + _ESCAPED, _URL + MOUNT, 1)


_ESCAPED = r'"\u0040/'
_URL = '"00081190":{"vr":"UR","Value":['
