"""Every action that the portal records is a valid FHIR R4 AuditEvent in BALP's shape."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from sharing.audit.fhir import audit_event, bundle
from sharing.web.deeds import DEEDS

ORIGIN = "https://images.example.org"
SOURCES = (Path(__file__).parents[2] / "sharing").rglob("*.py")
NAMED = re.compile(r'action="([a-z_]+\.[a-z_]+)"')


def actions() -> list[str]:
    """Those that pages have words for, and those that the source names, refused ones too."""
    named = {name for path in SOURCES for name in NAMED.findall(path.read_text("utf-8"))}
    known = sorted(named | set(DEEDS) | {"audit.expire"})
    return known + [f"{name}.refused" for name in known if name.startswith("study.")]


def event(action: str, **values: Any) -> dict[str, Any]:
    """Ben's, of Pat's study at Riverside."""
    return {
        "id": 7,
        "at": "2026-11-24T09:00:00.000000Z",
        "actor_kind": "user",
        "actor_id": "17",
        "actor_name": "Ben Hartley 王",
        "organization": "hilltop",
        "organization_name": "Hilltop Family Clinic",
        "purpose": "TREAT",
        "action": action,
        "permitted": not action.endswith(".refused"),
        "window": "2026-11-24T09:00:00.000000Z",
        "rule": "consent_permits",
        "reason": "Patient permitted Hilltop Family Clinic for treatment",
        "consent": "C-1001 v1",
        "custodian": "riverside",
        "patient": "pat",
        "study": "study",
        "study_uid": "2.25.7",
        "detail": {"instances": 3, "why": ""},
        "request_id": "0123456789abcdef",
    } | values


BARE: dict[str, Any] = dict.fromkeys(
    ("actor_id", "actor_name", "organization", "organization_name", "purpose", "reason"), ""
) | dict.fromkeys(("consent", "custodian", "patient", "study", "study_uid", "request_id"), "")


@pytest.mark.parametrize("action", actions())
def test_every_action_is_a_valid_audit_event(action: str) -> None:
    for kind in ("user", "client", "system", "anonymous"):
        for rest in ({}, {**BARE, "window": None, "detail": {}}, {**BARE, "window": None}):
            made = audit_event(event(action, actor_kind=kind, **rest), origin=ORIGIN)
            AuditEvent.model_validate_json(json.dumps(made))
            assert made["action"] in "CRUDE"
            assert made["outcome"] == ("4" if action.endswith(".refused") else "0")
            assert sum(agent["requestor"] for agent in made["agent"]) == 1
            assert not _empty(made)
            for one in made.get("entity", []):  # sev-1: either a name or a query
                assert not ("name" in one and "query" in one)


def _empty(value: Any) -> bool:
    """FHIR R4 2.6.2: no empty text, list or object anywhere."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return not value or any(_empty(each) for each in inner)
    return isinstance(value, str) and not value.strip()


def test_a_read_names_the_reader_the_patient_the_study_and_the_ground() -> None:
    """IHE BALP 1.1 PatientRead: type, subtype, R, 0; entities patient (1, 1), data, request."""
    made = audit_event(event("study.images"), origin=ORIGIN)
    assert (made["type"]["code"], made["subtype"][0]["code"]) == ("rest", "read")
    assert made["period"] == {
        "start": "2026-11-24T09:00:00.000000Z",
        "end": "2026-11-24T09:15:00.000000Z",
    }
    kinds = [(e["type"]["code"], e.get("role", {}).get("code")) for e in made["entity"]]
    assert kinds == [("1", "1"), ("2", "4"), ("2", "4"), ("XrequestId", None)]
    assert made["entity"][1]["what"]["identifier"]["value"] == "urn:oid:2.25.7"
    assert made["entity"][1]["detail"] == [{"type": "instances", "valueString": "3"}]
    reader, clinic, portal = made["agent"]
    assert reader["who"]["display"] == "Ben Hartley 王"
    assert reader["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert clinic["who"]["identifier"]["value"] == "hilltop"
    assert portal["type"]["coding"][0]["code"] == "110153"  # the source of what is read


@pytest.mark.parametrize(
    ("action", "kind", "verb"),
    [
        ("glass.break", "110113", "E"),
        ("glass.expire", "110113", "E"),
        ("audit.expire", "110113", "D"),
        ("request.expire", "rest", "U"),
        ("study.delete", "rest", "D"),
        ("password.change", "110114", "U"),
    ],
)
def test_an_emergency_is_an_alert_and_what_only_ran_out_is_no_deletion(
    action: str, kind: str, verb: str
) -> None:
    made = audit_event(event(action), origin=ORIGIN)
    assert (made["type"]["code"], made["action"]) == (kind, verb)


def test_the_validator_refuses_what_is_none() -> None:
    made = audit_event(event("study.images"), origin=ORIGIN)
    for name in ("type", "recorded", "agent", "source"):
        with pytest.raises(ValidationError):
            AuditEvent.model_validate({k: v for k, v in made.items() if k != name})


def test_a_bundle_of_all_is_valid_and_so_is_one_of_none() -> None:
    at = "2026-11-24T10:00:00.000000Z"
    for events in ([event(action) for action in actions()], []):
        made = Bundle.model_validate_json(json.dumps(bundle(events, origin=ORIGIN, at=at)))
        assert len(made.entry or []) == len(events)
