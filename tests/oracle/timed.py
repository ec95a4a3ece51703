"""The region of the measurement of times: studies with images, of which Hilltop sees a few."""

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.test import Client

from sharing.archive.models import Study
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.identity.models import Patient
from sharing.partners.services import issue_token
from tests.cast import Region
from tests.oracle import images
from tests.oracle.answers import short
from tests.oracle.asking import Question
from tests.sessions import sign_in

OPEN = 4
DRAWN = re.compile(rb'"[A-Za-z0-9]{64}"|\d\d:\d\d\. Not for')
"""A form's token, and when a page is printed."""


def world(region: Region, studies: int, at: datetime) -> dict[str, Any]:
    """Who asks, by which way; and the ids of what is hidden from them."""
    rng = Random(1)
    made = [_study(region, number, rng, at) for number in range(studies)]
    for each in made[:OPEN]:
        patient = Study.objects.get(study_uid=each["study"]).patient
        region.permit(patient=patient, at=at, ends_at=at + timedelta(days=9))
    for number, each in enumerate(made[OPEN:]):
        _hide(region, number, Study.objects.get(study_uid=each["study"]).patient, at)
    secret = issue_token(
        organization=region.hilltop, name="PACS", scopes=["dicomweb.read", "studies.read"], at=at
    )
    browser = sign_in(Client(), region.ben.user)
    machines = Client()
    token = {"Authorization": f"Bearer {secret}"}

    def machine(path: str) -> tuple[int, bytes]:
        asked = Question("", "GET", path, {}, {"Accept": "*/*"})
        answer = short(asked, {**asked.headers, **token})
        if answer is not None:
            return answer.status, answer.body
        return _said(machines.get(path, headers=token))

    def ben(path: str) -> tuple[int, bytes]:
        return _said(browser.get(path))

    return {"hidden": made[OPEN:], "machine": machine, "ben": ben}


def _hide(region: Region, number: int, pat: Patient, at: datetime) -> None:
    """In one way or another: nothing was said, or withdrawn, refused, or said of others only."""
    until = {"patient": pat, "at": at, "ends_at": at + timedelta(days=9)}
    way = number % 4
    if way == 1:
        region.revoke(region.permit(**until), at=at)
    elif way == 2:
        region.permit(**until)
        region.deny(**until)
    elif way == 3:
        region.permit(region.lakeside, **until)


def _said(response: Any) -> tuple[int, bytes]:
    """The status, and the body of what is not found; a list shows what was typed."""
    page = response.content if response.status_code == 404 else b""
    return response.status_code, DRAWN.sub(b"~", page)


def _study(region: Region, number: int, rng: Random, at: datetime) -> dict[str, str]:
    root = f"2.25.{rng.randrange(10**20, 10**21)}"
    uids = {kind: f"{root}{n}{rng.randrange(10**9, 10**10)}" for n, kind in enumerate(KINDS)}
    identifier = f"RV-{rng.randrange(10**7, 10**8)}"
    texts = {
        "PatientName": f"Hidden^{number}", "PatientID": identifier, "PatientBirthDate": "19580503",
        "StudyInstanceUID": uids["study"], "SeriesInstanceUID": uids["series"],
        "SOPInstanceUID": uids["instance"], "AccessionNumber": str(rng.randrange(10**9)),
    }  # fmt: skip
    raw = images.file(number, texts, modality="CT", body="CHEST", day="20261112")
    receive(
        organization=region.riverside, door=Door.UPLOAD, sender="bench",
        files=[Incoming("image.dcm", iter((raw,)))], by=SYSTEM, at=at,
    )  # fmt: skip
    name = Study.objects.get(study_uid=uids["study"]).public_id
    return uids | {"identifier": identifier, "name": name}


KINDS = ("study", "series", "instance")
