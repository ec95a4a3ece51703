"""Searching and reading by FHIR: what R4 says of parameters, pages, includes and formats."""

import time
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client

from sharing.audit.models import Event
from tests.cast import Region, make_patient
from tests.faces.dicomweb.conftest import token_client
from tests.faces.fhir.conftest import browser, fhir_id, found, ids

STRICT = {"Prefer": "handling=strict"}


def test_a_study_says_where_its_images_are(region: Region, ada: Client) -> None:
    study = region.study(accession_number="A-7", referring_physician="Hartley^Ben")
    read = ada.get(f"/fhir/ImagingStudy/{fhir_id(study.public_id)}").json()
    assert read["identifier"][0] == {
        "system": "urn:dicom:uid",
        "value": f"urn:oid:{study.study_uid}",
    }
    assert read["identifier"][1]["value"] == "A-7"
    assert (read["status"], read["started"]) == ("available", "2026-11-12")
    assert (read["numberOfSeries"], read["numberOfInstances"]) == (1, 3)
    assert read["series"][0]["uid"] == f"{study.study_uid}.1"
    assert read["referrer"] == {"display": "Hartley Ben"}
    endpoint = ada.get(f"/fhir/{read['endpoint'][0]['reference']}").json()
    assert endpoint["address"] == "http://testserver/dicomweb/o/riverside"
    assert endpoint["connectionType"]["code"] == "dicom-wado-rs"
    assert Event.objects.filter(study=study.public_id, action="study.discover").exists()


def test_every_parameter_of_r4_finds_the_study_that_it_names(region: Region, ada: Client) -> None:
    study = region.study(accession_number="A-7")
    other = region.study(modalities="|MR|", study_date=date(2026, 10, 1), state="receiving")
    patient = make_patient(region.riverside, "RV-2", name="Lind^Nora", birth_date=date(1990, 1, 1))
    third = region.study(patient, study_date=None)
    series = study.series.get()
    series.body_part = "CHEST"
    series.save()
    names = {row.pk: fhir_id(row.public_id) for row in (study, other, third)}
    uid, pat = study.study_uid, fhir_id(region.pat.public_id)
    asked: dict[str, set[Any]] = {
        f"identifier=urn:oid:{uid}": {study},
        f"identifier=urn:dicom:uid|urn:oid:{uid}": {study},
        f"identifier={uid},nothing": {study},
        "identifier=A-7": {study},
        "identifier=http://testserver/organizations/riverside/accession-numbers|A-7": {study},
        "identifier=http://testserver/organizations/hilltop/accession-numbers|A-7": set(),
        f"series=urn:oid:{uid}.1": {study},
        "instance=urn:oid:1.2.3": set(),
        "dicom-class=urn:oid:1.2.840.10008.5.1.4.1.1.2": set(),
        "bodysite=CHEST": {study},
        "modality=MR": {other},
        "modality=http://dicom.nema.org/resources/ontology/DCM|CT": {study, third},
        "modality=http://example.org|CT": set(),
        "modality:not=CT": {other},
        f"patient={pat}": {study, other},
        f"patient=Patient/{pat}&modality=CT": {study},
        f"subject:Patient={pat}": {study, other},
        f"patient=http://testserver/fhir/Patient/{pat}": {study, other},
        "patient.identifier=RV-2": {third},
        "patient.name=lind": {third},
        "subject:Patient.birthdate=1990": {third},
        "started=2026-11-12": {study},
        "started=lt2026-11": {other},
        "started=ge2026-10-01&started=le2026-10-31": {other},
        "started=2026": {study, other},
        "started=gt2026-11-12": set(),
        "started:missing=true": {third},
        "status=registered": {other},
        "endpoint=Endpoint/riverside": {study, other, third},
        "endpoint=hilltop": set(),
        "_lastUpdated=ge2020": {study, other, third},
        "_lastUpdated=lt2020-01-01T10:00:00Z": set(),
        f"_id={names[study.pk]},{names[third.pk]}": {study, third},
        **{
            f"{name}=x": set()
            for name in ("basedon", "encounter", "interpreter", "performer", "reason", "referrer")
        },
        "referrer:missing=true": {study, other, third},
    }
    for query, expected in asked.items():
        bundle = found(ada, f"ImagingStudy?{quote(query, safe='=&|:/,')}", **STRICT)
        assert set(ids(bundle)) == {names[row.pk] for row in expected}, query
        assert bundle["total"] == len(expected), query


def test_pages_meet_every_study_once_while_studies_come(region: Region, ada: Client) -> None:
    moments = [datetime(2026, 11, day, tzinfo=UTC) for day in (3, 3, 3, 4, 5)]
    studies = {fhir_id(region.study(received_at=at).public_id) for at in moments}
    seen: list[str] = []
    path = "ImagingStudy?_count=2&modality=CT"
    while path:
        bundle = found(ada, path)
        assert len(bundle["entry"]) <= 2
        seen += ids(bundle)
        following = [x["url"] for x in bundle["link"] if x["relation"] == "next"]
        path = ""
        for url in following:
            region.study(received_at=datetime(2026, 11, 6, tzinfo=UTC))
            path = f"ImagingStudy?{urlsplit(url).query}"
    assert len(seen) == 5
    assert set(seen) == studies


@pytest.mark.parametrize("order", ["started", "-started", "_lastUpdated", "-_lastUpdated"])
def test_pages_in_an_asked_order_meet_every_study_once(
    region: Region, ada: Client, order: str
) -> None:
    for day in (date(2026, 11, 1), None, date(2026, 10, 1), date(2026, 11, 1)):
        region.study(study_date=day)
    whole = ids(found(ada, f"ImagingStudy?_sort={order}"))
    seen: list[str] = []
    path = f"ImagingStudy?_count=1&_sort={order}"
    while path:
        bundle = found(ada, path)
        seen += ids(bundle)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        path = f"ImagingStudy?{urlsplit(links['next']).query}" if "next" in links else ""
    assert seen == whole
    assert len(set(seen)) == 4


def test_the_next_page_has_one_address_whenever_it_is_asked_for(
    region: Region, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no answer would keep its entity tag."""
    region.study()
    region.study()
    told = found(ada, "ImagingStudy?_count=1")["link"]
    later = time.time() + 60
    monkeypatch.setattr("time.time", lambda: later)
    assert found(ada, "ImagingStudy?_count=1")["link"] == told


def test_a_page_made_up_by_the_caller_is_refused(ada: Client) -> None:
    answer = ada.get("/fhir/ImagingStudy?_page=WyIyMDI2Il0")
    assert answer.status_code == 400


def test_includes_follow_the_page_and_come_once(region: Region, ada: Client) -> None:
    region.study()
    region.study()
    path = "ImagingStudy?_include=ImagingStudy:patient&_include=ImagingStudy:endpoint"
    bundle = found(ada, path)
    assert len(ids(bundle)) == 2
    kinds = {e["resource"]["resourceType"] for e in bundle["entry"]}
    assert kinds == {"ImagingStudy", "Patient", "Endpoint"}
    assert sorted(ids(bundle, "include")) == sorted([fhir_id(region.pat.public_id), "riverside"])
    assert len(ids(found(ada, "ImagingStudy?_include=*"), "include")) == 2


def test_summaries_and_elements_are_parts_that_say_so(region: Region, ada: Client) -> None:
    study = region.study()
    path = f"/fhir/ImagingStudy/{fhir_id(study.public_id)}"
    whole = ada.get(path).json()
    short = ada.get(f"{path}?_summary=true").json()
    assert short["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "description" in short
    some = ada.get(f"{path}?_elements=started").json()
    assert set(some) == {"resourceType", "id", "meta", "started", "status", "subject"}
    assert "description" not in ada.get(f"{path}?_summary=text").json()
    assert "tag" not in whole["meta"]
    count = found(ada, "ImagingStudy?_summary=count")
    assert (count["total"], "entry" in count) == (1, False)
    assert "total" not in found(ada, "ImagingStudy?_total=none")


def test_strict_refuses_what_lenient_leaves_out(region: Region, ada: Client) -> None:
    region.study()
    lenient = found(ada, "ImagingStudy?shoe-size=43&modality=CT")
    assert lenient["link"][0]["url"].endswith("/fhir/ImagingStudy?modality=CT")
    answer = ada.get("/fhir/ImagingStudy?shoe-size=43", headers=STRICT)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert b"shoe" not in answer.content


@pytest.mark.parametrize(
    "query",
    [
        "started=SECRET", "started=2026-13", "started=9999", "modality:above=CT", "_count=-1",
        "_summary=SECRET", "_sort=SECRET", "patient:missing=maybe", "patient.shoe=SECRET",
        "modality.name=SECRET", "_lastUpdated=0001-01-01T00:00%2B14:00",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_not_repeated(ada: Client, query: str) -> None:
    answer = ada.get(f"/fhir/ImagingStudy?{query}")
    assert answer.status_code == 400
    assert b"SECRET" not in answer.content
    assert answer.json()["issue"][0]["severity"] == "error"


def test_a_search_by_post_is_the_same_search(region: Region) -> None:
    region.study()
    client = token_client(region.riverside, "studies.read")
    posted = client.post("/fhir/ImagingStudy/_search", {"modality": "CT"}).json()
    assert len(ids(posted)) == 1
    assert ids(client.post("/fhir/ImagingStudy/_search", {"modality": "MR"}).json()) == []


def test_an_unchanged_resource_is_not_sent_again(region: Region, ada: Client) -> None:
    study = region.study()
    path = f"/fhir/ImagingStudy/{fhir_id(study.public_id)}"
    first = ada.get(path)
    assert first["ETag"] == f'W/"{first.json()["meta"]["versionId"]}"'
    assert ada.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    version = first.json()["meta"]["versionId"]
    assert ada.get(f"{path}/_history/{version}").json() == first.json()
    study.description = "Another"
    study.save()
    assert ada.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200
    assert ada.get(f"{path}/_history/{version}").status_code == 404


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ("application/fhir+xml", 406),
        ("application/fhir+xml, application/fhir+json;q=0.5", 200),
    ],
)
def test_the_answer_is_r4_as_json(ada: Client, accept: str, status: int) -> None:
    answer = ada.get("/fhir/ImagingStudy", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/fhir+json")
    assert ada.get("/fhir/ImagingStudy?_format=xml").status_code == 406
    assert b"\n  " in ada.get("/fhir/ImagingStudy?_format=json&_pretty=true").content


def test_what_a_type_does_not_offer_is_405(ada: Client) -> None:
    for answer in (ada.delete("/fhir/ImagingStudy/x"), ada.post("/fhir/Patient")):
        assert answer.status_code == 405
        assert answer.json()["issue"][0]["code"] == "not-supported"
    assert ada.get("/fhir/Medication").status_code == 404


def test_the_statement_names_what_the_routes_answer(region: Region, ada: Client) -> None:
    statement = Client().get("/fhir/metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    types = {each["type"]: each for each in statement["rest"][0]["resource"]}
    for name, told in types.items():
        assert ada.get(f"/fhir/{name}").status_code in (200, 404), name
        assert {"read", "search-type"} <= {each["code"] for each in told["interaction"]}
    names = {each["name"] for each in types["ImagingStudy"]["searchParam"]}
    assert {"bodysite", "dicom-class", "started", "subject", "_lastUpdated"} <= names
    assert browser(region.admin).get("/fhir/Patient").status_code == 404
