"""One example of every form of this face, for the OpenAPI document: the same small story in all.

Ada of Riverside shares Pat's CT with Hilltop, because Pat permitted it, and Ben opens it there.
By the names that the forms have in the document; tests hold each to its form, in and out.
"""

import re
from typing import Any

HERE = "https://portal.example.org"
UNTIL, CONSENT_ENDS = "2026-12-19T10:24:29Z", "2027-02-22T09:00:00Z"
ARRIVED, SHARED_AT, OPENED_AT = (f"2026-11-29T10:{minute}:00Z" for minute in (12, 24, 31))
STUDY, UID = "AwDfQAZet6lvP247s_gKaQ", "2.25.700001"
SERIES, IMAGE = f"{UID}.1", f"{UID}.1.1"
IMAGES = f"{HERE}/dicomweb/o/riverside/studies/{UID}"
PATIENT, CONSENT, CONSENT_NAME = "MvxwxoCWuj2N4PIjuJBE7A", "tKPDGH7z0lClElzAxWzl4w", "C-1001 v1"
ADA, BEN = "QK_6eYGQHpcX-HJC4TZHGA", "6DT1ogKSRhTtTejz4rvVZw"
SHARE, LINK, WEBHOOK = "OdSd5SKecTo8MVJ4IF4RCQ", "x0fLq7Uo1bYB9dIRr2mVPA", "6IFurhb_4Y_ySt9AJA88-g"
DELIVERY, DELIVERED = "n8qQAs4yw0KCxQF9gjyPWA", "2026-11-29T10:12:02Z"
WHY = "Patient permitted Hilltop Family Clinic for treatment, until 22 Feb 2027"
NOT_COVERED = f"{CONSENT_NAME} does not let the custodian give links away. Nobody gained access."
ELSEWHERE = "Choose another organization of the region."
PLACES = {"study_id": STUDY, "series_uid": SERIES, "webhook_id": WEBHOOK}

RIVERSIDE = {"code": "riverside", "name": "Riverside General Hospital"}
HILLTOP = {"code": "hilltop", "name": "Hilltop Family Clinic"}
SEEN = ["discover", "report", "images"]

_patient = {
    "id": PATIENT, "identifier": "RV-1", "issuer": "1.2.826.973", "name": "Moreau^Pat",
    "birth_date": "1958-05-03", "sex": "F",
}  # fmt: skip
_series = {
    "series_uid": SERIES, "modality": "CT", "number": 1, "description": "Thorax 1.0",
    "body_part": "CHEST", "laterality": "", "instance_count": 3, "frame_count": 3,
}  # fmt: skip
_study = {
    "id": STUDY, "study_uid": UID, "custodian": RIVERSIDE, "own": False, "patient": _patient,
    "study_date": "2026-11-12", "description": "Chest with contrast", "accession_number": "A-20417",
    "modalities": ["CT"], "series_count": 1, "instance_count": 3, "state": "complete",
    "warnings": [],
    "ground": {
        "rule": "consent_permits", "reason": WHY, "consent": CONSENT_NAME, "until": CONSENT_ENDS,
    },
    "links": {
        "self": f"{HERE}/api/v1/studies/{STUDY}/",
        "dicomweb": IMAGES,
    },
}  # fmt: skip
_share = {
    "id": SHARE, "custodian": RIVERSIDE, "shared_by": "Ada Brandt", "shared_for": RIVERSIDE,
    "to": HILLTOP, "person": "", "team": "", "purpose": "TREAT", "actions": SEEN, "studies": [UID],
    "standing": False, "note": "Before the operation on Monday", "shared_at": SHARED_AT,
    "until": UNTIL, "review_by": None, "renews": "",
}  # fmt: skip
_link = {
    "id": LINK, "state": "open", "custodian": RIVERSIDE, "given_by": "Ada Brandt",
    "given_for": RIVERSIDE, "given_at": SHARED_AT, "purpose": "TREAT", "actions": SEEN,
    "studies": [UID], "note": "", "not_before": SHARED_AT, "until": UNTIL, "uses": 1, "used": 0,
    "last_used_at": None, "wrong_codes": 0,
}  # fmt: skip
_consent = {
    "id": CONSENT, "number": "C-1001", "version": 1, "patient": PATIENT, "state": "active",
    "decision": "permit", "force": "ordinary", "starts_at": "2026-11-24T09:00:00Z",
    "ends_at": CONSENT_ENDS, "data_from": None, "data_until": None,
    "grantees": [
        {"kind": "organization", "name": HILLTOP["name"], "role": "", "excepted": False},
    ],
    "terms": {"action": ["discover", "images", "report"], "purpose": ["TREAT"]},
    "obligations": [], "maximum_uses": None, "used": 0, "performer": "self",
    "verification": "paper", "recorded_by": "Mei Tan", "recorded_at": "2026-11-24T09:00:00Z",
    "ended_by": "", "ended_at": None, "ended_why": "",
}  # fmt: skip
_ended = {
    "state": "revoked", "ended_by": "Mei Tan", "ended_at": OPENED_AT,
    "ended_why": "The patient asked for it.",
}  # fmt: skip
_request = {
    "id": "Mlxgrz4qjqzrCYL27cbpjg", "custodian": "riverside", "asked_for": "hilltop",
    "asked_by": "Ben Hartley", "purpose": "TREAT", "identifier": "RV-1",
    "birth_date": "1958-05-03", "reason": "Operation on Monday", "state": "asked",
    "asked_at": ARRIVED, "expires_at": "2026-12-13T10:12:00Z", "answered_at": None, "answer": "",
}  # fmt: skip
_album = {
    "id": "5USItpa8l60Ytv1RVnMx6g", "name": "Chest board, December", "note": "",
    "organization": RIVERSIDE, "made_by": "Ada Brandt", "made_at": SHARED_AT, "purpose": "TREAT",
    "actions": SEEN, "until": UNTIL, "studies": [STUDY],
    "members": [
        {
            "id": "h2Jq0yS5cWm4xN8dTzQk1g", "organization": HILLTOP, "person": "", "team": "",
            "added_at": SHARED_AT,
        },
    ],
}  # fmt: skip
_line = {
    "study": STUDY, "organization": "hilltop", "member": HILLTOP["name"], "covered": True,
    "missing": "",
}  # fmt: skip
_client = {
    "id": "IbrQZ--UGS7dKBoWJOWxwg", "name": "Riverside PACS", "kind": "machine", "public": False,
    "scopes": ["dicomweb.write"], "redirects": [], "purpose": "TREAT", "jwks_url": "",
    "signs": False, "made_at": ARRIVED, "made_by": "Ines Roth",
}  # fmt: skip
_webhook = {
    "id": WEBHOOK, "url": "https://ris.example.org/hook", "kinds": ["study.settled"],
    "names_studies": False, "paused": False, "made_at": ARRIVED, "changed_at": ARRIVED,
    "made_by": "Ines Roth",
}  # fmt: skip
_delivery = {
    "id": DELIVERY, "kind": "study.settled", "state": "delivered", "made_at": ARRIVED, "tried": 1,
    "tried_at": DELIVERED, "next_at": None, "status": 204, "failure": "",
    "body": f'{{"at": "{ARRIVED}", "data": {{"study": "{STUDY}", "url": '
    f'"{HERE}/api/v1/studies/{STUDY}/"}}, "id": "{DELIVERY}", "organization": "riverside", '
    '"type": "study.settled"}',
}  # fmt: skip
_test = {
    "kind": "webhook.test", "state": "waiting", "tried": 0, "tried_at": None, "status": None,
    "body": f'{{"at": "{ARRIVED}", "data": {{}}, "id": "{DELIVERY}", '
    '"organization": "riverside", "type": "webhook.test"}',
}  # fmt: skip
_organization = RIVERSIDE | {
    "native_name": "", "kind": "hospital", "state": "active", "country": "IE",
    "facility_identifier": "DEMO-RV-001", "patient_id_issuer": "1.2.826.973",
    "requires_second_factor": False,
}  # fmt: skip

OF_FORMS: dict[str, Any] = {
    # what is sent
    "ShareWish": {
        "studies": [STUDY], "to": "hilltop", "may": "images", "until": UNTIL,
        "note": "Before the operation on Monday",
    },
    "LinkWish": {"studies": [STUDY], "may": "images", "until": UNTIL, "uses": 1},
    "RenewWish": {"until": CONSENT_ENDS},
    "ToldWish": {"how": "phone"},
    "AlbumWish": {"name": "Chest board, December", "until": UNTIL, "studies": [STUDY]},
    "PatchedUntilWish": {"until": CONSENT_ENDS},
    "MemberWish": {"to": "hilltop"},
    "StudiesWish": {"studies": [STUDY]},
    "AskWish": {
        "custodian": "riverside", "identifier": "RV-1", "birth_date": "1958-05-03",
        "reason": "Operation on Monday",
    },
    "ApproveWish": {"until": UNTIL},
    "RefuseWish": {"why": "Please ask the patient to permit it first."},
    "RevokeWish": {"why": "The patient asked for it."},
    "ClientWish": {"name": "Riverside PACS", "scopes": ["dicomweb.write"]},
    "RotationWish": {"at_once": False},
    "WebhookWish": {"url": "https://ris.example.org/hook", "kinds": ["study.settled"]},
    "PatchedWebhookChange": {"paused": True},
    "SignatureForm": {"key": "3b" * 32, "signature": "a7" * 64},
    # what is answered
    "MeForm": {
        "kind": "user", "id": BEN, "name": "Ben Hartley", "organization": "hilltop",
        "organization_name": HILLTOP["name"], "purpose": "TREAT", "roles": ["physician"],
        "scopes": ["studies.read"], "client": {"id": "qN5sYw2LrTe8uJ0vKc4ZbA", "name": "Ward app"},
    },
    "StudyForm": _study,
    "StudyDetailForm": _study | {"series": [_series]},
    "SeriesLinkedForm": _series | {"dicomweb": f"{IMAGES}/series/{SERIES}"},
    "ImageForm": {
        "sop_uid": IMAGE, "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax": "1.2.840.10008.1.2.1", "number": 1, "rows": 512, "columns": 512,
        "frames": 1, "dicomweb": f"{IMAGES}/series/{SERIES}/instances/{IMAGE}",
    },
    "PatientInSightForm": _patient | {"custodian": RIVERSIDE},
    "ExplanationForm": {
        "study": STUDY, "person": BEN, "organization": "hilltop", "purpose": "TREAT",
        "action": "images", "at": OPENED_AT, "allowed": True, "rule": "consent_permits",
        "reason": WHY, "consent": CONSENT_NAME, "until": CONSENT_ENDS, "obligations": [],
        "steps": [
            {
                "rung": "denied", "question": "Did the patient refuse it to them?",
                "answer": "No", "decided": False, "consent": "",
            },
            {
                "rung": "permitted", "question": "Did the patient permit it to them?",
                "answer": WHY, "decided": True, "consent": CONSENT_NAME,
            },
        ],
        "ways": [],
    },
    "ShareForm": _share,
    "ForeseenForm": {
        "study_uid": UID, "before": False, "after": True, "consent": CONSENT_NAME,
        "until": UNTIL, "missing": "",
    },
    "ReviewedForm": {"review_by": "2027-02-27T10:24:00Z"},
    "DueForm": {"ending": [_share], "reviews": [], "consents": None, "to_tell": None},
    "LinkForm": _link,
    "LinkNowForm": _link | {"opens": True},
    "MadeForm": _link | {
        "address": f"{HERE}/open/#an-example-that-opens-nothing", "code": "K7PM2RXD",
    },
    "AlbumForm": _album,
    "LineForm": _line,
    "RequestForm": _request,
    "RequestToAnswerForm": _request | {
        "patient": PATIENT, "studies": [{"study_uid": UID, "missing": ""}],
    },
    "ConsentForm": _consent,
    "OwnOrganizationForm": _organization,
    "OwnOrganizationsForm": {"results": [_organization]},
    "StaffForm": {
        "person": ADA, "name": "Ada Brandt", "role": "radiologist", "since": "2026-11-24T09:00:00Z",
    },
    "EventForm": {
        "id": 9, "at": OPENED_AT, "actor_kind": "user", "actor": BEN, "actor_name": "Ben Hartley",
        "organization": "hilltop", "client": "", "purpose": "TREAT", "action": "study.discover",
        "permitted": True, "rule": "consent_permits", "reason": WHY, "consent": CONSENT_NAME,
        "patient": PATIENT, "study": STUDY, "request_id": "6f3007de33c634a9",
    },
    "JobForm": {
        "id": "Zr1dX8mKQe6oGhT3sVbYpw", "kind": "upload", "state": "done", "opened_at": ARRIVED,
        "closed_at": ARRIVED, "receipt": f"{HERE}/api/v1/upload-batches/Zr1dX8mKQe6oGhT3sVbYpw/",
    },
    "CopyKindsForm": {"results": [{"modality": "CT", "studies": 14, "images": 2096}]},
    "ClientForm": _client,
    "ClientWithSecret": _client | {"secret": "an-example-of-a-secret-that-opens-nothing-at-all"},
    "WebhookForm": _webhook,
    "WebhookWithSecret": _webhook | {
        "secret": "whsec_YW4gZXhhbXBsZSB0aGF0IHNpZ25zIG5vdGhpbmc=",
    },
    "DeliveryForm": _delivery,
}  # fmt: skip

OF_OPERATIONS: dict[str, Any] = {
    "albums_partial_update": _album | {"until": CONSENT_ENDS},
    "consents_revoke_create": _consent | _ended,
    "log_consistency_retrieve": {"proof": ["5e" * 32, "c1" * 32]},
    "log_heads_retrieve": {
        "head": {
            "origin": HERE, "number": 12, "size": 2048, "root": "5e" * 32, "chain": "c1" * 32,
            "settled": 2051, "previous": "90" * 32, "at": ARRIVED,
        },
        "key": "3b" * 32, "signature": "a7" * 64, "witnesses": [],
    },
    "requests_approve_create": _request | {"state": "approved", "answered_at": SHARED_AT},
    "requests_refuse_create": _request | {
        "state": "refused", "answered_at": SHARED_AT,
        "answer": "Please ask the patient to permit it first.",
    },
    "requests_withdraw_create": _request | {"state": "withdrawn", "answered_at": SHARED_AT},
    "shares_renew_create": _share | {
        "id": "V4bWn2tRkE7yHs0cLqJxdA", "shared_at": OPENED_AT, "until": CONSENT_ENDS,
        "renews": SHARE,
    },
    "webhooks_partial_update": _webhook | {"paused": True, "changed_at": OPENED_AT},
    "webhooks_test_create": _delivery | _test,
}  # fmt: skip
"""Where the answer of an operation is not just any of its form."""

OF_REFUSALS: dict[str, Any] = {
    str(status): {"title": title, "status": status, "code": code, "detail": detail}
    for status, title, code, detail in (
        (400, "Bad request", "invalid", "Invalid input."),
        (401, "Sign-in required", "token_invalid", "The access token is not valid."),
        (403, "Not allowed", "forbidden", "You are not allowed to do this."),
        (404, "Not found", "absent", "Nothing found."),
        (409, "Not possible", "not_covered", NOT_COVERED),
        (412, "Changed meanwhile", "changed", "It has changed since you read it. Read it again."),
        (422, "Not acceptable content", "share_invalid", ELSEWHERE),
        (429, "Too many requests", "too_many", "Too many requests. Wait a little."),
    )
}


def asked(schema: dict[str, Any]) -> Any:
    """An example of a body. Raises KeyError where its form has none yet."""
    return OF_FORMS[_name(schema)]


def answered(schema: dict[str, Any], *, operation: str, path: str) -> Any:
    """An example of an operation's answer. Raises KeyError where its form has none yet."""
    if operation in OF_OPERATIONS:
        return OF_OPERATIONS[operation]
    if schema.get("type") == "array":
        return [OF_FORMS[_name(schema["items"])]]
    page = re.fullmatch(r"Paginated(\w+)List", _name(schema))
    if page is None:
        return OF_FORMS[_name(schema)]
    following = f"{HERE}{path.format(**PLACES)}?cursor=cD0yMDI2LTExLTI5"
    return {"next": following, "previous": None, "results": [OF_FORMS[page[1]]]}


def _name(schema: dict[str, Any]) -> str:
    """Of the form that a part of the document refers to."""
    return str(schema.get("$ref", "")).rpartition("/")[2]
