"""All that the face answers is valid FHIR R4, by three checkers that are not ours."""

import importlib
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import fhirkit
import pytest
from django.test import Client

from sharing.consent.rules import GranteeKind
from sharing.consent.services import Told, Whom, opt_out
from sharing.kernel.purposes import Obligation
from sharing.notify.subscriptions import subscribe
from tests.archive.sending import send
from tests.cast import Region, make_patient
from tests.faces.fhir import documents
from tests.faces.fhir.conftest import Json, browser

FRONTEND = Path(__file__).parents[3] / "frontend"


def filled(region: Region, folder: Path) -> None:
    """A bit of everything that can be told, and of what makes telling hard."""
    send(region, *documents.all_kinds(folder))
    study = region.study(
        accession_number=" A-7 ", referring_physician="Müller^Jörg^^Dr=", description="Köln\x0bA\n",
    )  # fmt: skip
    series = study.series.get()
    series.body_part, series.laterality, series.number = "KNEE", "L", -3
    series.save()
    nobody = make_patient(region.riverside, "", name="", birth_date=None, sex="X")
    region.study(nobody, study_date=None, modalities="|", state="receiving", description="")
    region.permit(
        others=(Whom(GranteeKind.NAMED_BY_CUSTODIAN), Whom(GranteeKind.LINK)),
        obligations=frozenset({Obligation.WATERMARK}), maximum_uses=2,
        modalities=frozenset({"CT"}), labels=frozenset({"PSY"}), series=frozenset({"1.2.3"}),
    )  # fmt: skip
    region.revoke(region.permit(region.lakeside, ends_at=region.at + timedelta(days=1)))
    told = Told(verification="verbal", witness="Olga", performer="parent", performer_name="Kim")
    kid = make_patient(region.riverside, "RV-8", birth_date=region.at.date())
    opt_out(patient=kid, told=told, by=region.mei.actor, at=region.at)
    subscribe(
        criteria="ImagingStudy?", url="https://ris.example.org/", why="New studies",
        by=region.admin.actor, at=region.at,
    )  # fmt: skip


def answers(region: Region) -> list[Json]:
    """Bundles of all types, each read by somebody who may; refusals, histories, parts."""
    people = {"Consent": region.mei, "AuditEvent": region.olga, "Subscription": region.admin}
    clients = {name: browser(person) for name, person in people.items()}
    ada = browser(region.ada)
    statement = Client().get("/fhir/metadata").json()
    made = [statement]
    for each in statement["rest"][0]["resource"]:
        name = each["type"]
        client = clients.get(name, ada)
        bundle = client.get(f"/fhir/{name}?_include=*&_count=100").json()
        assert bundle["entry"], name
        first = bundle["entry"][0]["resource"]["id"]
        parts = [f"?_summary={part}" for part in ("true", "text", "data", "count")]
        paths = [*parts, f"/{first}", f"/{first}?_elements=id", "?_count=1", "/absent"]
        made += [bundle, *(client.get(f"/fhir/{name}{path}").json() for path in paths)]
    chain = clients["Consent"].get("/fhir/Consent").json()["entry"][0]["resource"]["id"]
    made.append(clients["Consent"].get(f"/fhir/Consent/{chain}/_history").json())
    made.append(ada.get("/fhir/ImagingStudy?started=x").json())
    return made


@pytest.mark.django_db
@pytest.mark.usefixtures("own_store")
def test_every_answer_is_valid_r4(region: Region, tmp_path: Path) -> None:
    filled(region, tmp_path / "sent")
    made = answers(region)
    assert len(made) > 80
    kinds = {e["resource"]["resourceType"] for one in made for e in one.get("entry", [])}
    assert len(kinds) >= 10
    wrong = [f"{one['resourceType']} {issue}" for one in made for issue in fhirkit.validate(one)]
    assert wrong == []
    for one in made:
        kind = one["resourceType"]
        module = importlib.import_module(f"fhir.resources.R4B.{kind.lower()}")
        getattr(module, kind).model_validate_json(json.dumps(one))
    assert _by_medplum(made) == []


def test_the_checkers_see_what_is_wrong() -> None:
    """Else they would be worth nothing."""
    wrong = {"resourceType": "ImagingStudy", "status": "available", "shoe": 43}
    assert fhirkit.validate(wrong)
    assert any("subject" in line for line in _by_medplum([wrong]))


def _by_medplum(resources: list[Json]) -> list[str]:
    done = subprocess.run(
        [shutil.which("node") or "node", "validate-fhir.mjs"],
        cwd=FRONTEND,
        input=json.dumps(resources),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()
