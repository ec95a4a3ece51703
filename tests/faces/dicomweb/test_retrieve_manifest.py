"""Every file of the real data through the door: stored, found, returned, and shown or refused."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from sharing.archive.models import Instance, Study
from tests.dicom.corpus import Row, rows
from tests.faces.dicomweb.conftest import Stow
from tests.faces.dicomweb.test_retrieve import content, get, parts, path_of

NEVER = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
# pylibjpeg and gdcm can't, and we can.
OURS = {
    "single/pydicom_liver_deflate.dcm",
    "single/cornerston_CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm",
}


def singles() -> list[list[Row]]:
    """The single files in groups: those that share a SOP Instance UID in different ones."""
    groups: list[list[Row]] = []
    for row in rows():
        if row["kind"] != "single" or row["expected"] != "accept":
            continue
        uid = row["sop_instance_uid"]
        free = (g for g in groups if all(r["sop_instance_uid"] != uid for r in g) and len(g) < 16)
        group = next(free, None)
        if group is None:
            groups.append(group := [])
        group.append(row)
    return groups


def _decodes(row: Row) -> bool:
    answers = row["decodable_pylibjpeg"], row["decodable_gdcm"]
    return any(answer and not answer.startswith(("no:", "n/a")) for answer in answers)


@pytest.mark.parametrize("group", range(len(singles())))
def test_every_single_file_is_stored_found_returned_and_shown_or_refused(
    group: int, stow: Stow, pacs: Client, real_data: Path
) -> None:
    wrong = []
    for row in singles()[group]:
        path = real_data / row["file"]
        if (status := stow(path).status_code) not in (200, 202):
            wrong.append((row["file"], "store", status))
            continue
        held = Instance.objects.select_related("series__study").latest("pk")
        wrong += [(row["file"], *what) for what in _journey(pacs, held, path, row)]
    assert wrong == []


def _journey(pacs: Client, held: Instance, path: Path, row: Row) -> list[tuple[str, object]]:
    """What is not as it should be."""
    wrong: list[tuple[str, object]] = []
    url = path_of(held)
    found = get(pacs, f"/dicomweb/instances?SOPInstanceUID={held.sop_uid}").json()
    if [item["00080018"]["Value"][0] for item in found] != [held.sop_uid]:
        wrong.append(("search", found))
    ((kind, body),) = parts(get(pacs, url, FILES))
    raw = path.read_bytes()
    if raw[128:132] == b"DICM" and held.sound and held.transfer_syntax not in NEVER:
        if body != bytes(128) + raw[128:]:
            wrong.append(("bytes", kind))
    elif body[128:132] != b"DICM" or body.count(held.sop_uid.encode()) < 2:
        wrong.append(("object", kind))
    (metadata,) = get(pacs, f"{url}/metadata", "application/dicom+json").json()
    if list(metadata) != sorted(metadata) or metadata["00080018"]["Value"] != [held.sop_uid]:
        wrong.append(("metadata", list(metadata)[:3]))
    shown = get(pacs, f"{url}/rendered?viewport=256,256", "image/png")
    expected = 200 if held.frames and (_decodes(row) or row["file"] in OURS) else 406
    if shown.status_code != expected:
        wrong.append(("rendered", shown.status_code))
    elif expected == 200 and not _is_a_picture(shown):
        wrong.append(("picture", row["photometric"]))
    return wrong


def _is_a_picture(response: HttpResponse) -> bool:
    with Image.open(io.BytesIO(response.content)) as opened:
        return max(opened.size) <= 256 and np.asarray(opened).std() >= 0


def test_every_study_is_stored_whole_and_its_images_are_shown(
    stow: Stow, pacs: Client, real_data: Path
) -> None:
    """Some of each series' images: all of them are the same kind."""
    wrong = []
    for folder in sorted((real_data / "studies").iterdir()):
        files = sorted(folder.rglob("*.dcm"))
        for series in sorted({path.parent for path in files}):
            some = [path for path in files if path.parent == series][:3]
            response = stow(*some)
            if response.status_code not in (200, 202):  # 202: with a warning
                wrong.append((series.name, response.status_code))
    for study in Study.objects.all():
        url = f"/dicomweb/studies/{study.study_uid}"
        held = Instance.objects.filter(series__study=study).select_related("series__study")
        assert len(parts(get(pacs, url, FILES))) == held.count()
        assert len(json.loads(content(get(pacs, f"{url}/metadata")))) == held.count()
        for one in held.filter(frames__gt=0).order_by("series_id", "pk"):
            response = get(pacs, f"{path_of(one)}/rendered?viewport=64,64", "image/jpeg")
            if response.status_code != 200:
                wrong.append((one.sop_uid, response.status_code))
            content(response)
    assert wrong == []
