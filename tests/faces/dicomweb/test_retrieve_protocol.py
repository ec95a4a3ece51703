"""HEAD, OPTIONS, ranges, bulk data: what HTTP and PS3.18 promise beside the plain answers."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from defusedxml.ElementTree import fromstring
from django.http import HttpResponse
from django.test import Client
from pydicom.encaps import generate_frames

from sharing.archive.models import Instance
from sharing.dicomweb import urls
from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import stored_study
from tests.faces.dicomweb.test_fence import address
from tests.faces.dicomweb.test_retrieve import content, get, parts, path_of, whole_parts

SV1 = "1.2.840.10008.1.2.4.70"
FILE = "application/dicom; transfer-syntax=*"
OCTETS = "application/octet-stream"
TWO = ("orthanc_sample-pdf.dcm", "pydicom_CT_small.dcm")
NS = "{http://wadl.dev.java.net/2009/02}"


@pytest.fixture
def ct(region: Region, real_data: Path) -> Instance:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    return Instance.objects.select_related("series__study").get()


def test_head_has_the_headers_of_get_and_no_body(pacs: Client, ct: Instance) -> None:
    ignored = {"X-Request-ID", "Content-Type"}
    for _, (route, _, name) in enumerate(urls._ALL):
        url = address(route, ct)
        full, head = pacs.get(url), pacs.head(url)
        body = content(full)
        assert head.status_code == full.status_code == 200, name
        assert content(head) == b"", name
        same = {k: v for k, v in full.headers.items() if k not in ignored}
        found = {k: v for k, v in head.headers.items() if k not in ignored}
        assert found == {"Content-Length": str(len(body))} | same or found == same, name


def test_an_answer_that_knows_its_length_has_no_body_either() -> None:
    """The test's client takes bodies off by itself."""
    for headers in ({}, {"Content-Length": "5"}):
        response = urls.without_body(HttpResponse(b"image", headers=headers))
        assert (response.content, response["Content-Length"]) == (b"", "5")


def test_every_resource_tells_what_it_can(pacs: Client, ct: Instance, region: Region) -> None:
    for route, _, name in urls._ALL:
        response = pacs.options(address(route, ct))
        assert response.status_code == 200, name
        assert response["Content-Type"] == "application/vnd.sun.wadl+xml"
        assert {"GET", "HEAD", "OPTIONS"} <= set(response["Allow"].split(", ")), name
        root = fromstring(response.content)
        (first, *_) = root.iter(f"{NS}resource")
        assert first.get("path") == {n: t for t, n in urls._TEMPLATES}[name]
        assert [method.get("name") for method in first], name
    whole = pacs.options("/dicomweb/o/riverside/")
    root = fromstring(whole.content)
    assert root[0].get("base", "").endswith("/dicomweb/o/riverside")
    assert len(list(root.iter(f"{NS}resource"))) == len(urls._ALL)
    as_json = pacs.options("/dicomweb/studies", headers={"Accept": "application/json"}).json()
    described = as_json["application"]["resources"]["resource"][0]
    assert described["@path"] == "studies"
    search, store = described["method"]
    asked = {one["@name"] for one in search["request"]["param"]}
    assert {f"{kind}matching" for kind in ("fuzzy", "emptyvalue", "multiplevalue")} < asked
    taken = {one["@mediaType"] for one in store["request"]["representation"]}
    assert {FILE.partition(";")[0], "application/dicom+json"} < taken
    given = {one["@mediaType"] for one in store["response"]["representation"]}
    assert {"application/dicom+json", "application/dicom+xml"} < given
    assert pacs.options("/dicomweb/studies", headers={"Accept": "text/css"}).status_code == 406
    assert Client().options("/dicomweb/studies").status_code == 401
    wrong = pacs.delete("/dicomweb/studies")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "not_offered")
    assert wrong["Allow"] == pacs.options("/dicomweb/studies")["Allow"]
    # The answer is of the route alone: what is not there is described just the same.
    absent = pacs.options(address(urls._STUDY, ct, study="2.25.404")).content
    assert absent == pacs.options(address(urls._STUDY, ct)).content


# Range, status, start, stop
RANGES = [
    ("bytes=0-99", 206, 0, 100),
    ("bytes=100-299", 206, 100, 300),
    ("bytes=120-140", 206, 120, 141),
    ("bytes=-10", 206, -10, None),
    ("bytes=39000-", 206, 39000, None),
    ("bytes=39000-999999", 206, 39000, None),
    ("bytes=999999-", 416, 0, 0),
    ("bytes=-0", 416, 0, 0),
    ("bytes=5-2", 200, 0, None),
    ("bytes=0-1,5-6", 200, 0, None),
    ("lines=1-2", 200, 0, None),
    ("bytes=-", 200, 0, None),
    ("BYTES = ,10-19 ,", 206, 10, 20),
    (f"bytes=10-{9 * 10**30}", 206, 10, None),
    (f"bytes={9 * 10**30}-", 416, 0, 0),
]


def test_a_range_of_a_file_and_of_a_bulk_value(pacs: Client, ct: Instance, real_data: Path) -> None:
    raw = (real_data / "single/pydicom_CT_small.dcm").read_bytes()
    pixels = pydicom.dcmread(io.BytesIO(raw)).PixelData
    bulk = f"{path_of(ct)}/bulkdata/7FE00010"
    for url, accept, whole in (
        (path_of(ct), FILE, bytes(128) + raw[128:]),
        (bulk, OCTETS, pixels + bytes(len(raw) - len(pixels))),
    ):
        total = len(whole) if url != bulk else len(pixels)
        for asked, status, start, stop in RANGES:
            if url == bulk and start >= len(pixels) - 1000 > 0:
                continue
            response = get(pacs, url, accept, Range=asked)
            assert response.status_code == status, (url, asked)
            if status == 416:
                assert response["Content-Range"] == f"bytes */{total}"
                assert response.json()["code"] == "no_such_range"
                assert response["Content-Type"] == "application/problem+json"
                continue
            body = content(response)
            assert body == whole[:total][start:stop], (url, asked)
            assert int(response["Content-Length"]) == len(body)
            assert response["Accept-Ranges"] == "bytes"
            if status == 206:
                first = start if start >= 0 else total + start
                assert response["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{total}"
        etag = get(pacs, url, accept)["ETag"]
        matching = get(pacs, url, accept, Range="bytes=0-9", **{"If-Range": etag})
        other = get(pacs, url, accept, Range="bytes=0-9", **{"If-Range": '"other"'})
        assert (matching.status_code, other.status_code) == (206, 200)
    whatever = get(pacs, bulk, "*/*", Range="bytes=0-9")
    assert (whatever.status_code, content(whatever)) == (206, pixels[:10])
    several = get(pacs, bulk, f'multipart/related; type="{OCTETS}"', Range="bytes=0-9")
    assert ([body for _, body in parts(several)], several.status_code) == ([pixels], 200)
    assert several["ETag"] != whatever["ETag"] == get(pacs, bulk, OCTETS)["ETag"]
    nothing = get(pacs, f"{path_of(ct)}/bulkdata/00100010", "*/*", **{"If-None-Match": "*"})
    assert nothing.status_code == 404


def _bulk_uris(element: Any, found: list[str]) -> list[str]:
    for value in element.values() if isinstance(element, dict) else element:
        if isinstance(value, dict | list):
            _bulk_uris(value, found)
    if isinstance(element, dict) and "BulkDataURI" in element:
        found.append(element["BulkDataURI"])
    return found


@pytest.mark.parametrize(
    "name",
    [
        "pydicom_waveform_ecg.dcm",  # inside sequences
        "orthanc_sample-pdf.dcm",
        "pydicom_parametric_map_float.dcm",
        "pydicom_MR_small_bigendian.dcm",
        "pydicom_image_dfl.dcm",
        "pydicom_rtdose.dcm",
    ],
)
def test_every_bulk_data_uri_leads_to_the_value(
    region: Region, pacs: Client, real_data: Path, name: str
) -> None:
    """In sequences, float pixels, documents, of deflated and big endian files too."""
    path = real_data / "single" / name
    send(region, path)
    url = path_of(Instance.objects.get())
    (metadata,) = get(pacs, f"{url}/metadata", "application/dicom+json").json()
    original = pydicom.dcmread(path)
    uris = _bulk_uris(metadata, [])
    assert uris
    for uri in uris:
        place = uri.partition("/bulkdata/")[2].split("/")
        level: Any = original
        for tag, item in zip(place[:-1:2], place[1::2], strict=True):
            level = level[int(tag, 16)].value[int(item)]
        expected = level[int(place[-1], 16)].value
        if not original.original_encoding[1]:
            expected = np.frombuffer(expected, ">u2").astype("<u2").tobytes()
        local = uri.partition("/dicomweb")[2]
        ((fields, body),) = whole_parts(get(pacs, f"/dicomweb{local}"))
        assert (fields["Content-Type"], body) == (OCTETS, expected), uri
        assert fields["Content-Location"] == uri
        assert content(get(pacs, f"/dicomweb{local}", OCTETS)) == expected
        assert get(pacs, f"/dicomweb{local}", "image/png").status_code == 406
    for wrong in ("00100010", "7FE00010/0", "zz", "00404000/1/7FE00010"):
        assert get(pacs, f"{url}/bulkdata/{wrong}").status_code == 404


def test_a_pdf_is_bulk_data_of_its_own_media_type(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, *(real_data / "single" / name for name in TWO))
    pdf, ct = (Instance.objects.get(frames=frames) for frames in (0, 1))
    url = f"{path_of(pdf)}/bulkdata/00420011"
    for accept, kind in (
        ("application/pdf", "application/pdf"),
        ("application/octet-stream", "application/octet-stream"),
        ("application/pdf, application/*;q=0.5", "application/pdf"),
        ("application/*", "application/octet-stream"),
    ):
        answer = get(pacs, url, accept)
        assert (answer["Content-Type"], content(answer)[:5]) == (kind, b"%PDF-"), accept
        assert answer["Content-Disposition"] == "attachment"
    part = get(pacs, url, "application/pdf", Range="bytes=0-3")
    assert (part.status_code, part["Content-Type"]) == (206, "application/pdf")
    ((kind, _),) = parts(get(pacs, url, 'multipart/related; type="application/pdf"'))
    assert kind == "application/pdf"
    assert get(pacs, f"{path_of(ct)}/bulkdata/7FE00010", "application/pdf").status_code == 406


def test_encapsulated_pixels_are_bulk_data_frame_by_frame(
    region: Region, pacs: Client, real_data: Path
) -> None:
    path = real_data / "single/pydicom_examples_ybr_color.dcm"
    send(region, path)
    url = path_of(Instance.objects.get())
    stored = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    found = whole_parts(get(pacs, f"{url}/bulkdata/7FE00010", stored))
    (metadata,) = get(pacs, f"{url}/metadata", "application/dicom+json").json()
    places = {fields["Content-Location"] for fields, _ in found}
    assert places == {metadata["7FE00010"]["BulkDataURI"]}
    frames = list(
        pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=30)
    )
    assert [body for _, body in found] == frames
    assert get(pacs, f"{url}/bulkdata/7FE00010", OCTETS).status_code == 406


def test_a_compressed_icon_is_bulk_data_of_the_images_media_type(
    region: Region, pacs: Client, real_data: Path
) -> None:
    source = real_data / "studies/mg_single_view/s01/0001.dcm"
    send(region, source)
    icon = pydicom.dcmread(source).IconImageSequence[0].PixelData
    url = f"{path_of(Instance.objects.get())}/bulkdata/00880200/0/7FE00010"
    for accept in (
        "image/jpeg",
        f"image/jpeg; transfer-syntax={SV1}",
        "image/jpeg; transfer-syntax=*",
    ):
        answer = get(pacs, url, accept)
        assert answer["Content-Type"] == f"image/jpeg; transfer-syntax={SV1}"
        assert [content(answer)] == list(generate_frames(icon, number_of_frames=1))
    ((kind, _),) = parts(get(pacs, url, "*/*"))
    assert kind == f"image/jpeg; transfer-syntax={SV1}"
    for accept in (OCTETS, "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"):
        assert get(pacs, url, accept).status_code == 406


def test_metadata_as_xml_says_what_the_json_says(
    region: Region, pacs: Client, real_data: Path
) -> None:
    """At every level, by our own reader of the model and by its schema's element names."""
    study = stored_study(region, real_data / "studies/rt_breast_ct_struct_plan")
    held = Instance.objects.select_related("series__study").first()
    accept = 'multipart/related; type="application/dicom+xml"'
    where = f"/dicomweb/studies/{study.study_uid}"
    for url, count in (
        (where, 3),
        (f"{where}/series/{held.series.series_uid}", 1),
        (path_of(held), 1),
    ):
        found = parts(get(pacs, f"{url}/metadata", accept))
        assert [kind for kind, _ in found] == ["application/dicom+xml"] * count
        objects = json.loads(content(get(pacs, f"{url}/metadata", "application/dicom+json")))
        for (_, xml), said in zip(found, objects, strict=True):
            root = fromstring(xml)
            assert root.tag.endswith("NativeDicomModel")
            tags = {attribute.get("tag"): attribute for attribute in root}
            assert len(tags) == len(said)
            sop = tags["00080018"].find("{*}Value")
            assert sop is not None
            assert sop.text == said["00080018"]["Value"][0]
        again = get(
            pacs,
            f"{url}/metadata",
            accept,
            **{"If-None-Match": get(pacs, f"{url}/metadata", accept)["ETag"]},
        )
        assert again.status_code == 304
    assert get(pacs, f"{where}/metadata", "text/html").status_code == 406
    assert get(pacs, "/dicomweb/studies/2.25.404/metadata", accept).status_code == 404
