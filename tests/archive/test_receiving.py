"""Receiving: every file ends in the receipt, and what is acknowledged is stored once."""

import hashlib
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest

from sharing.archive.errors import NoSpace
from sharing.archive.models import Conflict, Delivery, Instance, Study
from sharing.archive.rules import Door
from sharing.audit.models import Event
from sharing.blobs import store
from sharing.identity.models import Patient
from sharing.outbox.models import Job
from tests.archive.broken import BROKEN, answers_as_expected
from tests.archive.sending import dicom_files, outcomes, send
from tests.cast import Region


def test_the_list_of_broken_files_is_the_whole_list(real_data: Path) -> None:
    assert sorted(path.name for path in (real_data / "broken").iterdir()) == sorted(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_the_expected_answer(region: Region, real_data: Path, name: str) -> None:
    if name == "m_duplicate_sop_b.dcm":
        send(region, real_data / "broken/m_duplicate_sop_a.dcm")
    before = Instance.objects.count()
    delivery = send(region, real_data / "broken" / name)
    answers = outcomes(delivery)
    assert answers
    assert all(code for outcome, code in answers if outcome in ("rejected", "conflict"))
    assert answers_as_expected(real_data, name, Instance.objects.count() - before), answers


def test_a_zip_with_clutter_brings_its_objects_and_names_the_rest(
    region: Region, real_data: Path
) -> None:
    """The ZIP holds one object three times, and a disc's clutter."""
    delivery = send(region, real_data / "broken/z_mixed_clutter.zip")
    words = [outcome for outcome, _ in outcomes(delivery)]
    assert words[:3] == ["stored", "duplicate", "duplicate"]
    assert set(words[3:]) == {"ignored"}
    assert len(words) == 8


def test_nothing_is_written_outside_the_store(
    region: Region, real_data: Path, tmp_path: Path, settings: Any
) -> None:
    root = tmp_path / "a" / "b" / "blobs"
    settings.BLOB_STORAGE, settings.SCRATCH_DIR = str(root), tmp_path / "a" / "scratch"
    names = ("z_slip.zip", "z_symlink.zip", "m_uid_path_traversal.dcm")
    send(region, *(real_data / "broken" / name for name in names))
    written = [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert written
    assert all(root / "riverside" / "studies" in path.parents for path in written)
    assert all(re.fullmatch(r"[0-9a-f]{32}\.pack", path.name) for path in written)


def test_a_study_is_stored_as_it_was_sent(region: Region, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    send(region, *files)
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    rows = list(Instance.objects.all())
    stored = {store().read(row.blob, row.offset, row.length) for row in rows}
    assert {hashlib.sha256(raw).hexdigest() for raw in stored} == hashes
    assert {row.sha256 for row in rows} == hashes
    assert len({row.blob for row in rows}) == Study.objects.count() == 1


def test_counts_modalities_patient_and_promise_come_with_the_instances(
    region: Region, real_data: Path
) -> None:
    files = list(dicom_files(real_data / "studies/ct_liver_seg"))
    send(region, *files)
    study = Study.objects.get()
    first = pydicom.dcmread(files[0], stop_before_pixels=True)
    assert (study.instance_count, study.series_count) == (5, 3)
    assert set(study.modality_list) == {"CT", "SEG"}
    assert study.patient.identifier == first.PatientID
    assert sum(series.instance_count for series in study.series.all()) == 5
    assert study.state == "receiving"
    assert Job.objects.filter(task="archive.settle_studies", ids={"study_ids": [study.pk]}).exists()
    event = Event.objects.get(action="study.receive")
    assert (event.study, event.custodian) == (study.public_id, "riverside")
    assert event.detail["instances"] == 5


def test_the_same_files_again_are_a_success_once(region: Region, real_data: Path) -> None:
    files = list(dicom_files(real_data / "studies/mr_epi_multiseries"))
    send(region, *files)
    blobs = set(store().keys())
    delivery = send(region, *files)
    assert {outcome for outcome, _ in outcomes(delivery)} == {"duplicate"}
    assert Instance.objects.count() == len(files)
    assert set(store().keys()) == blobs
    assert Event.objects.filter(action="study.receive").count() == 1
    assert Study.objects.get().instance_count == len(files)


def test_a_file_twice_in_one_delivery_is_stored_once(region: Region, real_data: Path) -> None:
    path = real_data / "single/pydicom_CT_small.dcm"
    assert outcomes(send(region, path, path)) == [("stored", ""), ("duplicate", "")]
    assert Instance.objects.count() == 1


def test_other_bytes_under_a_known_uid_wait_and_the_old_ones_stay(
    region: Region, real_data: Path
) -> None:
    first, second = (real_data / f"broken/m_duplicate_sop_{letter}.dcm" for letter in "ab")
    send(region, first)
    kept = Instance.objects.get()
    for _ in range(2):
        assert outcomes(send(region, second)) == [("conflict", "conflict")]
    waiting = Conflict.objects.get()
    assert store().read(waiting.blob, waiting.offset, waiting.length) == second.read_bytes()
    assert store().read(kept.blob, kept.offset, kept.length) == first.read_bytes()
    assert Instance.objects.get().sha256 == kept.sha256
    assert Patient.objects.filter(organization=region.riverside).count() == 2  # Pat, and the first
    assert Event.objects.filter(action="study.conflict").count() == 1


def test_the_original_sent_again_after_a_conflict_is_still_the_duplicate(
    region: Region, real_data: Path
) -> None:
    first, second = (real_data / f"broken/m_duplicate_sop_{letter}.dcm" for letter in "ab")
    send(region, first, second)
    assert outcomes(send(region, first)) == [("duplicate", "")]
    assert outcomes(send(region, second, first)) == [("conflict", "conflict"), ("duplicate", "")]


def test_the_same_uid_at_another_custodian_is_another_instance(
    region: Region, real_data: Path
) -> None:
    first, second = (real_data / f"broken/m_duplicate_sop_{letter}.dcm" for letter in "ab")
    send(region, first)
    assert outcomes(send(region, second, organization=region.lakeside)) == [("stored", "")]
    assert Study.objects.count() == 2
    assert {key.split("/")[0] for key in set(store().keys())} >= {"riverside", "lakeside"}


def test_what_one_delivery_brings_lies_in_one_pack(region: Region, real_data: Path) -> None:
    files = [
        next(dicom_files(real_data / "studies" / name))
        for name in ("mr_wrist_j1", "ct_liver_seg", "mr_wrist_j1")
    ]
    files += list(dicom_files(real_data / "studies/ct_liver_seg"))[1:]
    before = set(store().keys())
    send(region, *files)
    for row in Instance.objects.all():
        raw = store().read(row.blob, row.offset, row.length)
        assert hashlib.sha256(raw).hexdigest() == row.sha256
    assert Study.objects.count() == 2
    assert set(Instance.objects.values_list("blob", flat=True)) == set(store().keys()) - before
    assert len(set(store().keys()) - before) == 1


def test_objects_of_another_study_than_named_are_refused(region: Region, real_data: Path) -> None:
    delivery = send(region, real_data / "single/pydicom_CT_small.dcm", study_uid="1.2.3")
    assert outcomes(delivery) == [("rejected", "wrong_study")]
    assert not Study.objects.exists()


def another(path: Path, target: Path, **facts: str) -> Path:
    """The same file as another instance, with other facts."""
    file = pydicom.dcmread(path)
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
    for name, value in facts.items():
        setattr(file, name, value)
    file.save_as(target)
    return target


def test_a_file_of_another_patient_never_joins_the_study_and_waits_for_a_person(
    region: Region, real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "single/pydicom_CT_small.dcm"
    other = another(path, tmp_path / "other.dcm", PatientID="SOMEBODY-ELSE")
    send(region, path)
    delivery = send(region, other)
    study = Study.objects.get()
    assert outcomes(delivery) == [("conflict", "other_patient")]
    assert (study.instance_count, Instance.objects.count()) == (1, 1)
    waiting = Conflict.objects.get()
    assert store().read(waiting.blob, waiting.offset, waiting.length) == other.read_bytes()


def test_one_delivery_with_two_patients_in_one_study_stores_the_first_ones_only(
    region: Region, real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "single/pydicom_CT_small.dcm"
    delivery = send(region, path, another(path, tmp_path / "o.dcm", PatientID="SOMEBODY-ELSE"))
    assert outcomes(delivery) == [("stored", ""), ("conflict", "other_patient")]


def test_an_identifier_with_another_name_and_birth_date_is_not_believed(
    region: Region, real_data: Path, tmp_path: Path
) -> None:
    """A reused or made-up identifier must not show one patient's images by another's consent."""
    path = real_data / "single/pydicom_CT_small.dcm"
    facts = {"PatientName": "Okafor^Amara", "PatientBirthDate": "19920101"}
    first = another(path, tmp_path / "a.dcm", PatientBirthDate="19500101")
    other = another(
        path, tmp_path / "b.dcm", StudyInstanceUID="2.25.78", SeriesInstanceUID="2.25.79", **facts
    )
    file = pydicom.dcmread(other)
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = "2.25.80"
    file.save_as(other)
    for sent in (first, other, other):
        send(region, sent)
    known, doubtful = Study.objects.order_by("pk")
    assert known.patient.certain
    assert not doubtful.patient.certain
    assert doubtful.patient.latin == "OKAFOR Amara"


def test_a_full_disk_keeps_nothing_and_says_so(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        send(region, real_data / "single/pydicom_CT_small.dcm")
    assert not Delivery.objects.exists()
    assert not Study.objects.exists()


def test_a_zip_by_stow_is_no_dicom(region: Region, real_data: Path) -> None:
    delivery = send(region, real_data / "broken/z_mixed_clutter.zip", door=Door.STOW)
    assert outcomes(delivery) == [("rejected", "not_dicom")]


def test_a_disc_is_received_by_its_files_not_by_its_directory(
    region: Region, real_data: Path
) -> None:
    path = real_data / "media/cd_fileset_two_mr.zip"
    with zipfile.ZipFile(path) as disc:
        assert any(name.endswith("DICOMDIR") for name in disc.namelist())
    delivery = send(region, path)
    codes = dict.fromkeys(outcomes(delivery))
    assert ("ignored", "dicomdir") in codes
    assert ("stored", "") in codes
    assert not any(outcome == "rejected" for outcome, _ in codes)
