"""Whose is it? What a person uploads of a doubtful patient waits, and somebody says whose it is."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from sharing.archive.errors import HeldNotFound, HeldUndecided
from sharing.archive.models import Batch, Conflict, HeldStudy, Instance, Study
from sharing.archive.rules import HELD_NEXT, Claim, Door, Doubt, HeldEvent, HeldState, doubt_of
from sharing.archive.services.deciding import waiting
from sharing.archive.services.receiving import Incoming, Receipt, receive
from sharing.archive.services.reconciling import reconcile
from sharing.archive.services.retrieving import Stored
from sharing.archive.services.whose import (
    give_to,
    refuse_held,
    sides_of,
    trust_files,
    waiting_for_patient,
)
from sharing.audit.models import Event
from sharing.identity.errors import PatientNotFound
from sharing.identity.models import Patient
from sharing.tenants.errors import NotAllowed
from tests.cast import NOW, Region, make_patient
from tests.sessions import sign_in

SMALL = "single/pydicom_CT_small.dcm"
Upload = Callable[..., Receipt]


def image(real_data: Path, **said: str) -> bytes:
    """The small CT of a study of its own, of whom the words say."""
    data = pydicom.dcmread(real_data / SMALL)
    words = {"PatientID": "A-1", "PatientName": "Moreau^Pat", "PatientBirthDate": "19580503"}
    for keyword, value in (words | said).items():
        setattr(data, keyword, value)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(data, keyword, said.get(keyword) or generate_uid())
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    made = BytesIO()
    data.save_as(made)
    return made.getvalue()


@pytest.fixture
def upload(own_store: None, region: Region) -> Upload:
    """Mei sends these files from her browser, for a patient where one is chosen."""

    def sent(*files: bytes, patient: Patient | None = None, disc: bool = False) -> Receipt:
        mei = region.mei
        batch = Batch.objects.create(
            organization=region.riverside, user=mei.user, patient=patient,
            opened_at=NOW, touched_at=NOW, closed_at=NOW,
        )  # fmt: skip
        named: Iterable[Incoming] = (Incoming(f"{n}", [file]) for n, file in enumerate(files))
        extra = [Incoming("DICOMDIR", [directory()])] if disc else []
        return receive(
            organization=region.riverside, door=Door.UPLOAD, sender="Mei Tan",
            files=[*extra, *named], by=mei.actor.who, at=NOW, batch=batch,
        )  # fmt: skip

    return sent


def directory() -> bytes:
    """A DICOMDIR, as a disc has one."""
    data = Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.DirectoryRecordSequence = []
    made = BytesIO()
    data.save_as(made, enforce_file_format=True)
    return made.getvalue()


def said(receipt: Receipt) -> list[tuple[str, str]]:
    return [(str(line.outcome), line.code) for line in receipt.items]


def pat(region: Region) -> Patient:
    """Pat, as Riverside knows them: in two scripts."""
    return make_patient(region.riverside)


def stored_file() -> Dataset:
    """The only stored object, as pydicom reads it."""
    row = Instance.objects.values_list(*Stored.COLUMNS).get()
    stored = Stored("", *row)
    return pydicom.dcmread(BytesIO(bytes(stored.plain_range(0, stored.length))))


@pytest.mark.parametrize(
    ("claim", "doubt"),
    [
        (Claim(), None),
        (Claim(known=True), None),
        (Claim(known=True, namesake=True), None),
        (Claim(namesake=True), Doubt.SAME_PERSON),
        (Claim(known=True, contradicted=True), Doubt.OTHER_PERSON),
        (Claim(alone=False), Doubt.TWO_PATIENTS),
        (Claim(chosen=False), Doubt.NOT_CHOSEN),
        (Claim(chosen=True, alone=False, namesake=True), None),
    ],
)
def test_what_makes_a_study_wait(claim: Claim, doubt: Doubt | None) -> None:
    assert doubt_of(claim) == doubt


@pytest.mark.parametrize("state", HeldState)
@pytest.mark.parametrize("event", HeldEvent)
def test_a_decision_is_final(state: HeldState, event: HeldEvent) -> None:
    assert ((state, event) in HELD_NEXT) == (state == HeldState.WAITING)


def test_images_of_another_than_the_patient_chosen_wait_and_nobody_sees_them(
    region: Region, upload: Upload, real_data: Path
) -> None:
    right = image(real_data, PatientID="RV-1")
    wrong = image(
        real_data, PatientID="RV-2", PatientName="Okafor^Amara", PatientBirthDate="19920101"
    )
    receipt = upload(right, wrong, patient=pat(region))
    assert said(receipt) == [("stored", ""), ("held", "not_chosen")]
    assert Study.objects.get().patient.identifier == "RV-1"
    assert not Patient.objects.filter(identifier="RV-2").exists()
    held = waiting_for_patient(region.mei.actor).get()
    assert (held.doubt, held.count) == ("not_chosen", 1)
    assert not waiting(region.ada.actor).exists()  # no conflict of two contents


def test_a_disc_of_two_patients_waits_and_a_folder_of_two_does_not(
    upload: Upload, region: Region, real_data: Path
) -> None:
    people = [{"PatientID": "B-1", "PatientName": "Berg^Ole"}, {"PatientID": "B-2"}]
    people[1]["PatientName"] = "Lin^Mei"
    two = [image(real_data, **person) for person in people]
    assert said(upload(*two, disc=True))[1:] == [("held", "two_patients")] * 2
    folder = [image(real_data, **person) for person in people]
    assert said(upload(*folder)) == [("stored", ""), ("stored", "")]


def test_a_known_person_under_a_new_identifier_and_a_known_identifier_of_another_wait(
    region: Region, upload: Upload, real_data: Path
) -> None:
    pat(region)
    same = image(real_data, PatientID="CD-77")
    other = image(
        real_data, PatientID="RV-1", PatientName="Okafor^Ann", PatientBirthDate="19921201"
    )
    assert said(upload(same, other)) == [("held", "same_person"), ("held", "other_person")]
    assert not Study.objects.exists()


def test_the_desk_begins_with_what_waits_for_it(
    region: Region, upload: Upload, real_data: Path
) -> None:
    pat(region)
    desk = sign_in(Client(), region.mei.user)
    assert "Waits for you" not in desk.get("/").content.decode()
    upload(image(real_data, PatientID="CD-77"))
    page = desk.get("/").content.decode()
    assert '<a href="/upload/held/">1 study waits for its patient</a>' in page


def test_the_chosen_patient_gets_it_and_each_image_keeps_what_stood_there(
    region: Region, upload: Upload, real_data: Path
) -> None:
    patient = pat(region)
    raw = image(real_data, PatientID="CD-77", AccessionNumber="X9")
    upload(raw)
    held = HeldStudy.objects.get()
    sides = sides_of(region.mei.actor, public_id=held.public_id, at=NOW)
    assert sides.candidates == [patient]
    study = give_to(
        region.mei.actor, public_id=held.public_id, patient=patient.public_id,
        accession_number="ORDER-5", at=NOW,
    )  # fmt: skip
    assert (study.patient, study.accession_number) == (patient, "ORDER-5")
    now, before = stored_file(), pydicom.dcmread(BytesIO(raw))
    assert (now.PatientID, str(now.PatientName)) == ("RV-1", "Moreau^Pat=莫^帕")
    assert now.SOPInstanceUID == before.SOPInstanceUID
    assert now.PixelData == before.PixelData
    kept = now.OriginalAttributesSequence[0]
    was = kept.ModifiedAttributesSequence[0]
    assert (was.PatientID, was.AccessionNumber) == ("CD-77", "X9")
    assert (kept.SourceOfPreviousValues, kept.ReasonForTheAttributeModification) == (
        "Mei Tan", "COERCE",
    )  # fmt: skip
    waits = Conflict.objects.get()  # the bytes that came, for a time
    assert waits.decided_at == NOW
    assert waits.blob
    assert Event.objects.filter(action="study.give", patient=patient.public_id).exists()
    report = reconcile(at=NOW + timedelta(days=9), collect=False)
    assert (report.missing, report.orphans) == ([], [])
    with pytest.raises(HeldNotFound):
        trust_files(region.mei.actor, public_id=held.public_id, at=NOW)


def test_the_files_are_right_and_come_in_byte_for_byte(
    region: Region, upload: Upload, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    pat(region)
    raw = image(real_data, PatientID="CD-77")
    upload(raw)
    upload(raw)
    held = HeldStudy.objects.get()
    study = trust_files(region.mei.actor, public_id=held.public_id, at=NOW)
    run_jobs()
    assert study.patient.identifier == "CD-77"
    assert stored_file().PatientID == "CD-77"
    assert not Conflict.objects.exists()
    assert HeldStudy.objects.get().state == HeldState.TRUSTED


def test_what_is_refused_leaves_nothing_and_waits_again_when_it_comes_again(
    region: Region, upload: Upload, real_data: Path, run_jobs: Callable[..., int]
) -> None:
    pat(region)
    raw = image(real_data, PatientID="CD-77")
    upload(raw)
    refuse_held(region.mei.actor, public_id=HeldStudy.objects.get().public_id, at=NOW)
    run_jobs()
    assert not Conflict.objects.exists()
    assert not Study.objects.exists()
    assert said(upload(raw)) == [("held", "same_person")]


def test_bytes_that_waited_as_a_conflict_wait_with_the_study_that_is_held(
    region: Region, upload: Upload, real_data: Path
) -> None:
    """The image that they differed from has left; else somebody would decide about nothing."""
    pat(region)
    raw = image(real_data, PatientID="CD-77")
    upload(raw)
    Conflict.objects.update(held=None, code="conflict")
    HeldStudy.objects.all().delete()
    upload(raw)
    held = HeldStudy.objects.get()
    assert [row.code for row in held.objects_held.all()] == ["held"]


def test_it_is_the_uploaders_organization_alone_that_says(
    region: Region, upload: Upload, real_data: Path
) -> None:
    pat(region)
    upload(image(real_data, PatientID="CD-77"))
    public_id = HeldStudy.objects.get().public_id
    for person in (region.ben, region.ada, region.olga):
        with pytest.raises(NotAllowed):
            refuse_held(person.actor, public_id=public_id, at=NOW)
    stranger = make_patient(region.hilltop, "HT-1")
    with pytest.raises(PatientNotFound):
        give_to(region.mei.actor, public_id=public_id, patient=stranger.public_id, at=NOW)
    assert HeldStudy.objects.get().state == HeldState.WAITING


def test_a_decision_that_can_not_be_carried_out_changes_nothing(
    region: Region, upload: Upload, real_data: Path
) -> None:
    """A machine stored the study in the meantime, as its files name the patient."""
    patient, raw = pat(region), image(real_data, PatientID="CD-77")
    upload(raw)
    receive(
        organization=region.riverside, door=Door.STOW, sender="CT 2", by=region.mei.actor.who,
        at=NOW, files=[Incoming("1", [raw])],
    )  # fmt: skip
    held = HeldStudy.objects.get()
    with pytest.raises(HeldUndecided):
        give_to(region.mei.actor, public_id=held.public_id, patient=patient.public_id, at=NOW)
    assert HeldStudy.objects.get().state == HeldState.WAITING
    assert Conflict.objects.get().decided_at is None
    study = trust_files(region.mei.actor, public_id=held.public_id, at=NOW)
    assert study.patient.identifier == "CD-77"


def test_mei_chooses_on_the_page(region: Region, upload: Upload, real_data: Path) -> None:
    patient = pat(region)
    upload(image(real_data, PatientID="CD-77"))
    mei, held = sign_in(Client(), region.mei.user), HeldStudy.objects.get()
    assert "1 study waits for its patient" in mei.get("/upload/").content.decode()
    shown = mei.get(f"/upload/?patient={patient.public_id}").content.decode()
    assert f"/api/v1/upload-batches/?patient={patient.public_id}" in shown
    assert f"/upload/held/{held.public_id}/" in mei.get("/upload/held/").content.decode()
    page = f"/upload/held/{held.public_id}/"
    assert "A patient with this name and birth date" in mei.get(page).content.decode()
    refused = mei.post(page, {"decision": "give"})
    assert refused.status_code == 422
    assert "Nothing was changed." in refused.content.decode()
    stored = mei.post(page, {"decision": "give", "patient": patient.public_id})
    assert stored.url == f"/studies/{Study.objects.get().public_id}/"
    assert mei.get(page).status_code == 404
