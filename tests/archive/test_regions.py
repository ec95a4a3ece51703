"""Which part of the body: DICOM's many words become the few that consents and rules speak of."""

from pathlib import Path

import pytest
from pydicom.sr._concepts_dict import concepts

from sharing.archive.models import Study
from sharing.archive.services import placing
from sharing.archive.services.label_rules import Wanted, make_rule
from sharing.archive.services.placing import fill_regions
from sharing.dicom.regions import _TABLE, BodyRegion, regions_of, regions_of_codes
from sharing.kernel.sensitivity import Label
from sharing.outbox.models import Job
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Region


@pytest.mark.parametrize(
    ("body_part", "modality", "found"),
    [
        ("CHEST", "CT", "CHEST"),
        ("chest ", "CT", "CHEST"),
        ("C-SPINE", "DX", "SPINE"),
        ("Chest, Abdomen", "CT", "CHEST ABDOMEN"),
        ("CHESTABDPELVIS", "CT", "CHEST ABDOMEN PELVIS"),
        ("WHOLE BODY", "PT", " ".join(BodyRegion)),
        ("", "MG", "BREAST"),
        ("", "CT", ""),
        ("LOCALIZER", "CT", ""),
    ],
)
def test_a_body_part_says_which_regions(body_part: str, modality: str, found: str) -> None:
    assert " ".join(regions_of(body_part, modality)) == found


def test_codes_of_the_context_group_are_known_and_those_known_are_of_it() -> None:
    """Both ways, against the dictionary of CID 4: a wrong figure would be silent."""
    of_cid_4 = {
        code: name
        for entry in concepts["SCT"].values()
        for code, (name, groups) in entry.items()
        if 4 in groups
    }
    ours = {word for word in _TABLE if word.isdigit()}
    elsewhere = {"51185008", "302553009", "12921003"}  # chest, abdomen, pelvis as others write them
    assert ours - set(of_cid_4) == elsewhere
    assert regions_of_codes(["416775004"]) == (
        BodyRegion.CHEST,
        BodyRegion.ABDOMEN,
        BodyRegion.PELVIS,
    )
    assert len(ours) > 300
    unsaid = {name for code, name in of_cid_4.items() if code not in ours}
    assert {"Phantom", "Joint"} <= unsaid


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("studies/dx_chest_pa", "|CHEST|"),
        ("studies/mg_single_view", "|BREAST|"),
        ("studies/mr_pdt2_two_echo", "|HEAD|"),
        ("studies/xa_coronary_run", "|"),
    ],
)
def test_a_study_says_its_regions_when_it_comes_and_when_it_is_asked_later(
    region: Region, own_store: None, real_data: Path, folder: str, found: str
) -> None:
    send(region, *dicom_files(real_data / folder))
    assert {study.body_regions for study in Study.objects.all()} == {found}
    Study.objects.update(body_regions="|")
    fill_regions(after=0, at=NOW)
    assert {study.body_regions for study in Study.objects.all()} == {found}


def test_the_anatomic_region_speaks_where_the_body_part_does_not(
    region: Region, own_store: None, real_data: Path
) -> None:
    send(region, real_data / "single/dcmjs_sample-op.dcm")
    study = Study.objects.get()
    assert study.series.get().body_part == ""
    assert study.body_regions == "|HEAD|"
    Study.objects.update(body_regions="|")
    fill_regions(after=0, at=NOW)
    assert Study.objects.get().body_regions == "|HEAD|"


def test_old_studies_are_filled_a_few_at_a_time(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "AT_ONCE", 2)
    for _ in range(3):
        region.study().series.update(body_part="KNEE")
    assert fill_regions(after=0, at=NOW) == 2
    assert Study.objects.filter(body_regions="|LEG|").count() == 2
    job = Job.objects.get(task="archive.fill_regions")
    assert fill_regions(after=job.ids["after"], at=NOW) == 1


def test_a_department_labels_what_it_asked_for(
    region: Region, own_store: None, real_data: Path
) -> None:
    said = Wanted(Label.PSYCHIATRY, "All of that clinic", departments=("department of neurol*",))
    make_rule(wanted=said, by=region.olga.actor, at=NOW)
    send(region, *dicom_files(real_data / "studies/mr_pdt2_two_echo"))
    send(region, *dicom_files(real_data / "studies/dx_chest_pa"))
    assert sorted(Study.objects.values_list("labels", flat=True)) == ["|", "|PSY|"]
