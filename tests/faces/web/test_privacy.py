"""The privacy officer's desk, a patient's accounting, and what leaves as CSV, PDF and FHIR."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from fhir.resources.R4B.bundle import Bundle

from sharing.archive.errors import StudyNotFound
from sharing.archive.models import Study
from sharing.archive.services.finding import open_study
from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from tests.cast import Person, Region, make_patient, make_person
from tests.sessions import sign_in

FORMULA = '=HYPERLINK("http://evil.example")'


@pytest.fixture
def read(region: Region) -> Study:
    """Ben and Ada saw a study of Pat's, Cleo did not; all of it today."""
    at = timezone.now()
    region.permit(at=at - timedelta(days=1))
    study = region.study(description=FORMULA)
    for person in (region.ben, region.ada, region.cleo):
        look(person, study, at)
    return study


def look(person: Person, study: Study, at: Any) -> None:
    try:
        open_study(person.actor, public_id=study.public_id, action=Action.IMAGES, at=at)
    except StudyNotFound:
        assert person.user.name.startswith("Cleo")


def olga(region: Region) -> Client:
    return sign_in(Client(), region.olga.user)


def test_the_desk_tells_openings_refusals_and_consents(region: Region, read: Study) -> None:
    page = olga(region).get("/privacy/")
    told = {stat["word"]: stat["value"] for stat in page.context["stats"]}
    assert told == {
        "Openings by others": "1",
        "Openings in an emergency": "0",
        "Refused attempts": "1",
        "Consents in force": "1",
    }
    assert [line.who for line in page.context["others"]] == ["Ben Hartley"]
    assert [line.who for line in page.context["refusals"]] == ["Cleo Stern"]
    assert [count for _, count in page.context["table"][0][1]] == [1, 1, 0, 0]
    assert b"style=" not in page.content
    assert olga(region).get("/privacy/?weeks=52").context["weeks"] == 52
    assert olga(region).get("/privacy/?weeks=7e9").context["weeks"] == 12


def test_a_reader_with_the_patients_family_name_stands_out(region: Region) -> None:
    cousin = make_person("Ann Moreau", region.riverside, *region.ada.actor.roles)
    look(cousin, region.study(), timezone.now())
    look(region.ada, region.study(), timezone.now())
    patterns = olga(region).get("/privacy/").context["patterns"]
    assert [(p["who"], p["patient"]) for p in patterns] == [("Ann Moreau", region.pat)]


def test_pats_accounting_says_who_where_when_and_why_in_plain_words(
    region: Region, read: Study
) -> None:
    where = f"/log/accounting/{region.pat.public_id}/"
    page = olga(region).get(where)
    lines = list(page.context["page"])
    assert [(line.who, line.organization) for line in lines] == [
        ("Ben Hartley", "Hilltop Family Clinic")
    ]
    assert "You permitted Hilltop Family Clinic for treatment" in page.content.decode()
    everybody = [line.who for line in olga(region).get(f"{where}?who=all").context["page"]]
    assert "Ada Brandt" in everybody
    assert "Cleo Stern" not in everybody
    assert Event.objects.filter(action="log.accounting", patient=region.pat.public_id).count() == 2
    found = olga(region).get("/log/accounting/?q=moreau")
    assert where in found.content.decode()


def test_what_leaves_is_safe_for_spreadsheets_and_is_a_pdf(region: Region, read: Study) -> None:
    where = f"/log/accounting/{region.pat.public_id}"
    answer = olga(region).get(f"{where}/csv/")
    assert answer["Content-Disposition"] == 'attachment; filename="accounting.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["When", "Who", "Where", "What", "Why"]
    assert rows[1][1:3] == ["Ben Hartley", "Hilltop Family Clinic"]
    paper = olga(region).get(f"{where}/pdf/?who=all")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")
    assert paper.content.rstrip().endswith(b"%%EOF")
    log = olga(region).get("/log/export/csv/").content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(log)) for cell in row]
    assert f"'{FORMULA}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    bundle = olga(region).get("/log/export/fhir/")
    assert len(Bundle.model_validate(json.loads(bundle.content)).entry) >= 3
    assert Event.objects.filter(action="log.export").count() == 2
    assert olga(region).get("/log/export/exe/").status_code == 404
    assert olga(region).get(f"{where}/exe/").status_code == 404


def test_others_get_neither_the_desk_nor_an_accounting(region: Region, read: Study) -> None:
    foreign = make_patient(region.hilltop, "HT-1").public_id
    paths = ("/privacy/", "/log/export/csv/", f"/log/accounting/{region.pat.public_id}/pdf/")
    for person in (region.ada, region.ben, region.mei, region.admin):
        client = sign_in(Client(), person.user)
        assert {client.get(path).status_code for path in paths} == {404}
    assert olga(region).get(f"/log/accounting/{foreign}/").status_code == 404
