"""A region that stands twice: through the portal's services, and as facts of the model.

`Twice` holds both sides and the verbs that change both; a verb that the portal refuses changes
neither.
"""

import io
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sharing.access.models import Grant
from sharing.archive.models import Study
from sharing.audit.rules import SYSTEM
from sharing.consent.models import Consent
from sharing.identity.models import Patient
from sharing.kernel.purposes import Purpose
from sharing.partners.services import actor_for_token, issue_token
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.services import (
    acting_choices,
    actor_for_session,
    add_member,
    found_team,
)
from tests.cast import NOW, PDF, make_organization, make_patient, make_study
from tests.oracle import facts

HOMES = ("riverside", "hilltop", "lakeside")
STAFF: dict[str, dict[str, tuple[Role, ...]]] = {
    "ada": {"riverside": (Role.RADIOLOGIST,)},
    "rory": {"riverside": (Role.PHYSICIAN, Role.RESEARCHER)},
    "tom": {"riverside": (Role.TECHNOLOGIST,)},
    "mei": {"riverside": (Role.CLERK,)},
    "olga": {"riverside": (Role.PRIVACY_OFFICER,)},
    "ines": {"riverside": (Role.ADMINISTRATOR,), "hilltop": (Role.ADMINISTRATOR,)},
    "ben": {"hilltop": (Role.PHYSICIAN,)},
    "rhea": {"hilltop": (Role.RESEARCHER,)},
    "hal": {"hilltop": (Role.CLERK, Role.PRIVACY_OFFICER)},
    "kim": {"hilltop": (Role.RADIOLOGIST,), "lakeside": (Role.PHYSICIAN,)},
    "cleo": {"lakeside": (Role.PHYSICIAN, Role.RADIOLOGIST)},
    "lou": {"lakeside": (Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.CLERK)},
    "otto": {"operator": (Role.OPERATOR,)},
}
CLERK = {"riverside": "mei", "hilltop": "hal", "lakeside": "lou"}
ADMINISTRATOR = {"riverside": "ines", "hilltop": "ines", "lakeside": "lou"}
OFFICER = {"riverside": "olga", "hilltop": "hal", "lakeside": "lou"}
PATIENTS: dict[str, tuple[str, str, date | None]] = {
    "pat": ("riverside", "RV-1", date(1958, 5, 3)),
    "kid": ("riverside", "RV-2", date(2008, 11, 26)),  # of age two days after the beginning
    "doe": ("riverside", "", None),
    "hil": ("hilltop", "HT-1", date(1980, 1, 1)),
}
STUDIES: dict[str, dict[str, Any]] = {
    "chest": {"of": "pat", "day": -12, "modalities": "|CT|", "regions": "|CHEST|"},
    "head": {"of": "pat", "day": -2, "modalities": "|MR|SR|", "labels": "|mental|", "series": 2},
    "undated": {"of": "pat", "day": None, "modalities": "|", "labels": "|genetic|"},
    "knee": {"of": "kid", "day": -5, "modalities": "|CT|MR|", "regions": "|KNEE|"},
    "found": {"of": "doe", "day": -1, "modalities": "|CT|"},
    "breast": {"of": "hil", "day": -3, "modalities": "|MG|", "regions": "|BREAST|"},
}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class ProxyTwice:
    """Who speaks for a patient: the portal's row, and what the model knows of it."""

    patient: str
    row: Any
    known: facts.Speaker


@dataclass
class Twice:
    """Both sides, and the clock that they share."""

    world: facts.World = field(default_factory=facts.World)
    at: datetime = NOW
    homes: dict[str, Organization] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    patients: dict[str, Patient] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    teams: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    consents: dict[int, facts.Consent] = field(default_factory=dict)  # by the portal's key
    grants: dict[int, facts.Grant] = field(default_factory=dict)
    agreements: dict[str, facts.Agreement] = field(default_factory=dict)
    ties: dict[str, facts.Tie] = field(default_factory=dict)
    glasses: dict[int, facts.Glass] = field(default_factory=dict)
    proxies: list[ProxyTwice] = field(default_factory=list)
    albums: list[Any] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)

    def name_of(self, row: Any) -> str:
        """How the model calls a row of the portal's."""
        kinds = {Organization: self.homes, User: self.users, Patient: self.patients}
        return next(key for key, each in kinds[type(row)].items() if each.pk == row.pk)

    def actor(self, key: str, home: str, purpose: str = "TREAT") -> Actor | None:
        """The person's actor as a request would make it now; None when they may not be that."""
        user = User.objects.get(pk=self.users[key].pk)
        wanted = f"{home}:{purpose}"
        if user.is_active and wanted in {choice.key for choice in acting_choices(user)}:
            return actor_for_session(user, {"acting": wanted}, assured=True)
        return None

    def machine(self, home: str, purpose: str) -> Actor | None:
        """The machine's actor, or None when its token is no good."""
        secret = self.tokens[f"{home} {purpose}"]
        return actor_for_token(secret, at=self.at) if secret else None

    def everybody(self) -> list[tuple[facts.Actor, Actor | None]]:
        """All that could ask: each person where they have or had a role, and the machines."""
        found: list[tuple[facts.Actor, Actor | None]] = []
        for key, known in self.world.people.items():
            may_be = self._choices(key)
            for home in sorted(known.roles):
                found += [
                    (facts.Actor("user", key, home, str(purpose)), may_be.get(f"{home}:{purpose}"))
                    for purpose in Purpose
                ]
        for key, machine in self.world.machines.items():
            asker = facts.Actor("client", key, machine.organization, machine.purpose)
            found.append((asker, self.machine(machine.organization, machine.purpose)))
        return found + [(link.asker, link.actor(self)) for link in self.links]

    def _choices(self, key: str) -> dict[str, Actor | None]:
        user = User.objects.get(pk=self.users[key].pk)
        choices = acting_choices(user) if user.is_active else []
        return {
            choice.key: actor_for_session(user, {"acting": choice.key}, assured=True)
            for choice in choices
        }

    def fresh(self, key: str) -> Study:
        """The study as it is now, with its owners."""
        return Study.objects.with_owners().get(pk=self.studies[key].pk)

    def words(self, text: str, *homes: str, person: str = "") -> str:
        """What somebody writes, for the eyes of these organizations and that person only."""
        return text

    def evidence(self, home: str) -> io.BytesIO:
        """A signed form."""
        return io.BytesIO(PDF)


def build() -> Twice:
    """Three organizations, their people, machines and teams, four patients, six studies."""
    both = Twice()
    for code in (*HOMES, "operator"):
        both.homes[code] = make_organization(code, code.title())
        both.world.organizations[code] = facts.Organization()
    for key, places in STAFF.items():
        add_person(both, key, places)
    for key, (home, identifier, born) in PATIENTS.items():
        row = make_patient(both.homes[home], identifier, name=f"{key.title()}^X", birth_date=born)
        both.patients[key] = row
        both.world.patients[key] = facts.Patient(home, bool(identifier), born)
    for key, said in STUDIES.items():
        add_study(both, key, said)
    for home in HOMES:
        for purpose in (Purpose.TREATMENT, Purpose.OPERATIONS):
            add_machine(both, home, purpose)
    for kind in ("care_team", "project"):
        by = both.actor("ines", "hilltop", "HOPERAT")
        both.teams[kind] = found_team(kind=kind, name=kind, by=by, at=both.at)
        both.world.teams[kind] = facts.Team("hilltop", kind)
    return both


def add_person(both: Twice, key: str, places: dict[str, tuple[Role, ...]]) -> None:
    """Somebody with these roles."""
    user = User.objects.create_user(f"{key}@region.example", f"{key.title()} Person", "x")
    both.users[key] = user
    known = both.world.people[key] = facts.Person()
    for home, roles in places.items():
        known.roles[home] = {str(role) for role in roles}
        for role in roles:
            add_member(organization=both.homes[home], user=user, role=role, by=SYSTEM, at=both.at)


def add_study(both: Twice, key: str, said: dict[str, Any]) -> None:
    """One study with one series or two, at its patient's custodian."""
    day = None if said["day"] is None else (NOW + timedelta(days=said["day"])).date()
    columns = {name: said.get(name, "|") for name in ("modalities", "regions", "labels")}
    row = make_study(
        both.patients[said["of"]],
        study_date=day,
        modalities=columns["modalities"],
        body_regions=columns["regions"],
        labels=columns["labels"],
    )
    if said.get("series") == 2:
        row.series.create(series_uid=f"{row.study_uid}.2", modality="SR")
    both.studies[key] = row
    home = both.world.patients[said["of"]].custodian
    series = frozenset(row.series.values_list("series_uid", flat=True))
    words = {name: frozenset(filter(None, text.split("|"))) for name, text in columns.items()}
    both.world.studies[key] = facts.Study(home, said["of"], day, series=series, **words)


def add_machine(both: Twice, home: str, purpose: Purpose) -> None:
    """A partner's client of that organization."""
    key = f"{home} {purpose}"
    both.tokens[key] = issue_token(
        organization=both.homes[home], name=key, at=both.at, purpose=purpose,
        scopes=["dicomweb.read", "dicomweb.write", "studies.read", "uploads.write"],
    )  # fmt: skip
    both.world.machines[key] = facts.Machine(home, str(purpose))


def noted(both: Twice, consent: Consent, said: facts.Consent) -> None:
    """The model learns what the portal recorded."""
    both.consents[consent.pk] = said
    both.world.consents.append(said)


def noted_grants(both: Twice, share: Any, made: facts.Grant) -> None:
    """The model learns of each grant of a share: of `made`, for each study or patient of it."""
    for row in Grant.objects.filter(share=share).select_related("patient"):
        named = (row.custodian_id, row.study_uid)
        keys = {(s.organization_id, s.study_uid): key for key, s in both.studies.items()}
        study = keys.get(named)
        parent = both.grants.get(row.parent_id) if row.parent_id else None
        known = facts.Grant(
            both.name_of(row.patient), study, made.whom, made.purpose, made.actions,
            made.starts, made.ends, row.review_by, parent=parent,
        )  # fmt: skip
        both.grants[row.pk] = known
        both.world.grants.append(known)
