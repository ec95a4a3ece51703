"""Consents by FHIR: the consent desk's own verbs, in the shape of IHE PCF."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from sharing.audit.models import Event
from sharing.consent.models import Consent, Evidence
from sharing.consent.rules import Force, GranteeKind
from sharing.consent.services import EVERYONE, Told, Whom, opt_out
from sharing.fhir import gate, views
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.rules import Role
from tests.cast import PDF, Region
from tests.faces.dicomweb.conftest import token_client
from tests.faces.fhir.conftest import Json, browser, fhir_id, found, ids

FHIR = "application/fhir+json"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTIES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
STEP = {"system": "http://terminology.hl7.org/CodeSystem/consentaction"}
USES, FORCE = (
    {"url": f"http://testserver/fhir/StructureDefinition/consent-{name}"}
    for name in ("uses", "force")
)


def sent(region: Region, **values: Any) -> Json:
    """What a hospital's own system sends: Pat permits Hilltop to look, on signed paper."""
    recipient = {"coding": [{"system": PARTIES, "code": "IRCP"}]}
    provision = {
        "type": "permit",
        "period": {"end": "2099-12-31"},
        "actor": [{"role": recipient, "reference": {"reference": "Organization/hilltop"}}],
        "purpose": [{"system": ACT, "code": "TREAT"}],
    } | values.pop("provision", {})
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope"}
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [scope | {"code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{fhir_id(region.pat.public_id)}"},
        "performer": [{"reference": f"Patient/{fhir_id(region.pat.public_id)}"}],
        "organization": [{"reference": "Organization/riverside"}],
        "sourceAttachment": {
            "contentType": "application/pdf",
            "data": base64.b64encode(PDF).decode(),
        },
        "policy": [{"uri": "http://testserver/consent-texts/permit/2026-1"}],
        "provision": provision,
    } | values


def post(client: Client, body: Json, **headers: str) -> Any:
    return client.post("/fhir/Consent", body, content_type=FHIR, headers=headers)


def put(client: Client, body: Json, etag: str | None) -> Any:
    headers = {} if etag is None else {"If-Match": etag}
    return client.put(f"/fhir/Consent/{body['id']}", body, content_type=FHIR, headers=headers)


@pytest.fixture
def mei(region: Region) -> Client:
    """Riverside's clerk."""
    return browser(region.mei)


def test_a_consent_by_fhir_opens_what_the_same_on_paper_opens(
    region: Region, mei: Client, ben: Client
) -> None:
    study = region.study()
    path = f"/fhir/ImagingStudy/{fhir_id(study.public_id)}"
    assert ben.get(path).status_code == 404
    made = post(mei, sent(region))
    assert made.status_code == 201, made.content
    told = made.json()
    assert made["ETag"] == 'W/"1"'
    assert made["Location"].endswith(f"/fhir/Consent/{told['id']}/_history/1")
    assert ben.get(path).status_code == 200
    row = Consent.objects.get()
    assert (row.state, row.recorded_by, row.shown) == ("active", "Mei Tan", "permit/2026-1")
    assert Evidence.objects.get().consent == row
    actions = set(row.terms.filter(axis="action").values_list("value", flat=True))
    assert actions == {action.value for action in Action.IMAGES.ladder}
    assert Event.objects.filter(action="consent.record").exists()


def test_what_was_read_is_what_was_said(region: Region, mei: Client) -> None:
    study = region.study()
    region.permit(
        actions=frozenset(Action.DOWNLOAD.ladder),
        purposes=frozenset({Purpose.TREATMENT, Purpose.OPERATIONS}),
        others=(
            Whom(GranteeKind.NAMED_BY_CUSTODIAN),
            Whom(GranteeKind.ROLE, role=Role.PHYSICIAN, organization=region.lakeside),
            Whom(GranteeKind.PRACTITIONER, user=region.cleo.user),
        ),
        modalities=frozenset({"CT", "MR"}),
        body_regions=frozenset({"CHEST"}),
        labels=frozenset({"PSY"}),
        studies=frozenset({study.study_uid}),
        series=frozenset({f"{study.study_uid}.1"}),
        performing_organizations=frozenset({"riverside"}),
        obligations=frozenset({Obligation.WATERMARK}),
        maximum_uses=3,
    )
    region.deny(region.lakeside, excepted=(Whom(GranteeKind.PRACTITIONER, user=region.cleo.user),))
    opt_out(
        patient=region.pat,
        told=Told(evidence=None, verification="verbal", witness="Olga"),
        by=region.mei.actor,
        at=region.at,
    )
    for first in found(mei, "Consent")["entry"]:
        told = first["resource"]
        kept = {name: told[name] for name in ("policy", "modifierExtension") if name in told}
        again = sent(region, provision=told["provision"]) | kept
        made = post(mei, again)
        assert made.status_code == 201, (told, made.content)
        provision = made.json()["provision"]
        provision["period"]["start"] = told["provision"]["period"]["start"]
        assert provision == told["provision"]
        assert made.json().get("modifierExtension") == told.get("modifierExtension")
    assert Consent.objects.filter(force=Force.OPT_OUT).count() == 2


def test_a_change_is_a_new_version_and_asks_for_the_one_that_was_read(
    region: Region, mei: Client
) -> None:
    made = post(mei, sent(region)).json()
    changed = sent(region, id=made["id"])
    changed["provision"]["purpose"].append({"system": ACT, "code": "HOPERAT"})
    assert put(mei, changed, None).status_code == 412
    assert put(mei, changed, 'W/"7"').status_code == 412
    second = put(mei, changed, 'W/"1"')
    assert (second.status_code, second["ETag"]) == (200, 'W/"2"')
    assert put(mei, changed, 'W/"1"').status_code == 412
    assert ids(found(mei, "Consent")) == [made["id"]]
    old = mei.get(f"/fhir/Consent/{made['id']}/_history/1").json()
    assert len(old["provision"]["purpose"]) == 1
    history = mei.get(f"/fhir/Consent/{made['id']}/_history").json()
    versions = [entry["resource"]["meta"]["versionId"] for entry in history["entry"]]
    assert versions == ["2", "1"]
    assert [entry["request"]["method"] for entry in history["entry"]] == ["PUT", "POST"]


def test_inactive_withdraws_at_once_and_for_good(region: Region, mei: Client, ben: Client) -> None:
    study = region.study()
    region.permit()
    told = found(mei, "Consent")["entry"][0]["resource"]
    wider = told | {"status": "inactive"}
    wider["provision"] = told["provision"] | {"action": []}
    wider["provision"]["purpose"] = [{"system": ACT, "code": "HRESCH"}]
    assert put(mei, wider, 'W/"1"').status_code == 422
    ended = put(mei, told | {"status": "inactive"}, 'W/"1"')
    assert (ended.status_code, ended["ETag"]) == (200, 'W/"1.revoked"')
    assert ended.json()["status"] == "inactive"
    assert ben.get(f"/fhir/ImagingStudy/{fhir_id(study.public_id)}").status_code == 404
    assert put(mei, told, 'W/"1.revoked"').status_code == 409
    first = mei.get(f"/fhir/Consent/{told['id']}/_history/1").json()
    assert first == told


def test_a_consent_that_ran_out_is_inactive_before_anybody_marks_it(
    region: Region, mei: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.permit()
    later = region.at + timedelta(days=200)
    monkeypatch.setattr(
        views, "asking_of", lambda request: replace(gate.asking_of(request), at=later)
    )
    told = found(mei, "Consent?status=inactive")["entry"][0]["resource"]
    assert (told["status"], told["meta"]["versionId"]) == ("inactive", "1.expired")
    assert ids(found(mei, "Consent?status=active")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "proposed"},
        {"implicitRules": "http://example.org/rules"},
        {"policyRule": {"text": "as we always did"}},
        {"policy": [{"uri": "http://example.org/other"}]},
        {"policy": [{"uri": "http://testserver/consent-texts/permit/2099-1"}]},
        {"sourceAttachment": {"title": "Spoken, witnessed by  "}},
        {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]},
        {"organization": [{"reference": "Organization/hilltop"}]},
        {"provision": {"class": [{"code": "x"}]}},
        {"provision": {"purpose": [{"system": ACT, "code": "BTG"}]}},
        {"provision": {"purpose": []}},
        {"provision": {"type": "perhaps"}},
        {"provision": {"actor": []}},
        {"provision": {"actor": [{"role": {"text": "x"}, "reference": {"display": "SECRET"}}]}},
        {"provision": {"action": [{"coding": [{"system": "http://x.org", "code": "SECRET"}]}]}},
        {"provision": {"provision": [{"type": "deny"}]}},
        {"provision": {"period": {"start": "yesterday"}}},
        {"provision": {"securityLabel": [{"system": "http://x.org", "code": "R"}]}},
        {"provision": {"action": [{"text": "the report alone"}]}},
        {
            "provision": {
                "action": [{"coding": [STEP | {"code": "access"}, STEP | {"code": "use"}]}]
            }
        },
        {"provision": {"code": [{"text": "CT alone"}]}},
        {"provision": {"data": []}},
        {"provision": {"period": {"end": ""}}},
        {"provision": {"modifierExtension": [USES | {"valuePositiveInt": n} for n in (1, 9)]}},
        {"modifierExtension": [FORCE | {"valueCode": n} for n in ("ordinary", "opt_out")]},
        {"sourceAttachment": {"data": "%%%"}},
        {"sourceAttachment": {"title": "Signed form"}},
    ],
)
def test_what_cant_be_kept_as_it_was_said_is_refused_whole(
    region: Region, mei: Client, wrong: Json
) -> None:
    answer = post(mei, sent(region, **wrong))
    assert answer.status_code == 422, answer.content
    assert answer.json()["issue"][0]["code"] == "business-rule"
    assert b"SECRET" not in answer.content
    assert not Consent.objects.exists()


def test_a_body_that_is_no_consent_is_400(region: Region, mei: Client) -> None:
    for body in (b"{", b"[]", b'{"resourceType":"Patient"}', b"\xff"):
        assert mei.post("/fhir/Consent", body, content_type=FHIR).status_code == 400
    assert mei.post("/fhir/Consent", {"a": "b"}).status_code == 400
    body = sent(region, id="another")
    assert mei.put("/fhir/Consent/x", body, content_type=FHIR).status_code == 400


def test_only_the_desk_writes_and_only_its_house_reads(region: Region, mei: Client) -> None:
    made = post(mei, sent(region)).json()
    for person in (region.ben, region.cleo):
        client = browser(person)
        hidden = client.get(f"/fhir/Consent/{made['id']}")
        assert hidden.status_code == 404
        assert client.get(f"/fhir/Consent/{made['id']}/_history").status_code == 404
    assert post(browser(region.ada), sent(region)).status_code == 404
    assert put(browser(region.ada), made, 'W/"1"').status_code == 404
    assert len(ids(found(browser(region.ada), "Consent"))) == 1
    machine = token_client(region.riverside, "consents.read", "consents.write")
    assert machine.get("/fhir/Consent").status_code == 404
    assert post(machine, sent(region)).status_code == 404
    assert ids(found(browser(region.ben), "Consent")) == []


def test_a_browser_writes_only_with_its_own_token(region: Region) -> None:
    client = Client(enforce_csrf_checks=True)
    from tests.sessions import sign_in

    sign_in(client, region.mei.user)
    assert post(client, sent(region)).status_code == 403
    assert not Consent.objects.exists()


def test_every_parameter_of_r4_finds_the_consent_that_it_names(region: Region, mei: Client) -> None:
    study = region.study()
    permit = region.permit(labels=frozenset({"PSY"}), studies=frozenset({study.study_uid}))
    deny = region.deny(region.lakeside, purposes=frozenset({Purpose.RESEARCH}), ends_at=None)
    deny_all = region.deny(others=(EVERYONE,), ends_at=region.at + timedelta(days=2))
    region.revoke(deny_all)
    names = {row.pk: fhir_id(row.public_id) for row in (permit, deny, deny_all)}
    pat = fhir_id(region.pat.public_id)
    asked: dict[str, set[Any]] = {
        "actor=Organization/lakeside": {deny},
        "actor=Organization/hilltop": {permit, deny_all},
        "category=59284-0&scope=patient-privacy": {permit, deny, deny_all},
        f"consentor=Patient/{pat}": {permit, deny, deny_all},
        f"patient={pat}&status=inactive": {deny_all},
        "status=active": {permit, deny},
        "patient.identifier=RV-1&purpose=HRESCH": {deny},
        f"purpose={ACT}|TREAT": {permit, deny_all},
        "action=images": {permit, deny, deny_all},
        "action=download": set(),
        "security-label=PSY": {permit},
        f"data=ImagingStudy/{fhir_id(study.public_id)}": {permit},
        f"identifier=C-{permit.number}": {permit},
        "organization=riverside": {permit, deny, deny_all},
        "date=2026-11-24": {permit, deny, deny_all},
        "date=lt2026-11-24": set(),
        "period=ge2027-12": {deny},
        "period=sa2027": set(),
        "period=ap2026-11-25": {permit, deny, deny_all},
        "period=2026": {deny_all},
        "source-reference=x": set(),
        "source-reference:missing=true": {permit, deny, deny_all},
    }
    for query, expected in asked.items():
        bundle = found(mei, f"Consent?{query}", Prefer="handling=strict")
        assert set(ids(bundle)) == {names[row.pk] for row in expected}, query
