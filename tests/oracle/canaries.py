"""A region in which every name, UID, text, file name and image carries a mark of its own.

It stands twice, as `region.Twice` does; the studies are files that the archive received.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from sharing.access.models import AccessRequest, Glass, Review, Share
from sharing.archive.models import Instance, Study
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.consent.models import Consent
from sharing.exchange.models import Album
from sharing.identity.models import Patient
from sharing.kernel.purposes import Purpose
from sharing.tenants.services import found_team
from tests.cast import NOW, PDF, make_organization
from tests.oracle import facts, images
from tests.oracle.marks import Mark, Marks
from tests.oracle.region import (
    HOMES,
    PATIENTS,
    STAFF,
    STUDIES,
    Twice,
    add_machine,
    add_person,
)
from tests.oracle.sending import begin_uploads

MODALITY = {
    "chest": "CT",
    "head": "MR",
    "undated": "OT",
    "knee": "CT",
    "found": "CT",
    "breast": "MG",
}


@dataclass
class Held:
    """The UIDs of one study's image."""

    study: str
    series: str
    instance: str


@dataclass
class Canaries(Twice):
    """The region, its marks, and which pattern is whose."""

    marks: Marks = field(default_factory=Marks)
    held: dict[str, Held] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)  # name, identifier

    def words(self, text: str, *homes: str, person: str = "") -> str:
        """With a mark for these eyes."""
        people = frozenset({person} - {""})
        mark = Mark("words", homes=frozenset(homes), people=people)
        return f"{text} {self.marks.word(mark)} and so on."

    def evidence(self, home: str) -> BytesIO:
        """A signed form with a mark in its bytes."""
        mark = self.marks.word(Mark("evidence", homes=frozenset({home})))
        return BytesIO(PDF + b"% " + mark.encode() + b"\n")

    def note_names(self) -> None:
        """The names for URLs that the portal made since."""
        for row in Consent.objects.select_related("custodian"):
            home = frozenset({row.custodian.code})
            self.marks.name(row.public_id, Mark("consent", homes=home))
        for made in Share.objects.select_related("custodian", "shared_for", "to_organization"):
            ends = (made.custodian, made.shared_for, made.to_organization)
            homes = frozenset(each.code for each in ends if each)
            self.marks.name(made.public_id, Mark("share", homes=homes))
        for asked in AccessRequest.objects.select_related("custodian", "asked_by"):
            people = frozenset({self.name_of(asked.asked_by)})
            mark = Mark("request", homes=frozenset({asked.custodian.code}), people=people)
            self.marks.name(asked.public_id, mark)
        self._note_albums()
        self._note_emergencies()

    def _note_albums(self) -> None:
        between = {each.name: frozenset({each.home, each.there}) for each in self.albums}
        for album in Album.objects.prefetch_related("members"):
            mark = Mark("album", homes=between.get(album.public_id, frozenset()))
            for name in (album.public_id, *(each.public_id for each in album.members.all())):
                self.marks.name(name, mark)

    def _note_emergencies(self) -> None:
        for glass in Glass.objects.select_related("user", "organization"):
            reviewing = Review.objects.filter(glass=glass).select_related("organization")
            homes = {glass.organization.code, *(r.organization.code for r in reviewing)}
            people = frozenset({self.name_of(glass.user)})
            self.marks.name(glass.public_id, Mark("glass", homes=frozenset(homes), people=people))
            for review in reviewing:
                home = frozenset({review.organization.code})
                self.marks.name(review.public_id, Mark("review", homes=home))


def build() -> Canaries:
    """The same region as `region.build`, with marks."""
    both = Canaries()
    for code in (*HOMES, "operator"):
        mark = Mark("organization", homes=frozenset({code, "operator"}))
        both.homes[code] = make_organization(
            code, code.title(), contact_email=f"{both.marks.word(mark)}@{code}.example",
            contact_phone=both.marks.word(mark), facility_identifier=both.marks.word(mark),
            privacy_officer_email=f"{both.marks.word(mark)}@{code}.example",
        )  # fmt: skip
        both.world.organizations[code] = facts.Organization()
    for key, places in STAFF.items():
        add_person(both, key, places)
    for key, said in STUDIES.items():
        receive_study(both, key, said)
    for home in HOMES:
        for purpose in (Purpose.TREATMENT, Purpose.OPERATIONS):
            add_machine(both, home, purpose)
    for kind in ("care_team", "project"):
        by = both.actor("ines", "hilltop", "HOPERAT")
        both.teams[kind] = found_team(kind=kind, name=kind, by=by, at=both.at)
        both.world.teams[kind] = facts.Team("hilltop", kind)
    begin_uploads(both)
    return both


def receive_study(both: Canaries, key: str, said: dict[str, Any]) -> None:
    """One image of a study, sent by its custodian's machine."""
    patient = said["of"]
    home = PATIENTS[patient][0]
    if patient not in both.world.patients:
        _expect(both, patient)
    texts = _texts(both, key, patient)
    day = "" if said["day"] is None else f"{NOW + timedelta(days=said['day']):%Y%m%d}"
    body = said.get("regions", "|").strip("|")
    both.seeds[key] = len(both.seeds) + 11
    raw = images.file(both.seeds[key], texts, modality=MODALITY[key], body=body, day=day)
    name = both.marks.word(Mark("file", key, homes=frozenset({home}))) + ".dcm"
    receive(
        organization=both.homes[home], door=Door.UPLOAD, sender="test",
        files=[Incoming(name, iter((raw,)))], by=SYSTEM, at=both.at,
    )  # fmt: skip
    _note_study(both, key, patient, said.get("labels", "|"))


def _expect(both: Canaries, patient: str) -> None:
    """The marks of a patient are in each of their studies."""
    home, identifier, born = PATIENTS[patient]
    mark = Mark("patient", patient=patient, homes=frozenset({home}))
    both.names[patient] = (
        f"{both.marks.word(mark)}^{patient.title()}",
        both.marks.word(mark) if identifier else "",
    )
    both.world.patients[patient] = facts.Patient(home, bool(identifier), born)


def _texts(both: Canaries, key: str, patient: str) -> dict[str, str]:
    """Every text of the file, each with its mark."""
    home, _, born = PATIENTS[patient]
    here = Mark("study", key, homes=frozenset({home}))
    inside = Mark("image", key, action="images")
    name, identifier = both.names[patient]
    held = Held(*(both.marks.uid(here) for _ in range(3)))
    both.held[key] = held
    texts = {
        "PatientName": name, "PatientID": identifier,
        "PatientBirthDate": f"{born:%Y%m%d}" if born else "",
        "StudyInstanceUID": held.study, "SeriesInstanceUID": held.series,
        "SOPInstanceUID": held.instance,
    }  # fmt: skip
    for keyword in (
        "StudyDescription", "SeriesDescription", "AccessionNumber", "StudyID", "InstitutionName",
        "ReferringPhysicianName",
    ):  # fmt: skip
        texts[keyword] = both.marks.word(here)
    for keyword in ("ImageComments", "OperatorsName", "StationName", "PatientComments"):
        texts[keyword] = both.marks.word(inside)
    return texts


def _note_study(both: Canaries, key: str, patient: str, labels: str) -> None:
    held, home = both.held[key], PATIENTS[patient][0]
    row = Study.objects.with_owners().get(study_uid=held.study)
    Study.objects.filter(pk=row.pk).update(labels=labels)
    both.studies[key], both.patients[patient] = row, row.patient
    whose = Mark("patient", patient=patient, homes=frozenset({home}))
    both.marks.name(row.public_id, Mark("study", key, homes=frozenset({home})))
    both.marks.name(row.patient.public_id, whose)
    words = {"modalities": row.modalities, "regions": row.body_regions, "labels": labels}
    both.world.studies[key] = facts.Study(
        home, patient, row.study_date, series=frozenset({held.series}),
        **{axis: frozenset(filter(None, text.split("|"))) for axis, text in words.items()},
    )  # fmt: skip
    assert row.patient.certain == both.world.patients[patient].certain
    assert Instance.objects.filter(series__study=row).count() == 1
    assert Patient.objects.filter(pk=row.patient.pk).exists()
