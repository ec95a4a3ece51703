"""What a store request may hold and cost: taken at the limit, refused one beyond, never a 500."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from sharing.archive.errors import UnsupportedMedia, UploadTooLarge
from sharing.archive.models import Delivery, Instance
from sharing.archive.services import allowance, intake
from sharing.dicomweb import apart, body, parts, submission
from sharing.dicomweb.parts import BadBody
from tests.dicom.test_assemble import BASE
from tests.faces.dicomweb.conftest import Stow, content_type, multipart
from tests.faces.dicomweb.test_stow_metadata import bulk, metadata, post

SMALL, OTHER = "single/pydicom_CT_small.dcm", "single/pydicom_reportsi.dcm"


def store(client: Client, raw: bytes, **headers: str) -> Any:
    return client.post("/dicomweb/studies", raw, content_type=content_type(), headers=headers)


@pytest.mark.parametrize(
    ("limit", "at", "status"),
    [
        ("parts", 2, 200),
        ("parts", 1, 413),
        ("header", len("Content-Type: application/dicom"), 200),
        ("header", len("Content-Type: application/dicom") - 1, 413),
        ("file", None, 200),
        ("file", -1, 202),
        ("body", None, 200),
        ("body", -1, 413),
    ],
)
def test_each_limit_is_taken_and_one_beyond_is_refused(
    pacs: Client, real_data: Path, monkeypatch: pytest.MonkeyPatch, limit: str, at: Any, status: int
) -> None:
    files = [(real_data / name).read_bytes() for name in (SMALL, OTHER)]
    raw = multipart(*files)
    if limit == "parts":
        monkeypatch.setattr(submission, "MAX_FILES_AT_ONCE", at)
    elif limit == "header":
        monkeypatch.setattr(parts, "MAX_PART_HEADER_BYTES", at)
    elif limit == "file":
        monkeypatch.setattr(intake, "MAX_FILE_BYTES", max(map(len, files)) + (at or 0))
    else:
        monkeypatch.setattr(allowance, "MAX_ARCHIVE_BYTES", len(raw) + (at or 0))
    response = store(pacs, raw)
    assert response.status_code == status, response.content
    assert Instance.objects.count() == {200: 2, 202: 1, 413: 0}[status]
    if status == 202:
        assert response.json()["0008119A"]["Value"][0]["00081197"]["Value"] == [0xA700]


def test_metadata_and_bulk_data_have_limits_too(
    pacs: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = metadata(BASE)
    for name, sent, length in (
        ("MAX_METADATA_BYTES", (one,), len(one[1])),
        ("MAX_FILE_BYTES", (one, bulk("u", b"12345")), 5),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(apart, name, length)
            assert post(pacs, *sent).status_code in (200, 202)
            patch.setattr(apart, name, length - 1)
            assert post(pacs, *sent).status_code == 413


def test_requests_in_a_minute_are_counted_for_each_organization(
    pacs: Client, stow: Stow, real_data: Path, settings: Any
) -> None:
    cache.clear()
    settings.STORE_REQUESTS_A_MINUTE = 2
    path = real_data / SMALL
    answers = [stow(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    cache.clear()
    settings.STORE_REQUESTS_A_MINUTE = 0
    assert {stow(path).status_code for _ in range(3)} == {200}


def test_a_quota_is_held_and_what_is_over_it_is_not_read(
    pacs: Client, real_data: Path, settings: Any
) -> None:
    raw = multipart((real_data / SMALL).read_bytes())
    for quota, status in ((len(raw) - 1, 507), (len(raw), 200), (len(raw), 507)):
        cache.clear()
        settings.STORE_QUOTA_BYTES = quota
        assert store(pacs, raw).status_code == status
    assert Instance.objects.count() == 1


def test_a_compressed_body_is_expanded(pacs: Client, real_data: Path) -> None:
    raw = multipart((real_data / SMALL).read_bytes())
    half = len(raw) // 2
    members = gzip.compress(raw[:half]) + gzip.compress(raw[half:])
    for sent, encoding, status in (
        (gzip.compress(raw), "gzip", 200),
        (members, "X-GZIP", 200),
        (raw, "identity", 200),
        (gzip.compress(raw)[:-1], "gzip", 400),
        (raw, "gzip", 400),
        (zlib.compress(raw), "deflate", 415),
        (raw, "br", 415),
    ):
        answer = store(pacs, sent, **{"Content-Encoding": encoding})
        assert answer.status_code == status, encoding
    assert Instance.objects.count() == 1


def pieces(raw: bytes, most: int = 10**9, **environ: Any) -> int:
    """How many bytes of a body are given out."""
    request = RequestFactory().generic("POST", "/dicomweb/studies", b"")
    request.environ.update({"wsgi.input": io.BytesIO(raw), "CONTENT_LENGTH": str(len(raw))})
    request.environ.update(environ)
    request.META = request.environ
    return sum(map(len, body.body(request, most=most)))


def test_a_body_that_expands_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "FREE", 1000)
    packed = gzip.compress(bytes(10**6))
    encoded = {"HTTP_CONTENT_ENCODING": "gzip"}
    allowed = len(packed) * body.RATIO
    assert allowed < 10**6
    with pytest.raises(UploadTooLarge):
        pieces(packed, **encoded)
    monkeypatch.setattr(body, "RATIO", 2000)
    assert pieces(packed, most=10**6, **encoded) == 10**6
    with pytest.raises(UploadTooLarge):
        pieces(packed, most=10**6 - 1, **encoded)


def test_a_body_is_as_long_as_it_says() -> None:
    assert pieces(b"12345") == 5
    assert pieces(b"12345", CONTENT_LENGTH="3") == 3
    assert pieces(b"12345", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked") == 5
    for length in ("6", "abc", "-1", "", "1e3"):
        with pytest.raises(BadBody):
            pieces(b"12345", CONTENT_LENGTH=length)
    with pytest.raises(UploadTooLarge):
        pieces(b"12345", most=4)
    with pytest.raises(UploadTooLarge):
        pieces(b"12345", most=4, CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    with pytest.raises(UnsupportedMedia):
        pieces(b"12345", HTTP_CONTENT_ENCODING="zstd")


def test_a_part_of_another_kind_is_told_of_and_the_rest_is_stored(
    pacs: Client, real_data: Path
) -> None:
    one = (real_data / SMALL).read_bytes()
    raw = (
        b"preamble\r\n--a-boundary \r\nContent-Type: application/dicom; transfer-syntax=1.2\r\n\r\n"
        + one
        + b"\r\n--a-boundary\r\nContent-Type: text/plain\r\n\r\nhello"
        + b"\r\n--a-boundary\r\n\r\n\r\n--a-boundary--\r\nepilogue"
    )
    response = store(pacs, raw)
    assert response.status_code == 202
    assert len(response.json()["00081199"]["Value"]) == 1
    assert len(response.json()["0008119A"]["Value"]) == 2
    assert list(Delivery.objects.get().items.order_by("pk").values_list("name", "code")) == [
        ("part 1", ""),
        ("part 2", "wrong_media_type"),
        ("part 3", "empty_file"),
    ]
