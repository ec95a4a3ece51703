"""Who has access to a study; and what a consent or its end would change, before anybody says yes.

The same `decide` answers, once with the facts on file and once with the facts as they would be.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState
from sharing.consent.services import Said, Whom
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.services import physicians_mail, researchers

from .rules import Ask, ConsentFacts, Decision, Facts, Named, Subject, decide
from .services import facts_of_consents, facts_on_file, physician_of


@dataclass(frozen=True)
class Change:
    """What changes for the treating people of one organization."""

    organization: Organization
    people: int
    gained: tuple[Subject, ...]
    lost: tuple[Subject, ...]
    researchers: int = 0
    """Of how many there the copies change that name nobody (`copied`, `uncopied`)."""
    copied: tuple[Subject, ...] = ()
    uncopied: tuple[Subject, ...] = ()


@dataclass(frozen=True)
class Reach:
    """What one organization may do with a study now, and the ground; no action: why not."""

    organization: Organization
    decision: Decision
    actions: tuple[Action, ...]


def reach(subject: Subject, organizations: Iterable[Organization], *, at: datetime) -> list[Reach]:
    """How far each organization's people come with one study, acting as their roles let them."""
    facts = facts_on_file([subject])
    return [_reach(subject, organization, facts, at) for organization in organizations]


def _reach(subject: Subject, organization: Organization, facts: Facts, at: datetime) -> Reach:
    found = []
    for asker in _askers(organization):
        found = [
            (action, decide(Ask(asker, action, subject, at), facts))
            for action in (Action.DISCOVER, Action.REPORT, Action.IMAGES, Action.DOWNLOAD)
        ]
        if found[0][1].allowed:
            break
    allowed = tuple(action for action, decision in found if decision.allowed)
    refusals = [decision for _, decision in found if not decision.allowed]
    return Reach(organization, found[0][1] if allowed else refusals[0], allowed)


def _askers(organization: Organization) -> tuple[Actor, Actor]:
    """One there who treats, and one at the desk, after which the rest of the staff is like."""
    desk = physician_of(organization, Purpose.OPERATIONS)
    return (
        replace(desk, roles=frozenset({Role.CLERK})),
        physician_of(organization, Purpose.TREATMENT),
    )


def foresee_consent(
    *,
    said: Said,
    custodian_id: int,
    patient_id: int,
    subjects: Sequence[Subject],
    organizations: Iterable[Organization],
    at: datetime,
) -> list[Change]:
    """What recording `said` would change, for each organization that it touches."""
    before, after = with_consent(said, custodian_id, patient_id, subjects)
    return _changes(subjects, before, after, organizations, at)


def with_consent(
    said: Said, custodian_id: int, patient_id: int, subjects: Sequence[Subject]
) -> tuple[Facts, Facts]:
    """What is on file, and what would be."""
    before = facts_on_file(subjects)
    drafted = _drafted(said, custodian_id, patient_id)
    return before, replace(before, consents=(*before.consents, drafted))


def without_consent(consent: Consent, subjects: Sequence[Subject]) -> tuple[Facts, Facts]:
    """What is on file, and what would be left."""
    before = facts_on_file(subjects)
    kept = tuple(
        facts
        for facts in before.consents
        if (facts.custodian_id, facts.key) != (consent.custodian_id, consent.key)
    )
    return before, replace(before, consents=kept)


def foresee_revocation(
    *,
    consent: Consent,
    subjects: Sequence[Subject],
    organizations: Iterable[Organization],
    at: datetime,
) -> list[Change]:
    """What the end of this consent would change, for each organization that it touches."""
    before, after = without_consent(consent, subjects)
    return _changes(subjects, before, after, organizations, at)


def lost_sight(
    *,
    consent: Consent,
    subjects: Sequence[Subject],
    people: Iterable[tuple[User, Organization]],
    at: datetime,
) -> Iterator[tuple[User, Organization]]:
    """Those who could find one of the studies until this consent ended at `at`, and now cannot."""
    after = facts_on_file(subjects)
    (ended,) = facts_of_consents([consent])
    spoken = replace(ended, state=ConsentState.ACTIVE)
    before = replace(after, consents=(*after.consents, spoken))
    for user, organization in people:
        asker = replace(physician_of(organization, Purpose.TREATMENT), user_id=user.pk)
        was, now = (set(_seen(asker, subjects, facts, at)) for facts in (before, after))
        if was - now:
            yield user, organization


def seen_by(
    people: Iterable[User],
    organization: Organization,
    purpose: Purpose,
    subjects: Sequence[Subject],
    *,
    at: datetime,
) -> dict[User, list[Subject]]:
    """By each of these people who treat there what they can find of the studies now."""
    facts, roles = facts_on_file(subjects), frozenset({Role.PHYSICIAN, Role.RADIOLOGIST})
    askers = {user: physician_of(organization, purpose, roles=roles, user=user) for user in people}
    return {user: list(_seen(asker, subjects, facts, at)) for user, asker in askers.items()}


def _changes(
    subjects: Sequence[Subject],
    before: Facts,
    after: Facts,
    organizations: Iterable[Organization],
    at: datetime,
) -> list[Change]:
    found, places = [], list(organizations)
    research = researchers(places) if _is_of_research(before, after) else {}
    for organization in places:
        askers = _askers(organization)
        was = {s for asker in askers for s in _seen(asker, subjects, before, at)}
        will = {s for asker in askers for s in _seen(asker, subjects, after, at)}
        gained = tuple(s for s in subjects if s in will - was)
        lost = tuple(s for s in subjects if s in was - will)
        people = physicians_mail(organization.pk).count() if gained or lost else 0
        change = Change(organization, people, gained, lost)
        for user in research.get(organization.pk, ())[:ASKED_OF_RESEARCHERS]:
            change = _with_copies(change, user, subjects, before, after, at)
        if gained or lost or change.researchers:
            found.append(change)
    return found


ASKED_OF_RESEARCHERS = 20
"""So many people of one organization a preview asks for: a project names some of them."""


def _is_of_research(before: Facts, after: Facts) -> bool:
    """Whether what is said or ends speaks of research at all."""
    told = {*before.consents} ^ {*after.consents}
    return any(Purpose.RESEARCH in consent.purposes for consent in told)


def _with_copies(
    change: Change,
    user: User,
    subjects: Sequence[Subject],
    before: Facts,
    after: Facts,
    at: datetime,
) -> Change:
    """With the copies without names that this researcher gains or loses."""
    roles = frozenset({Role.RESEARCHER})
    asker = physician_of(change.organization, Purpose.RESEARCH, roles=roles, user=user)
    was, will = (set(_copied(asker, subjects, facts, at)) for facts in (before, after))
    if was == will:
        return change
    more, less = will - was | {*change.copied}, was - will | {*change.uncopied}
    return replace(
        change,
        researchers=change.researchers + 1,
        copied=tuple(s for s in subjects if s in more),
        uncopied=tuple(s for s in subjects if s in less),
    )


def _copied(
    asker: Actor, subjects: Sequence[Subject], facts: Facts, at: datetime
) -> Iterator[Subject]:
    for subject in subjects:
        ask = Ask(asker, Action.DOWNLOAD, subject, at, deidentified=True)
        if decide(ask, facts).allowed:
            yield subject


def _seen(
    asker: Actor, subjects: Sequence[Subject], facts: Facts, at: datetime
) -> Iterator[Subject]:
    for subject in subjects:
        if decide(Ask(asker, Action.DISCOVER, subject, at), facts).allowed:
            yield subject


def _drafted(said: Said, custodian_id: int, patient_id: int) -> ConsentFacts:
    return ConsentFacts(
        key="",
        decision=said.decision,
        custodian_id=custodian_id,
        patient_id=patient_id,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        grantees=tuple(_meant(whom) for whom in said.named),
        exceptions=tuple(_meant(whom) for whom in said.excepted),
        purposes=frozenset(said.purposes),
        actions=frozenset(said.actions),
        studies=said.studies,
        modalities=said.modalities,
        performers=said.performing_organizations,
        data_from=said.data_from,
        data_until=said.data_until,
        series=said.series,
        body_regions=said.body_regions,
        labels=said.labels,
        force=said.force,
        obligations=frozenset(map(str, said.obligations)),
        maximum_uses=said.maximum_uses,
    )


def _meant(whom: Whom) -> Named:
    team = whom.team
    members = team.members.filter(ended_at=None).values_list("user_id", flat=True) if team else ()
    organization = team.organization if team else whom.organization
    return Named(
        whom.kind,
        organization.pk if organization else None,
        whom.user.pk if whom.user else None,
        str(whom.organization or whom.user or team or ""),
        whom.role or "",
        frozenset(members),
    )
