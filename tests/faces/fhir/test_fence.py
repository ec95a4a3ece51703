"""The FHIR face refuses what the pages refuse: counts, includes and errors agree."""

import time

import pytest
from django.test import Client

from sharing.audit.models import Event
from sharing.kernel.purposes import Action
from tests.cast import Region, make_patient
from tests.faces.dicomweb.conftest import token_client
from tests.faces.fhir.conftest import Json, browser, fhir_id, found, ids


def without_moments(bundle: Json) -> Json:
    """A Bundle but for the moment that it names."""
    return {name: value for name, value in bundle.items() if name != "timestamp"}


def test_ben_sees_a_study_as_long_as_pat_permits(region: Region, ben: Client) -> None:
    study = region.study()
    path = f"/fhir/ImagingStudy/{fhir_id(study.public_id)}"
    assert ben.get(path).status_code == 404
    consent = region.permit()
    assert ben.get(path).status_code == 200
    assert ids(found(ben, "ImagingStudy")) == [fhir_id(study.public_id)]
    assert ids(found(ben, "Patient?identifier=RV-1")) == [fhir_id(region.pat.public_id)]
    region.revoke(consent)
    assert ben.get(path).status_code == 404
    assert ids(found(ben, "Patient")) == []


QUERIES = [
    "ImagingStudy", "ImagingStudy?_include=*", "ImagingStudy?_summary=count", "Patient",
    "ImagingStudy?patient.name=moreau", "ImagingStudy?modality:not=MR", "Patient?gender=female",
    "ImagingStudy?identifier=A-7", "ImagingStudy?_count=1&_sort=started", "Patient?_id=%s",
    "ImagingStudy?patient=%s", "Patient?identifier=RV-1", "ImagingStudy?modality:missing=true",
    "Practitioner", "PractitionerRole?_include=*", "Organization", "Endpoint",
]  # fmt: skip


def test_what_cleo_may_not_see_changes_no_byte_of_her_answers(region: Region, cleo: Client) -> None:
    pat = fhir_id(region.pat.public_id)
    paths = [query.replace("%s", pat) for query in QUERIES]
    before = [without_moments(found(cleo, path)) for path in paths]
    study = region.study(accession_number="A-7")
    region.study(make_patient(region.riverside, "RV-9"), modalities="|MR|")
    region.permit()
    assert [without_moments(found(cleo, path)) for path in paths] == before
    assert ids(found(cleo, "ImagingStudy")) == []
    hidden = cleo.get(f"/fhir/ImagingStudy/{fhir_id(study.public_id)}")
    absent = cleo.get("/fhir/ImagingStudy/nothing-of-that-name")
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert Event.objects.filter(action="study.discover.refused", permitted=False).count() == 2


def test_a_stranger_and_a_token_without_the_scope_get_in_nowhere(region: Region) -> None:
    answer = Client().get("/fhir/ImagingStudy")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["issue"][0]["code"] == "login"
    scopeless = token_client(region.riverside, "dicomweb.read")
    assert scopeless.get("/fhir/ImagingStudy").status_code == 403
    assert scopeless.get("/fhir/Organization").status_code == 403


def test_a_machine_knows_the_patients_of_whom_it_sees_a_study(region: Region) -> None:
    machine = token_client(region.riverside, "studies.read")
    make_patient(region.riverside, "RV-2")
    assert ids(found(machine, "Patient")) == []
    region.study()
    assert ids(found(machine, "Patient")) == [fhir_id(region.pat.public_id)]
    elsewhere = token_client(region.hilltop, "studies.read")
    assert ids(found(elsewhere, "Patient")) == []


def test_a_patient_of_uncertain_identity_has_no_identifier(region: Region, ada: Client) -> None:
    unknown = make_patient(region.riverside, "", name="Nobody^Known")
    read = ada.get(f"/fhir/Patient/{fhir_id(unknown.public_id)}").json()
    assert "identifier" not in read
    assert read["name"][0]["family"] == "Nobody"
    known = ada.get(f"/fhir/Patient/{fhir_id(region.pat.public_id)}").json()
    issuer = region.riverside.patient_id_issuer
    assert known["identifier"][0]["system"] == f"urn:oid:{issuer}"
    assert known["gender"] == "female"
    assert [name["text"] for name in known["name"]] == ["Pat Moreau", "莫帕"]
    query = f"Patient?identifier=urn:oid:{issuer}|RV-1"
    assert ids(found(ada, query)) == [known["id"]]
    assert ids(found(ada, "Patient?name=帕")) == [known["id"]]


@pytest.mark.parametrize("people", ["Practitioner", "PractitionerRole"])
def test_people_are_named_to_those_who_may_name_them(region: Region, people: str) -> None:
    def seen(client: Client) -> set[str]:
        bundle = found(client, f"{people}?_include=*")
        rows = [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
        return {
            str(
                r.get("practitioner", r.get("name", [{}])[0]).get("display") or r["name"][0]["text"]
            )
            for r in rows
        }

    treating = {"Ada Brandt", "Ben Hartley", "Cleo Stern"}
    assert seen(browser(region.ada)) == treating
    assert seen(browser(region.mei)) == treating | {"Mei Tan"}
    assert seen(browser(region.olga)) == {"Olga Weiss"}
    own = {"Ada Brandt", "Mei Tan", "Olga Weiss", "Ines Roth"}
    assert seen(browser(region.admin)) == own
    assert seen(token_client(region.hilltop, "studies.read")) == treating


def test_a_role_is_found_by_its_word_and_its_code(region: Region, ada: Client) -> None:
    by_word = found(ada, "PractitionerRole?role=radiologist")
    by_code = found(ada, "PractitionerRole?role=http://snomed.info/sct|66862007")
    assert ids(by_word) == ids(by_code)
    role = by_word["entry"][0]["resource"]
    assert role["organization"]["reference"] == "Organization/riverside"
    assert ada.get(f"/fhir/PractitionerRole/{role['id']}").json()["code"] == role["code"]
    assert ids(found(ada, "PractitionerRole?role=administrator")) == []


def test_a_suspended_organization_is_named_no_more(region: Region, ada: Client) -> None:
    assert "lakeside" in ids(found(ada, "Organization"))
    region.lakeside.state = "suspended"
    region.lakeside.save()
    assert "lakeside" not in ids(found(ada, "Organization"))
    assert ada.get("/fhir/Endpoint/lakeside").status_code == 404


def test_to_discover_is_enough_to_be_told(region: Region, ben: Client) -> None:
    region.permit(actions=frozenset(Action.DISCOVER.ladder))
    region.study()
    assert len(ids(found(ben, "ImagingStudy"))) == 1


def test_consents_and_the_log_ask_for_a_proof_that_is_not_old(region: Region) -> None:
    """As the pages that do the same; to read what patients said is not to write it."""
    mei, olga = browser(region.mei), browser(region.olga)
    for client in (mei, olga):
        session = client.session
        for record in session["account_authentication_methods"]:
            record["at"] -= 2 * 3600
        session["seen_at"] = time.time()
        session.save()
    consent = {"resourceType": "Consent", "id": "x"}
    kind = "application/fhir+json"
    for answer in (
        mei.post("/fhir/Consent", consent, content_type=kind),
        mei.put("/fhir/Consent/x", consent, content_type=kind),
        olga.get("/fhir/AuditEvent"),
        olga.get("/fhir/AuditEvent/event-1"),
        olga.post("/fhir/AuditEvent/_search"),
    ):
        assert answer.status_code == 403
        assert answer.json()["issue"][0]["diagnostics"] == "step_up_required"
    assert mei.get("/fhir/Consent").status_code == 200
