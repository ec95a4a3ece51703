"""IHE Invoke Image Display: from another system's link to the images, through the fence."""

from datetime import date

import pytest
from django.test import Client

from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from tests.cast import Region
from tests.sessions import sign_in


@pytest.fixture
def ben(region: Region) -> Client:
    return sign_in(Client(), region.ben.user)


def test_one_study_opens_in_the_viewer(region: Region, ben: Client) -> None:
    study = region.study(accession_number="A-7")
    region.permit()
    for named in (f"studyUID={study.study_uid}", "accessionNumber=A-7,A-8"):
        answer = ben.get(f"/iid?requestType=STUDY&{named}&viewerType=IHE_BIR")
        assert (answer.status_code, answer["Location"]) == (302, f"/viewer/{study.public_id}/")


def test_a_patient_is_named_by_an_identifier_and_who_issued_it(region: Region, ben: Client) -> None:
    old = region.study(study_date=date(2025, 1, 2), modalities="|MR|", description="Knee")
    new = region.study()
    region.permit()
    issuer = region.riverside.patient_id_issuer
    for authority in (f"^^^{issuer}", f"^^^Riverside&{issuer}&ISO", f"^^^&{issuer}&ISO^PI"):
        named = {"requestType": "PATIENT", "patientID": f"RV-1{authority}"}
        page = ben.get("/iid", named).content.decode()
        assert "Choose a study" in page
        assert f"/viewer/{old.public_id}/" in page
        assert f"/viewer/{new.public_id}/" in page
        for narrower, study in (
            ({"mostRecentResults": "1"}, new),
            ({"modalitiesInStudy": "MR,US"}, old),
            ({"upperDateTime": "20251231235959"}, old),
            ({"lowerDateTime": "2026-01-01T00:00:00", "patientBirthDate": "19580503"}, new),
        ):
            answer = ben.get("/iid", named | narrower)
            assert answer["Location"] == f"/viewer/{study.public_id}/"
        assert ben.get("/iid", named | {"patientBirthDate": "19580504"}).status_code == 404
    assert ben.get("/iid?requestType=PATIENT&patientID=RV-1").status_code == 404
    ada = sign_in(Client(), region.ada.user)
    assert ada.get("/iid?requestType=PATIENT&patientID=RV-1").status_code == 200


def test_hidden_and_absent_are_one_answer_and_a_line_in_the_log(region: Region) -> None:
    study = region.study()
    region.permit()
    cleo = sign_in(Client(), region.cleo.user)
    hidden = cleo.get(f"/iid?requestType=STUDY&studyUID={study.study_uid}")
    absent = cleo.get("/iid?requestType=STUDY&studyUID=1.2.3.4.5")
    assert hidden.status_code == absent.status_code == 404
    assert Event.objects.filter(action="study.images.refused", actor_name="Cleo Stern").count() == 2
    pat = f"RV-1^^^{region.riverside.patient_id_issuer}"
    assert cleo.get("/iid", {"requestType": "PATIENT", "patientID": pat}).status_code == 404


def test_to_know_of_a_study_is_not_to_see_its_images(region: Region, ben: Client) -> None:
    study = region.study()
    region.permit(actions=frozenset(Action.REPORT.ladder))
    assert ben.get(f"/iid?requestType=STUDY&studyUID={study.study_uid}").status_code == 404


def test_a_stranger_signs_in_and_comes_back(region: Region) -> None:
    answer = Client().get("/iid?requestType=STUDY&studyUID=1.2.3")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/iid%3FrequestType%3DSTUDY")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("requestType=SERIES&studyUID=1.2.3", 400),
        ("requestType=STUDY", 400),
        ("requestType=STUDY&studyUID=SECRET", 400),
        ("requestType=STUDY&studyUID=1.2.3&accessionNumber=A-7", 400),
        ("requestType=STUDY&studyUID=1.2.3&studyUID=1.2.4", 400),
        ("requestType=PATIENT", 400),
        ("requestType=PATIENT&patientID=RV-1&mostRecentResults=0", 400),
        ("requestType=PATIENT&patientID=RV-1&lowerDateTime=SECRET", 400),
        ("requestType=PATIENT&patientID=RV-1&upperDateTime=20261399", 400),
        ("requestType=STUDY&studyUID=1.2.3&diagnosticQuality=SECRET", 400),
        ("requestType=STUDY&studyUID=1.2.3&diagnosticQuality=true", 406),
        ("requestType=STUDY&studyUID=1.2.3&keyImagesOnly=true", 406),
        ("requestType=STUDY&studyUID=1.2.3&viewerType=X_OTHER", 406),
        ("requestType=STUDY&studyUID=1.2.3", 404),
    ],
)
def test_what_goes_wrong_is_said_as_the_profile_says_it(
    ben: Client, query: str, status: int
) -> None:
    answer = ben.get(f"/iid?{query}")
    assert answer.status_code == status
    assert b"SECRET" not in answer.content
