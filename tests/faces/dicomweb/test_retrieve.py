"""WADO-RS and QIDO-RS: what is stored comes back, in the form that was asked for."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client

from sharing.archive.models import Instance, Study
from sharing.archive.services import retrieving
from sharing.blobs import store
from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import stored_study

ANY = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
OCTET = "application/octet-stream"
OCTETS = 'multipart/related; type="application/octet-stream"'
FILES_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def content(response: Any) -> bytes:
    """The body, streamed or not."""
    return b"".join(response) if response.streaming else response.content


def parts(response: Any) -> list[tuple[str, bytes]]:
    """(content type, body) of each part of a multipart answer, and its length was true."""
    return [(fields["Content-Type"], body) for fields, body in whole_parts(response)]


def whole_parts(response: Any) -> list[tuple[dict[str, str], bytes]]:
    """The same with all headers of each part."""
    raw = content(response)
    if "Content-Length" in response:
        assert len(raw) == int(response["Content-Length"])
    boundary = response["Content-Type"].partition("boundary=")[2].encode()
    found = []
    for part in raw.split(b"\r\n--" + boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))
        found.append((fields, body))
    return found


def path_of(instance: Instance) -> str:
    """The instance's path at the DICOMweb door."""
    series = instance.series
    return (
        f"/dicomweb/studies/{series.study.study_uid}/series/{series.series_uid}"
        f"/instances/{instance.sop_uid}"
    )


@pytest.fixture
def study(region: Region, real_data: Path) -> Study:
    return stored_study(region, real_data / "studies/mr_epi_multiseries")


@pytest.fixture
def small(region: Region, real_data: Path) -> Instance:
    send(region, real_data / "single/pydicom_CT_small.dcm")
    return Instance.objects.get()


def get(client: Client, url: str, accept: str = "*/*", **headers: str) -> HttpResponse:
    return client.get(url, headers={"Accept": accept, **headers})  # type: ignore[return-value]


def test_metadata_says_what_pydicom_says(pacs: Client, small: Instance, real_data: Path) -> None:
    response = get(pacs, f"{path_of(small)}/metadata", "application/dicom+json")
    assert response["Content-Type"] == "application/dicom+json"
    (found,) = response.json()
    expected = pydicom.dcmread(real_data / "single/pydicom_CT_small.dcm").to_json_dict()
    for tag in ("00100010", "00100020", "0020000D", "00280010", "00280030", "00080018"):
        assert found[tag] == expected[tag]
    bulk = found["7FE00010"]["BulkDataURI"]
    assert bulk == f"http://testserver{path_of(small)}/bulkdata/7FE00010".replace(
        "/dicomweb/", "/dicomweb/o/riverside/"
    )


def test_a_bulk_data_uri_leads_to_the_bytes(pacs: Client, small: Instance, real_data: Path) -> None:
    pixels = pydicom.dcmread(real_data / "single/pydicom_CT_small.dcm").PixelData
    url = f"{path_of(small)}/bulkdata/7FE00010"
    assert content(get(pacs, url, "application/octet-stream")) == pixels
    assert [body for _, body in parts(get(pacs, url))] == [pixels]
    assert get(pacs, f"{path_of(small)}/bulkdata/00100010").status_code == 404


def test_metadata_of_a_series_is_that_series(pacs: Client, study: Study) -> None:
    series = study.series.order_by("pk")[1]
    url = f"/dicomweb/studies/{study.study_uid}/series/{series.series_uid}/metadata"
    found = get(pacs, url).json()
    assert len(found) == series.instance_count
    assert {item["0020000E"]["Value"][0] for item in found} == {series.series_uid}


def test_an_object_comes_back_as_it_was_sent_but_for_its_preamble(
    region: Region, pacs: Client, real_data: Path
) -> None:
    path = real_data / "broken/m_preamble_mz.dcm"
    send(region, path)
    response = get(pacs, path_of(Instance.objects.get()), FILES_AS_STORED)
    ((kind, body),) = parts(response)
    assert kind.startswith("application/dicom; transfer-syntax=")
    raw = path.read_bytes()
    assert raw[:2] == b"MZ"
    assert body == bytes(128) + raw[128:]


def test_a_whole_study_comes_back(pacs: Client, study: Study) -> None:
    found = parts(get(pacs, f"/dicomweb/studies/{study.study_uid}", FILES_AS_STORED))
    assert len(found) == study.instance_count
    uids = {pydicom.dcmread(io.BytesIO(body)).SOPInstanceUID for _, body in found}
    assert uids == set(Instance.objects.values_list("sop_uid", flat=True))


def test_one_object_as_a_file_has_a_name_of_ours(pacs: Client, small: Instance) -> None:
    response = get(pacs, path_of(small), "application/dicom")
    assert response["Content-Type"] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert response["Content-Disposition"] == f'attachment; filename="{small.sop_uid}.dcm"'
    assert pydicom.dcmread(io.BytesIO(content(response))).SOPInstanceUID == small.sop_uid


def test_without_a_syntax_objects_leave_uncompressed(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "single/pydicom_MR_small_RLE.dcm")
    url = path_of(Instance.objects.get())
    ((kind, body),) = parts(get(pacs, url, 'multipart/related; type="application/dicom"'))
    assert kind.endswith("transfer-syntax=1.2.840.10008.1.2.1")
    made = pydicom.dcmread(io.BytesIO(body))
    original = pydicom.dcmread(real_data / "single/pydicom_MR_small_RLE.dcm")
    assert np.array_equal(made.pixel_array, original.pixel_array)


def test_frames_leave_as_pixels_or_as_they_are_stored(
    region: Region, pacs: Client, real_data: Path
) -> None:
    path = real_data / "single/pydicom_MR_small_jpeg_ls_lossless.dcm"
    send(region, path)
    url = f"{path_of(Instance.objects.get())}/frames/1"
    original = pydicom.dcmread(path)
    ((kind, pixels),) = parts(get(pacs, url, OCTETS))
    assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert pixels == original.pixel_array.tobytes()
    ((kind, stream),) = parts(get(pacs, url, ANY))
    assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
    assert stream in original.PixelData
    ((kind, same),) = parts(get(pacs, url, 'multipart/related; type="image/jls"'))
    assert (kind, same) == ("image/jls; transfer-syntax=1.2.840.10008.1.2.4.80", stream)
    assert content(get(pacs, url, "application/octet-stream")) == pixels
    refused = get(pacs, url, 'multipart/related; type="image/jpx"')
    assert refused.status_code == 406


def test_several_frames_in_the_order_asked_for(
    region: Region, pacs: Client, real_data: Path
) -> None:
    path = real_data / "single/pydicom_emri_small.dcm"
    send(region, path)
    url = path_of(Instance.objects.get())
    frames = pydicom.dcmread(path).pixel_array
    found = parts(get(pacs, f"{url}/frames/3,1", OCTETS))
    assert [body for _, body in found] == [frames[2].tobytes(), frames[0].tobytes()]
    assert get(pacs, f"{url}/frames/11", OCTETS).status_code == 404
    assert get(pacs, f"{url}/frames/0", OCTETS).status_code == 400
    assert get(pacs, f"{url}/frames/1,x", OCTETS).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "pydicom_MR_small_bigendian.dcm",
        "pydicom_image_dfl.dcm",
        "pydicom_liver_1frame.dcm",
        "pydicom_emri_small_big_endian.dcm",
        "pydicom_MR_small_implicit.dcm",
    ],
)
def test_pixels_are_little_endian_whatever_the_syntax(
    region: Region, pacs: Client, real_data: Path, name: str
) -> None:
    path = real_data / "single" / name
    send(region, path)
    ((_, pixels),) = parts(get(pacs, f"{path_of(Instance.objects.get())}/frames/1", ANY))
    original = pydicom.dcmread(path)
    expected = original.pixel_array
    if original.get("NumberOfFrames", 1) and expected.ndim > 2 and original.SamplesPerPixel == 1:
        expected = expected[0]
    if original.BitsAllocated == 1:
        packed = np.packbits(expected.reshape(-1), bitorder="little")
        assert pixels[: len(packed)] == packed.tobytes()
    else:
        assert pixels == expected.astype(expected.dtype.newbyteorder("<")).tobytes()


def test_pictures(region: Region, pacs: Client, small: Instance) -> None:
    url = path_of(small)
    jpeg = get(pacs, f"{url}/rendered?viewport=64,64&window=40,400,linear", "image/jpeg")
    assert jpeg["Content-Type"] == "image/jpeg"
    assert jpeg.content[:3] == b"\xff\xd8\xff"
    png = get(pacs, f"{url}/frames/1/rendered", "image/png")
    assert png.content[:8] == b"\x89PNG\r\n\x1a\n"
    for place in (url, f"{url}/frames/1", url.partition("/instances")[0]):
        small_picture = get(pacs, f"{place}/thumbnail")
        assert small_picture["Content-Type"] == "image/jpeg"
    assert get(pacs, f"{url}/rendered", "image/jp2").status_code == 406
    assert get(pacs, f"{url}/rendered?window=1").status_code == 400
    assert get(pacs, f"{url}/rendered?viewport=0,9").status_code == 400


def test_an_object_without_pixels_has_no_picture(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "single/pydicom_reportsi.dcm")
    url = path_of(Instance.objects.get())
    assert get(pacs, f"{url}/rendered").status_code == 406
    assert get(pacs, f"{url}/thumbnail").status_code == 406
    assert get(pacs, f"{url}/frames/1", OCTETS).status_code == 404


def test_broken_pixels_answer_an_error_and_nothing_falls_over(
    region: Region, pacs: Client, real_data: Path
) -> None:
    send(region, real_data / "broken/m_rle_bad_header.dcm")
    url = path_of(Instance.objects.get())
    assert get(pacs, f"{url}/rendered").status_code == 406
    assert get(pacs, f"{url}/frames/1", OCTETS).status_code == 406
    assert get(pacs, f"{url}/metadata").status_code == 200


def test_a_copy_that_is_still_right_is_not_sent_again(pacs: Client, small: Instance) -> None:
    for place, accept in (
        ("/metadata", "*/*"),
        ("/frames/1", OCTETS),
        ("/rendered", "image/jpeg"),
        ("/thumbnail", "*/*"),
        ("", FILES_AS_STORED),
    ):
        first = get(pacs, path_of(small) + place, accept)
        content(first)
        again = get(pacs, path_of(small) + place, accept, **{"If-None-Match": first["ETag"]})
        assert again.status_code == 304, place
        weak = f'W/"other", W/{first["ETag"]}'  # as a proxy that compresses makes of it
        weakly = get(pacs, path_of(small) + place, accept, **{"If-None-Match": weak})
        assert (weakly.status_code, weakly["ETag"]) == (304, first["ETag"]), place
        for answer in (first, again):
            assert answer["Cache-Control"] == "private, max-age=0, must-revalidate"
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", "))


def test_what_is_refused_by_name_is_not_meant_by_a_range(pacs: Client, small: Instance) -> None:
    for place, media in (("", "application/dicom"), ("/bulkdata/7FE00010", OCTET)):
        url = path_of(small) + place
        assert get(pacs, url, f"{media};q=0, */*").status_code == 406
        assert get(pacs, url, f"{media};q=0, application/*;q=0.1").status_code == 406
        less = get(pacs, url, f"{media};q=0.1, */*")  # so the single part that is named is left
        assert less["Content-Type"].startswith(media)


def test_who_wants_only_the_copy_that_is_known_gets_no_other(pacs: Client, small: Instance) -> None:
    """If-Match, before anything else and by strong tags (RFC 9110 13.1.1, 13.2.2)."""
    for place in ("", "/metadata", "/frames/1", "/bulkdata/7FE00010", "/thumbnail"):
        url = path_of(small) + place
        tag = get(pacs, url, "*/*")["ETag"]
        for known, status in (
            (tag, 200),
            ("*", 200),
            (f'"other", {tag}', 200),
            ('"other"', 412),
            (f"W/{tag}", 412),
        ):
            answer = get(pacs, url, "*/*", **{"If-Match": known})
            assert answer.status_code == status, (place, known)
        both = get(pacs, url, "*/*", **{"If-Match": '"other"', "If-None-Match": tag})
        assert (both.status_code, both.json()["code"]) == (412, "condition_failed")
    assert get(pacs, f"{path_of(small)}/frames/9", "*/*", **{"If-Match": "*"}).status_code == 404


def test_of_what_is_not_there_no_copy_is_right(pacs: Client, small: Instance) -> None:
    """An asterisk means whatever there is (RFC 9110 13.1.2)."""
    for frame, status in ((1, 304), (2, 404)):
        for place in ("", "/rendered", "/thumbnail"):
            url = f"{path_of(small)}/frames/{frame}{place}"
            assert get(pacs, url, "*/*", **{"If-None-Match": "*"}).status_code == status, url


def test_one_tag_never_means_two_representations(pacs: Client, small: Instance) -> None:
    url = f"{path_of(small)}/rendered"
    tags = {
        get(pacs, url + query, accept)["ETag"]
        for query in ("", "?window=1,2", "?viewport=9,9", "?quality=5")
        for accept in ("image/jpeg", "image/png")
    }
    assert len(tags) == 8


def test_lost_bytes_are_503_and_never_a_shorter_answer(pacs: Client, small: Instance) -> None:
    path = store().root / small.blob
    path.write_bytes(path.read_bytes()[:-10])
    assert get(pacs, path_of(small), FILES_AS_STORED).status_code == 503
    store().delete(small.blob)
    for place in ("", "/frames/1", "/rendered"):
        response = get(pacs, path_of(small) + place, "*/*")
        assert response.status_code == 503, place
        assert response["Retry-After"]
    assert get(pacs, f"{path_of(small)}/metadata").status_code == 200


def test_a_stream_is_cut_when_the_actor_loses_the_study(
    region: Region, small: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieving, "RECHECK_SECONDS", -1)
    study = small.series.study
    chunks = retrieving.guarded(iter([b"1", b"2"]), region.ada.actor, study.public_id, region_now)
    assert next(chunks) == b"1"
    stranger = retrieving.guarded(
        iter([b"1", b"2"]), region.cleo.actor, study.public_id, region_now
    )
    with pytest.raises(retrieving.StudyNotFound):
        next(stranger)


def region_now() -> Any:
    from django.utils import timezone

    return timezone.now()


def test_metadata_leaves_as_gzip_where_that_is_taken(pacs: Client, study: Study) -> None:
    """Of a series as it lies, of a study joined; each form has an entity tag of its own."""
    series = study.series.first()
    for url in (study.study_uid, f"{study.study_uid}/series/{series.series_uid}"):
        url = f"/dicomweb/studies/{url}/metadata"
        plain = pacs.get(url)
        packed = pacs.get(url, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        assert (packed["Content-Encoding"], "Accept-Encoding" in packed["Vary"]) == ("gzip", True)
        assert gzip.decompress(content(packed)) == content(plain)
        assert "Content-Encoding" not in pacs.get(url, headers={"Accept-Encoding": "gzip;q=0"})
        assert packed["ETag"] != plain["ETag"]
        again = pacs.get(url, headers={"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]})
        assert again.status_code == 304


def test_an_answer_of_many_parts_is_watched_as_a_whole(
    region: Region, small: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is sent before anybody would ask; all of them together are not."""
    now = [0.0]
    monkeypatch.setattr(retrieving.time, "monotonic", lambda: now[0])
    study = small.series.study.public_id
    watch = retrieving.Watch(region.cleo.actor, study, region_now, asked=0.0)
    for _ in range(3):  # she may not see it: the first question ends it
        assert list(watch.over(iter([b"a small object"]))) == [b"a small object"]
        now[0] += 0.03
    now[0] += 0.02
    with pytest.raises(retrieving.StudyNotFound):
        list(watch.over(iter([b"a small object"])))
