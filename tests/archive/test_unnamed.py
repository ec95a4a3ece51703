"""Copies that name nobody: who may have them, what is in the file, and what the log knows of it."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest

from sharing.archive.errors import StudyNotFound, TooMany, TooManyCopies
from sharing.archive.models import Study
from sharing.archive.services import unnamed
from sharing.archive.services.replaying import replay
from sharing.archive.services.unnamed import Export, Kind, export_unnamed, kinds_to_copy
from sharing.audit.errors import LogAway
from sharing.audit.models import Event
from sharing.consent.models import Consent
from sharing.kernel import scope
from sharing.kernel.purposes import Obligation, Purpose
from sharing.kernel.zipped import zipped
from sharing.tenants.errors import NotAllowed
from tests.archive.sending import send
from tests.cast import NOW, RESEARCH, Person, Region


@pytest.fixture
def epi(own_store: None, region: Region, real_data: Path) -> Study:
    """Two images of Pat's MR, as Riverside received them."""
    folder = real_data / "studies/mr_epi_multiseries"
    send(region, folder / "s01/0001.dcm", folder / "s02/0003.dcm")
    return Study.objects.latest("pk")


def permits(region: Region, study: Study, **said: Any) -> Consent:
    """The study's patient lets Hilltop have copies of everything for research, without names."""
    return region.permit(patient=study.patient, **RESEARCH | said)


def export(person: Person, at: Any = NOW, modality: str = "") -> Export:
    """As a request of that person's does it: in their own scope of the database."""
    with scope.within(person.actor.scope):
        return export_unnamed(person.actor, modality=modality, clock=lambda: at)


def whole(person: Person, made: Export) -> dict[str, bytes]:
    """The ZIP's files, read in the same scope."""
    with scope.within(person.actor.scope):
        raw = b"".join(zipped(made.files()))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def seen(person: Person) -> list[Kind]:
    with scope.within(person.actor.scope):
        return kinds_to_copy(person.actor, at=NOW)


def test_a_researcher_gets_copies_that_name_nobody_and_nothing_else_of_the_study(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    assert seen(rita) == [Kind("MR", 1, 2)]
    assert not Study.objects.visible_to(rita.actor, NOW).exists()
    files = whole(rita, export(rita))
    told = json.loads(files.pop("manifest.json"))
    assert sorted(files) == ["study-0001/00001.dcm", "study-0001/00002.dcm"]
    copies = [pydicom.dcmread(io.BytesIO(raw)) for raw in files.values()]
    assert {copy.StudyInstanceUID for copy in copies} == {told["studies"][0]["study_uid"]}
    assert {copy.PatientID for copy in copies} == {told["studies"][0]["patient"]}
    names = (epi.study_uid, epi.public_id, epi.patient.public_id, epi.patient.name, "riverside")
    for word in (*names, epi.organization.name, epi.accession_number or "none"):
        assert not any(word.encode() in raw for raw in files.values())
        assert word not in json.dumps(told)


def test_the_manifest_says_what_is_inside_and_what_was_left_out_and_why(
    own_store: None,
    region: Region,
    rita: Person,
    real_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unnamed, "IN_MEMORY", 1000)  # as for what is too long to be held
    send(region, *sorted((real_data / "studies/ct_liver_seg").rglob("*.dcm")))
    permits(region, Study.objects.latest("pk"))
    files = whole(rita, export(rita))
    told = json.loads(files.pop("manifest.json"))
    images = told["studies"][0]["images"]
    assert {image["file"] for image in images} == set(files)
    [out] = told["left_out"]
    assert out == {"reason": "Objects of this kind may hold the patient's name.", "objects": 2}


def test_each_study_is_in_the_log_before_its_first_byte_and_the_log_alone_knows_which(
    region: Region, rita: Person, epi: Study
) -> None:
    consent = permits(region, epi)
    made = export(rita)
    line = Event.objects.get(action="study.copy_unnamed")
    assert (line.study_uid, line.patient) == (epi.study_uid, epi.patient.public_id)
    assert (line.consent, line.purpose) == (consent.key, "HRESCH")
    assert line.detail == {"copy": made.name, "as": made.alias_of(epi)}
    told = json.loads(whole(rita, made)["manifest.json"])
    assert told["studies"][0]["study_uid"] == line.detail["as"]
    assert replay().differences == []


def test_each_of_several_studies_is_in_the_log(
    region: Region, rita: Person, epi: Study, real_data: Path
) -> None:
    send(region, real_data / "studies/mr_pdt2_two_echo/s01/0001.dcm")
    for study in Study.objects.all():
        permits(region, study)
    told = json.loads(whole(rita, export(rita))["manifest.json"])
    lines = Event.objects.filter(action="study.copy_unnamed")
    assert {each["study_uid"] for each in told["studies"]} == {line.detail["as"] for line in lines}
    assert len(told["studies"]) == lines.count() == 2


def test_two_files_of_the_same_study_can_not_be_told_to_be_of_it(
    region: Region, rita: Person, epi: Study
) -> None:
    permits(region, epi)
    first, second = (whole(rita, export(rita)) for _ in range(2))
    for name in first:
        assert first[name] != second[name]


@pytest.mark.parametrize("why", ["nothing said", "for treatment", "withdrawn", "marked"])
def test_where_nothing_may_be_had_it_is_as_if_there_were_nothing(
    region: Region, rita: Person, epi: Study, why: str
) -> None:
    if why == "for treatment":
        permits(region, epi, purposes=frozenset({Purpose.TREATMENT}))
    if why == "withdrawn":
        region.revoke(permits(region, epi), at=NOW)
    if why == "marked":
        permits(region, epi, obligations={Obligation.DEIDENTIFY, Obligation.WATERMARK})
    with pytest.raises(StudyNotFound):
        export(rita)
    assert not Event.objects.filter(action="study.copy_unnamed").exists()
    if why != "marked":
        assert seen(rita) == []


def test_who_does_not_act_for_research_has_no_such_page(region: Region, epi: Study) -> None:
    permits(region, epi)
    for person in (region.ben, region.ada, region.olga, region.mei):
        with pytest.raises(NotAllowed):
            seen(person)
        with pytest.raises(NotAllowed):
            export(person)


def test_only_one_kind_comes_where_one_is_chosen(region: Region, rita: Person, epi: Study) -> None:
    permits(region, epi)
    assert "study-0001/00001.dcm" in whole(rita, export(rita, modality="MR"))
    with pytest.raises(StudyNotFound):
        export(rita, modality="CT")


def test_a_withdrawal_stops_it_before_the_next_image(
    region: Region, rita: Person, epi: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = permits(region, epi)
    files = export(rita).files()
    _, pieces = next(files)
    assert b"".join(pieces)
    region.revoke(consent, at=NOW - timedelta(seconds=1))
    _, pieces = next(files)
    with pytest.raises(StudyNotFound):
        next(pieces)


def test_a_study_withdrawn_before_its_turn_is_not_in_the_file_nor_in_the_log(
    region: Region, rita: Person, epi: Study, real_data: Path
) -> None:
    send(region, real_data / "studies/mr_pdt2_two_echo/s01/0001.dcm")
    other = Study.objects.latest("pk")
    consents = {study.pk: permits(region, study) for study in (epi, other)}
    made = export(rita)
    begun = Event.objects.get(action="study.copy_unnamed")
    later = next(study for study in (epi, other) if study.study_uid != begun.study_uid)
    _ended(region, consents[later.pk])
    told = json.loads(whole(rita, made)["manifest.json"])
    assert [each["study_uid"] for each in told["studies"]] == [begun.detail["as"]]
    assert Event.objects.filter(action="study.copy_unnamed").count() == 1


def _ended(region: Region, consent: Consent) -> None:
    region.revoke(consent, at=NOW - timedelta(seconds=1))


def test_of_so_many_uses_each_export_is_one(region: Region, rita: Person, epi: Study) -> None:
    consent = permits(region, epi, maximum_uses=1)
    whole(rita, export(rita))
    consent.refresh_from_db()
    assert consent.used == 1
    with pytest.raises(StudyNotFound):
        export(rita, at=NOW + timedelta(days=2))


def test_no_copy_leaves_that_can_not_be_logged(
    region: Region, rita: Person, epi: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(**said: object) -> None:
        raise OperationalError

    permits(region, epi)
    monkeypatch.setattr(unnamed, "record", away)
    with pytest.raises(LogAway):
        export(rita)


def test_who_begins_one_file_after_another_is_told_to_wait(
    region: Region, rita: Person, epi: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    permits(region, epi)
    monkeypatch.setattr(unnamed, "A_MINUTE", 1)
    export(rita)
    with pytest.raises(TooMany):
        export(rita)
    export(rita, at=NOW + timedelta(minutes=1))


def test_more_studies_than_one_file_takes_are_refused_whole(
    region: Region, rita: Person, epi: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    permits(region, epi)
    monkeypatch.setattr(unnamed, "MOST", 0)
    with pytest.raises(TooManyCopies):
        export(rita)
