"""QIDO-RS: what stands in the path, and keys beside it (PS3.18 10.6.1)."""

from pathlib import Path

import pytest
from django.test import Client

from sharing.archive.models import Series
from tests.archive.sending import send
from tests.cast import Region


@pytest.mark.parametrize(
    ("below", "query", "found"),
    [
        ("series", "StudyInstanceUID=1.2.3", 0),
        ("instances", "0020000D=1.2.3", 0),
        ("series/{series}/instances", "StudyInstanceUID=1.2.3", 0),
        ("series/{series}/instances", "SeriesInstanceUID=1.2.3", 0),
        ("instances", 'StudyInstanceUID=""&emptyvaluematching=true', 0),
        ("series", "StudyInstanceUID={study}", 1),
        ("instances", "StudyInstanceUID=1.2.3,{study}", 1),
        (r"instances", r"StudyInstanceUID=1.2.3\{study}", 1),
        ("instances", "StudyInstanceUID=1.2.3&StudyInstanceUID={study}", 1),
        ("instances", "StudyInstanceUID=", 1),
        ("instances", "StudyInstanceUID=*", 1),
        ("series/{series}/instances", "SeriesInstanceUID=1.2.3,{series}", 1),
    ],
)
def test_a_key_on_what_the_path_names_must_match_too(
    region: Region, real_data: Path, pacs: Client, below: str, query: str, found: int
) -> None:
    """All keys must match, whatever the path says already (PS3.4 C.2.2.1)."""
    send(region, real_data / "single/pydicom_CT_small.dcm")
    series = Series.objects.select_related("study").get()
    named = {"study": series.study.study_uid, "series": series.series_uid}
    place = f"/dicomweb/studies/{named['study']}/{below}?{query}".format(**named)
    answer = pacs.get(place)
    assert (answer.status_code, len(answer.json())) == (200, found)
    assert "Warning" not in answer.headers


def test_a_bad_key_on_what_the_path_names_is_refused(region: Region, pacs: Client) -> None:
    for name in (region.study().study_uid, "1.2.3"):
        place = f"/dicomweb/studies/{name}/series?StudyInstanceUID=1.2*"
        assert pacs.get(place).status_code == 400


@pytest.mark.parametrize("name", ["*", "%3F", "{0},{1}", "{0}%5C{1}", "%20{0}", "abc"])
def test_a_path_names_one_study(region: Region, pacs: Client, name: str) -> None:
    """A key may be a pattern or a list; what stands in the path is a UID (PS3.18 10.6.1)."""
    place = name.format(region.study().study_uid, region.study().study_uid)
    for below in ("series", "instances", "series/*/instances"):
        assert pacs.get(f"/dicomweb/studies/{place}/{below}").status_code == 400
