"""Documents and the log by FHIR: what is told of them, and to whom."""

from pathlib import Path

import pytest
from django.test import Client

from sharing.archive.models import Instance, Study
from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from tests.archive.sending import outcomes, send
from tests.cast import Region
from tests.faces.dicomweb.conftest import token_client
from tests.faces.fhir import documents
from tests.faces.fhir.conftest import browser, fhir_id, found, ids

pytestmark = pytest.mark.usefixtures("own_store")


@pytest.fixture
def study(region: Region, tmp_path: Path) -> Study:
    """Pat's study with a report, a draft, a dose report, a selection and a PDF."""
    made = send(region, *documents.all_kinds(tmp_path / "sent"))
    assert {outcome for outcome, _ in outcomes(made)} == {"stored"}
    return Study.objects.get(study_uid="2.25.1")


def test_reports_and_documents_say_what_they_are(study: Study, ada: Client) -> None:
    reports = found(ada, "DiagnosticReport?_include=*")
    assert len(ids(reports)) == 3
    kinds = {e["resource"]["resourceType"] for e in reports["entry"]}
    assert kinds == {"DiagnosticReport", "Patient", "Organization"}
    statuses = [e["resource"]["status"] for e in reports["entry"] if "code" in e["resource"]]
    assert sorted(statuses) == ["final", "final", "partial"]
    told = found(ada, "DocumentReference")
    assert len(ids(told)) == 4
    pdf = found(ada, "DocumentReference?contenttype=application/pdf")["entry"][0]["resource"]
    assert pdf["description"] == "Letter"
    whole, dicom = (each["attachment"] for each in pdf["content"])
    assert whole["contentType"] == "application/pdf"
    assert whole["url"] == dicom["url"] + "/rendered"
    path = whole["url"].removeprefix("http://testserver")
    assert ada.get(path)["Content-Type"] == "application/pdf"
    assert pdf["context"]["related"] == [
        {"reference": f"ImagingStudy/{fhir_id(study.public_id)}", "type": "ImagingStudy"}
    ]


def test_every_parameter_of_r4_finds_the_document_that_it_names(
    region: Region, study: Study, ada: Client
) -> None:
    pat, of_study = fhir_id(region.pat.public_id), fhir_id(study.public_id)
    counts = {
        f"DocumentReference?patient={pat}": 4,
        f"DocumentReference?related=ImagingStudy/{of_study}&status=current": 4,
        "DocumentReference?related.identifier=urn:oid:2.25.1": 4,
        "DocumentReference?identifier=urn:oid:2.25.1.3.1": 1,
        "DocumentReference?custodian=riverside&date=2026-11-24": 4,
        "DocumentReference?custodian=hilltop": 0,
        f"DocumentReference?format=urn:oid:{documents.DOSE}": 1,
        "DocumentReference?author=x": 0,
        "DiagnosticReport?date=2026-11-12&category=RAD": 3,
        "DiagnosticReport?date=2026-11-13": 0,
        "DiagnosticReport?performer=Organization/riverside&issued=2026": 3,
        "DiagnosticReport?subject:Patient.name=moreau": 3,
        "DiagnosticReport?result:missing=true": 3,
        "DiagnosticReport?_count=1": 3,
    }
    for path, count in counts.items():
        assert found(ada, path, Prefer="handling=strict")["total"] == count, path


def test_who_may_only_know_of_the_study_reads_no_report(region: Region, study: Study) -> None:
    ben = browser(region.ben)
    region.permit(actions=frozenset(Action.DISCOVER.ladder))
    assert len(ids(found(ben, "ImagingStudy"))) == 1
    names = ids(found(browser(region.ada), "DiagnosticReport"))
    assert ids(found(ben, "DiagnosticReport")) == ids(found(ben, "DocumentReference")) == []
    path = f"/fhir/DiagnosticReport/{names[0]}"
    hidden, absent = ben.get(path), ben.get("/fhir/DiagnosticReport/nothing")
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert Event.objects.filter(action="study.report.refused").count() == 2
    region.permit(actions=frozenset(Action.REPORT.ladder))
    assert ben.get(path).status_code == 200
    assert Event.objects.filter(action="study.report", actor_name="Ben Hartley").exists()
    assert ben.get(path.replace("Report", "Reports")).status_code == 404


def test_a_document_is_read_below_its_own_study_only(
    region: Region, study: Study, ada: Client
) -> None:
    other = region.study()
    name = ids(found(ada, "DocumentReference"))[0]
    crossed = fhir_id(other.public_id) + name[22:]
    assert ada.get(f"/fhir/DocumentReference/{name}").status_code == 200
    assert ada.get(f"/fhir/DocumentReference/{crossed}").status_code == 404
    key_objects = Instance.objects.get(sop_class_uid=documents.KEY_OBJECTS)
    assert ids(found(ada, f"DocumentReference?identifier={key_objects.sop_uid}")) == []


def test_the_log_is_told_to_the_privacy_officer_of_its_house(region: Region, ada: Client) -> None:
    study = region.study()
    ada.get(f"/fhir/ImagingStudy/{fhir_id(study.public_id)}")
    olga = browser(region.olga)
    of_study = fhir_id(study.public_id)
    bundle = found(olga, f"AuditEvent?entity=ImagingStudy/{of_study}")
    event = bundle["entry"][0]["resource"]
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert event["agent"][0]["who"]["display"] == "Ada Brandt"
    assert olga.get(f"/fhir/AuditEvent/{event['id']}").json()["id"] == event["id"]
    assert Event.objects.filter(action="log.export", actor_name="Olga Weiss").count() == 2
    counts = {
        "agent-name=ada&subtype=study.discover": 1,
        f"agent=Practitioner/{fhir_id(region.ada.user.public_id)}&outcome=0": 1,
        f"patient={fhir_id(region.pat.public_id)}&outcome=4": 0,
        "date=lt2020": 0,
    }
    for query, count in counts.items():
        assert found(olga, f"AuditEvent?{query}", Prefer="handling=strict")["total"] == count
    for client in (ada, token_client(region.riverside, "log.read")):
        assert client.get("/fhir/AuditEvent").status_code == 404
        assert client.get(f"/fhir/AuditEvent/{event['id']}").status_code == 404


def test_another_house_reads_its_own_log_only(region: Region, ada: Client) -> None:
    from sharing.tenants.rules import Role
    from tests.cast import make_person

    study = region.study()
    ada.get(f"/fhir/ImagingStudy/{fhir_id(study.public_id)}")
    event = Event.objects.get(action="study.discover")
    lena = browser(make_person("Lena Vogt", region.lakeside, Role.PRIVACY_OFFICER))
    assert lena.get(f"/fhir/AuditEvent/event-{event.pk}").status_code == 404
    assert found(lena, f"AuditEvent?_id=event-{event.pk}")["total"] == 0
