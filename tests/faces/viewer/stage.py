"""Real studies at Riverside, permitted to Hilltop; run in the live portal by `manage.py shell`."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pydicom
from django.urls import reverse
from django.utils import timezone

from sharing.archive.models import Study
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.archive.services.settling import settle_study
from sharing.audit.rules import SYSTEM
from sharing.consent.models import Consent
from sharing.consent.rules import Decision
from sharing.consent.services import Said, record_consent, revoke_consent
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action, Purpose
from sharing.partners.services import issue_token
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Role
from sharing.tenants.services import Actor, actor_for_session
from tests.cast import PDF, make_organization, make_person


def prepare(folder: str, names: list[str]) -> None:
    """Prints which public id each study got."""
    riverside = make_organization("riverside", "Riverside General Hospital")
    hilltop = make_organization("hilltop", "Hilltop Family Clinic", kind="clinic", mark="HT")
    make_person("Mei Tan", riverside, Role.CLERK)
    make_person("Ben Hartley", hilltop, Role.PHYSICIAN)
    stored = {Path(name).name: _store(riverside, _files(Path(folder) / name)) for name in names}
    if "us_cine_jpeg" in names:
        again = [_of_another_day(raw) for raw in _files(Path(folder) / "us_cine_jpeg")]
        stored["us_cine_jpeg:earlier"] = _store(riverside, again)
    print(json.dumps(stored))
    for patient in Patient.objects.all():
        _permit(patient, hilltop)


def also(folders: list[str]) -> None:
    """Prints which public id each further study got; its patient permits Hilltop to see it."""
    riverside = Organization.objects.get(code="riverside")
    hilltop = Organization.objects.get(code="hilltop")
    known = set(Patient.objects.values_list("pk", flat=True))
    print(json.dumps({name: _store(riverside, _files(Path(name))) for name in folders}))
    for patient in Patient.objects.exclude(pk__in=known):
        _permit(patient, hilltop)


def tell_partner() -> None:
    """Prints the newest study's viewer and UID, and a token of the house that holds it."""
    study = Study.objects.select_related("organization").latest("pk")
    token = issue_token(
        organization=study.organization,
        name="Partner",
        scopes=["dicomweb.read"],
        at=timezone.now(),
    )
    path = reverse("viewer:study", args=[study.public_id])
    print(json.dumps({"path": path, "uid": study.study_uid, "token": token}))


def withdraw(public_id: str) -> None:
    """The patient of that study withdraws."""
    consent = Consent.objects.get(patient__studies__public_id=public_id)
    revoke_consent(consent=consent, by=_mei(), why="The patient asked.", at=timezone.now())


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def _of_another_day(raw: bytes) -> bytes:
    """The same patient's images as of a study two years before."""
    data = pydicom.dcmread(io.BytesIO(raw))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(data, keyword, f"{getattr(data, keyword)[:60]}.9")
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyDate = "20180112"
    made = io.BytesIO()
    data.save_as(made)
    return made.getvalue()


def _store(riverside: Organization, files: list[bytes]) -> str:
    receive(
        organization=riverside,
        door=Door.DEMO,
        sender="Test",
        files=[Incoming(name=f"{at}", pieces=[raw]) for at, raw in enumerate(files)],
        by=SYSTEM,
        at=timezone.now(),
    )
    study = Study.objects.latest("pk")
    settle_study(study_id=study.pk, at=timezone.now() + timedelta(minutes=1))
    return study.public_id


def _permit(patient: Patient, hilltop: Organization) -> None:
    now = timezone.now()
    said = Said(
        decision=Decision.PERMIT,
        organizations=(hilltop,),
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(days=90),
        purposes=frozenset({Purpose.TREATMENT}),
        actions=frozenset(Action.IMAGES.ladder),
        evidence=io.BytesIO(PDF),
    )
    record_consent(patient=patient, said=said, by=_mei(), at=now)


def _mei() -> Actor:
    actor = actor_for_session(User.objects.get(email="mei@riverside.example"), {}, assured=True)
    assert actor is not None
    return actor
