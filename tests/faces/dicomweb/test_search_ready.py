"""All instances of a series lie ready as one answer, which says what the search would say."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sharing.archive import documents
from sharing.archive.models import Instance, Series, Study
from sharing.archive.rules import Why
from sharing.archive.services.rejecting import reject_images
from sharing.dicomweb import qido
from sharing.tenants.rules import Role
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Region, make_person
from tests.faces.dicomweb.conftest import stored_study, token_client

pytestmark = pytest.mark.usefixtures("own_documents")


@pytest.fixture
def study(region: Region, real_data: Path) -> Study:
    """Four series of Riverside's."""
    return stored_study(region, real_data / "studies/mr_epi_multiseries")


def address(series: Series, mount: str = "") -> str:
    """Where the instances of a series are searched."""
    of = f"studies/{series.study.study_uid}/series/{series.series_uid}/instances"
    return f"/dicomweb/{mount}{of}"


def ask(client: Client, url: str, **headers: str) -> Any:
    """The answer, which is none of the server's faults."""
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return answer


def searched(client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the search itself says, as if nothing lay ready."""
    with monkeypatch.context() as patch:
        patch.setattr(qido, "told", lambda *_, **__: None)
        return ask(client, url)


def of(answer: HttpResponse) -> tuple[bytes, dict[str, str]]:
    """Body and headers, without what is of the one request."""
    return answer.content, {k: v for k, v in answer.headers.items() if k != "X-Request-ID"}


@pytest.mark.parametrize("mount", ["", "o/riverside/"])
def test_what_lies_ready_is_what_the_search_says(
    region: Region, study: Study, mount: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the custodian and to whom Pat permits it; some images have no number to stand by."""
    some = list(Instance.objects.order_by("pk").values_list("pk", flat=True)[:3])
    Instance.objects.filter(pk__in=some).update(number=None)
    region.permit(patient=study.patient)
    for house in (region.riverside, region.hilltop):
        client = token_client(house)
        for series in study.series.all():
            url = address(series, mount)
            said = searched(client, url, monkeypatch)
            assert of(ask(client, url)) == of(said)
            packed = ask(client, url, **{"Accept-Encoding": "gzip"})
            assert packed.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(packed.content) == said.content
            assert series.instance_count == len(ask(client, url).json())


def test_it_is_put_together_once(
    study: Study, pacs: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = address(study.series.all()[0])
    first = ask(pacs, url).content
    monkeypatch.setattr(documents, "build", lambda sheet: pytest.fail("made twice"))
    assert ask(pacs, url).content == first


def test_it_follows_what_comes_and_what_leaves(
    region: Region, real_data: Path, pacs: Client
) -> None:
    first, second, *_ = dicom_files(real_data / "studies/mr_wrist_j1")
    counts = []
    for step in (first, second):
        send(region, step)
        series = Series.objects.get()
        counts.append(len(ask(pacs, address(series)).json()))
    reject_images(
        region.ada.actor,
        public_id=series.study.public_id,
        series_uids=[series.series_uid],
        sop_uids=Instance.objects.order_by("pk").values_list("sop_uid", flat=True)[:1],
        why=Why.QUALITY,
        at=NOW,
    )
    (left,) = ask(pacs, address(series)).json()
    assert counts == [1, 2]
    assert left["00080018"]["Value"] == [Instance.objects.get().sop_uid]


def test_who_may_not_know_of_the_study_is_told_of_nothing_that_lies_there(
    region: Region, study: Study
) -> None:
    hilltop, url = token_client(region.hilltop), address(study.series.all()[0])
    consent = region.permit(patient=study.patient)
    assert len(ask(hilltop, url).json()) > 0
    region.revoke(consent)
    assert ask(hilltop, url).content == b"[]"


@pytest.mark.parametrize(
    "query",
    [
        "?limit=1",
        "?offset=1",
        "?InstanceNumber=1",
        "?SeriesInstanceUID=2.25.1",
        "?includefield=all",
        "?Nonsense=1",
    ],
)
def test_another_question_is_searched(
    study: Study, pacs: Client, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = address(study.series.all()[0]) + query
    said = searched(pacs, url, monkeypatch)
    monkeypatch.setattr(documents, "opened", lambda *_, **__: pytest.fail("another's answer"))
    assert of(ask(pacs, url)) == of(said)


def test_named_by_keys_the_series_says_what_it_is_beside_each_instance(
    study: Study, pacs: Client
) -> None:
    """Only below the series' own path are its attributes left out (PS3.18 10.6.3)."""
    series = study.series.all()[0]
    of_study = f"/dicomweb/studies/{study.study_uid}/instances?SeriesInstanceUID="
    anywhere = f"/dicomweb/instances?StudyInstanceUID={study.study_uid}&SeriesInstanceUID="
    for url in (of_study, anywhere):
        told = ask(pacs, url + series.series_uid).json()
        assert {each["00080060"]["Value"][0] for each in told} == {series.modality}
    assert not any("00080060" in each for each in ask(pacs, address(series)).json())


def test_as_xml_it_is_searched(study: Study, pacs: Client) -> None:
    xml = 'multipart/related; type="application/dicom+xml"'
    answer = ask(pacs, address(study.series.all()[0]), Accept=xml)
    assert b"<NativeDicomModel" in answer.content


def test_of_one_study_at_two_houses_the_own_one_is_meant(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lakeside holds a series of it that Riverside has not: below its own study that is nothing."""
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    send(region, *files[:1])
    send(region, *files, organization=region.lakeside)
    theirs = Study.objects.get(organization=region.lakeside)
    desk = make_person("Lin Hu", region.lakeside, Role.CLERK)
    replace(region, mei=desk).permit(region.riverside, patient=theirs.patient)
    client = token_client(region.riverside)
    lengths = []
    for mount in ("", "o/riverside/", "o/lakeside/"):
        for series in theirs.series.order_by("pk"):
            url = address(series, mount)
            said = searched(client, url, monkeypatch)
            assert of(ask(client, url)) == of(said)
            lengths.append(len(said.json()))
    assert len(set(lengths)) > 1
