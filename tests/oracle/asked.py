"""One question to the model, and what each thing on file says to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from .facts import Actor, Agreement, Consent, Glass, Grant, Patient, Study, Tie, Values, Whom, World

LOOK = frozenset({"discover", "report", "images"})
STRENGTH = ("discover", "report", "images", "download", "send", "reshare", "ai")
COPIES = frozenset({"download", "send"})
TREATING = frozenset({"radiologist", "physician", "technologist"})
POLICIES = ("deny", "break_glass", "treating", "all_normal")
PURPOSES = {
    "administrator": {"HOPERAT"},
    "privacy_officer": {"HOPERAT"},
    "radiologist": {"TREAT"},
    "physician": {"TREAT"},
    "technologist": {"TREAT"},
    "clerk": {"HOPERAT"},
    "operator": {"HOPERAT"},
    "researcher": {"HRESCH"},
    "client": {"TREAT", "HOPERAT"},
    "bearer": {"TREAT", "PATRQT"},
}
ACTIONS = {
    "administrator": frozenset(),
    "privacy_officer": frozenset({"discover"}),
    "radiologist": LOOK | {"download", "send", "reshare"},
    "physician": LOOK | {"download", "reshare"},
    "technologist": LOOK,
    "clerk": LOOK,
    "operator": frozenset(),
    "researcher": LOOK | {"download"},
    "client": LOOK | {"download", "ai"},
    "bearer": LOOK | {"download"},
}
OWN_PURPOSES = frozenset({"TREAT", "HOPERAT"})
BREAKERS = frozenset({"radiologist", "physician"})


@dataclass(frozen=True)
class Question:
    """One actor, action, study and moment in one world, with what follows from them."""

    world: World
    actor: Actor
    action: str
    key: str
    now: datetime
    unnamed: bool = False
    """Of a copy that names nobody."""

    @property
    def study(self) -> Study:
        return self.world.studies[self.key]

    @property
    def patient(self) -> Patient:
        return self.world.patients[self.study.patient]

    @property
    def roles(self) -> frozenset[str]:
        """The actor's roles at the organization that they act for, as they are now."""
        if self.actor.kind == "client":
            return frozenset({"client"})
        if self.actor.kind == "link":
            return frozenset({"bearer"})
        held = self.world.people[self.actor.key].roles
        return frozenset(held.get(self.actor.organization, ()))

    @property
    def at_custodian(self) -> bool:
        return self.actor.kind != "link" and self.actor.organization == self.study.custodian

    @property
    def treats(self) -> bool:
        return self.actor.purpose == "TREAT" and bool(self.roles & TREATING)


def in_standing(q: Question) -> bool:
    if q.actor.kind == "user":
        return q.world.people[q.actor.key].active and bool(q.roles)
    if q.actor.kind == "client":
        machine = q.world.machines[q.actor.key]
        ended = machine.expires is not None and machine.expires <= q.now
        return not machine.revoked and not ended
    return True


# --- consents ----------------------------------------------------------------------------------


def majority(born: date, years: int) -> datetime:
    """The first moment of the birthday; of 29 February, of 1 March where there is none."""
    try:
        day = born.replace(year=born.year + years)
    except ValueError:
        day = date(born.year + years, 3, 1)
    return datetime.combine(day, time(), UTC)


def in_force(world: World, consent: Consent, now: datetime) -> bool:
    """Active, in its period, and said by somebody who may still speak."""
    if consent.state != "active" or now < consent.starts:
        return False
    ends = [consent.ends, consent.speaker.until]
    born = world.patients[consent.patient].born
    if consent.speaker.relation in ("parent", "guardian") and born is not None:
        ends.append(majority(born, world.majority))
    return all(end is None or now < end for end in ends)


def binding(q: Question, force: str) -> Iterable[bool]:
    """The denials of that force that mean the actor: of everything, for every purpose."""
    for consent in q.world.consents:
        if consent.force == force and consent.patient == q.study.patient:
            yield in_force(q.world, consent, q.now) and names(q, consent)


def speaks(q: Question, consent: Consent) -> bool:
    meant = {q.action} if consent.permits else set(STRENGTH[: STRENGTH.index(q.action) + 1])
    return bool(meant & consent.actions) and serves(q, consent)


def serves(q: Question, consent: Consent) -> bool:
    """In force, of this study, for this purpose; and not only for what names nobody, unless that is
    asked for."""
    return (
        consent.patient == q.study.patient
        and in_force(q.world, consent, q.now)
        and q.actor.purpose in consent.purposes
        and (q.unnamed or "deidentify" not in consent.obligations)
        and _covers(consent, q)
    )


def _covers(consent: Consent, q: Question) -> bool:
    unsure = not consent.permits
    study = q.study
    performed = frozenset({study.custodian})
    return (
        _named_study(consent, q)
        and _meets(consent.modalities, study.modalities, unsure)
        and _meets(consent.regions, study.regions, unsure)
        and _meets(consent.performers, performed, unsure)
        and _meets(consent.labels, study.labels, unsure=False)
        and _in_data_period(consent, study.day, unsure)
    )


def _named_study(consent: Consent, q: Question) -> bool:
    """Study and series UIDs are one axis: either names."""
    if not consent.studies and not consent.series:
        return True
    if q.key in consent.studies:
        return True
    named = consent.series & q.study.series
    if consent.permits:
        return bool(named) and named == q.study.series
    return bool(consent.series) and (bool(named) or not q.study.series)


def _meets(limit: Values, values: Values, unsure: bool) -> bool:
    if not limit:
        return True
    return bool(limit & values) if values else unsure


def _in_data_period(consent: Consent, day: date | None, unsure: bool) -> bool:
    if consent.data_from is None and consent.data_until is None:
        return True
    if day is None:
        return unsure
    after = consent.data_from is None or consent.data_from <= day
    return after and (consent.data_until is None or day <= consent.data_until)


def names(q: Question, consent: Consent) -> bool:
    """Named, and not left out by an exception of the same consent."""
    return any(_means(q, w) for w in consent.whom) and not any(_means(q, w) for w in consent.but)


def _means(q: Question, whom: Whom) -> bool:
    actor = q.actor
    if actor.kind == "link":
        return whom.kind == "everyone"
    if whom.kind == "everyone":
        return True
    if whom.kind == "organization":
        return whom.organization == actor.organization
    if whom.kind == "practitioner":
        return actor.kind == "user" and whom.person == actor.key
    if whom.kind == "role":
        return whom.role in q.roles and whom.organization in ("", actor.organization)
    return whom.kind in ("team", "project") and _member(q, whom)


def _member(q: Question, whom: Whom) -> bool:
    """Of the team now, acting for its organization; a project is for research."""
    team = q.world.teams[whom.team]
    if whom.kind == "project" and q.actor.purpose != "HRESCH":
        return False
    here = team.organization == q.actor.organization and not team.ended
    return q.actor.kind == "user" and here and q.actor.key in team.members


# --- shares, relationships, emergencies ----------------------------------------------------------


def carries(consent: Consent, grant: Grant) -> bool:
    way = "link" if grant.whom.kind == "link" else "named_by_custodian"
    chosen = any(whom.kind == way for whom in consent.whom)
    return chosen and (consent.since or consent.starts) <= root(grant).starts


def root(grant: Grant) -> Grant:
    """The custodian's own share out of which it came."""
    return grant if grant.parent is None else root(grant.parent)


def lives(grant: Grant, now: datetime) -> bool:
    """Begun, not over, not ended, reviewed where it must be; and so is what it came out of."""
    if grant.revoked or not grant.starts <= now < grant.ends:
        return False
    if grant.review_by is not None and grant.review_by <= now:
        return False
    return grant.parent is None or lives(grant.parent, now)


def reaches(q: Question, grant: Grant) -> bool:
    about = grant.patient == q.study.patient and grant.study in (None, q.key)
    gives = grant.purpose == q.actor.purpose and q.action in grant.actions
    here = lives(grant, q.now) and _shared_with(q, grant.whom)
    return about and gives and here and all(_is_active(q, each) for each in _passed_on(grant))


def _passed_on(grant: Grant) -> Iterator[str]:
    """The organizations through which it came: one that is not active shares nothing."""
    while grant.parent is not None:
        grant = grant.parent
        yield grant.whom.organization


def _is_active(q: Question, organization: str) -> bool:
    return q.world.organizations[organization].active


def _shared_with(q: Question, whom: Whom) -> bool:
    """A share to a person is to that person at that organization."""
    if q.actor.kind == "link" or whom.kind == "link":
        return q.actor.kind == whom.kind == "link" and whom.link == q.actor.key
    if whom.kind == "team":
        return _member(q, whom)
    if whom.organization != q.actor.organization:
        return False
    return whom.kind == "organization" or (q.actor.kind == "user" and whom.person == q.actor.key)


def holds(q: Question, agreement: Agreement) -> bool:
    """Whether an agreement is between these two, for this purpose and study, now."""
    two = (agreement.provider, agreement.recipient) == (q.study.custodian, q.actor.organization)
    meant = _meets(agreement.modalities, q.study.modalities, unsure=False)
    in_time = agreement.starts <= q.now < agreement.ends
    return two and meant and in_time and q.actor.purpose in agreement.purposes


def tied(q: Question, tie: Tie) -> bool:
    about = tie.patient == q.study.patient and tie.study in (None, q.key)
    whom = tie.organization == q.actor.organization and tie.person in ("", q.actor.key)
    return about and whom and tie.starts <= q.now < tie.ends


def lasts(q: Question, glass: Glass) -> bool:
    mine = (glass.person, glass.organization) == (q.actor.key, q.actor.organization)
    open_now = not glass.over and glass.starts <= q.now < glass.ends
    return mine and open_now and q.study.patient in glass.patients
