"""What searches walk along stays true, whatever comes in and in whatever order."""

import json
import zlib
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from django.apps import apps

from sharing.archive.indexing import index_series, index_studies, reindex_studies
from sharing.archive.models import Instance, Listed, NameKey, Requested, Series, Study
from sharing.archive.summaries import MOUNT, with_counts
from tests.cast import Region, make_patient
from tests.faces.dicomweb.conftest import stored_study

DATED: dict[str, Any] = {
    "00400244": {"vr": "DA", "Value": ["20260105"]},
    "00400245": {"vr": "TM", "Value": ["101500"]},
    "00400275": {
        "vr": "SQ",
        "Value": [
            {
                "00400009": {"vr": "SH", "Value": ["STEP-1"]},
                "00401001": {"vr": "SH", "Value": ["PROC-1"]},
                "00400007": {"vr": "LO", "Value": ["Not asked for"]},
            },
            {"00400009": {"vr": "SH"}},
        ],
    },
}


def listed(study: Study) -> dict[str, int]:
    """The day by modality."""
    return dict(Listed.objects.filter(study=study).values_list("modality", "day"))


def test_a_study_is_listed_by_each_of_its_modalities(region: Region) -> None:
    study = region.study(study_date=date(2026, 1, 5), modalities="|PT|")
    assert listed(study) == {"": 20260105, "PT": 20260105}
    study.modalities = "|PT|CT|"
    study.save()
    index_studies([study])
    assert listed(study) == dict.fromkeys(["", "PT", "CT"], 20260105)
    study.modalities, study.study_date = "|CT|", None
    study.save()
    reindex_studies([study])
    assert listed(study) == {"": 0, "CT": 0}


def test_a_summary_is_json_with_the_counts_put_in(region: Region) -> None:
    nobody = make_patient(region.riverside, "", name='@/x"\\^=@/y')
    study = region.study(nobody, description="@/not a URL", accession_number='A"1')
    text = with_counts(Listed.objects.get(study=study, modality="").summary, 2, 30)
    made = json.loads(text)
    assert list(made) == sorted(made)
    assert text.count(MOUNT) == 1
    assert made["00081030"]["Value"] == ["@/not a URL"]
    assert made["00081190"]["Value"] == [f"@/studies/{study.study_uid}"]
    assert made["00100010"]["Value"][0]["Ideographic"] == "@/y"
    assert made["00100020"] == {"vr": "LO"}
    assert (made["00201206"]["Value"], made["00201208"]["Value"]) == ([2], [30])


def test_what_a_series_was_requested_as_is_read_from_its_first_instance(region: Region) -> None:
    series = Series.objects.get(study=region.study())
    index_series([(series.pk, zlib.compress(orjson.dumps(DATED | {"00080060": {"vr": "CS"}})))])
    series.refresh_from_db()
    assert (series.performed_day, series.performed_time) == (20260105, "101500")
    kept = json.loads(series.attributes)
    assert "00400007" not in kept["00400275"]["Value"][0]
    assert "00080060" not in kept
    told = set(Requested.objects.values_list("series", "step", "procedure"))
    assert told == {(series.pk, "STEP-1", "PROC-1"), (series.pk, "", "")}


@pytest.mark.parametrize("day", ["2026", "20260105x", ""])
def test_a_series_with_an_odd_date_is_kept_all_the_same(region: Region, day: str) -> None:
    series = Series.objects.get(study=region.study())
    odd = {"00400244": {"vr": "DA", "Value": [day]}}
    index_series([(series.pk, zlib.compress(orjson.dumps(odd)))])
    series.refresh_from_db()
    assert series.performed_day == 0
    assert json.loads(series.attributes) == odd


def test_what_came_before_these_tables_is_found_by_them(region: Region, real_data: Path) -> None:
    """The migrations make the same of it as receiving does."""
    stored_study(region, real_data / "studies/ct_liver_seg")
    tables = (
        Listed.objects.order_by("study", "modality").values_list("study", "modality", "summary"),
        NameKey.objects.order_by("patient", "key").values_list("patient", "key"),
        Series.objects.order_by("pk").values_list("attributes", "performed_day"),
        Instance.objects.order_by("pk").values_list("summary"),
    )
    before = [list(rows.all()) for rows in tables]
    assert all(before)
    Listed.objects.all().delete()
    NameKey.objects.all().delete()
    Series.objects.update(attributes="", performed_day=0)
    Instance.objects.update(summary="")
    migration("0003_searching").list_what_is_there(apps, None)
    migration("0008_in_order").sum_up_what_is_there(apps, None)
    assert [list(rows.all()) for rows in tables] == before


def migration(name: str) -> ModuleType:
    """One of the archive's."""
    return import_module(f"sharing.archive.migrations.{name}")


def test_receiving_lists_what_it_receives(region: Region, real_data: Path) -> None:
    study = stored_study(region, real_data / "studies/ct_liver_seg")
    assert set(listed(study)) == {"", "CT", "SEG"}
    assert NameKey.objects.filter(patient=study.patient).exists()
