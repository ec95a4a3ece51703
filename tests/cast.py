"""The one cast of all tests.

Ada (radiologist), Mei (clerk) and Olga (privacy officer) are of Riverside, the custodian; Ben is
a physician of Hilltop, who may be permitted; Cleo is a physician of Lakeside, who must see
nothing; Pat is the patient.
"""

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from sharing.archive.indexing import index_studies
from sharing.archive.models import Series, Study
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.consent.rules import Decision
from sharing.consent.services import Said, record_consent, revoke_consent
from sharing.identity.models import Patient
from sharing.identity.services import Person as Named
from sharing.identity.services import identify
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.models import Membership, Organization, Post, User
from sharing.tenants.posts import PostState
from sharing.tenants.rules import Actor, OrganizationState, Role
from sharing.tenants.services import acting_choices, actor_for_session, add_member

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
RESEARCH = {
    "purposes": frozenset({Purpose.RESEARCH}),
    "actions": frozenset(Action.DOWNLOAD.ladder),
    "obligations": {Obligation.DEIDENTIFY},
}
"""What Pat says to who may have copies without names, and nothing else."""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
_numbers = count(1)


@dataclass
class Person:
    """Somebody with an account, and the actor they are at their organization."""

    user: User
    organization: Organization

    @property
    def actor(self) -> Actor:
        """Freshly read, as each request does."""
        actor = actor_for_session(self.user, {}, assured=True)
        assert actor is not None
        return actor

    def acting_for(self, purpose: Purpose) -> Actor:
        """The person's actor for one of the purposes that they may declare."""
        keys = [c.key for c in acting_choices(self.user) if c.purpose == purpose]
        actor = actor_for_session(self.user, {"acting": keys[0]}, assured=True)
        assert actor is not None
        return actor


@dataclass
class Region:
    """Three organizations, their people, one patient."""

    riverside: Organization
    hilltop: Organization
    lakeside: Organization
    ada: Person
    mei: Person
    olga: Person
    admin: Person
    ben: Person
    cleo: Person
    pat: Patient
    at: datetime = NOW
    extra: dict[str, Any] = field(default_factory=dict)

    def study(self, patient: Patient | None = None, **facts: Any) -> Study:
        """A study of Riverside's without images; `facts` are columns of the study."""
        return make_study(patient or self.pat, **facts)

    def permit(self, to: Organization | None = None, **said: Any) -> Consent:
        """Pat permits Hilltop (or `to`) to view images for treatment, for 90 days."""
        return self.say(Decision.PERMIT, to or self.hilltop, **said)

    def deny(self, to: Organization | None = None, **said: Any) -> Consent:
        """Pat refuses Hilltop (or `to`)."""
        return self.say(Decision.DENY, to or self.hilltop, **said)

    def say(self, decision: Decision, to: Organization, **said: Any) -> Consent:
        """Mei records what Pat said."""
        at = said.pop("at", self.at)
        patient = said.pop("patient", self.pat)
        values = {
            "organizations": (to,),
            "starts_at": at,
            "ends_at": at + timedelta(days=90),
            "purposes": frozenset({Purpose.TREATMENT}),
            "actions": frozenset(Action.IMAGES.ladder),
            "evidence": io.BytesIO(PDF),
        } | said
        words = Said(decision=decision, **values)
        return record_consent(patient=patient, said=words, by=self.mei.actor, at=at)

    def revoke(self, consent: Consent, at: datetime | None = None) -> Consent:
        """Pat withdraws; Mei records it."""
        return revoke_consent(
            consent=consent, by=self.mei.actor, why="The patient asked.", at=at or self.at
        )


def make_organization(code: str, name: str, **facts: Any) -> Organization:
    """An active organization."""
    values = {
        "mark": code[:2].upper(),
        "state": OrganizationState.ACTIVE,
        "facility_identifier": f"F-{code}",
        "country": "DE",
        "contact_name": "Contact",
        "contact_email": f"contact@{code}.example",
        "patient_id_issuer": f"1.2.826.{sum(code.encode())}",
        "privacy_officer_name": "Officer",
        "privacy_officer_email": f"privacy@{code}.example",
        "requires_second_factor": False,
    } | facts
    return Organization.objects.create(code=code, name=name, **values)


def make_person(name: str, organization: Organization, *roles: Role) -> Person:
    """A person with those roles and the common password."""
    user = User.objects.create_user(_address(name, organization), name, PASSWORD)
    for role in roles:
        add_member(organization=organization, user=user, role=role, by=SYSTEM, at=NOW)
    return Person(user, organization)


def _people(*known: tuple[str, Organization, Role]) -> list[Person]:
    """As `make_person` makes each one, in a few statements: nearly every test begins with them."""
    users = [User(email=_address(name, of), name=name) for name, of, _ in known]
    for user in users:
        user.set_password(PASSWORD)
    User.objects.bulk_create(users)
    posts, members = [], []
    for user, (name, of, role) in zip(users, known, strict=True):
        posts.append(
            Post(
                organization=of, user=user, email=user.email, name=name, state=PostState.ACTIVE,
                moved_at=NOW, confirmed_at=NOW, confirmed_by=SYSTEM.name,
            )
        )  # fmt: skip
        members.append(Membership(user=user, organization=of, role=role, since=NOW))
    Post.objects.bulk_create(posts)
    Membership.objects.bulk_create(members)
    for user, (_, of, role) in zip(users, known, strict=True):
        detail = {"user": user.public_id, "role": role.value}
        record(who=SYSTEM, action="member.add", at=NOW, what=What(custodian=of.code, detail=detail))
    return [Person(user, of) for user, (_, of, _) in zip(users, known, strict=True)]


def _address(name: str, of: Organization) -> str:
    return f"{name.split()[0].lower()}@{of.code}.example"


def make_patient(organization: Organization, identifier: str = "RV-1", **facts: Any) -> Patient:
    """A patient of that organization."""
    values = {
        "issuer": "",
        "name": "Moreau^Pat=莫^帕",
        "birth_date": date(1958, 5, 3),
        "sex": "F",
    } | facts
    person = Named(identifier=identifier, **values)
    known = identify(organization=organization, persons=[person])[person]
    return Patient.objects.get(pk=known.pk)


def make_study(patient: Patient, **facts: Any) -> Study:
    """A complete study without images, in the patient's own organization."""
    number = next(_numbers)
    values = {
        "study_uid": f"2.25.{700000 + number}",
        "study_date": date(2026, 11, 12),
        "description": "Chest with contrast",
        "modalities": "|CT|",
        "series_count": 1,
        "instance_count": 3,
        "state": "complete",
        "received_at": NOW,
        "changed_at": NOW,
    } | facts
    study = Study.objects.create(organization=patient.organization, patient=patient, **values)
    modality = next(iter(study.modality_list), "")
    Series.objects.create(
        study=study, series_uid=f"{study.study_uid}.1", modality=modality, number=1
    )
    index_studies([study])
    return study


@pytest.fixture
def rita(region: "Region") -> Person:
    """A researcher of Hilltop."""
    return make_person("Rita Sole", region.hilltop, Role.RESEARCHER)


@pytest.fixture
def region(db: None) -> Region:
    """The whole cast, with nothing permitted yet."""
    riverside = make_organization("riverside", "Riverside General Hospital")
    hilltop = make_organization("hilltop", "Hilltop Family Clinic", kind="clinic")
    lakeside = make_organization("lakeside", "Lakeside Imaging Centre", kind="imaging_centre")
    ada, mei, olga, admin, ben, cleo = _people(
        ("Ada Brandt", riverside, Role.RADIOLOGIST),
        ("Mei Tan", riverside, Role.CLERK),
        ("Olga Weiss", riverside, Role.PRIVACY_OFFICER),
        ("Ines Roth", riverside, Role.ADMINISTRATOR),
        ("Ben Hartley", hilltop, Role.PHYSICIAN),
        ("Cleo Stern", lakeside, Role.PHYSICIAN),
    )
    pat = make_patient(riverside)
    return Region(riverside, hilltop, lakeside, ada, mei, olga, admin, ben, cleo, pat)
