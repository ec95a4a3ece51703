"""STOW-RS of metadata and bulk data: files are made of them, and every part is accounted for."""

import io
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client

from sharing.archive.models import Instance
from sharing.dicom.xml_model import from_xml, to_xml
from tests.dciodvfy import iod_errors, is_part10
from tests.dicom.apart import apart
from tests.dicom.test_assemble import BASE, PIXELS, picture
from tests.faces.dicomweb.test_retrieve import parts

Sent = tuple[dict[str, str], bytes]
JSON, XML = "application/dicom+json", "application/dicom+xml"
PARTS_OF_XML = f'multipart/related; type="{XML}"'
CT, MR = "single/pydicom_CT_small.dcm", "single/pydicom_MR_small_RLE.dcm"


def post(client: Client, *parts: Sent, kind: str = JSON, **headers: str) -> HttpResponse:
    """Send these parts."""
    body = b""
    for fields, content in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        body += b"--x\r\n" + head.encode() + b"\r\n" + content + b"\r\n"
    media = f'multipart/related; type="{kind}"; boundary=x'
    return client.post(  # type: ignore[return-value]
        "/dicomweb/studies", body + b"--x--", content_type=media, headers=headers
    )


def metadata(*made: Any, kind: str = JSON) -> Sent:
    """A part with the metadata of instances."""
    raw = orjson.dumps(made) if kind == JSON else to_xml(made[0])
    return {"Content-Type": kind}, raw


def bulk(where: str, raw: bytes, media: str = "application/octet-stream") -> Sent:
    """A part with bulk data."""
    return {"Content-Type": media, "Content-Location": where}, raw


def taken_apart(path: Path, named: str, sent_as: str) -> tuple[dict[str, Any], list[Sent]]:
    """A file's metadata that name their bulk data below `named`, and parts sent below `sent_as`."""
    made, find = apart(path.read_bytes(), named)
    found = []
    for uri in (one["BulkDataURI"] for one in made.values() if "BulkDataURI" in one):
        for part in find(uri):
            media = f"{part.media}; transfer-syntax={part.syntax}" if part.syntax else part.media
            where = uri.replace(named, sent_as)
            found.append(bulk(where, part.read(0, part.length), media))
    return made, found


def told(response: Any, tag: str, inner: str) -> list[Any]:
    """The values of an attribute in a sequence of the answer."""
    items = response.json().get(tag, {}).get("Value", [])
    return [item[inner]["Value"][0] for item in items]


@pytest.mark.parametrize("kind", [JSON, XML])
def test_files_come_apart_and_leave_whole(pacs: Client, real_data: Path, kind: str) -> None:
    ways = {CT: ("http://elsewhere/a%2Cb", "http://elsewhere/a,b"), MR: ("../u", "/u")}
    files = {name: taken_apart(real_data / name, *way) for name, way in ways.items()}
    made = [metadata(one, kind=kind) for one, _ in files.values()]
    if kind == JSON:
        made = [metadata(*(one for one, _ in files.values()))]
    sent = [part for _, parts in files.values() for part in parts]
    response = post(pacs, *sent, *made, kind=kind)
    assert response.status_code == 200, response.content
    for name in (CT, MR):
        original = (real_data / name).read_bytes()
        before = pydicom.dcmread(io.BytesIO(original))
        url = f"/dicomweb/studies/{before.StudyInstanceUID}/series/{before.SeriesInstanceUID}"
        accept = "application/dicom; transfer-syntax=*"
        got = pacs.get(f"{url}/instances/{before.SOPInstanceUID}", headers={"Accept": accept})
        file = got.getvalue()
        after = pydicom.dcmread(io.BytesIO(file))
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID or name == CT
        assert (after.pixel_array == before.pixel_array).all()
        assert is_part10(file)
        assert iod_errors(file) <= iod_errors(original)


def test_a_picture_and_a_few_attributes_are_an_instance(pacs: Client) -> None:
    response = post(pacs, metadata(BASE | PIXELS), bulk("p", picture("JPEG", "RGB"), "image/jpeg"))
    assert response.status_code == 200, response.content
    one = Instance.objects.get()
    assert (one.transfer_syntax, one.rows, one.columns) == ("1.2.840.10008.1.2.4.50", 6, 8)


def test_frames_are_put_in_order(pacs: Client) -> None:
    names = ("p/frames/2", "p/frames/1")
    frames = [
        bulk(name, picture("JPEG", quality=n * 30 + 20), "image/jpeg")
        for n, name in enumerate(names)
    ]
    response = post(pacs, metadata(BASE | PIXELS), *frames)
    assert response.status_code == 200, response.content
    assert Instance.objects.get().frames == 2


def test_an_instance_without_bulk_data_needs_no_parts(pacs: Client) -> None:
    made = BASE | {"00420011": {"vr": "OB", "InlineBinary": "JVBERg=="}}
    for raw in (orjson.dumps([made]), b"\xef\xbb\xbf" + orjson.dumps(made)):
        response = pacs.post("/dicomweb/studies", raw, content_type=JSON)
        assert response.status_code == 200
    assert Instance.objects.count() == 1


@pytest.mark.parametrize("kind", [JSON, XML])
def test_what_is_no_number_comes_back_as_it_was_and_may_be_sent_again(
    pacs: Client, kind: str
) -> None:
    said = {
        "00189073": {"vr": "FD", "Value": ["NaN", 1.5, "Infinity"]},
        "00089459": {"vr": "FL", "Value": ["-Infinity"]},
    }
    assert post(pacs, metadata(BASE | said, kind=kind), kind=kind).status_code == 200
    path = "/dicomweb/studies/2.25.2/series/2.25.3/instances"
    (found,) = orjson.loads(pacs.get(f"{path}/2.25.1/metadata").content)  # strict, as JSON is
    (listed,) = orjson.loads(pacs.get(f"{path}?includefield=all&00189073=Infinity").content)
    ((_, raw),) = parts(pacs.get(f"{path}/2.25.1/metadata", headers={"Accept": PARTS_OF_XML}))
    for one in (found, listed, from_xml(raw)):
        assert {tag: one[tag] for tag in said} == said
    again = found | {"00080018": {"vr": "UI", "Value": ["2.25.9"]}}
    assert post(pacs, metadata(again, kind=kind), kind=kind).status_code == 200
    (other,) = orjson.loads(pacs.get(f"{path}/2.25.9/metadata").content)
    assert other == again


def test_every_part_that_is_of_no_use_is_told_of(pacs: Client) -> None:
    missing = BASE | PIXELS | {"00080018": {"vr": "UI", "Value": ["2.25.9"]}}
    response = post(
        pacs,
        metadata(BASE, missing),
        ({"Content-Type": JSON}, b"[{"),
        ({"Content-Type": "text/html"}, b"<p>"),
        ({}, b"5"),
        bulk("nobody/asked", b"xx"),
    )
    assert response.status_code == 202
    assert told(response, "00081199", "00081155") == ["2.25.1"]
    assert told(response, "00081198", "00081155") == ["2.25.9"]
    assert told(response, "00081198", "00081197") == [0xC000]
    assert told(response, "0008119A", "00081197") == [0xC000] * 4
    assert Instance.objects.count() == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"<NativeDicomModel/>", 0xA900),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><NativeDicomModel/>", 0xC000),
        (b"<Other/>", 0xC000),
        (b"<NativeDicomModel><DicomAttribute tag='1'/></NativeDicomModel>", 0xC000),
        (b"", 0xC000),
    ],
)
def test_xml_that_is_no_instance_is_told_of(pacs: Client, raw: bytes, reason: int) -> None:
    response = post(pacs, ({"Content-Type": XML}, raw), kind=XML)
    assert (response.status_code, told(response, "0008119A", "00081197")) == (409, [reason])


def test_the_answer_is_in_the_language_that_was_asked_for(pacs: Client) -> None:
    answers = {
        accept: post(pacs, metadata(BASE), Accept=accept)
        for accept in (
            *("*/*", JSON, XML, f'multipart/related; type="{XML}"', f"{XML};q=0.1, {JSON}"),
            *("multipart/related", f"{JSON};q=0, application/*"),
        )
    }
    kinds = [answer["Content-Type"].split(";")[0] for answer in answers.values()]
    assert kinds == [JSON, JSON, XML, "multipart/related", JSON, "multipart/related", XML]
    expected = answers["*/*"].json() | {}
    assert from_xml(answers[XML].content) == expected
    first = answers["*/*"]
    url = "http://testserver/dicomweb/o/riverside/studies/2.25.2"
    assert first["Location"] == url
    assert told(first, "00081199", "00081190") == [f"{url}/series/2.25.3/instances/2.25.1"]
    assert "Location" not in answers[JSON]  # nothing was made
    assert Instance.objects.count() == 1


def test_nothing_is_stored_where_no_answer_would_fit(pacs: Client) -> None:
    assert post(pacs, metadata(BASE), Accept="text/html").status_code == 406
    assert not Instance.objects.exists()
