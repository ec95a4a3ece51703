"""Scrub: every flipped byte is found, told, answered 503 for that instance alone, and healed."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from sharing.archive.models import Damage, Instance, Study, Verified
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.scrubbing import scrub, share_of
from sharing.audit.models import Event
from sharing.blobs import store
from tests.archive.keeping import files_of, held
from tests.archive.sending import outcomes, send
from tests.cast import NOW, Region
from tests.sessions import sign_in

DAY = timedelta(days=1)


def flip(row: Instance, at: int = 400) -> None:
    """One bit of one stored object."""
    path = Path(store().root) / row.blob  # type: ignore[attr-defined]
    with path.open("r+b") as file:
        file.seek(row.offset + at)
        old = file.read(1)[0]
        file.seek(row.offset + at)
        file.write(bytes([old ^ 1]))


def ask(region: Region, row: Instance) -> int:
    """Ada asks for one instance by DICOMweb."""
    study = row.series.study.study_uid
    path = f"/dicomweb/studies/{study}/series/{row.series.series_uid}/instances/{row.sop_uid}"
    response = sign_in(Client(), region.ada.user).get(path)
    if response.streaming:
        response.getvalue()
    return response.status_code


def rows() -> list[Instance]:
    return list(Instance.objects.select_related("series__study").order_by("pk"))


def test_what_is_whole_is_read_once_a_month(region: Region, wrist: Study) -> None:
    done = scrub(at=NOW)
    assert (done.packs, done.objects, done.damaged, done.missing) == (1, 16, [], [])
    assert scrub(at=NOW + 29 * DAY).packs == 0
    assert scrub(at=NOW + 31 * DAY).packs == 1
    assert scrub(at=NOW + 32 * DAY, since=timedelta(0)).packs == 1
    assert Verified.objects.get().pack == rows()[0].blob


def test_every_flipped_object_is_set_apart_and_the_others_are_served(
    region: Region, wrist: Study, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = rows()[3:5], rows()[5]
    for row in bad:
        flip(row)
    done = scrub(at=NOW)
    assert len(done.damaged) == 2
    assert {d.sop_uid for d in Damage.objects.all()} == {row.sop_uid for row in bad}
    assert [ask(region, row) for row in (*bad, good)] == [503, 503, 200]
    assert Event.objects.filter(action="study.damage", study=wrist.public_id).count() == 2
    assert sum("alert" in record.message for record in caplog.records) == 2
    assert scrub(at=NOW, since=timedelta(0)).damaged == []  # told once
    report = reconcile(at=NOW, collect=False)
    assert (len(report.damaged), report.missing) == (2, [])
    with pytest.raises(CommandError, match="damaged"):
        call_command("reconcile")


def test_sent_again_the_object_heals(region: Region, wrist: Study, real_data: Path) -> None:
    flip(rows()[3])
    scrub(at=NOW)
    assert set(outcomes(send(region, *files_of(real_data)))) == {("duplicate", "")}
    assert ask(region, rows()[3]) == 200
    assert held() == {path.read_bytes() for path in files_of(real_data)}
    assert reconcile(at=NOW + DAY, collect=False).healed == 1
    assert reconcile(at=NOW + DAY, collect=False).agrees
    assert scrub(at=NOW, since=timedelta(0)).damaged == []


def test_a_disk_that_reads_well_again_heals_too(region: Region, wrist: Study) -> None:
    row = rows()[3]
    flip(row)
    scrub(at=NOW)
    flip(row)
    assert scrub(at=NOW + DAY).healed == 1
    assert ask(region, row) == 200


def test_a_pack_cut_short_costs_its_end_and_a_lost_one_is_named(
    region: Region, wrist: Study
) -> None:
    last = max(rows(), key=lambda row: row.offset)
    os.truncate(Path(store().root) / last.blob, last.offset + 10)  # type: ignore[attr-defined]
    assert len(scrub(at=NOW).damaged) == 1
    assert Damage.objects.get().sop_uid == last.sop_uid
    store().delete(last.blob)
    assert scrub(at=NOW, since=timedelta(0)).missing == [last.blob]
    with pytest.raises(CommandError, match=last.blob):
        call_command("scrub", since_days=0)
    assert Damage.objects.count() == 1  # a folder that is not mounted marks nobody's images


def test_signed_forms_are_read_as_well(own_store: None, region: Region) -> None:
    region.permit()
    assert scrub(at=NOW).objects == 1
    (key,) = store().keys()
    (Path(store().root) / key).write_bytes(b"%PDF other")  # type: ignore[attr-defined]
    (named,) = scrub(at=NOW, since=timedelta(0)).damaged
    assert "evidence" in named


def test_the_beat_reads_all_within_a_month(region: Region, wrist: Study) -> None:
    assert share_of(at=NOW) == 1
    assert share_of(at=NOW) * 24 * 30 >= Instance.objects.values("blob").distinct().count()
